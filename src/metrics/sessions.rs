//! How much is asked of Devin, and by whom.

use polars::prelude::*;

use super::cube::Cube;
use super::metric::{Basis, Dim, Direction, Kind, Metric};
use super::plan::total;
use crate::frame::columns as c;
use crate::unit::Unit;

/// Sessions.
pub const SESSIONS: Metric = Metric {
    id: "sessions",
    title: "Sessions",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: Kind::Total,
    basis: Basis::Sessions,
    definition: "Distinct sessions created in the period, archived and child sessions included.",
    groups: &[&[], &[Dim::User], &[Dim::Tag], &[Dim::Org], &[Dim::Day], &[Dim::Status], &[Dim::Period]],
    plan: |cube, by| total(cube.sessions(by), by, len(), len()),
};

/// People at work with Devin.
pub const ACTIVE_USERS: Metric = Metric {
    id: "active_users",
    title: "Active users",
    unit: Unit::Count,
    direction: Direction::More,
    kind: Kind::Total,
    basis: Basis::Sessions,
    definition: "Distinct users who created at least one session. Sessions started by automation do not count.",
    groups: &[&[], &[Dim::Period]],
    plan: active_users,
};

fn active_users(cube: &Cube, by: &[Dim]) -> LazyFrame {
    let people = col(c::USER).filter(col(c::AUTOMATION).not()).drop_nulls().n_unique();
    total(cube.sessions(by), by, people, len())
}

/// Sessions that no person started.
pub const AUTOMATION_SESSIONS: Metric = Metric {
    id: "automation_sessions",
    title: "Sessions by automation",
    unit: Unit::Count,
    direction: Direction::Neutral,
    kind: Kind::Total,
    basis: Basis::Sessions,
    definition: "Sessions started by a service user.",
    groups: &[&[]],
    plan: |cube, by| total(cube.sessions(by), by, col(c::AUTOMATION).sum(), len()),
};
