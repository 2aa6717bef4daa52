//! How much of the organisations' limits is used, as a table.

use super::{FigureInputs, FigureParts};
use crate::metrics::{CycleLimit, Dim};
use crate::report::limits;
use crate::report::table::{Role, Row, Table, Value, column};
use crate::unit::Unit;

pub fn draw(inputs: &FigureInputs<'_>) -> FigureParts {
    let limits = limits::in_order(inputs.facts);
    let has_forecast = limits.iter().any(|(_, limit)| limit.forecast.is_some());
    let row = |(name, limit): (String, &CycleLimit)| {
        let acus = |value| Value::number(Unit::Acu, value);
        let cells = [
            Value::Text(name),
            acus(Some(limit.used)),
            acus(Some(limit.limit)),
            Value::number(Unit::Share, Some(limit.share())),
        ];
        Row::firm(cells.into_iter().chain(has_forecast.then(|| acus(limit.forecast))).collect())
    };
    let columns = [
        column(Dim::Org.head(), Role::Name),
        column("ACUs used", Role::Value),
        column("Limit", Role::Other),
        column("Share used", Role::Other),
    ];
    let columns = columns.into_iter().chain(has_forecast.then(|| column("At this pace", Role::Other)));
    FigureParts::table(Table::new(columns, limits.into_iter().map(row)))
}
