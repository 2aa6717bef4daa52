//! A recipe to records: one session after the other, oldest first.

use chrono::{DateTime, FixedOffset, SecondsFormat, SubsecRound, TimeDelta, Utc};

use super::analysis::{Subject, analyse};
use super::calendar::{Start, starts};
use super::organisation::Record;
use super::pulls::{self, Shelf, Work};
use super::random::Random;
use super::recipe::Recipe;
use super::wire::{Acus, SecurityProfile, Session};
use super::words::WORDS;
use super::world::{World, pad};

/// How much a session of each kind of work costs, against the average, and what
/// the kind adds to the merge rate; in the order of `kinds` in words.json.
const KIND_TRAITS: [(f64, f64); 6] =
    [(0.9, 0.0), (1.3, -0.02), (1.8, -0.10), (0.9, 0.03), (0.5, 0.12), (0.7, 0.06)];
/// The teams that the last week's story is about: payments and platform.
const STORY_TEAMS: [usize; 2] = [0, 2];
/// How much more every session costs in the last week, and one of the story.
const STORY_COST: (f64, f64) = (1.08, 1.5);

/// The records of a recipe.
pub fn records(recipe: &Recipe) -> Vec<Record> {
    let world = World::new(recipe);
    let mut shelf = Shelf::default();
    let numbered = (1..).zip(starts(recipe));
    numbered
        .map(|(number, start)| record(&world, &mut shelf, &mut Random::stream(recipe.seed, number), start))
        .collect()
}

/// Who started a session, and from where.
struct Starter {
    user_id: Option<Option<String>>,
    service_user_id: Option<String>,
    org_id: String,
    team: usize,
    /// What this person's sessions cost against the average.
    cost: f64,
}

fn record(world: &World, shelf: &mut Shelf, random: &mut Random, start: Start) -> Record {
    let starter = starter(world, random, start);
    let kind = if start.automatic {
        WORDS.kinds.len() - 1
    } else {
        random.weighted(&[(30, 0), (28, 1), (12, 2), (14, 3), (8, 4), (8, 5)])
    };
    let (kind_cost, lean) = KIND_TRAITS.get(kind).copied().unwrap_or((1.0, 0.0));
    let story = world.is_story(start.at) && STORY_TEAMS.contains(&starter.team) && random.chance(0.4);

    let acus = acus(random, starter.cost * kind_cost * story_cost(world.is_story(start.at), story));
    let title = title(world, random, start.automatic, starter.team, kind);
    let tags = tags(world, random, starter.team, kind);
    let work = Work { at: start.at, team: starter.team, acus, lean };
    let pull_requests = pulls::list(shelf, world, random, work);
    let prompt = format!(
        "{}. Ticket HAL-{}. {} {}",
        title.as_deref().unwrap_or("Look into this"),
        1_000 + random.below(8_000),
        random.pick(&WORDS.details),
        random.pick(&WORDS.details)
    );
    let subject = Subject { title: title.as_deref().unwrap_or("the request"), prompt: &prompt, acus, story };
    let analysed = random.chance(if story { 0.9 } else { 0.69 });
    let session_analysis = match analysed {
        true => Some(Some(analyse(world, random, subject))),
        false => random.chance(0.7).then_some(None),
    };

    let (created_at, created) = spell(world, random, start.at);
    let last_change = last_change(world, random, start.at, acus);
    let (updated_at, updated) = spell(world, random, last_change);
    let bare = random.hex(32);
    let status = status(world, random, updated);
    let session = Session {
        session_id: if random.chance(0.1) { format!("devin-{bare}") } else { bare.clone() },
        url: format!("https://app.devin.ai/sessions/{bare}"),
        status,
        title: match title {
            None => random.chance(0.5).then_some(None),
            title => Some(title),
        },
        tags: (!tags.is_empty() || !world.odd(random, 0.02)).then(|| tags.clone()),
        user_id: starter.user_id.clone(),
        service_user_id: starter.service_user_id,
        org_id: starter.org_id,
        created_at,
        updated_at,
        acus_consumed: spell_acus(world, random, acus),
        pull_requests: (!pull_requests.is_empty() || !world.odd(random, 0.01)).then_some(pull_requests),
        session_analysis,
        initial_user_message: random.chance(0.97).then_some(prompt),
        security_profile: random
            .chance(0.02)
            .then_some(SecurityProfile { selection: "inherit", profile_id: None }),
    };
    Record {
        // Serialising plain structs into text cannot fail; an empty body would be seen at once.
        body: serde_json::to_string(&session).unwrap_or_default(),
        session_id: session.session_id,
        org_id: session.org_id,
        user_id: starter.user_id.flatten(),
        tags,
        created_at: created,
        updated_at: updated,
    }
}

fn starter(world: &World, random: &mut Random, Start { at, automatic }: Start) -> Starter {
    let person = random.cumulative(&world.user_weights);
    let org = |index: usize| world.orgs.get(index % world.orgs.len().max(1)).cloned().unwrap_or_default();
    let team = if random.chance(0.85) { person } else { random.below(WORDS.teams.len()) };
    let team = team % world.teams.len().max(1);
    if automatic {
        let service_user = random.chance(0.6).then(|| random.below(world.service_users.len()));
        return Starter {
            user_id: Some(Some("bot_apk".to_owned())),
            service_user_id: service_user.and_then(|index| world.service_users.get(index).cloned()),
            org_id: org(random.below(world.orgs.len())),
            team: random.below(world.teams.len()),
            cost: 0.5,
        };
    }
    // Only who it is depends on who is there; what the session is like does not.
    let user = world.users.get(world.on_duty(person, at)).filter(|_| !world.odd(random, 0.008));
    let cost = [1.7, 1.0, 1.4].get(person).copied().unwrap_or(0.8 + 0.05 * (person % 8) as f64);
    Starter {
        user_id: match user {
            None => random.chance(0.5).then_some(None),
            Some(user) => Some(Some(user.clone())),
        },
        service_user_id: None,
        org_id: org(person),
        team,
        cost,
    }
}

fn story_cost(week: bool, session: bool) -> f64 {
    match (week, session) {
        (_, true) => STORY_COST.0 * STORY_COST.1,
        (true, false) => STORY_COST.0,
        (false, false) => 1.0,
    }
}

/// Long-tailed: most cost a few ACUs, one in a hundred runs for days.
fn acus(random: &mut Random, factor: f64) -> f64 {
    let acus = match random.below(200) {
        0..=1 if factor > 0.6 => 40.0 + 40.0 * random.unit(),
        2..=4 => 0.0,
        _ => factor * random.log_normal(2.1, 0.85),
    };
    (acus * 100.0).round() / 100.0
}

fn spell_acus(world: &World, random: &mut Random, acus: f64) -> Option<Acus> {
    match () {
        () if world.odd(random, 0.003) => None,
        () if world.odd(random, 0.001) => Some(Acus::Number(-1.0)),
        () if world.odd(random, 0.002) => Some(Acus::Text("12.5")),
        () => Some(Acus::Number(acus)),
    }
}

fn title(world: &World, random: &mut Random, automatic: bool, team: usize, kind: usize) -> Option<String> {
    let verbs = WORDS.kinds.get(kind).map_or(&[][..], |kind| &kind.1);
    let objects = WORDS.teams.get(team % WORDS.teams.len()).map_or(&[][..], |team| &team.1);
    let title = match () {
        () if world.odd(random, 0.015) => return None,
        () if world.odd(random, 0.012) => random.pick(&WORDS.foreign_titles).to_owned(),
        () if world.odd(random, 0.003) => {
            WORDS.markup_titles.get(random.below(WORDS.markup_titles.len())).cloned().unwrap_or_default()
        }
        () if automatic => format!(
            "Update {} to {}.{}.{}",
            random.pick(&WORDS.packages),
            1 + random.below(9),
            random.below(20),
            random.below(10)
        ),
        () => format!("{} {}", random.pick(verbs), random.pick(objects)),
    };
    Some(pad(title, world.name_length))
}

fn tags(world: &World, random: &mut Random, team: usize, kind: usize) -> Vec<String> {
    if random.chance(0.1) {
        return Vec::new();
    }
    let mut tags: Vec<String> = world.teams.get(team).cloned().into_iter().collect();
    if random.chance(0.6) {
        // More tags than kinds of work: the further ones are spread evenly.
        let rounds = world.kinds.len().div_ceil(WORDS.kinds.len()).max(1);
        tags.extend(world.kinds.get(kind + WORDS.kinds.len() * random.below(rounds)).cloned());
    }
    if random.chance(0.05) {
        let second = world.teams.get(random.below(world.teams.len()));
        tags.extend(second.filter(|second| !tags.contains(second)).cloned());
    }
    if world.odd(random, 0.001) {
        tags.extend(tags.first().map(|tag| format!(" {tag} ")));
    }
    tags
}

/// Costly sessions last longer; some are taken up again days later.
fn last_change(world: &World, random: &mut Random, created: DateTime<Utc>, acus: f64) -> DateTime<Utc> {
    let work = (acus * 15.0 + 3.0) * random.log_normal(1.0, 0.4);
    let idle = if random.chance(0.15) { random.log_normal(1_200.0, 0.9) } else { 0.0 };
    let after = created + TimeDelta::seconds(((work + idle) * 60.0) as i64);
    after.min(world.end).max(created)
}

/// Only what changed within the last day can still be at work.
fn status(world: &World, random: &mut Random, updated: DateTime<Utc>) -> &'static str {
    if world.odd(random, 0.002) {
        return "archiving";
    }
    if world.end - updated < TimeDelta::hours(20) && random.chance(0.4) {
        return random.weighted(&[(70, "running"), (10, "claimed"), (10, "new"), (10, "resuming")]);
    }
    random.weighted(&[(58, "exit"), (36, "suspended"), (6, "error")])
}

/// A moment in one of the spellings of ISO 8601, and the moment that it names.
fn spell(world: &World, random: &mut Random, moment: DateTime<Utc>) -> (String, DateTime<Utc>) {
    let seconds = moment.trunc_subsecs(0);
    match () {
        () if world.odd(random, 0.02) => (moment.to_rfc3339_opts(SecondsFormat::Micros, true), moment),
        () if world.odd(random, 0.015) => {
            let offset = FixedOffset::east_opt(2 * 3_600).map(|offset| seconds.with_timezone(&offset));
            (offset.map_or_else(|| seconds.to_rfc3339(), |there| there.to_rfc3339()), seconds)
        }
        () => (seconds.to_rfc3339_opts(SecondsFormat::Secs, true), seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn demo() -> Vec<Record> {
        records(&Recipe::demo())
    }

    fn bodies(records: &[Record]) -> Vec<Value> {
        records.iter().map(|record| serde_json::from_str(&record.body).unwrap()).collect()
    }

    fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
        value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    #[test]
    fn the_same_recipe_gives_the_same_bytes() {
        let records = demo();
        assert_eq!(records, demo());
        let first = &records[0];
        // If this fails, the demo has changed for everybody: say so in the change log.
        assert_eq!(
            (first.session_id.as_str(), first.created_at.to_rfc3339().as_str(), first.body.len()),
            ("479511cb41b373908c74d49269a30d59", "2026-08-17T01:13:32+00:00", 2_767)
        );
        assert_ne!(records, super::records(&Recipe { seed: 1, ..Recipe::demo() }));
    }

    #[test]
    fn people_join_and_leave() {
        let (world, records) = (World::new(&Recipe::demo()), demo());
        let first = records[0].created_at;
        let last_week = world.end - TimeDelta::days(7);
        let mut met = [0; 3];
        for (id, tenure) in world.users.iter().zip(&world.tenures) {
            let own = records.iter().filter(|record| record.user_id.as_ref() == Some(id));
            let moments: Vec<DateTime<Utc>> = own.map(|record| record.created_at).collect();
            // A moment is written in whole seconds, which begin a bit earlier.
            let (from, to) = (tenure.start - TimeDelta::seconds(1), tenure.end);
            assert!(moments.len() > 5 && moments.iter().all(|at| (from..to).contains(at)), "{tenure:?}");
            let stays = (from < first, to > last_week);
            met[match stays {
                (true, true) => 0,
                (false, true) => 1,
                (true, false) => 2,
                (false, false) => panic!("{tenure:?}"),
            }] += 1;
        }
        assert_eq!(met, [20, 2, 2]);
    }

    #[test]
    fn the_index_tells_what_the_body_tells() {
        let records = demo();
        let ids: BTreeSet<_> = records.iter().map(|record| record.session_id.clone()).collect();
        assert_eq!(ids.len(), records.len());
        for (record, body) in records.iter().zip(bodies(&records)) {
            let moment = |name: &str| body[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
            assert_eq!(body["session_id"], record.session_id.as_str());
            assert_eq!(body["org_id"], "org_demo");
            assert_eq!(body["user_id"].as_str(), record.user_id.as_deref());
            assert_eq!(moment("created_at"), record.created_at);
            assert_eq!(moment("updated_at"), record.updated_at);
            assert!(record.updated_at >= record.created_at);
            let tags: Vec<_> = list(&body, "/tags").iter().filter_map(Value::as_str).collect();
            assert_eq!(tags, record.tags);
        }
    }

    #[test]
    fn the_demo_is_shaped_like_real_data() {
        let records = demo();
        let bodies = bodies(&records);
        let share = |test: &dyn Fn(&Value) -> bool| {
            bodies.iter().filter(|body| test(body)).count() as f64 / bodies.len() as f64
        };
        let acus = |body: &Value| body["acus_consumed"].as_f64().unwrap_or_default();
        let ranges = [
            ("analysed", share(&|body| body["session_analysis"].is_object()), 0.65..0.75),
            ("with a pull request", share(&|body| !list(body, "/pull_requests").is_empty()), 0.55..0.7),
            ("ordinary cost", share(&|body| (0.5..6.0).contains(&acus(body))), 0.7..0.9),
            ("costly", share(&|body| acus(body) >= 40.0), 0.003..0.015),
            ("untagged", share(&|body| list(body, "/tags").is_empty()), 0.07..0.14),
            ("automatic", share(&|body| body["user_id"] == "bot_apk"), 0.06..0.1),
            ("service user", share(&|body| body["service_user_id"].is_string()), 0.03..0.07),
            ("nobody's", share(&|body| body["user_id"].is_null()), 0.002..0.015),
            (
                "prefixed",
                share(&|body| body["session_id"].as_str().unwrap().starts_with("devin-")),
                0.07..0.13,
            ),
            ("odd cost", share(&|body| !body["acus_consumed"].is_f64()), 0.001..0.012),
        ];
        for (name, value, range) in ranges {
            assert!(range.contains(&value), "{name}: {value}");
        }
        let end = Recipe::demo().end();
        let week = |back: i64| {
            let from = end - TimeDelta::days(7 * (back + 1));
            let to = from + TimeDelta::days(7);
            records
                .iter()
                .zip(&bodies)
                .filter(move |(record, _)| (from..to).contains(&record.created_at))
                .map(|(_, body)| body)
        };
        let high = |body: &Value| {
            let issues = list(body, "/session_analysis/issues").iter();
            issues.filter(|issue| issue["impact"] == "High" && issue["label"] == "Environment setup").count()
        };
        assert!((310..330).contains(&week(0).count()), "{}", week(0).count());
        assert!(week(0).map(acus).sum::<f64>() > 1.1 * week(1).map(acus).sum::<f64>());
        assert!(week(0).map(high).sum::<usize>() > 4 * week(1).map(high).sum::<usize>());
    }

    #[test]
    fn pull_requests_are_decided_and_shared() {
        let bodies = bodies(&demo());
        let pulls: Vec<&Value> = bodies.iter().flat_map(|body| list(body, "/pull_requests")).collect();
        let count = |state: &str| {
            let state_of = |pull: &Value| pull["pr_state"].as_str().or(pull["state"].as_str()) == Some(state);
            pulls.iter().filter(|pull| state_of(pull)).count() as f64
        };
        let rate = count("merged") / (count("merged") + count("closed"));
        assert!((0.7..0.8).contains(&rate), "{rate}");
        assert!(count("open") > 0.0 && count("draft") > 0.0);
        let addresses: Vec<_> =
            pulls.iter().filter_map(|pull| pull["pr_url"].as_str().or(pull["url"].as_str())).collect();
        let distinct: BTreeSet<_> = addresses.iter().collect();
        let shared = addresses.len() - distinct.len();
        assert!((40..200).contains(&shared), "{shared}");
        assert!(addresses.len() < pulls.len(), "some have no address");
        for forge in
            ["/pull/", "/-/merge_requests/", "/pull-requests/", "/pullrequest/", "GITHUB.COM", "?diff"]
        {
            assert!(addresses.iter().any(|address| address.contains(forge)), "{forge}");
        }
    }

    #[test]
    fn oddities_and_names_follow_the_recipe() {
        let plain = Recipe { oddity: 0.0, sessions: 500, ..Recipe::demo() };
        for body in bodies(&super::records(&plain)) {
            assert!(body["acus_consumed"].is_f64() && body["title"].is_string());
            assert!(list(&body, "/session_analysis/issues").iter().all(|issue| issue["label"].is_string()));
        }
        let wild = Recipe { oddity: 30.0, ..plain.clone() };
        let text: String = super::records(&wild).into_iter().map(|record| record.body).collect();
        for odd in ["<script>", "{{ 7*7 }}", "critical", "archiving", "\"12.5\"", "+02:00", "修", "locked"] {
            assert!(text.contains(odd), "{odd}");
        }
        let long = Recipe { name_length: Some(200), ..plain };
        for body in bodies(&super::records(&long)) {
            let labels = list(&body, "/session_analysis/issues").iter().map(|issue| &issue["label"]);
            for name in list(&body, "/tags").iter().chain(labels).chain([&body["title"]]) {
                assert_eq!(name.as_str().unwrap().chars().count(), 200);
            }
        }
    }

    #[test]
    fn an_organisation_of_nothing_is_no_panic() {
        let nothing = Recipe { users: 0, tags: 0, repos: 0, orgs: 0, ..Recipe::demo() };
        let records = super::records(&Recipe { sessions: 50, ..nothing.clone() });
        assert!(records.iter().all(|record| record.tags.is_empty() && record.org_id == "org_demo"));
        assert!(super::records(&Recipe { sessions: 0, ..nothing }).is_empty());
        let crowd = Recipe { users: 2_000, tags: 400, repos: 60, sessions: 3_000, ..Recipe::demo() };
        let tags: BTreeSet<_> = super::records(&crowd).into_iter().flat_map(|record| record.tags).collect();
        assert!(tags.len() > 200, "{}", tags.len());
    }
}
