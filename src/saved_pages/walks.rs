//! Saved pages as the walks that they are of: counted, and the proof
//! that nothing is missing, where there can be one.

use super::limits::Amount;
use super::values::{Names, Part, RecordSummary};
use super::{PagesError, Saved, reach};
use devin_api::completeness::{CompletenessTracker, Counted};
use devin_api::envelope::Signs;
use devin_api::page::{Verdict, position};
use devin_api::{Api, Records};
use devin_api::{FetchStats, Member, People, Row, display_names};

/// What was read so far.
#[derive(Default)]
pub(super) struct Walks {
    tracker: CompletenessTracker,
    summary: RecordSummary,
    /// The file that is read, and how many rows came before it.
    file: (usize, u64),
    /// File, record, field and value of the first rejected row.
    first_rejected: Option<String>,
    /// Rows counted.
    rows: u64,
    /// Pages, and files that hold sessions without any.
    pages: u64,
    /// The file of the last sessions without a page.
    loose_file: Option<usize>,
    /// Pages of either generation.
    of_v2: u64,
    of_v3: u64,
    /// The walk that has not come to its end signal.
    open: Option<Open>,
    /// Why the first walk that is not whole is not.
    broken: Option<String>,
    /// What all pages say together, whatever their order.
    all: Counted,
    ends: u64,
}

struct Open {
    counted: Counted,
    /// Rows of it that were counted.
    rows: u64,
}

impl Walks {
    /// Counts what a chunk held and gives its accepted rows, each page's with the
    /// number of the first of them among all. `name` is the file's, for messages.
    pub(super) fn take<'a>(
        &mut self,
        file: usize,
        name: &str,
        parts: Vec<Part<'a>>,
    ) -> Vec<(u64, Vec<Row<'a>>)> {
        let taken = parts.into_iter().map(|part| self.take_part(file, name, part));
        taken.filter(|(_, rows)| !rows.is_empty()).collect()
    }

    fn take_part<'a>(&mut self, file: usize, name: &str, mut part: Part<'a>) -> (u64, Vec<Row<'a>>) {
        self.summary.join(std::mem::take(&mut part.summary));
        let count = part.verdicts.len() as u64;
        match part.signs {
            Some(signs) => self.begin(signs),
            None if self.loose_file != Some(file) => {
                self.loose_file = Some(file);
                self.pages += 1;
            }
            None => {}
        }
        let in_walk = self.open.as_ref().map_or(0, |open| open.rows);
        let newest_first = part.signs.is_some_and(|signs| signs.api == Api::V3);
        for verdict in &mut part.verdicts {
            if let Verdict::Accepted { row, .. } = verdict {
                // The places that a walk over the network gives.
                row.position = match newest_first {
                    true => position(in_walk + row.position, row.created),
                    false => self.rows + row.position,
                };
            }
        }
        self.rows += count;
        let accepted = self.tracker.accepted();
        if self.file.0 != file {
            self.file = (file, self.tracker.received());
        }
        let rows = self.tracker.count(part.verdicts).rows;
        if let (None, Some((place, first))) = (&self.first_rejected, self.tracker.first_rejected()) {
            self.first_rejected = Some(format!("{name}, record {}, {first}", place - self.file.1));
        }
        if let Some(signs) = part.signs {
            self.end(signs, count);
        }
        (accepted, rows)
    }

    /// How much was read so far.
    pub(super) fn amount(&self) -> Amount {
        Amount { records: self.rows, entries: self.summary.entries, texts: self.summary.texts }
    }

    /// Pages and distinct sessions so far.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.pages, self.tracker.distinct())
    }

    fn begin(&mut self, signs: Signs) {
        self.pages += 1;
        match signs.api {
            Api::V2 => self.of_v2 += 1,
            Api::V3 => self.of_v3 += 1,
        }
        if self.open.is_none() {
            self.tracker.begin_part();
        }
        let open = self.open.get_or_insert(Open { counted: Counted::default(), rows: 0 });
        open.counted.note(signs.total);
        self.all.note(signs.total);
    }

    fn end(&mut self, signs: Signs, rows: u64) {
        let Some(open) = &mut self.open else { return };
        open.rows += rows;
        if signs.more {
            return;
        }
        let (counted, received) = (open.counted, self.tracker.distinct_in_part());
        self.open = None;
        self.ends += 1;
        if !counted.steady() || counted.last.is_some_and(|total| total != received) {
            self.broken.get_or_insert_with(|| counted.against(received));
        }
    }

    /// What is missing, if anything is.
    fn missing(&self) -> Option<String> {
        let promised = || "the last page announces more".to_owned();
        let reason = self.broken.clone().or_else(|| self.open.as_ref().map(|_| promised()))?;
        // One walk whose pages came in another order.
        let is_one = self.ends == 1 && self.all.steady() && self.of_v2 + self.of_v3 == self.pages;
        let (counted, distinct) = (self.all.last, self.tracker.distinct());
        match counted.filter(|_| is_one) {
            Some(counted) => (counted != distinct).then(|| self.all.against(distinct)),
            None => Some(reason),
        }
    }

    /// The stats, and what there is to say of the source.
    ///
    /// # Errors
    /// There was nothing, too much cannot be placed, or pages are missing.
    pub(super) fn finish(
        self,
        path: &str,
        (files, left_out): (u64, u64),
        api: Option<Api>,
        allow_partial: bool,
    ) -> Result<(FetchStats, Saved), PagesError> {
        let path = path.to_owned();
        if self.pages == 0 {
            return Err(PagesError::Nothing { path });
        }
        if let Some(rejected) = self.tracker.too_many_rejected() {
            let first = self.first_rejected.expect("where rows are rejected, one is the first");
            return Err(PagesError::Rejected { path, rejected, received: self.tracker.received(), first });
        }
        let missing = self.missing();
        let complete = missing.is_none();
        if let Some(reason) = missing.filter(|_| !allow_partial) {
            return Err(PagesError::Incomplete { reason });
        }
        let (v2, v3) = match (self.summary.v2, self.summary.v3) {
            (0, 0) => (self.of_v2, self.of_v3),
            records => records,
        };
        let exported = self.summary.exported > 0;
        let reach = reach::Reach::new(&self.summary, exported && v2 + v3 == 0);
        let saved = Saved {
            // Of a mixture only what both provide can be counted.
            records: match exported {
                true => Records::Export,
                false => Records::Api(api.unwrap_or(if v3 > 0 && v2 == 0 { Api::V3 } else { Api::V2 })),
            },
            files,
            left_out,
            mixed: [v2 > 0, v3 > 0, exported].into_iter().filter(|is_there| *is_there).count() > 1,
            proved: self.loose_file.is_none() && !exported,
            first: self.summary.first,
            last: self.summary.last,
            reach,
            people: people(&self.summary),
            outdated: self.tracker.outdated(),
        };
        let stats = self.tracker.stats((0, 0), complete);
        // None of their rows is the one that counts.
        let outdated = saved.outdated.len() as u64;
        let stats = FetchStats {
            pages: self.pages,
            unique: stats.unique - outdated,
            duplicates: stats.duplicates + outdated,
            ..stats
        };
        Ok((stats, saved))
    }
}

/// Whom exports name. The id of a user is an email.
fn people(summary: &RecordSummary) -> People {
    let members = |names: &Names, is_email: bool| -> Vec<Member> {
        let member = |(id, (_, name)): (&String, &(_, String))| Member {
            id: id.clone(),
            name: Some(name.clone()).filter(|name| !name.is_empty()),
            email: is_email.then(|| id.clone()),
        };
        names.iter().map(member).collect()
    };
    People {
        members: members(&summary.users, true),
        organisations: display_names(&members(&summary.organisations, false)),
        ..People::default()
    }
}
