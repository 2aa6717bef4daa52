//! What the data of a report can answer.

use chrono::{DateTime, Utc};

use crate::money::Currency;
use devin_api::{Api, Records};

/// What the data of a report can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Who wrote the records.
    pub records: Records,
    /// Whether work is billed in ACUs; if not, ACUs and money are null.
    pub metered: bool,
    /// Whether teams are configured.
    pub teams: bool,
    /// The currency of the price, if there is one.
    pub currency: Option<Currency>,
    /// The last sync of the archive that the sessions come from, if they do.
    pub synced: Option<DateTime<Utc>>,
}

/// What a metric or a dimension needs beyond what every source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Either version of the API; the web app's export does not have it.
    Api,
    /// Version 3 of the API.
    V3,
    /// A people file or rules for tags.
    Teams,
    /// The price of an ACU.
    Price,
    /// An archive, which knows when pull requests were decided.
    Archive,
}

impl Capabilities {
    /// Whether a need is met.
    pub fn meet(self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::Api => self.records != Records::Export,
            Needs::V3 => self.records == Records::Api(Api::V3),
            Needs::Teams => self.teams,
            Needs::Price => self.currency.is_some(),
            Needs::Archive => self.synced.is_some(),
        }
    }
}
