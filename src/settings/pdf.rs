//! Whether this build makes PDFs.

use super::SettingsError;

/// Whether PDFs are built in: the cargo feature `pdf`.
pub const HAS_PDF: bool = cfg!(feature = "pdf");

/// Refuses an option that needs PDFs where they are not built in.
///
/// # Errors
/// They are not.
pub fn check_pdf(option: &str) -> Result<(), SettingsError> {
    if HAS_PDF {
        return Ok(());
    }
    Err(SettingsError::new(
        format!("{option}: PDF is not built into this program"),
        "install it with `cargo install --path . --locked --features pdf`, or use a released program or the \
         container image",
    ))
}
