//! `acumen metrics`.

use super::{Ended, output};
use crate::cli::MetricsArgs;
use crate::exit::Exit;
use crate::metrics;
use crate::settings::SettingsError;
use crate::text::clean;

/// Prints the catalogue of metrics, or the definition of one.
///
/// # Errors
/// There is no metric of this name, or standard output cannot be written to.
pub fn run(args: &MetricsArgs) -> Result<Exit, Ended> {
    let text = if args.markdown { metrics::markdown() } else { catalogue(args.name.as_deref())? };
    output::print(&text)?;
    Ok(Exit::Done)
}

fn catalogue(name: Option<&str>) -> Result<String, SettingsError> {
    metrics::text(name.map(str::trim)).ok_or_else(|| {
        let typed = name.expect("the whole catalogue is always there");
        let near = metrics::closest(typed).map_or_else(String::new, |id| format!("did you mean {id}? "));
        SettingsError::new(
            format!("unknown metric “{}”", clean(typed, 60)),
            format!("{near}`acumen metrics` lists all metrics with their definitions"),
        )
    })
}
