//! The parameters of a request, one by one, and what is wrong with them: what
//! both generations of the API have in common.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What is wrong with a value: a message and the kind of the mistake.
pub type Wrong = (&'static str, &'static str);

/// One entry of the body of a 422.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    loc: [String; 2],
    msg: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Complaint {
    /// A parameter that has to be there and is not.
    pub fn missing(name: &str) -> Self {
        Self { loc: ["query".to_owned(), name.to_owned()], msg: "Field required", kind: "missing" }
    }
}

/// Hands over every parameter of the part of the address after `?`, decoded.
///
/// # Errors
///
/// Every parameter that was not taken.
pub fn each(
    text: &str,
    mut take: impl FnMut(&str, String) -> Result<(), Wrong>,
) -> Result<(), Vec<Complaint>> {
    let mut complaints = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if let Err((msg, kind)) = take(&name, value.into_owned()) {
            complaints.push(Complaint { loc: ["query".to_owned(), name.into_owned()], msg, kind });
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}

/// A whole number that is not below the least.
pub fn number(text: &str, least: usize) -> Result<usize, Wrong> {
    match text.parse::<i64>() {
        Err(_) => Err(("Input should be a valid integer", "int_parsing")),
        Ok(number) => usize::try_from(number)
            .ok()
            .filter(|number| *number >= least)
            .ok_or(("Input should be greater than or equal to the minimum", "greater_than_equal")),
    }
}

/// True, false or, for neither, null.
pub fn flag(text: &str) -> Result<Option<bool>, Wrong> {
    match text {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        "null" | "" => Ok(None),
        _ => Err(("Input should be a valid boolean", "bool_parsing")),
    }
}

/// ISO 8601 with a zone: a time without one would not say which moment is meant.
pub fn iso(text: &str) -> Result<DateTime<Utc>, Wrong> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| ("Input should be a valid datetime with a time zone", "datetime_from_date_parsing"))
}

/// Whole unix seconds.
pub fn unix(text: &str) -> Result<DateTime<Utc>, Wrong> {
    let seconds = text.parse::<i64>().ok();
    seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(("Input should be a valid integer", "int_parsing"))
}

/// A session id without the prefix that it has or has not.
pub fn bare(session_id: &str) -> &str {
    session_id.strip_prefix("devin-").unwrap_or(session_id)
}
