//! The sessions that a report asks of stored tables.

use std::ops::Range;

use polars::prelude::*;

use super::schema as c;
use super::{TableError, Tables};
use crate::people::fits;

/// Which sessions are wanted, by the rules of the API.
#[derive(Clone, Debug)]
pub struct SessionFilter<'q> {
    /// When they were created: UTC, microseconds.
    pub created: Range<i64>,
    /// Only those of this organisation.
    pub org: Option<&'q str>,
    /// Only those with any of these tags, in which `*` matches any text; empty is all.
    pub tags: &'q [String],
    /// Only those of any of these users; empty is all.
    pub users: &'q [String],
}

impl Tables {
    /// The sessions that are wanted, with their child rows.
    ///
    /// # Errors
    /// A table lacks a column: an internal error.
    pub fn wanted(self, wanted: &SessionFilter<'_>) -> Result<Self, TableError> {
        let rows = self.rows_of(wanted).map_err(TableError::of("sessions"))?;
        self.select(&rows)
    }

    fn rows_of(&self, wanted: &SessionFilter<'_>) -> PolarsResult<Vec<IdxSize>> {
        let created = col(c::CREATED).to_physical();
        let mut is_wanted =
            created.clone().gt_eq(lit(wanted.created.start)).and(created.lt(lit(wanted.created.end)));
        if let Some(org) = wanted.org {
            is_wanted = is_wanted.and(col(c::ORG).eq(lit(org)));
        }
        if !wanted.users.is_empty() {
            let is_user = |user: &String| {
                let user = lit(user.trim());
                let ids =
                    [c::USER_ID, c::SERVICE_USER_ID].map(|id| col(id).eq(user.clone()).fill_null(lit(false)));
                let [person, service] = ids;
                person.or(service)
            };
            let is_of_one = wanted.users.iter().map(is_user).reduce(Expr::or);
            is_wanted = is_wanted.and(is_of_one.expect("there is a user"));
        }
        let columns = [c::CREATED, c::ORG, c::USER_ID, c::SERVICE_USER_ID];
        let mut sessions =
            self.sessions.select(columns)?.lazy().with_row_index(c::ROW, None).filter(is_wanted);
        if !wanted.tags.is_empty() {
            sessions = sessions.semi_join(self.rows_tagged(wanted.tags)?, col(c::ROW), col(c::ROW));
        }
        let rows = sessions.select([col(c::ROW)]).sort([c::ROW], SortMultipleOptions::default()).collect()?;
        Ok(rows.column(c::ROW)?.idx()?.iter().flatten().collect())
    }

    /// The rows of sessions with a tag that one of these patterns fits.
    fn rows_tagged(&self, patterns: &[String]) -> PolarsResult<LazyFrame> {
        let tags = self.tags.column(c::TAG)?.unique()?;
        let fits_one = |tag: &&str| patterns.iter().any(|pattern| fits(pattern.trim(), tag));
        let fitting = tags.cat32()?.iter_str().flatten().filter(fits_one);
        let fitting =
            Categorical32Chunked::from_str_iter(c::TAG.into(), tags.dtype().clone(), fitting.map(Some))?;
        let fitting = DataFrame::new_infer_height(vec![fitting.into_column()])?;
        Ok(self.tags.clone().lazy().semi_join(fitting.lazy(), col(c::TAG), col(c::TAG)).select([col(c::ROW)]))
    }
}
