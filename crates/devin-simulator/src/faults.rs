//! What a server can do wrong, on request. Which request or record it hits
//! depends on its number alone, so that a run can be had again.

use std::str::FromStr;

/// Every how many requests or records a fault occurs where nothing else is said.
const PERIOD: u64 = 7;
/// Records on a page that is clamped where nothing else is said.
const CLAMPED: u64 = 50;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Status 503.
    Unavailable,
    /// Status 429 with the seconds to wait.
    Busy,
    /// Status 429 with the time to come back, after the clock of the answer.
    BusyUntil,
    /// The connection is reset instead of an answer.
    Reset,
    /// The body ends before its announced length.
    Truncate,
    /// A page for people, with status 200.
    Html,
    /// The head and some of the body, then nothing; the connection stays open.
    Stall,
    /// Shorter pages than asked for.
    Clamp,
    /// Sessions appear in the window while its pages are read.
    Drift,
    /// Records come a second time, about a page later, in an older state.
    Dup,
    /// Records are missing, though `total` counts them.
    Drop,
    /// The window and the filters are ignored.
    IgnoreFilter,
    /// The envelope lacks the field that ends the walk.
    NoHasMore,
    /// `skip` is ignored (v2), the cursor repeats (v3).
    Loop,
    /// An empty page that promises more.
    EmptyMore,
    /// Status 302 to the same server under another name.
    Redirect,
    /// A small gzip body of hundreds of megabytes.
    Bomb,
    /// The lists of people and organisations may not be read: status 403.
    NoMembers,
    /// Archived sessions are listed only where they are asked for (v3).
    HideArchived,
    /// Every session has 0 ACUs, as on a plan that is not billed in them.
    Unmetered,
}

use FaultKind::{
    Bomb, Busy, BusyUntil, Clamp, Drift, Drop, Dup, EmptyMore, HideArchived, Html, IgnoreFilter, Loop,
    NoHasMore, NoMembers, Redirect, Reset, Stall, Truncate, Unavailable, Unmetered,
};

/// Every kind with its name and its default number; `None` if a
/// number would say nothing.
const KINDS: [(&str, FaultKind, Option<u64>); 20] = [
    ("503", Unavailable, Some(PERIOD)),
    ("429", Busy, Some(PERIOD)),
    ("429date", BusyUntil, Some(PERIOD)),
    ("reset", Reset, Some(PERIOD)),
    ("truncate", Truncate, Some(PERIOD)),
    ("html", Html, Some(PERIOD)),
    ("stall", Stall, Some(PERIOD)),
    ("clamp", Clamp, Some(CLAMPED)),
    ("drift", Drift, Some(PERIOD)),
    ("dup", Dup, Some(PERIOD)),
    ("drop", Drop, Some(PERIOD)),
    ("ignorefilter", IgnoreFilter, None),
    ("nohasmore", NoHasMore, Some(PERIOD)),
    ("loop", Loop, None),
    ("emptymore", EmptyMore, Some(PERIOD)),
    ("redirect", Redirect, Some(PERIOD)),
    ("bomb", Bomb, Some(PERIOD)),
    ("nomembers", NoMembers, None),
    ("hidearchived", HideArchived, None),
    ("unmetered", Unmetered, None),
];

/// A fault and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// N of "every Nth request"; of `Dup` and `Drop` that of every Nth record, of
    /// `Clamp` the length of a page, of `Drift` the request from which nothing
    /// appears any more. At least 1. `IgnoreFilter`, `Loop`,
    /// `NoMembers`, `HideArchived` and `Unmetered` are always there.
    pub number: u64,
}

impl Fault {
    /// A fault with the number that it usually has.
    pub fn new(kind: FaultKind) -> Self {
        let usual = KINDS.iter().find(|(_, other, _)| *other == kind).and_then(|(_, _, number)| *number);
        Self { kind, number: usual.unwrap_or(1) }
    }

    /// A fault with another number; 0 counts as 1.
    pub fn every(kind: FaultKind, number: u64) -> Self {
        Self { kind, number: number.max(1) }
    }

    fn hits(self, request: u64) -> bool {
        request.is_multiple_of(self.number.max(1))
    }
}

/// Why a fault cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    /// `503`, `503=3`.
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let Some((_, kind, usual)) = KINDS.iter().find(|(known, ..)| *known == name) else {
            return Err(UnknownFault(format!("unknown fault \"{name}\"")));
        };
        let number = match number {
            None => return Ok(Self::new(*kind)),
            Some(_) if usual.is_none() => {
                return Err(UnknownFault(format!("the fault {name} takes no number")));
            }
            Some(number) => number.parse::<u64>().ok().filter(|number| *number > 0),
        };
        let number = number.ok_or_else(|| {
            UnknownFault(format!("the fault {name} takes a whole number of at least 1, not {text}"))
        })?;
        Ok(Self { kind: *kind, number })
    }
}

/// The names of all faults, with commas.
pub fn names() -> String {
    KINDS.map(|(name, ..)| name).join(", ")
}

/// What goes wrong with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// What comes instead of the answer, or of its end.
    pub instead: Option<FaultKind>,
    /// What is wrong with the page.
    pub shape: Shape,
}

/// What is wrong with a page; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// No page is longer.
    pub clamp: Option<usize>,
    /// So many sessions have yet to appear …
    pub withheld: usize,
    /// … of so many that appear in all.
    pub appearing: usize,
    /// Every Nth record comes twice.
    pub repeats: Option<usize>,
    /// Every Nth record is missing.
    pub omits: Option<usize>,
    /// Window and filters are ignored.
    pub ignores_filter: bool,
    /// The end signal is missing.
    pub endless: bool,
    /// The walk does not come forward.
    pub loops: bool,
    /// Nothing is on it, and more is promised.
    pub empty: bool,
    /// Lists of people and organisations are not given at all.
    pub refuses_lists: bool,
    /// Archived sessions are left out unless they are asked for.
    pub hides_archived: bool,
    /// Every session has 0 ACUs.
    pub unmetered: bool,
}

/// What goes wrong with a request by its number, from 1: what the script has for
/// it, and every fault whose turn it is. Of several that would come instead of
/// the answer the first one does.
pub fn mishaps(faults: &[Fault], script: &[Option<Fault>], request: u64) -> Mishaps {
    let mut mishaps = Mishaps::default();
    let line = request.checked_sub(1).and_then(|line| usize::try_from(line).ok());
    if let Some(fault) = line.and_then(|line| script.get(line)).copied().flatten() {
        // Whatever is in the script happens now, as at the first request.
        add(&mut mishaps, fault, true, 1);
    }
    for fault in faults {
        add(&mut mishaps, *fault, fault.hits(request), request);
    }
    mishaps
}

fn add(mishaps: &mut Mishaps, fault: Fault, hits: bool, request: u64) {
    let shape = &mut mishaps.shape;
    let number = usize::try_from(fault.number.max(1)).unwrap_or(usize::MAX);
    match fault.kind {
        Clamp => shape.clamp = Some(number),
        Drift => {
            shape.appearing = number - 1;
            let come = usize::try_from(request).unwrap_or(usize::MAX).saturating_sub(1);
            shape.withheld = shape.appearing.saturating_sub(come);
        }
        Dup => shape.repeats = Some(number),
        Drop => shape.omits = Some(number),
        IgnoreFilter => shape.ignores_filter = true,
        Loop => shape.loops = true,
        NoMembers => shape.refuses_lists = true,
        HideArchived => shape.hides_archived = true,
        Unmetered => shape.unmetered = true,
        NoHasMore => shape.endless |= hits,
        EmptyMore => shape.empty |= hits,
        Unavailable | Busy | BusyUntil | Reset | Truncate | Html | Stall | Redirect | Bomb => {
            if hits && mishaps.instead.is_none() {
                mishaps.instead = Some(fault.kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read() {
        for (name, kind, usual) in KINDS {
            assert_eq!(name.parse(), Ok(Fault::new(kind)));
            let numbered = format!("{name}=3").parse::<Fault>();
            assert_eq!(numbered.is_ok(), usual.is_some(), "{name}");
            if usual.is_some() {
                assert_eq!(numbered, Ok(Fault::every(kind, 3)));
            }
            assert!(names().split(", ").any(|other| other == name));
        }
        assert_eq!(Fault::new(Clamp).number, 50);
        assert_eq!(Fault::new(Reset).number, 7);
        for (text, word) in [
            ("504", "504"),
            ("", "unknown fault"),
            ("503=0", "at least 1"),
            ("503=", "503="),
            ("loop=2", "no number"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_number_of_a_request_decides() {
        let faults = [Fault::every(Unavailable, 3), Fault::every(Reset, 2), Fault::every(EmptyMore, 4)];
        let seen: Vec<_> = (1..=6)
            .map(|request| mishaps(&faults, &[], request))
            .map(|m| (m.instead, m.shape.empty))
            .collect();
        let (reset, unavailable) = (Some(Reset), Some(Unavailable));
        assert_eq!(
            seen,
            [
                (None, false),
                (reset, false),
                (unavailable, false),
                (reset, true),
                (None, false),
                (unavailable, false)
            ]
        );
    }

    #[test]
    fn a_script_is_followed_and_then_over() {
        let script = [None, Some(Fault::new(Busy)), Some(Fault::new(Clamp)), Some(Fault::every(Drift, 4))];
        let at = |request| mishaps(&[], &script, request);
        assert_eq!(at(1), Mishaps::default());
        assert_eq!(at(2).instead, Some(Busy));
        assert_eq!(at(3).shape, Shape { clamp: Some(50), ..Shape::default() });
        assert_eq!(at(4).shape, Shape { withheld: 3, appearing: 3, ..Shape::default() });
        assert_eq!(at(5), Mishaps::default());
    }

    #[test]
    fn a_drift_settles() {
        let drift = [Fault::every(Drift, 4)];
        let withheld: Vec<_> = (1..=6).map(|request| mishaps(&drift, &[], request).shape.withheld).collect();
        assert_eq!(withheld, [3, 2, 1, 0, 0, 0]);
    }
}
