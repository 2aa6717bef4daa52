//! What people are called, so that no two of them are called the same.

use std::collections::{BTreeMap, BTreeSet};

use super::people::Member;
use crate::text::clean;

/// How much of a name is sure to be seen.
const SEEN: usize = 120;
/// Characters of a name that is followed by an email or id.
const BEFORE: usize = 60;
/// How many ways there are to write a member, each less ambiguous than the one before.
const WAYS: usize = 3;

/// What to show for an id: the name, else the email. A person with neither is not
/// in it, and is shown by id. Where two look the same to a reader, each is
/// followed by its email or, if that does not help, its id, in brackets.
///
/// Texts are as they came: they are cleaned where they are shown.
pub fn display_names(members: &[Member]) -> BTreeMap<String, String> {
    let mut ways: BTreeMap<&str, usize> = members.iter().map(|one| (one.id.as_str(), 0)).collect();
    let known: BTreeMap<&str, &Member> = members.iter().rev().map(|one| (one.id.as_str(), one)).collect();
    // Each round settles those that the one before made look like others.
    for _ in 1..WAYS {
        let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (id, member) in &known {
            let way = *ways.get(id).expect("every member has a way");
            // An id that stands for itself can be looked like too.
            let shown = written(member, way).unwrap_or_else(|| member.id.clone());
            seen.entry(clean(&shown, SEEN).to_lowercase()).or_default().insert(id);
        }
        for id in seen.into_values().filter(|alike| alike.len() > 1).flatten() {
            ways.entry(id).and_modify(|way| *way += 1);
        }
    }
    let shown = |(id, member): (&str, &Member)| {
        let way = *ways.get(id).expect("every member has a way");
        Some((id.to_owned(), written(member, way)?))
    };
    known.into_iter().filter_map(shown).collect()
}

/// A member in one of the ways; `None` if only the id is known.
fn written(member: &Member, way: usize) -> Option<String> {
    let seen = |text: &&str| !clean(text, SEEN).is_empty();
    let name = member.name.as_deref().filter(seen);
    let email = member.email.as_deref().filter(seen);
    let base = name.or(email)?;
    let behind = match way {
        0 => return Some(base.to_owned()),
        // Behind itself an email says nothing.
        1 => email.filter(|_| name.is_some()).unwrap_or(&member.id),
        _ => &member.id,
    };
    Some(format!("{} ({behind})", clean(base, BEFORE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Members of `id/name/email`; nothing is no text.
    fn shown(members: &[&str]) -> Vec<String> {
        let text = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
        let member = |line: &&str| {
            let mut parts = line.split('/');
            Member { id: text(parts.next()).unwrap(), name: text(parts.next()), email: text(parts.next()) }
        };
        let members: Vec<Member> = members.iter().map(member).collect();
        let names = display_names(&members);
        let mut backwards = members;
        backwards.reverse();
        assert_eq!(display_names(&backwards), names, "the order of members does not matter");
        names.into_iter().map(|(id, name)| format!("{id}={name}")).collect()
    }

    #[test]
    fn a_name_then_an_email_then_nothing() {
        assert_eq!(
            shown(&["u2//b@x", "u1/Ann/a@x", "u3", "u4/\u{200b}\u{202e}/d@x", "u5/\n/"]),
            ["u1=Ann", "u2=b@x", "u4=d@x"]
        );
        assert_eq!(shown(&[]), [""; 0]);
    }

    #[test]
    fn users_of_the_same_name_are_distinguished() {
        assert_eq!(
            shown(&["1/Ann/a@x", "2/Ann/b@x", "3/Ann", "4/Bo"]),
            ["1=Ann (a@x)", "2=Ann (b@x)", "3=Ann (3)", "4=Bo"]
        );
        // The same mailbox under two accounts.
        assert_eq!(shown(&["1/Ann/a@x", "2/Ann/a@x"]), ["1=Ann (1)", "2=Ann (2)"]);
        assert_eq!(shown(&["1//a@x", "2//a@x"]), ["1=a@x (1)", "2=a@x (2)"]);
        // Alike to the eye is alike.
        assert_eq!(shown(&["1/Ann/a@x", "2/\u{200b}ann  /b@x"]), ["1=Ann (a@x)", "2=ann (b@x)"]);
        let long = "x".repeat(SEEN + 9);
        let names = shown(&[&format!("1/{long}a/a@x"), &format!("2/{long}b/b@x")]);
        assert_eq!(
            names,
            ["a", "b"].map(|end| {
                format!("{}={}… ({end}@x)", if end == "a" { 1 } else { 2 }, "x".repeat(BEFORE))
            })
        );
    }

    #[test]
    fn a_name_cannot_impersonate_another() {
        // By a name that is written as another's is.
        assert_eq!(
            shown(&["1/Ann/a@x", "2/Ann/b@x", "3/Ann (a@x)/c@x"]),
            ["1=Ann (1)", "2=Ann (b@x)", "3=Ann (a@x) (c@x)"]
        );
        // By an id, or an email.
        assert_eq!(shown(&["email|1", "2/email|1/b@x"]), ["2=email|1 (b@x)"]);
        assert_eq!(shown(&["1//a@x", "2/a@x/b@x"]), ["1=a@x (1)", "2=a@x (b@x)"]);
    }

    #[test]
    fn a_member_that_comes_twice_is_one() {
        let twice = [("1", "Ann"), ("1", "Anna")].map(|(id, name)| Member {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            email: None,
        });
        assert_eq!(display_names(&twice), BTreeMap::from([("1".to_owned(), "Ann".to_owned())]));
    }
}
