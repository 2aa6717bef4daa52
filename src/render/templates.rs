//! The templates of the page and of the mail: they loop and place.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};

const TEMPLATES: [(&str, &str); 8] = [
    ("report.html", include_str!("../../templates/report.html")),
    ("header.html", include_str!("../../templates/header.html")),
    ("tiles.html", include_str!("../../templates/tiles.html")),
    ("fixes.html", include_str!("../../templates/fixes.html")),
    ("section.html", include_str!("../../templates/section.html")),
    ("sessions.html", include_str!("../../templates/sessions.html")),
    ("footer.html", include_str!("../../templates/footer.html")),
    ("mail.html", include_str!("../../templates/mail.html")),
];

/// All templates. Everything in them is escaped, and an unknown name is an error.
///
/// # Errors
/// A template has a syntax error: an internal error.
pub fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    // By name, minijinja would escape only some extensions.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}
