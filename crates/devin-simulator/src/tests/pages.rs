//! Pages of version 3: which records are on them, and what is refused.

use std::collections::BTreeSet;

use super::*;

fn small() -> Organisation {
    Organisation::invent(&Recipe { sessions: 437, orgs: 2, oddity: 5.0, ..Recipe::demo() })
}

fn newest_first(organisation: &Organisation) -> Vec<String> {
    let ids = organisation.records.iter().rev().map(|record| record.session_id.replacen("devin-", "", 1));
    ids.collect()
}

#[test]
fn a_walk_sees_every_session_once_newest_first() {
    let organisation = small();
    for size in [1, 60, 200] {
        let pages = walk(&organisation, V3, "", size, 500);
        assert_eq!(ids(&records(&pages)), newest_first(&organisation), "{size}");
        assert!(pages.iter().all(|page| page["total"] == 437));
        let (last, others) = pages.split_last().unwrap();
        assert!(last["end_cursor"].is_null() && last["has_next_page"] == false);
        for page in others {
            assert_eq!((items(page).len(), &page["has_next_page"]), (size, &json!(true)));
            assert!(page["end_cursor"].as_str().unwrap().contains('='));
        }
    }
    // Neither the asked length nor the maximum is exceeded; 100 where nothing is asked.
    assert_eq!(items(&page(&organisation, V3, "first=1000", &Shape::default())).len(), 200);
    assert_eq!(items(&page(&organisation, V3, "", &Shape::default())).len(), 100);
}

#[test]
fn records_that_nothing_tells_apart_are_each_seen_once() {
    let twins = [1, 2, 3, 4].map(|number| json!({"session_id": "twin", "created_at": 100, "n": number}));
    let undated = [5, 6].map(|number| json!({"session_id": null, "created_at": null, "n": number}));
    let organisation =
        Organisation::from_values(twins.into_iter().chain(undated).chain(sessions(3)).collect());
    for size in 1..=9 {
        let all = records(&walk(&organisation, V3, "", size, 20));
        let numbers: BTreeSet<_> = all.iter().filter_map(|item| item["n"].as_u64()).collect();
        assert_eq!((all.len(), numbers), (9, (1..=6).collect()), "{size}");
    }
}

#[test]
fn a_record_that_appears_shifts_no_page() {
    let mut organisation = Organisation::from_values(sessions(50));
    let expected = newest_first(&organisation);
    let (mut seen, mut after) = (Vec::new(), String::new());
    for round in 0.. {
        let page = page(&organisation, V3, &format!("first=7{after}"), &Shape::default());
        seen.extend(ids(&items(&page)));
        assert_eq!(page["total"], 50 + round);
        let Some(cursor) = page["end_cursor"].as_str() else { break };
        after = format!("&after={}", escaped(cursor));
        // Newer than everything; some have the same moment as the newest.
        let mut values: Vec<Value> = organisation.records.iter().map(|record| body(&record.body)).collect();
        let at = format!("2026-10-05T00:{}:00Z", 49 + round / 2);
        values.push(json!({"session_id": format!("z{round}"), "created_at": at}));
        organisation = Organisation::from_values(values);
    }
    assert_eq!(seen, expected);
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_window_is_in_seconds_and_half_open() {
    let organisation = Organisation::from_values(
        ["2026-10-04T23:59:59.9Z", "2026-10-05T00:00:00Z", "2026-10-11T23:59:59.9Z", "2026-10-12T00:00:00Z"]
            .iter()
            .enumerate()
            .map(|(id, at)| json!({"session_id": id.to_string(), "created_at": at, "updated_at": at}))
            .chain([json!({"session_id": "odd", "created_at": null})])
            .collect(),
    );
    for field in ["created", "updated"] {
        let window = format!("{field}_after=1791158400&{field}_before=1791763200");
        let found = page(&organisation, V3, &window, &Shape::default());
        assert_eq!(ids(&items(&found)), ["2", "1", "odd"], "{field}");
        assert_eq!(found["total"], 3);
        // Filters of the other generation are unknown here, and so ignored.
        let ignored = page(&organisation, V3, &format!("{field}_date_from=soon&{window}"), &Shape::default());
        assert_eq!(ignored["total"], 3);
    }
}

#[test]
fn every_filter_keeps_what_has_any_of_its_values() {
    let organisation = small();
    let all = records(&walk(&organisation, V3, "", 200, 9));
    let list = |item: &Value, name: &str| -> Vec<String> {
        let value = &item[name];
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for (filter, field) in [
        ("user_ids", "user_id"),
        ("tags", "tags"),
        ("service_user_ids", "service_user_id"),
        ("origins", "origin"),
        ("org_ids", "org_id"),
        ("playbook_id", "playbook_id"),
    ] {
        let values: BTreeSet<String> = all.iter().flat_map(|item| list(item, field)).collect();
        let repeated = if filter == "playbook_id" { 1 } else { 2 };
        let wanted: Vec<&String> = values.iter().take(repeated).collect();
        assert_eq!(wanted.len(), repeated, "{filter}");
        let query: Vec<String> =
            wanted.iter().map(|value| format!("{filter}={}", value.replace('|', "%7C"))).collect();
        let found = ids(&records(&walk(&organisation, V3, &query.join("&"), 50, 99)));
        let has = |item: &&Value| list(item, field).iter().any(|value| wanted.contains(&value));
        let expected: Vec<Value> = all.iter().filter(has).cloned().collect();
        assert_eq!(found, ids(&expected), "{filter}");
        assert!(!found.is_empty() && (filter == "org_ids" || found.len() < all.len()), "{filter}");
    }
    let of = |query: &str| ids(&records(&walk(&organisation, V3, query, 50, 99)));
    let (archived, others) = (of("is_archived=true"), of("is_archived=false"));
    let is_archived = |item: &&Value| item["is_archived"] == true;
    let expected: Vec<Value> = all.iter().filter(is_archived).cloned().collect();
    assert_eq!((archived.len() + others.len(), of("is_archived=null").len()), (all.len(), all.len()));
    assert_eq!(archived, ids(&expected));
    assert!(archived.len() * 50 > all.len() && archived.len() * 10 < all.len(), "{}", archived.len());
    let hides = Shape { hides_archived: true, ..Shape::default() };
    let listed = |query: &str| page(&organisation, V3, query, &hides)["total"].clone();
    assert_eq!(listed(""), json!(others.len()));
    assert_eq!(listed("is_archived=true"), json!(archived.len()));
    let some = ids(&all)[3..5].join("&session_ids=devin-");
    let found = page(&organisation, V3, &format!("session_ids={some}&user_idz=nobody"), &Shape::default());
    assert_eq!(ids(&items(&found)), ids(&all)[3..5]);
}

#[test]
fn an_organisation_sees_its_own_sessions() {
    let organisation = small();
    let of = |org: &str, query: &str| {
        let path = format!("/v3/organizations/{org}/sessions/insights");
        records(&walk(&organisation, &path, query, 200, 9))
    };
    let (one, two) = (of("org_demo", ""), of("org_demo_2", "org_ids=org_demo"));
    assert_eq!(one.len() + two.len(), 437);
    assert!(one.iter().all(|item| item["org_id"] == "org_demo") && !one.is_empty());
    assert!(two.iter().all(|item| item["org_id"] == "org_demo_2") && !two.is_empty());
    assert_eq!(records(&walk(&organisation, V3, "org_ids=org_demo_2", 200, 9)), two);
}

#[test]
fn each_generation_lets_in_its_own_keys_and_refuses_what_it_cannot_read() {
    let organisation = small();
    let status = |options: &Options, path: &str, query: &str, authorization: Option<&str>| {
        let request = Request { method: "GET", path, query, authorization };
        let answer = answer(&organisation, options, request, &Shape::default());
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        match answer.status {
            200 => {}
            status if path.starts_with("/v3/") => {
                assert!(answer.is_problem && body["status"] == status && body["title"].is_string(), "{body}");
                assert_eq!((&body["type"], &body["instance"]), (&json!("about:blank"), &json!(path)));
                let (detail, errors) = (&body["detail"], &body["errors"][0]["loc"][1]);
                assert!(if status == 422 { errors.is_string() } else { detail.is_string() }, "{body}");
            }
            422 => assert!(body["detail"][0]["loc"][1].is_string(), "{body}"),
            _ => assert!(body["detail"].is_string(), "{body}"),
        }
        answer.status
    };
    let org = "/v3/organizations/org_demo/sessions/insights";
    let usage = "/v3/enterprise/metrics/usage";
    for (path, query, authorization, expected) in [
        (V3, "", Some(SERVICE), 200),
        (V3, "", None, 401),
        (V3, "", Some(PERSONAL), 401),
        (V3, "", Some("Bearer apk_x"), 401),
        (V3, "", Some("Bearer cog_"), 401),
        (V2, "", Some(SERVICE), 401),
        (V2, "", Some(PERSONAL), 200),
        (org, "", Some(SERVICE), 200),
        ("/v3/self", "", Some(SERVICE), 200),
        ("/v3/self", "", Some(PERSONAL), 401),
        ("/v2/self", "", Some(PERSONAL), 404),
        ("/v3/organizations/org_nobody/sessions/insights", "", Some(SERVICE), 404),
        ("/v3/organizations/org_nobody/metrics/usage", "", Some(SERVICE), 404),
        ("/v3/enterprise/organizations/org_demo/sessions/insights", "", Some(SERVICE), 404),
        ("/v3/sessions/insights", "", Some(SERVICE), 404),
        (V3, "first=0", Some(SERVICE), 422),
        (V3, "first=many", Some(SERVICE), 422),
        (V3, "created_after=2026-10-05T00:00:00Z", Some(SERVICE), 422),
        (V3, "created_before=1.5", Some(SERVICE), 422),
        (V3, "updated_after=", Some(SERVICE), 422),
        (V3, "after=20", Some(SERVICE), 400),
        (V3, "after=", Some(SERVICE), 400),
        (V3, "after=eyJsYXN0X2lkIjoiYWJjMTIzIn0%3D", Some(SERVICE), 400),
        (V3, "skip=many&cursor=20", Some(SERVICE), 200),
        (usage, "time_after=1&time_before=2", Some(SERVICE), 200),
        (usage, "time_after=1", Some(SERVICE), 422),
    ] {
        assert_eq!(
            status(&Options::default(), path, query, authorization),
            expected,
            "{path}?{query} {authorization:?}"
        );
    }
    for (key, path, authorization, expected) in [
        ("cog_a", V3, "Bearer cog_a", 200),
        ("cog_a", V3, "Bearer cog_aa", 401),
        ("cog_a", V2, "Bearer cog_a", 401),
        ("apk_user_a", V3, "Bearer apk_user_a", 401),
        ("apk_user_a", V2, "Bearer apk_user_a", 200),
    ] {
        let options = Options { key: Some(key.to_owned()), ..Options::default() };
        assert_eq!(status(&options, path, "", Some(authorization)), expected, "{key} {path}");
    }
}

#[test]
fn the_total_may_be_null_or_absent() {
    let organisation = small();
    let total = |total: Total| {
        let options = Options { total, ..Options::default() };
        let answer = ask(&organisation, &options, V3, "first=1", &Shape::default());
        body(&answer.body).get("total").cloned()
    };
    assert_eq!(total(Total::Number), Some(json!(437)));
    assert_eq!(total(Total::Null), Some(Value::Null));
    assert_eq!(total(Total::Absent), None);
}

#[test]
fn usage_needs_its_right_and_knows_organisations() {
    let organisation = small();
    let span = "start_date=2026-01-01&time_after=0&time_before=2000000000";
    for version in ["/v2/enterprise/organizations/", "/v3/organizations/"] {
        let enterprise = format!("{}/enterprise/metrics/usage", &version[..3]);
        let count = |path: &str, query: &str| page(&organisation, path, query, &Shape::default());
        let all = count(&enterprise, span);
        assert_eq!(all["sessions_count"], 437);
        let one = count(&format!("{version}org_demo/metrics/usage"), span);
        assert_eq!(one, count(&enterprise, &format!("{span}&org_ids=org_demo")));
        let other = count(&enterprise, &format!("{span}&org_ids=org_demo_2"));
        let sessions = |counts: &Value| counts["sessions_count"].as_u64().unwrap();
        assert_eq!(sessions(&one) + sessions(&other), 437);
        assert!(sessions(&one) > 0 && sessions(&other) > 0);
        let unfit = Options { may_see_usage: false, ..Options::default() };
        assert_eq!(ask(&organisation, &unfit, &enterprise, span, &Shape::default()).status, 403);
    }
    let unfit = Options { may_see_usage: false, ..Options::default() };
    assert_eq!(ask(&organisation, &unfit, V3, "", &Shape::default()).status, 200);
}
