//! The two generations of the API.

use std::fmt;

/// A generation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Pages by offset, oldest first; personal keys.
    V2,
    /// Pages by cursor, newest first; keys of service users.
    V3,
}

impl Api {
    /// The generation that a key belongs to, by its first letters.
    pub fn of_key(key: &str) -> Option<Self> {
        match key {
            key if key.starts_with("cog_") => Some(Self::V3),
            key if key.starts_with("apk_") => Some(Self::V2),
            _ => None,
        }
    }

    /// Whether an id is a service user's: v3 asks for these under a name of their own.
    pub fn is_service_user(id: &str) -> bool {
        id.starts_with("service-user")
    }

    /// Its name in paths, settings and facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    /// The most sessions that a page may be asked for.
    pub fn largest_page(self) -> u32 {
        match self {
            Self::V2 => 1000,
            Self::V3 => 200,
        }
    }
}

/// Who wrote the records of sessions, which decides what fields they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Records {
    /// The web app, in its export, which has neither status, tags and analyses nor
    /// what was started by automation.
    Export,
    /// The API.
    #[serde(untagged)]
    Api(Api),
}

impl Records {
    /// Its name in facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api(api) => api.name(),
            Self::Export => "export",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
