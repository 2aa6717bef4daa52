//! What a report tells of single people and sessions.

use super::SettingsError;
use crate::cli::ReportArgs;

/// How people are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// By name, where it is known.
    #[default]
    Names,
    /// Under names that mean nothing outside this installation.
    Pseudonyms,
    /// Not at all: everybody is one group.
    Hidden,
}

/// What a report tells of single people and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// How people are shown.
    pub people: Shown,
    /// Whether groups of fewer than five people are folded into one, and single
    /// sessions go without title and link.
    pub leadership: bool,
    /// Whether the beginnings of prompts are printed.
    pub prompts: bool,
}

impl Privacy {
    /// How people are shown, where that is not by name.
    pub fn people_word(&self) -> Option<&'static str> {
        match self.people {
            Shown::Names => None,
            Shown::Pseudonyms => Some("pseudonyms"),
            Shown::Hidden => Some("hidden"),
        }
    }
}

/// What the profile and the flags beside it say of people and sessions.
///
/// # Errors
/// The flags beside the profile ask for what it does not show.
pub fn privacy(args: &ReportArgs) -> Result<Privacy, SettingsError> {
    let leadership = args.profile == "leadership";
    let people = match args.people.as_deref() {
        Some("names") if leadership => {
            return Err(SettingsError::new(
                "--people names: the profile leadership names nobody",
                "use --profile lead for a report with names",
            ));
        }
        Some("hidden") => Shown::Hidden,
        Some("pseudonyms") => Shown::Pseudonyms,
        None if leadership => Shown::Pseudonyms,
        _ => Shown::Names,
    };
    if args.include_prompts && (leadership || people != Shown::Names) {
        return Err(SettingsError::new(
            "--include-prompts: prompts tell who wrote them",
            "print them with --profile lead and --people names only",
        ));
    }
    Ok(Privacy { people, leadership, prompts: args.include_prompts })
}
