//! How an organisation is served.

use std::time::Duration;

use super::faults::Fault;
use super::lists::List;
use super::v3::Total;

/// How the organisation is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// 0 takes any free port.
    pub port: u16,
    /// How long each answer is held back.
    pub latency: Duration,
    /// The most sessions a page; the server clamps `limit` and `first` to it.
    pub max_page: usize,
    /// The only key that is let in; `None` lets in any that starts with
    /// `apk_user_` on version 2 and with `cog_` on version 3. Version 2 lets in no
    /// key of a service user and version 3 no personal one, whatever stands here.
    pub key: Option<String>,
    /// What version 3 says about how many sessions there are.
    pub total: Total,
    /// Whether the key may ask how much was used; without the right it is 403.
    pub may_see_usage: bool,
    /// Whether it may ask what was consumed, and when it is billed; else 403.
    pub may_see_consumption: bool,
    /// The lists of people and organisations that the key may not read: 403.
    pub hidden: Vec<List>,
    /// What goes wrong again and again.
    pub faults: Vec<Fault>,
    /// What goes wrong with the first, the second … `GET`, on top of `faults`;
    /// nothing more when it is over.
    pub script: Vec<Option<Fault>>,
}

impl Default for Options {
    /// Any port, no latency, 200 sessions a page, any key of the right kind,
    /// every right, and nothing goes wrong.
    fn default() -> Self {
        Self {
            port: 0,
            latency: Duration::ZERO,
            max_page: 200,
            key: None,
            total: Total::Number,
            may_see_usage: true,
            may_see_consumption: true,
            hidden: Vec::new(),
            faults: Vec::new(),
            script: Vec::new(),
        }
    }
}
