//! Who is new, came back or stayed away, and how many members there are.

use std::collections::BTreeSet;

use super::facts::{Facts, count, enter, group};
use super::records::Session;

/// Those who started a session themselves.
fn at_work<'a>(sessions: &[&'a Session]) -> BTreeSet<&'a str> {
    let own = sessions.iter().filter(|session| !session.automation);
    own.filter_map(|session| session.user.as_deref()).collect()
}

/// `spans` has the sessions of each span, oldest first; `known` says of which the whole is known;
/// `complete` whether the last is over.
pub fn facts(
    spans: &[Vec<&Session>],
    known: &dyn Fn(usize) -> bool,
    complete: bool,
    members: Option<u64>,
    facts: &mut Facts,
) {
    let last = spans.len() - 1;
    let own = at_work(&spans[last]);
    let mut seen = BTreeSet::new();
    let mut looked = 0;
    for at in (0..last).rev().take_while(|at| known(*at)) {
        seen.extend(at_work(&spans[at]));
        looked += 1;
    }
    let new = own.iter().filter(|user| !seen.contains(*user)).count() as f64;
    if last > 0 {
        let new = (looked > 0).then_some(new);
        come_and_go(spans, &own, new, complete && known(last) && known(last - 1), facts);
    }
    if let Some(members) = members {
        count(facts, "members", group(&[]), members as usize, members as usize);
        let parts = (own.len() as f64, members as f64);
        // More people than there are is no share.
        let share = (parts.0 <= parts.1).then(|| parts.0 / parts.1);
        enter(facts, "activation", group(&[]), "share", share, members as usize, Some(parts));
    }
}

/// Who is new, returned and stayed away, against the span right before.
fn come_and_go(
    spans: &[Vec<&Session>],
    own: &BTreeSet<&str>,
    new: Option<f64>,
    is_compared: bool,
    facts: &mut Facts,
) {
    let whole = |metric: &str, value: Option<f64>, n: usize, facts: &mut Facts| {
        enter(facts, metric, group(&[]), "count", value, n, None);
    };
    whole("new_users", new, own.len(), facts);
    let before = if is_compared { at_work(&spans[spans.len() - 2]) } else { BTreeSet::new() };
    let both = own.iter().filter(|user| before.contains(*user)).count();
    let only_before = before.len() - both;
    whole("returning_users", is_compared.then_some(both as f64), own.len(), facts);
    whole("lapsed_users", is_compared.then_some(only_before as f64), before.len(), facts);
}
