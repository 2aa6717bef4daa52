//! What there is to say where prices or the budget have nothing to go by.

use crate::cycle::{self, BudgetCycle};
use crate::settings::Settings;

/// What becomes of prices, and of the budget, where nothing is metered.
pub fn unpriced(settings: &Settings, metered: bool) -> Option<String> {
    let text = match is_filtered(settings) {
        false => {
            "the account is not metered: no session of the report or its trend has used ACUs, so prices \
             and budget do not apply"
        }
        // Others may well be.
        true => "no session that matches the filters has used ACUs, so prices do not apply",
    };
    (settings.money.is_some() && !metered).then(|| text.to_owned())
}

/// Why there is no budget, or not of these months or billing cycles, which what was saved
/// covers in part; `is_withheld` where people could be derived.
pub fn unbudgeted(settings: &Settings, unreached: &[&BudgetCycle], is_withheld: bool) -> Vec<String> {
    let has_budget = settings.money.as_ref().is_some_and(|money| money.budget.is_some());
    let mut notes = Vec::new();
    // A team's report never has one, and its readers did not set it.
    if has_budget && is_filtered(settings) && settings.team.is_none() {
        notes.push("the budget is for all sessions: it is left out with --tag or --user".to_owned());
    }
    if is_withheld {
        notes.push(
            "left out to hide people: the budget, because subtraction would reveal what fewer than five \
             people spent"
                .to_owned(),
        );
    }
    if !unreached.is_empty() {
        let names: Vec<String> = unreached.iter().map(|cycle| cycle::name(&cycle.label)).collect();
        let names = names.join(", ");
        notes.push(format!(
            "the budget is left out for {names}: the saved sessions do not cover all of that time"
        ));
    }
    notes
}

/// That a covered report has no cost centres, where the people file has some.
pub fn uncentred(settings: &Settings) -> Option<String> {
    let is_left_out = settings.privacy.covered && settings.money.is_some();
    (is_left_out && settings.people.tells_cost_centres())
        .then(|| "left out to hide people: spend by cost centre".to_owned())
}

/// Whether the report is about some tags or users, or a team.
pub fn is_filtered(settings: &Settings) -> bool {
    !settings.query.tags.is_empty() || !settings.query.users.is_empty() || settings.team.is_some()
}
