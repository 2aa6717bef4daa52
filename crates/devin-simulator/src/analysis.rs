//! Analyses of the invented organisation's sessions.

use super::random::Random;
use super::wire::{ActionItem, Analysis, Event, Feedback, Issue, SuggestedPrompt};
use super::words::{Friction, STORY_ISSUE, STORY_LABEL, WORDS};
use super::world::{World, pad};

/// What an analysis is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// As it was written, markup included.
    pub title: &'a str,
    pub prompt: &'a str,
    /// Costly sessions meet more.
    pub acus: f64,
    /// The session met what the last week is about.
    pub story: bool,
}

/// An analysis in the full documented shape; now and then every list is empty.
pub fn analyse(world: &World, random: &mut Random, subject: Subject) -> Analysis {
    if random.chance(0.03) {
        return Analysis::default();
    }
    let frictions = frictions(random, subject);
    let issues = frictions.iter().map(|friction| issue(world, random, friction, subject.story)).collect();
    let mut action_items = Vec::new();
    for (number, friction) in frictions.iter().enumerate() {
        if random.chance(0.65) {
            action_items.push(ActionItem {
                issue_id: Some(format!("issue_{}", number + 1)),
                kind: action_type(world, random, friction),
                action_item: friction.action.1,
            });
        }
    }
    let has_issue = !frictions.is_empty();
    Analysis {
        issues,
        timeline: timeline(random, subject),
        action_items,
        suggested_prompt: random.chance(0.55).then(|| prompt(random, subject, has_issue)),
    }
}

fn frictions(random: &mut Random, subject: Subject) -> Vec<&'static Friction<'static>> {
    let drawn = random.weighted(&[(40, 0), (27, 1), (17, 2), (9, 3), (4, 4), (2, 5), (1, 7)]);
    let count = drawn + usize::from(subject.acus > 8.0);
    let weighted: Vec<(u32, Option<&'static Friction<'static>>)> =
        WORDS.frictions.iter().map(|friction| (friction.weight, Some(friction))).collect();
    let story = WORDS.frictions.iter().find(|friction| subject.story && friction.label == STORY_LABEL);
    let others = (0..count).filter_map(|_| random.weighted(&weighted));
    story.into_iter().chain(others).collect()
}

fn issue(world: &World, random: &mut Random, friction: &Friction, story: bool) -> Issue {
    let story = story && friction.label == STORY_LABEL;
    let label = match () {
        () if world.odd(random, 0.004) => None,
        () if world.odd(random, 0.006) => Some(format!("  {} ", friction.label)),
        () if world.odd(random, 0.002) => Some(String::new()),
        () => Some(pad(friction.label.to_owned(), world.name_length)),
    };
    let text = if story { STORY_ISSUE } else { random.pick(&friction.issues) };
    Issue { issue: text.to_owned(), impact: impact(world, random, story), label }
}

fn impact(world: &World, random: &mut Random, story: bool) -> Option<&'static str> {
    match () {
        () if world.odd(random, 0.004) => None,
        () if world.odd(random, 0.003) => Some(""),
        () if world.odd(random, 0.005) => Some("critical"),
        () if story && random.chance(0.7) => Some("High"),
        () => Some(random.weighted(&[
            (15, "High"),
            (4, "high"),
            (34, "Medium"),
            (11, "medium"),
            (20, "Low"),
            (14, "low"),
            (1, "LOW"),
        ])),
    }
}

fn action_type(world: &World, random: &mut Random, friction: &Friction<'static>) -> Option<&'static str> {
    match () {
        () if world.odd(random, 0.01) => None,
        () if world.odd(random, 0.005) => Some("team_process"),
        () => Some(friction.action.0),
    }
}

/// Some of the steps, in their order.
fn timeline(random: &mut Random, subject: Subject) -> Vec<Event> {
    let kept = WORDS.steps.iter().filter(|_| random.chance(0.8));
    kept.map(|(title, what)| Event { title, description: format!("{what}: {}", subject.title) }).collect()
}

fn prompt(random: &mut Random, subject: Subject, has_issue: bool) -> SuggestedPrompt {
    let count = random.weighted(&[(35, 0), (45, 1), (20, 2)]);
    let remarks = WORDS.remarks.iter().cycle().skip(random.below(WORDS.remarks.len())).take(count);
    SuggestedPrompt {
        original_prompt: subject.prompt.to_owned(),
        suggested_prompt: format!(
            "{} Keep the change small, add tests for the new behaviour, run the linter, and open a pull \
             request that says what was changed and how it was checked.",
            subject.prompt
        ),
        feedback_items: remarks
            .map(|(summary, details)| Feedback {
                issue_id: has_issue.then(|| "issue_1".to_owned()),
                summary,
                excerpt: subject.title.to_owned(),
                details,
            })
            .collect(),
    }
}
