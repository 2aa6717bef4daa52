//! The lists of people and organisations, page by page, against servers that do
//! as they please.

use std::sync::atomic::{AtomicBool, Ordering};

use super::server::{Asked, Reply, Server, json, serve};
use super::*;
use crate::people::people_within;
use crate::roster::Subject;

/// Little time, no waits.
fn quick() -> Limits {
    let policy = retry::RetryPolicy {
        attempts: 3,
        attempts_not_json: 1,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(1),
        budget: 12,
        deadline: Duration::from_secs(10),
    };
    Limits { policy, pages: 50, ..LIMITS }
}

async fn ask(server: &Server, api: Api, org: Option<&str>) -> People {
    ask_within(server, api, org, &quick()).await
}

/// Of one organisation the people alone.
async fn ask_within(server: &Server, api: Api, org: Option<&str>, limits: &Limits) -> People {
    let subjects = [Subject::People, Subject::Organisations];
    ask_about(server, api, org, limits, &subjects[..if org.is_some() { 1 } else { 2 }]).await
}

async fn ask_about(
    server: &Server,
    api: Api,
    org: Option<&str>,
    limits: &Limits,
    subjects: &[Subject],
) -> People {
    let org = org.map(str::to_owned);
    let key = Secret::new(if api == Api::V2 { "apk_user_k3y" } else { "cog_k3y" }.to_owned());
    let config = ApiConfig { api, key, gate: Gate::new(2), ..config(&server.base) };
    let query = SessionQuery { org, ..query() };
    let people = people_within(&config, &query, limits, subjects).await;
    assert!(!format!("{people:?}").contains("k3y"), "{people:?}");
    assert!(people.members.is_sorted_by(|one, other| one.id < other.id), "{people:?}");
    people
}

fn path(asked: &Asked) -> &str {
    asked.target.split('?').next().unwrap()
}

/// The paths that were asked for, each as often as it was, in order.
fn paths(server: &Server) -> Vec<String> {
    let mut paths: Vec<String> = server.log().iter().map(|asked| path(asked).to_owned()).collect();
    paths.sort();
    paths
}

fn v2(items: &str, more: bool) -> String {
    format!(r#"{{"items": [{items}], "total": 9, "skip": 0, "limit": 200, "has_more": {more}}}"#)
}

fn v3(items: &str, cursor: Option<&str>) -> String {
    let cursor = cursor.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
    let more = cursor != "null";
    format!(r#"{{"items": [{items}], "end_cursor": {cursor}, "has_next_page": {more}, "total": null}}"#)
}

fn user(id: &str, name: &str) -> String {
    format!(r#"{{"user_id": "{id}", "name": {name}, "email": "{id}@acme.example"}}"#)
}

/// `id=name` of all members.
fn labels(people: &People) -> Vec<String> {
    let name = |one: &Member| format!("{}={}", one.id, one.name.as_deref().unwrap_or("-"));
    people.members.iter().map(name).collect()
}

const USERS: &str = "/v3/enterprise/members/users";
const IDP_USERS: &str = "/v3/enterprise/members/idp-users";
const SERVICE_USERS: &str = "/v3/enterprise/members/service-users";
const ORGANISATIONS: &str = "/v3/enterprise/organizations";

/// All lists of v3, one entry each; some answer with a status instead.
fn enterprise(asked: &Asked, refused: &[(&str, u16)]) -> Reply {
    if let Some((_, status)) = refused.iter().find(|(place, _)| *place == path(asked)) {
        return json(*status, r#"{"detail": "cog_k3y"}"#);
    }
    let items = match path(asked) {
        USERS => user("u", "\"Ursel\""),
        IDP_USERS => user("i", "\"Ines\""),
        SERVICE_USERS => r#"{"service_user_id": "s", "name": "Nightly"}"#.to_owned(),
        ORGANISATIONS => r#"{"org_id": "o", "name": "Harbour"}"#.to_owned(),
        other => panic!("{other}"),
    };
    json(200, &v3(&items, None))
}

#[test]
fn asking_for_people_can_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&people(&config("http://127.0.0.1:9"), &query()));
}

#[tokio::test]
async fn members_are_counted_where_their_whole_list_was_read() {
    // A service user is no person; the list of an identity provider need not exist.
    for (refused, expected) in [
        (vec![], Some(2)),
        (vec![(IDP_USERS, 404)], Some(1)),
        (vec![(SERVICE_USERS, 403)], Some(2)),
        (vec![(IDP_USERS, 403)], None),
        (vec![(USERS, 403)], None),
        (vec![(USERS, 404), (IDP_USERS, 404)], None),
    ] {
        let of = refused.clone();
        let server = serve(move |asked| enterprise(asked, &of));
        assert_eq!(ask(&server, Api::V3, None).await.count, expected, "{refused:?}");
    }
    // These lists are of the enterprise.
    let server = serve(|asked| enterprise(asked, &[]));
    assert_eq!(ask(&server, Api::V3, Some("org-1")).await.count, None);
}

#[tokio::test]
async fn limits_are_those_of_what_is_asked_about() {
    for (api, page) in [(Api::V2, v2 as fn(&str, bool) -> String), (Api::V3, |items, _| v3(items, None))] {
        let server = serve(move |asked| {
            let orgs = r#"{"org_id": "o", "name": "Harbour", "max_cycle_acu_limit": 1500},
                {"org_id": "p", "max_cycle_acu_limit": 2.5}, {"org_id": "q", "max_cycle_acu_limit": null}"#;
            let is_orgs = path(asked).ends_with("/organizations");
            json(200, &page(if is_orgs { orgs } else { "" }, false))
        });
        let subjects = [Subject::Organisations];
        let all = ask_about(&server, api, None, &quick(), &subjects).await.cycle_limits;
        assert_eq!(all, [("o".to_owned(), 1500.0), ("p".to_owned(), 2.5)].into(), "{api}");
        let own = ask_about(&server, api, Some("p"), &quick(), &subjects).await.cycle_limits;
        assert_eq!(own, [("p".to_owned(), 2.5)].into(), "{api}");
    }
}

#[tokio::test]
async fn every_list_of_v3_is_read() {
    for org in [None, Some("org-1")] {
        let server = serve(|asked| enterprise(asked, &[]));
        let people = ask(&server, Api::V3, org).await;
        assert_eq!(labels(&people), ["i=Ines", "s=Nightly", "u=Ursel"]);
        assert_eq!(people.members[0].email.as_deref(), Some("i@acme.example"));
        assert_eq!((people.members[1].email.as_deref(), people.notes.len()), (None, 0));
        let all = [IDP_USERS, SERVICE_USERS, USERS, ORGANISATIONS];
        assert_eq!(paths(&server), all[..if org.is_none() { 4 } else { 3 }]);
        assert_eq!(people.organisations.get("o").map(String::as_str), org.is_none().then_some("Harbour"));
        assert!(server.log().iter().all(|asked| asked.target.ends_with("?first=200")));
        assert!(server.peak() <= 2, "no more at once than the configuration allows");
    }
}

#[tokio::test]
async fn the_name_of_one_organisation_is_requested_and_optional() {
    let subjects = [Subject::People, Subject::Organisations];
    for api in [Api::V2, Api::V3] {
        for (status, name) in [(200, Some("Harbour")), (401, None), (403, None), (404, None), (422, None)] {
            let server = serve(move |asked| match path(asked).ends_with("/organizations") {
                true if status != 200 => json(status, "{}"),
                true => {
                    let items = r#"{"org_id": "n", "org_name": "No"}, {"org_id": "o", "org_name": "Harbour", "name": "Harbour"}"#;
                    json(200, &if api == Api::V2 { v2(items, false) } else { v3(items, None) })
                }
                false => json(200, &if api == Api::V2 { v2("", false) } else { v3("", None) }),
            });
            let people = ask_about(&server, api, Some("o"), &quick(), &subjects).await;
            let expected = name.map(|name| ("o".to_owned(), name.to_owned())).into_iter().collect();
            assert_eq!((people.organisations, people.notes), (expected, vec![]), "{api} {status}");
            let asked = paths(&server);
            assert!(asked.contains(&format!("/{api}/enterprise/organizations")), "{asked:?}");
            // A covered report requests no names.
            let before = server.log().len();
            let people = ask_about(&server, api, Some("o"), &quick(), &subjects[1..]).await;
            assert_eq!((people.organisations.len(), people.members.len()), (usize::from(name.is_some()), 0));
            assert_eq!(server.log().len(), before + 1);
        }
    }
}

#[tokio::test]
async fn v2_asks_the_organisation_and_the_enterprise_where_that_has_no_list() {
    let (own, all) = ("/v2/enterprise/organizations/org_789/members", "/v2/enterprise/members");
    for has_own in [true, false] {
        let server = serve(move |asked| match path(asked) == own && !has_own {
            true => json(404, "{}"),
            false => json(200, &v2(&user("u", "\"Ursel\""), false)),
        });
        let people = ask(&server, Api::V2, Some("org_789")).await;
        // The list of the enterprise has others as well.
        assert_eq!(people.count, has_own.then_some(1));
        assert_eq!((labels(&people), people.notes), (vec!["u=Ursel".to_owned()], vec![]));
        assert_eq!(paths(&server), if has_own { vec![own] } else { vec![all, own] });
    }
    let server = serve(move |asked| match path(asked) {
        "/v2/enterprise/organizations" => json(200, &v2(r#"{"org_id": "o", "org_name": "Harbour"}"#, false)),
        _ => json(200, &v2(&user("u", "null"), false)),
    });
    let people = ask(&server, Api::V2, None).await;
    assert_eq!((labels(&people), people.organisations.len()), (vec!["u=-".to_owned()], 1));
    assert_eq!(paths(&server), [all, "/v2/enterprise/organizations"]);
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end_signal() {
    let server = serve(|asked| {
        let skip = asked.skip();
        // The server gives fewer than it was asked for, and one of them without an id.
        let items = [user(&format!("u{skip}"), "null"), "{}".to_owned(), user(&format!("w{skip}"), "null")];
        json(200, &v2(&items.join(","), skip < 6))
    });
    let people = ask(&server, Api::V2, Some("org_789")).await;
    assert_eq!(labels(&people), ["u0=-", "u3=-", "u6=-", "w0=-", "w3=-", "w6=-"]);
    assert_eq!((server.skips(), server.log()[0].limit(), people.notes.len()), (vec![0, 3, 6], 200, 0));

    let server = serve(|asked| match (path(asked), asked.target.split_once("after=")) {
        (USERS, None) => json(200, &v3(&user("a", "null"), Some("x+/=="))),
        (USERS, Some((_, "x%2B%2F%3D%3D"))) => json(200, &v3(&user("b", "null"), None)),
        (USERS, other) => panic!("{other:?}"),
        _ => json(200, &v3("", None)),
    });
    let people = ask(&server, Api::V3, Some("o")).await;
    assert_eq!((labels(&people), people.notes.len()), (vec!["a=-".to_owned(), "b=-".to_owned()], 0));
}

#[tokio::test]
async fn a_refused_list_is_a_note_and_the_others_count() {
    let may_not = "the key may not read the list of";
    for (list, name, left) in [
        (USERS, "users", ["i=Ines", "s=Nightly"]),
        (IDP_USERS, "identity-provider users", ["s=Nightly", "u=Ursel"]),
        (SERVICE_USERS, "service users", ["i=Ines", "u=Ursel"]),
    ] {
        for (status, what) in [(403, may_not), (404, "the server has no list of")] {
            let server = serve(move |asked| enterprise(asked, &[(list, status)]));
            let people = ask(&server, Api::V3, None).await;
            let lacks = if status == 403 {
                ": it lacks the permission to view the members of the enterprise"
            } else {
                ""
            };
            assert_eq!(people.notes, [format!("{what} {name}{lacks}: ids are shown")]);
            assert_eq!((labels(&people), people.organisations.len()), (left.map(str::to_owned).to_vec(), 1));
            assert_eq!(server.log().len(), 4, "nothing is asked twice");
        }
    }
    let server = serve(move |asked| enterprise(asked, &[(ORGANISATIONS, 403)]));
    let people = ask(&server, Api::V3, None).await;
    let lacks = "it lacks the permission to view the organisations of the enterprise";
    assert_eq!(people.notes, [format!("{may_not} organisations: {lacks}: ids are shown")]);
    assert_eq!((people.members.len(), people.organisations.len()), (3, 0));

    let all = [USERS, IDP_USERS, SERVICE_USERS, ORGANISATIONS].map(|list| (list, 403));
    let server = serve(move |asked| enterprise(asked, &all));
    let people = ask(&server, Api::V3, None).await;
    assert_eq!((people.members.len(), people.organisations.len(), people.notes.len()), (0, 0, 4));
    let order = ["users", "identity-provider users", "service users", "organisations"];
    assert!(people.notes.iter().zip(order).all(|(note, name)| note.contains(&format!("of {name}:"))));
}

#[tokio::test]
async fn an_organisation_s_key_reads_the_list_of_its_own_people() {
    let own = "/v3beta1/organizations/org-1/members/users";
    let answer = move |asked: &Asked, refused: &[&str], own_status: u16| match path(asked) {
        place if refused.contains(&place) => json(403, "{}"),
        place if place == own => {
            json(own_status, &v3(&[user("u", "\"Ursel\""), user("v", "\"Vera\"")].join(","), None))
        }
        _ => enterprise(asked, &[]),
    };
    // A key that may read the enterprise's lists asks for no other.
    let server = serve(move |asked| answer(asked, &[], 200));
    ask(&server, Api::V3, Some("org-1")).await;
    assert_eq!(server.log().len(), 3);

    let server = serve(move |asked| answer(asked, &[USERS, IDP_USERS], 200));
    let people = ask(&server, Api::V3, Some("org-1")).await;
    assert_eq!(
        (labels(&people), people.notes),
        (vec!["s=Nightly".into(), "u=Ursel".into(), "v=Vera".into()], vec![])
    );
    assert_eq!(server.log().len(), 4);
    assert!(server.log().iter().any(|asked| asked.target == format!("{own}?first=200")));

    let server = serve(move |asked| answer(asked, &[IDP_USERS], 200));
    let people = ask(&server, Api::V3, Some("org-1")).await;
    assert_eq!((people.members.len(), people.notes.len()), (3, 0));

    let server = serve(move |asked| answer(asked, &[USERS, IDP_USERS], 403));
    let people = ask(&server, Api::V3, Some("org-1")).await;
    assert_eq!(
        people.notes,
        ["the key may not read the list of the organisation's users: it lacks the permission \
             ViewOrgMembership: ids are shown"]
    );
    assert_eq!(labels(&people), ["s=Nightly"]);
    // All organisations together have no list of their own.
    let server = serve(move |asked| answer(asked, &[USERS, IDP_USERS], 200));
    assert_eq!(ask(&server, Api::V3, None).await.notes.len(), 2);
    assert_eq!(server.log().len(), 4);
}

#[tokio::test]
async fn every_failure_is_a_few_words() {
    for (status, body, words, requests) in [
        (401, "{}", "the key was refused for the list of members", 1),
        (422, "{}", "the list of members cannot be read", 1),
        (500, "{}", "the list of members did not arrive in time", 3),
        (200, "<html>", "the list of members cannot be read", 1),
        (200, "[]", "the list of members cannot be read", 1),
        (200, r#"{"items": 7, "has_more": false, "total": 0}"#, "the list of members cannot be read", 1),
    ] {
        let server = serve(move |_| json(status, body));
        let people = ask(&server, Api::V2, Some("org_789")).await;
        assert_eq!(people.notes, [format!("{words}: ids are shown")], "{status} {body}");
        assert_eq!((people.members.len(), server.log().len()), (0, requests), "{status} {body}");
    }
    // An invalid request is not sent.
    let config = ApiConfig { base_url: "http://h.example".parse().unwrap(), ..config("http://h.example") };
    let notes = people(&config, &query()).await.notes;
    assert_eq!(notes, ["the lists of people cannot be requested: ids are shown"]);
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let is_first = AtomicBool::new(true);
    let server = serve(move |_| match is_first.swap(false, Ordering::SeqCst) {
        true => json(503, "{}"),
        false => json(200, &v2(&user("u", "\"Ursel\""), false)),
    });
    let people = ask(&server, Api::V2, Some("org_789")).await;
    assert_eq!((labels(&people).len(), people.notes.len(), server.log().len()), (1, 0, 2));
}

#[tokio::test]
async fn a_list_that_breaks_off_counts_as_far_as_it_came() {
    type Page = fn(&Asked) -> Reply;
    let cases: [(Page, usize, usize); 5] = [
        // Refused half-way.
        (
            |asked| {
                if asked.skip() == 0 { json(200, &v2(&user("u", "null"), true)) } else { json(403, "{}") }
            },
            1,
            2,
        ),
        // The first page for ever.
        (|_| json(200, &v2(&user("u", "null"), true)), 1, 2),
        // Empty pages for ever.
        (
            |asked| match asked.skip() {
                0 => json(200, &v2(&user("u", "null"), true)),
                _ => json(200, &v2("", true)),
            },
            1,
            3,
        ),
        // Entries without an id for ever.
        (|asked| json(200, &v2(if asked.skip() == 0 { r#"{"user_id": "u"}"# } else { "{}" }, true)), 1, 2),
        // Somebody new for ever.
        (|asked| json(200, &v2(&user(&format!("u{}", asked.skip()), "null"), true)), 50, 50),
    ];
    for (page, found, requests) in cases {
        let server = serve(page);
        let people = ask(&server, Api::V2, Some("org_789")).await;
        let note = format!("the list of members ended early, after {found}: for all others ids are shown");
        assert_eq!((people.members.len(), people.notes), (found, vec![note]));
        assert_eq!(server.log().len(), requests);
    }
}

#[tokio::test]
async fn one_empty_page_is_forgiven() {
    let is_first = AtomicBool::new(true);
    let server = serve(move |asked| match asked.skip() {
        0 => json(200, &v2(&user("u", "null"), true)),
        _ if is_first.swap(false, Ordering::SeqCst) => json(200, &v2("", true)),
        _ => json(200, &v2(&user("w", "null"), false)),
    });
    let people = ask(&server, Api::V2, Some("org_789")).await;
    assert_eq!((labels(&people).len(), people.notes.len()), (2, 0));
}

#[tokio::test]
async fn somebody_on_two_lists_is_one_and_a_name_beats_none() {
    let server = serve(|asked| {
        let items = match path(asked) {
            USERS => [user("a", "null"), user("b", "\"Bea\""), user("c", "\" \"")].join(","),
            IDP_USERS => [user("c", "null"), user("b", "\"Beate\""), user("a", "\"Ada\"")].join(","),
            _ => r#"{"service_user_id": "c", "name": "Cron"}"#.to_owned(),
        };
        json(200, &v3(&items, None))
    });
    let people = ask(&server, Api::V3, Some("o")).await;
    assert_eq!(labels(&people), ["a=Ada", "b=Bea", "c=Cron"]);
    assert_eq!(people.members[2].email.as_deref(), Some("c@acme.example"));
}

#[tokio::test]
async fn organisations_of_the_same_name_are_distinguished() {
    let server = serve(|asked| match path(asked) {
        ORGANISATIONS => {
            let org = |id: &str, name: &str| format!(r#"{{"org_id": "{id}", "name": {name}, "email": "x"}}"#);
            let items =
                [org("o1", "\"Core\""), org("o2", "\"core\""), org("o3", "null"), org("o4", "\"Web\"")];
            json(200, &v3(&items.join(","), None))
        }
        _ => json(200, &v3("", None)),
    });
    let organisations = ask(&server, Api::V3, None).await.organisations;
    let labels: Vec<String> = organisations.into_iter().map(|(id, name)| format!("{id}={name}")).collect();
    assert_eq!(labels, ["o1=Core (o1)", "o2=core (o2)", "o4=Web"]);
}

#[tokio::test]
async fn a_list_that_does_not_come_costs_no_more_than_its_time() {
    let limits = quick();
    let policy = retry::RetryPolicy { deadline: Duration::from_secs(3), ..limits.policy };
    let limits = Limits { policy, ..limits };
    let server = serve(|asked| {
        if path(asked) == IDP_USERS {
            std::thread::sleep(Duration::from_secs(30));
        }
        enterprise(asked, &[])
    });
    let begun = std::time::Instant::now();
    let people = ask_within(&server, Api::V3, None, &limits).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(people.notes, ["the list of identity-provider users did not arrive in time: ids are shown"]);
    assert_eq!(
        (labels(&people), people.organisations.len()),
        (vec!["s=Nightly".into(), "u=Ursel".into()], 1)
    );
}
