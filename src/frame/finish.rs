//! Grown columns to finished frames: joined, each session once, in order.

use std::collections::HashMap;

use polars::prelude::*;

use super::columns as c;
use super::normal::{IMPACTS, STATES};
use super::words::{Registers, WORDED, Words, renumber};
use super::{FrameError, Frames, FramesBuilder};

impl FramesBuilder {
    /// The finished frames: of a session that came several times the row with
    /// the greatest `updated_at` stays, then the one later in the server's order.
    ///
    /// # Errors
    /// Polars could not assemble a frame: a defect, not a state of the data.
    pub fn finish(mut self) -> Result<Frames, FrameError> {
        let failed = |table| move |source| FrameError { table, source };
        let (others, left_out) = (std::mem::take(&mut self.others), std::mem::take(&mut self.left_out));
        let repeats = self.repeats;
        let (mut frames, mut registers) = self.frames()?;
        for other in others {
            let (mut more, words) = other.frames()?;
            registers.absorb(words, &mut more.tables()).map_err(failed("texts"))?;
            for (frame, more) in frames.tables().into_iter().zip(more.tables()) {
                frame.vstack_mut(more).map_err(failed("all threads"))?;
            }
        }
        if repeats && has_repeats(&frames.sessions).map_err(failed("sessions"))? {
            frames = winners(frames.sessions.clone(), c::ID)
                .and_then(|winners| frames.of(winners))
                .map_err(failed("sessions"))?;
        }
        if !left_out.is_empty() {
            frames = others_than(&left_out, &frames.sessions)
                .and_then(|sessions| frames.of(sessions))
                .map_err(failed("sessions"))?;
        }
        in_order(&mut frames.sessions).map_err(failed("sessions"))?;
        for (column, same) in registers.spellings() {
            in_one_spelling(&mut frames, column, &same).map_err(failed("pull requests"))?;
        }
        let words = registers.settle(&mut frames.tables()).map_err(failed("texts"))?;
        readable(frames, &words).map_err(failed("texts"))
    }

    /// The frames of this builder alone, whose numbers the registers know.
    fn frames(self) -> Result<(Frames, Registers), FrameError> {
        let failed = |table| move |source| FrameError { table, source };
        let frames = Frames {
            sessions: self.sessions.finish().map_err(failed("sessions"))?,
            names: self.names.finish().map_err(failed("names"))?,
            pull_requests: self.pull_requests.finish().map_err(failed("pull requests"))?,
            tags: self.tags.finish().map_err(failed("tags"))?,
            issues: self.issues.finish().map_err(failed("issues"))?,
            action_items: self.action_items.finish().map_err(failed("action items"))?,
        };
        Ok((frames, self.registers))
    }
}

impl Frames {
    /// Some of its sessions, and what hangs on them.
    fn of(self, sessions: DataFrame) -> PolarsResult<Self> {
        let rows = sessions.clone().lazy().select([col(c::ROW)]);
        let kept =
            |frame: DataFrame| frame.lazy().semi_join(rows.clone(), col(c::ROW), col(c::ROW)).collect();
        Ok(Self {
            names: kept(self.names)?,
            pull_requests: kept(self.pull_requests)?,
            tags: kept(self.tags)?,
            issues: kept(self.issues)?,
            action_items: kept(self.action_items)?,
            sessions,
        })
    }

    fn tables(&mut self) -> [&mut DataFrame; 6] {
        [
            &mut self.sessions,
            &mut self.names,
            &mut self.pull_requests,
            &mut self.tags,
            &mut self.issues,
            &mut self.action_items,
        ]
    }
}

/// The frames as they are read: texts instead of numbers for them, child rows in the
/// order of sessions, and `row` the place of a session in that order.
fn readable(frames: Frames, words: &Words) -> PolarsResult<Frames> {
    let places = frames.sessions.select([c::ROW])?.lazy().with_row_index(PLACE, None).collect()?;
    let child = |frame: DataFrame, columns: &[&str]| {
        let columns: Vec<Expr> = [c::ROW].iter().chain(columns).map(|name| col(*name)).collect();
        let stable = SortMultipleOptions::default().with_maintain_order(true);
        let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Inner) };
        let placed = frame.lazy().join(places.clone().lazy(), [col(c::ROW)], [col(c::ROW)], args);
        let placed = placed.with_column(col(PLACE).alias(c::ROW)).sort([c::ROW], stable).select(columns);
        texts(placed.collect()?, words)
    };
    let utc = || DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let mut sessions = frames
        .sessions
        .lazy()
        .with_columns([
            col(c::CREATED).cast(utc()),
            col(c::UPDATED).cast(utc()),
            cols([c::MESSAGES, c::FEEDBACK, c::UNREADABLE]).as_expr().cast(DataType::Int64),
        ])
        .rename([c::ID], [c::SESSION], true)
        .collect()?;
    sessions.with_column(places.column(PLACE)?.clone().with_name(c::ROW.into()))?;
    Ok(Frames {
        sessions: texts(sessions, words)?,
        names: child(frames.names, &[c::TITLE, c::URL, c::PROMPT])?,
        pull_requests: child(frames.pull_requests, &[c::REPO, c::STATE, c::ADDRESS])?,
        tags: child(frames.tags, &[c::TAG])?,
        issues: child(frames.issues, &[c::IMPACT, c::LABEL])?,
        action_items: child(frames.action_items, &[c::TYPE])?,
    })
}

/// Place of a session in the order of sessions.
const PLACE: &str = "place";

/// A frame with texts for the numbers that stand for them.
fn texts(mut frame: DataFrame, words: &Words) -> PolarsResult<DataFrame> {
    let categorical = DataType::from_categories(Categories::global());
    for column in WORDED {
        let Ok(numbers) = frame.column(column) else { continue };
        let texts: StringChunked = words.of(column).iter().map(|word| Some(&**word)).collect();
        let texts = texts.into_series().cast(&categorical)?.take(numbers.u32()?)?;
        frame.with_column(texts.with_name(column.into()).into_column())?;
    }
    for (column, places) in [(c::STATE, &STATES[..]), (c::IMPACT, &IMPACTS)] {
        let Ok(numbers) = frame.column(column) else { continue };
        let texts = Series::new(column.into(), places).cast(&enumeration(places)?)?.take(numbers.u32()?)?;
        frame.with_column(texts.into_column())?;
    }
    Ok(frame)
}

fn enumeration(places: &[&str]) -> PolarsResult<DataType> {
    Ok(DataType::from_frozen_categories(FrozenCategories::new(places.iter().copied())?))
}

fn has_repeats(sessions: &DataFrame) -> PolarsResult<bool> {
    Ok(sessions.column(c::ID)?.n_unique()? < sessions.height())
}

/// The sessions without those of some ids.
fn others_than(ids: &[String], sessions: &DataFrame) -> PolarsResult<DataFrame> {
    let left_out: PlHashSet<&str> = ids.iter().map(String::as_str).collect();
    let stays = |id: Option<&str>| id.is_none_or(|id| !left_out.contains(id));
    sessions.filter(&sessions.column(c::ID)?.str()?.iter().map(stays).collect())
}

/// Of the rows with the same id the one that changed last, then the later one.
/// Places of different walks can be the same; then the row that was read first stays.
pub(super) fn winners(sessions: DataFrame, id: &'static str) -> PolarsResult<DataFrame> {
    let order = SortMultipleOptions::default()
        .with_order_descending_multi([true, true, false])
        .with_nulls_last(true)
        .with_maintain_order(true);
    sessions
        .lazy()
        .sort([c::UPDATED, c::POSITION, c::ROW], order)
        .unique_stable(Some(cols([id])), UniqueKeepStrategy::First)
        .collect()
}

/// Puts sessions in the order in which everything adds up; the place that the
/// server gave them has served its purpose.
fn in_order(sessions: &mut DataFrame) -> PolarsResult<()> {
    sessions.drop_in_place(c::POSITION)?;
    // To pick rows out of one piece is far quicker than out of several.
    sessions.rechunk_mut();
    let created = sessions.column(c::CREATED)?.i64()?.cont_slice()?;
    let ids = sessions.column(c::ID)?.str()?;
    let compare = |one: &IdxSize, other: &IdxSize| {
        let (one, other) = (*one as usize, *other as usize);
        created.get(one).cmp(&created.get(other)).then_with(|| ids.get(one).cmp(&ids.get(other)))
    };
    let mut order: Vec<IdxSize> = (0..).take(created.len()).collect();
    if !order.is_sorted_by(|one, other| compare(one, other).is_le()) {
        // They came in pieces that are in order, which this sort merges.
        order.sort_by(compare);
        *sessions = sessions.take(&IdxCa::from_vec(PlSmallStr::EMPTY, order))?;
    }
    Ok(())
}

/// Gives texts of pull requests that are the same without case the number of the
/// spelling in the earliest session; `same` has the least number for each.
fn in_one_spelling(frames: &mut Frames, column: &str, same: &[u32]) -> PolarsResult<()> {
    let rows = frames.sessions.column(c::ROW)?.u32()?;
    let turns: HashMap<u32, u32> = rows.iter().flatten().zip(0..).collect();
    let of = |number: u32| same.get(number as usize).copied().unwrap_or(number);
    // For each of the least numbers the turn of the earliest session, and its spelling.
    let mut earliest: HashMap<u32, (u32, u32)> = HashMap::new();
    let entries = &frames.pull_requests;
    for (row, number) in entries.column(c::ROW)?.u32()?.iter().zip(entries.column(column)?.u32()?.iter()) {
        let (Some(turn), Some(number)) = (row.and_then(|row| turns.get(&row)), number) else { continue };
        let first = earliest.entry(of(number)).or_insert((*turn, number));
        if *turn < first.0 {
            *first = (*turn, number);
        }
    }
    let spelling = |(number, least): (u32, &u32)| earliest.get(least).map_or(number, |(_, first)| *first);
    let spelt: Vec<u32> = (0..).zip(same).map(spelling).collect();
    renumber(column, &spelt, &mut [&mut frames.pull_requests])
}
