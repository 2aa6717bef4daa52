//! Who the ids in sessions belong to, asked of the invented organisation over
//! HTTP in both generations of the API.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use devin_api::tls::Trust;
use devin_api::{Api, ApiConfig, Gate, Member, People, Secret, SessionQuery, display_names, people};
use devin_simulator::{List, Listed, Options, Organisation, Recipe, Simulator, start};

use crate::support::{CANARY, SERVICE_CANARY, holds_no_key};

async fn serve(organisation: &Organisation, options: Options) -> Simulator {
    start(organisation.clone(), options).await.expect("a free port")
}

async fn ask(simulator: &Simulator, api: Api, org: Option<&str>) -> People {
    ask_at_once(simulator, api, org, 4).await
}

/// With so many requests at once.
async fn ask_at_once(simulator: &Simulator, api: Api, org: Option<&str>, concurrency: usize) -> People {
    let key = if api == Api::V2 { CANARY } else { SERVICE_CANARY };
    let config = ApiConfig {
        trust: Trust::default(),
        proxy: None,
        api,
        base_url: simulator.base_url().parse().expect("an address"),
        key: Secret::new(key.to_owned()),
        key_source: "DEVIN_API_KEY".to_owned(),
        page_size: 100,
        gate: Gate::new(concurrency),
        deadline: Duration::from_secs(60),
    };
    let moment = |text: &str| text.parse().expect("a moment");
    let window = moment("2026-10-05T00:00:00Z")..moment("2026-10-12T00:00:00Z");
    let people = people(&config, &SessionQuery::all(org.map(str::to_owned), window)).await;
    holds_no_key(&format!("{people:?}"));
    people
}

/// The ids in sessions.
fn starters(organisation: &Organisation) -> BTreeSet<String> {
    let service_users = organisation.records.iter().filter_map(|record| {
        let (_, rest) = record.body.split_once("\"service_user_id\":\"")?;
        rest.split('"').next().map(str::to_owned)
    });
    organisation.records.iter().filter_map(|record| record.user_id.clone()).chain(service_users).collect()
}

fn ids(members: &[Member]) -> BTreeSet<String> {
    members.iter().map(|one| one.id.clone()).collect()
}

/// What is invented is what is read, as far as a generation can tell it.
fn invented(organisation: &Organisation, wanted: impl Fn(Listed) -> bool) -> Vec<Member> {
    let people = organisation.people.iter().filter(|one| wanted(one.listed));
    let mut members: Vec<Member> = people
        .map(|one| Member { id: one.id.clone(), name: one.name.clone(), email: one.email.clone() })
        .collect();
    members.sort_by(|one, other| one.id.cmp(&other.id));
    members
}

#[tokio::test]
async fn both_generations_tell_who_everybody_is() {
    // Enough people for several pages of each list.
    let recipe = Recipe { users: 1_200, orgs: 3, sessions: 2_000, ..Recipe::demo() };
    let organisation = Organisation::invent(&recipe);
    let simulator = serve(&organisation, Options::default()).await;
    let (old, new) = (ask(&simulator, Api::V2, None).await, ask(&simulator, Api::V3, None).await);
    assert_eq!((&old.notes, &new.notes), (&vec![], &vec![]));
    assert_eq!(old.members, invented(&organisation, |listed| listed != Listed::ServiceUsers));
    assert_eq!(new.members, invented(&organisation, |_| true));
    let names = |pairs: [(&str, &str); 3]| -> BTreeMap<String, String> {
        pairs.map(|(id, name)| (id.to_owned(), name.to_owned())).into()
    };
    let orgs = names([
        ("org_demo", "Halden demo"),
        ("org_demo_2", "Halden demo 2"),
        ("org_demo_3", "Halden demo 3"),
    ]);
    assert_eq!((&old.organisations, &new.organisations), (&orgs, &orgs));

    let own = ask(&simulator, Api::V2, Some("org_demo_2")).await;
    let expected: BTreeSet<String> = organisation
        .people
        .iter()
        .filter(|one| one.orgs.contains("org_demo_2"))
        .map(|one| one.id.clone())
        .collect();
    assert_eq!((ids(&own.members), own.notes.len()), (expected, 0));
    assert_eq!(own.organisations.into_values().collect::<Vec<_>>(), ["Halden demo 2"]);
    assert_eq!(ask(&simulator, Api::V3, Some("org_demo_2")).await.members, new.members);
    simulator.stop().await;
}

#[tokio::test]
async fn the_demo_s_sessions_are_of_people_who_are_known_but_for_those_who_left() {
    let organisation = Organisation::invent(&Recipe::demo());
    let simulator = serve(&organisation, Options::default()).await;
    let new = ask(&simulator, Api::V3, Some("org_demo")).await;
    let started = starters(&organisation);
    let missing: Vec<&String> =
        started.difference(&ids(&new.members)).map(|id| started.get(id).expect("it is among them")).collect();
    assert_eq!(missing.len(), 4, "three who left, and the user of service users' sessions: {missing:?}");
    assert!(missing.iter().any(|id| *id == "bot_apk"));

    let shown = display_names(&new.members);
    assert_eq!(shown.len(), new.members.len() - 1, "one has neither name nor email");
    assert_eq!(shown.values().collect::<BTreeSet<_>>().len(), shown.len(), "no two are shown alike");
    let in_brackets = |name: &&String| name.ends_with("@halden.example)");
    assert_eq!(shown.values().filter(in_brackets).count(), 2, "two are called the same");
    assert_eq!(shown.values().filter(|name| name.contains('@') && !name.contains(' ')).count(), 1);
    assert!(shown.values().any(|name| name == "Dependency updates"));

    // What v2 can know it tells alike.
    let old = display_names(&ask(&simulator, Api::V2, Some("org_demo")).await.members);
    assert!(old.len() > 18 && old.iter().all(|(id, name)| shown.get(id) == Some(name)));
    simulator.stop().await;
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_a_note() {
    let organisation = Organisation::invent(&Recipe { sessions: 50, ..Recipe::demo() });
    let all = invented(&organisation, |_| true);
    let hidden = vec![List::ServiceUsers, List::Organisations];
    let simulator = serve(&organisation, Options { hidden, ..Options::default() }).await;
    let some = ask(&simulator, Api::V3, None).await;
    assert_eq!(
        some.notes,
        [("service users", "members"), ("organisations", "organisations")].map(|(name, of)| format!(
            "the key may not read the list of {name}: it lacks the permission to view the {of} of the \
             enterprise: ids are shown"
        ))
    );
    assert_eq!((some.members.len(), some.organisations.len()), (all.len() - 2, 0));
    simulator.stop().await;

    let faults = vec!["nomembers".parse().expect("a fault")];
    let simulator = serve(&organisation, Options { faults, ..Options::default() }).await;
    for (api, lists) in [(Api::V2, 2), (Api::V3, 4)] {
        let none = ask(&simulator, api, None).await;
        assert_eq!((none.members.len(), none.organisations.len(), none.notes.len()), (0, 0, lists));
        assert!(none.notes.iter().all(|note| note.starts_with("the key may not read the list of ")));
    }
    assert_eq!(simulator.requests(), 6, "what is refused is not asked for again");
    simulator.stop().await;
}

#[tokio::test]
async fn an_organisation_s_key_tells_names_all_the_same() {
    let organisation = Organisation::invent(&Recipe { sessions: 50, ..Recipe::demo() });
    let hidden = vec![List::Users, List::IdpUsers, List::ServiceUsers, List::Organisations];
    let simulator = serve(&organisation, Options { hidden, ..Options::default() }).await;
    let people = ask(&simulator, Api::V3, Some("org_demo")).await;
    assert_eq!(people.members, invented(&organisation, |listed| listed != Listed::ServiceUsers));
    assert_eq!(people.notes.len(), 1, "service users have no other list: {:?}", people.notes);
    simulator.stop().await;
}

#[tokio::test]
async fn a_bad_day_costs_no_name() {
    let organisation = Organisation::invent(&Recipe { sessions: 50, users: 600, ..Recipe::demo() });
    for fault in ["503=3", "reset=4", "truncate=4", "html=2", "clamp=90", "emptymore=5"] {
        let faults = vec![fault.parse().expect("a fault")];
        let simulator = serve(&organisation, Options { faults, ..Options::default() }).await;
        for api in [Api::V2, Api::V3] {
            // One after the other, so that the request after a failed one is its repetition.
            let people = ask_at_once(&simulator, api, Some("org_demo"), 1).await;
            assert_eq!(people.notes, [""; 0], "{fault} {api}");
            let expected = invented(&organisation, |listed| api == Api::V3 || listed != Listed::ServiceUsers);
            assert_eq!(people.members, expected, "{fault} {api}");
        }
        simulator.stop().await;
    }
    // What does not pass is a note, and what came until then counts.
    for (fault, found) in [("loop", 200), ("html=1", 0), ("nohasmore=2", 200)] {
        let faults = vec![fault.parse().expect("a fault")];
        let simulator = serve(&organisation, Options { faults, ..Options::default() }).await;
        let people = ask_at_once(&simulator, Api::V2, Some("org_demo"), 1).await;
        let note = match found {
            0 => "the list of members cannot be read: ids are shown".to_owned(),
            _ => format!("the list of members ended early, after {found}: for all others ids are shown"),
        };
        assert_eq!((people.members.len(), people.notes), (found, vec![note]), "{fault}");
        simulator.stop().await;
    }
}
