//! The frames as metrics still read them: texts as numbers, in alphabetical order,
//! and the texts beside them. It goes once metrics read [`crate::tables::Frames`].

pub mod columns;

use std::sync::Arc;

use polars::prelude::*;

use crate::tables::schema as c;
use crate::tables::{self, TableError};

pub use crate::tables::normal;

/// The frames of [`tables::Frames`] with numbers for texts.
#[derive(Clone, Debug)]
pub struct Frames {
    /// One row a session.
    pub sessions: DataFrame,
    /// One row a session that may be named.
    pub names: DataFrame,
    /// One row a pull request entry.
    pub pull_requests: DataFrame,
    /// One row a session and distinct tag.
    pub tags: DataFrame,
    /// One row an issue.
    pub issues: DataFrame,
    /// One row an action item.
    pub action_items: DataFrame,
    /// The texts that numbers in the frames stand for.
    pub words: Words,
}

/// The texts that numbers in the frames stand for, in alphabetical order.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<(String, Arc<[Box<str>]>)>);

impl Words {
    /// The texts of a column; none for a column that holds no such numbers.
    pub fn of(&self, column: &str) -> &[Box<str>] {
        self.0.iter().find(|(name, _)| *name == column).map_or(&[], |(_, words)| words)
    }
}

impl Frames {
    /// Numbers the texts of frames.
    ///
    /// # Errors
    /// Polars refused a step: an internal error.
    pub fn of(frames: &tables::Frames) -> Result<Self, TableError> {
        Self::numbered(frames).map_err(TableError::of("numbers"))
    }

    fn numbered(frames: &tables::Frames) -> PolarsResult<Self> {
        let mut words = Words::default();
        let owner = frames.sessions.select([c::ROW, c::CREATED, c::USER])?.lazy();
        let of_owner = |child: &DataFrame| {
            let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
            child.clone().lazy().join(owner.clone(), [col(c::ROW)], [col(c::ROW)], args).collect()
        };
        let mut sessions = frames.sessions.clone();
        sessions.rename(c::SESSION, columns::ID.into())?;
        Ok(Self {
            sessions: numbered(&sessions, &mut words)?,
            names: frames.names.clone(),
            pull_requests: numbered(&frames.pull_requests, &mut words)?,
            tags: numbered(&frames.tags, &mut words)?,
            issues: numbered(&of_owner(&frames.issues)?, &mut words)?,
            action_items: numbered(&of_owner(&frames.action_items)?, &mut words)?,
            words,
        })
    }
}

fn numbered(frame: &DataFrame, words: &mut Words) -> PolarsResult<DataFrame> {
    let number = |column: &Column| match column.dtype() {
        DataType::Categorical(..) => {
            let name = column.name();
            // The users of issues are among those of sessions.
            if words.of(name).is_empty() {
                let distinct = column.unique()?;
                let mut texts: Vec<Box<str>> =
                    distinct.cat32()?.iter_str().flatten().map(Into::into).collect();
                texts.sort_unstable();
                words.0.push((name.to_string(), texts.into()));
            }
            let texts = words.of(name);
            let number = |text: Option<&str>| {
                let text = text?;
                let place = texts.binary_search_by(|own| own.as_ref().cmp(text)).ok()?;
                u32::try_from(place).ok()
            };
            let numbers: UInt32Chunked = column.cat32()?.iter_str().map(number).collect();
            Ok(numbers.with_name(column.name().clone()).into_column())
        }
        DataType::Enum(..) => {
            let words = if column.name() == c::STATE { &normal::STATES[..] } else { &normal::IMPACTS[..] };
            let number = |word: Option<&str>| words.iter().zip(0..).find(|(own, _)| Some(**own) == word);
            let numbers: UInt32Chunked =
                column.cat8()?.iter_str().map(|word| number(word).map(|(_, place)| place)).collect();
            Ok(numbers.with_name(column.name().clone()).into_column())
        }
        DataType::Datetime(..) => column.cast(&DataType::Int64),
        DataType::Int64 => column.cast(&DataType::UInt32),
        _ => Ok(column.clone()),
    };
    DataFrame::new_infer_height(frame.columns().iter().map(number).collect::<PolarsResult<_>>()?)
}
