//! The lists of people and organisations, in both generations.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const MEMBERS: &str = "/v2/enterprise/members";
const V3_PEOPLE: [&str; 3] = [
    "/v3/enterprise/members/users",
    "/v3/enterprise/members/idp-users",
    "/v3/enterprise/members/service-users",
];
const ORGANISATIONS: [&str; 2] = ["/v2/enterprise/organizations", "/v3/enterprise/organizations"];

fn invented() -> Organisation {
    Organisation::invent(&Recipe { users: 60, orgs: 3, sessions: 900, ..Recipe::demo() })
}

/// All entries of a list, read in pages of so many.
fn list(organisation: &Organisation, path: &str, size: usize) -> Vec<Value> {
    records(&walk(organisation, path, "", size, 99))
}

fn id(entry: &Value) -> &str {
    let id = ["user_id", "service_user_id"].into_iter().find_map(|name| entry[name].as_str());
    id.expect("an id")
}

#[test]
fn users_of_sessions_are_listed_unless_they_left() {
    let organisation = invented();
    let listed: BTreeSet<String> = V3_PEOPLE
        .iter()
        .flat_map(|path| list(&organisation, path, 200))
        .map(|entry| id(&entry).to_owned())
        .collect();
    let sessions = records(&walk(&organisation, V3, "", 200, 99));
    let met: BTreeSet<&str> = sessions
        .iter()
        .flat_map(|session| [session["user_id"].as_str(), session["service_user_id"].as_str()])
        .flatten()
        .collect();
    let missing: Vec<&&str> = met.iter().filter(|id| !listed.contains(**id)).collect();
    assert_eq!(
        missing.len(),
        1 + 2 + 5,
        "service users' sessions have a user of no list, and seven have left"
    );
    assert!(missing.contains(&&"bot_apk") && met.len() > 55, "{missing:?} of {}", met.len());
}

#[test]
fn both_generations_name_people_alike() {
    let organisation = invented();
    let name = |entry: &Value| (id(entry).to_owned(), (entry["name"].clone(), entry["email"].clone()));
    let old: BTreeMap<_, _> = list(&organisation, MEMBERS, 200).iter().map(name).collect();
    let users = list(&organisation, V3_PEOPLE[0], 200);
    let idp_users = list(&organisation, V3_PEOPLE[1], 200);
    let mut new: BTreeMap<_, _> = users.iter().map(name).collect();
    // Who is on both lists has a name on the second alone.
    let twice: Vec<&Value> = idp_users.iter().filter(|entry| new.contains_key(id(entry))).collect();
    assert_eq!(twice.len(), 2);
    assert!(twice.iter().all(|entry| new[id(entry)].0.is_null() && entry["name"].is_string()));
    new.extend(idp_users.iter().map(name));
    assert_eq!(old, new);
    assert!(users.len() > 30 && idp_users.len() > 8 && old.len() == 53);
    assert!(list(&organisation, V3_PEOPLE[2], 200).iter().all(|entry| !old.contains_key(id(entry))));
}

#[test]
fn organisations_have_their_own_members() {
    let organisation = invented();
    let [old, new] = ORGANISATIONS.map(|path| list(&organisation, path, 200));
    let named = |entries: &[Value], name: &str| -> Vec<(Value, Value)> {
        entries.iter().map(|entry| (entry["org_id"].clone(), entry[name].clone())).collect()
    };
    assert_eq!(named(&old, "org_name"), named(&new, "name"));
    assert_eq!(named(&new, "name")[1], (json!("org_demo_2"), json!("Halden demo 2")));
    let members = |org: &str| list(&organisation, &format!("/v2/enterprise/organizations/{org}/members"), 7);
    let mut all: Vec<String> = Vec::new();
    for org in &old {
        let own = members(org["org_id"].as_str().unwrap());
        assert_eq!(org["org_member_count"], own.len());
        assert!(
            own.iter().all(|entry| entry["org_id"] == org["org_id"] && entry["org_name"] == org["org_name"])
        );
        all.extend(own.iter().map(|entry| id(entry).to_owned()));
    }
    all.sort();
    let mut expected: Vec<String> =
        list(&organisation, MEMBERS, 200).iter().map(|entry| id(entry).to_owned()).collect();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn an_organisation_lists_its_own_people_in_the_beta_of_version_3() {
    let organisation = invented();
    let own = list(&organisation, "/v3beta1/organizations/org_demo_2/members/users", 7);
    let old = list(&organisation, "/v2/enterprise/organizations/org_demo_2/members", 200);
    let named = |entries: &[Value]| -> BTreeMap<String, (Value, Value)> {
        entries
            .iter()
            .map(|entry| (id(entry).to_owned(), (entry["name"].clone(), entry["email"].clone())))
            .collect()
    };
    assert_eq!(named(&own), named(&old));
    assert!(own.len() > 10 && own[0]["role_assignments"].is_array());
}

#[test]
fn pages_are_cut_in_the_documented_envelopes() {
    let organisation = invented();
    for path in [MEMBERS].into_iter().chain(V3_PEOPLE).chain(ORGANISATIONS) {
        let whole = list(&organisation, path, 200);
        for size in [1, 2, 13] {
            assert_eq!(list(&organisation, path, size), whole, "{path} by {size}");
        }
    }
    let first = page(&organisation, MEMBERS, "limit=50", &Shape::default());
    let envelope = |name: &str| first[name].clone();
    assert_eq!(
        ["total", "skip", "limit", "has_more", "next_cursor"].map(envelope),
        [json!(53), json!(0), json!(50), json!(true), json!(50)]
    );
    let last = page(&organisation, V3_PEOPLE[2], "", &Shape::default());
    assert_eq!(
        (&last["total"], &last["has_next_page"], &last["end_cursor"]),
        (&json!(2), &json!(false), &Value::Null)
    );
    let some = page(&organisation, V3_PEOPLE[0], "first=3", &Shape::default());
    assert!(some["end_cursor"].as_str().unwrap().ends_with('='));
    let options = Options { max_page: 10, total: Total::Null, ..Options::default() };
    let clamped = ask(&organisation, &options, V3_PEOPLE[0], "first=99", &Shape::default());
    let clamped: Value = serde_json::from_str(&clamped.body).unwrap();
    assert_eq!((items(&clamped).len(), &clamped["total"]), (10, &Value::Null));
}

#[test]
fn entries_are_those_of_the_documents() {
    let organisation = invented();
    let keys = |path: &str| -> Vec<String> {
        list(&organisation, path, 200)[0].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        keys(MEMBERS),
        [
            "created_at",
            "email",
            "enterprise_role",
            "last_login",
            "login_count",
            "name",
            "saml_id",
            "searches_created_count",
            "sessions_created_count",
            "user_id"
        ]
    );
    assert_eq!(
        keys("/v2/enterprise/organizations/org_demo/members"),
        ["email", "enterprise_role", "name", "org_id", "org_name", "org_role", "user_id"]
    );
    assert_eq!(keys(V3_PEOPLE[0]), ["email", "name", "role_assignments", "user_id"]);
    assert_eq!(keys(V3_PEOPLE[1]), ["email", "idp_role_assignments", "name", "user_id"]);
    assert_eq!(keys(V3_PEOPLE[2]), ["name", "role_assignments", "service_user_id"]);
    assert_eq!(
        keys(ORGANISATIONS[1]),
        ["created_at", "max_cycle_acu_limit", "max_session_acu_limit", "name", "org_id"]
    );
}

#[test]
fn both_generations_serve_the_limits_of_organisations() {
    let mut organisation = invented();
    organisation.cycle_limits.insert("org_demo_2".to_owned(), 812.5);
    for path in ORGANISATIONS {
        let limits: Vec<Value> = list(&organisation, path, 2)
            .iter()
            .map(|entry| {
                json!([entry["org_id"], entry["max_cycle_acu_limit"], entry["max_session_acu_limit"]])
            })
            .collect();
        assert_eq!(
            json!(limits),
            json!([["org_demo", null, 50], ["org_demo_2", 812.5, 50], ["org_demo_3", null, 50]]),
            "{path}"
        );
    }
}

#[test]
fn refusals_are_those_of_sessions() {
    let organisation = invented();
    let status = |path: &str, query: &str, authorization: Option<&str>, options: &Options, shape: &Shape| {
        answer(&organisation, options, Request { method: "GET", path, query, authorization }, shape).status
    };
    let plain = Shape::default();
    for path in [MEMBERS, V3_PEOPLE[0], V3_PEOPLE[1], V3_PEOPLE[2], ORGANISATIONS[0], ORGANISATIONS[1]] {
        let (right, wrong) = if path.starts_with("/v3") { (SERVICE, PERSONAL) } else { (PERSONAL, SERVICE) };
        assert_eq!(status(path, "", Some(right), &Options::default(), &plain), 200, "{path}");
        assert_eq!(status(path, "", Some(wrong), &Options::default(), &plain), 401, "{path}");
        assert_eq!(status(path, "", None, &Options::default(), &plain), 401, "{path}");
        let refused = mishaps(&["nomembers".parse().unwrap()], &[], 1).shape;
        assert_eq!(status(path, "", Some(right), &Options::default(), &refused), 403, "{path}");
        assert_eq!(status(V2, "", Some(PERSONAL), &Options::default(), &refused), 200);
    }
    for (path, query, expected) in [
        (MEMBERS, "limit=0", 422),
        (V3_PEOPLE[0], "first=x", 422),
        (V3_PEOPLE[0], "after=nonsense", 400),
        (V3_PEOPLE[0], "after=ZW50cnk6c3RyYW5nZXI=", 400),
        ("/v2/enterprise/organizations/org_nobody/members", "", 404),
        ("/v2/enterprise/organizations/org_demo/organizations", "", 404),
        ("/v3/organizations/org_demo/members/users", "", 404),
        ("/v3/enterprise/members", "", 404),
        ("/v2/enterprise/members/users", "", 404),
    ] {
        assert_eq!(
            status(path, query, Some(key(path)), &Options::default(), &plain),
            expected,
            "{path}?{query}"
        );
    }
    let unfit = Options { hidden: vec![List::IdpUsers], ..Options::default() };
    let statuses = V3_PEOPLE.map(|path| status(path, "", Some(SERVICE), &unfit, &plain));
    assert_eq!(statuses, [200, 403, 200]);
}

#[test]
fn envelopes_go_wrong_here_too() {
    let organisation = invented();
    for path in [MEMBERS, V3_PEOPLE[0]] {
        let of =
            |fault: &str, most| faulty_walk(&organisation, path, "", 10, most, &[fault.parse().unwrap()]);
        assert_eq!(items(&of("clamp=4", 1)[0]).len(), 4, "{path}");
        let pages = of("loop", 12);
        assert_eq!(pages.len(), 12, "{path}");
        assert!(pages[2..].iter().all(|page| page == &pages[1]), "{path}");
        assert_eq!(items(&of("emptymore=1", 1)[0]).len(), 0, "{path}");
        let signal = if path == MEMBERS { "has_more" } else { "has_next_page" };
        assert!(of("nohasmore=1", 1)[0].get(signal).is_none(), "{path}");
        for fault in ["emptymore=2", "emptymore=3"] {
            assert_eq!(records(&of(fault, 30)), list(&organisation, path, 200), "{path}");
        }
        let first = &of("emptymore=1", 1)[0];
        if let Some(cursor) = first["end_cursor"].as_str() {
            let query = format!("first=3&after={}", escaped(cursor));
            assert_eq!(items(&page(&organisation, path, &query, &Shape::default())).len(), 3, "{path}");
        }
        assert!(path == MEMBERS || first["end_cursor"].is_string());
    }
}
