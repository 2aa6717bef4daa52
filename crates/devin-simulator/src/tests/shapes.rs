//! The faults that change pages, in both generations.

use super::*;

const BOTH: [&str; 2] = [V2, V3];

fn fault(text: &str) -> [Fault; 1] {
    [text.parse().unwrap()]
}

fn distinct(items: &[Value]) -> usize {
    let mut ids = ids(items);
    ids.sort();
    ids.dedup();
    ids.len()
}

fn lengths(pages: &[Value]) -> Vec<usize> {
    pages.iter().map(|page| items(page).len()).collect()
}

#[test]
fn clamped_pages_are_shorter_than_asked_and_lose_nothing() {
    let organisation = Organisation::from_values(sessions(120));
    for path in BOTH {
        let pages = faulty_walk(&organisation, path, "", 100, 9, &fault("clamp"));
        assert_eq!(lengths(&pages), [50, 50, 20], "{path}");
        assert_eq!(distinct(&records(&pages)), 120);
    }
    assert_eq!(page(&organisation, V2, "limit=70", &mishaps(&fault("clamp=3"), &[], 1).shape)["limit"], 70);
}

#[test]
fn a_drift_tears_a_walk_and_then_settles() {
    let organisation = Organisation::from_values(sessions(100));
    for path in BOTH {
        let pages = faulty_walk(&organisation, path, "", 10, 20, &fault("drift=6"));
        let totals: Vec<_> = pages.iter().filter_map(|page| page["total"].as_u64()).collect();
        assert_eq!(totals[..7], [95, 96, 97, 98, 99, 100, 100], "{path}");
        let first = distinct(&records(&pages));
        assert!(first < 100, "{path}: a walk that saw {first} is not torn");
        let settled = mishaps(&fault("drift=6"), &[], 6).shape;
        assert_eq!(settled.withheld, 0);
        assert_eq!(page(&organisation, path, "", &settled), page(&organisation, path, "", &Shape::default()));
    }
}

#[test]
fn repeated_records_come_again_later_and_older() {
    let organisation = Organisation::from_values(sessions(130));
    for path in BOTH {
        for size in [1, 7, 50, 200] {
            let pages = faulty_walk(&organisation, path, "", size, 200, &fault("dup=10"));
            let all = records(&pages);
            assert_eq!((all.len(), distinct(&all)), (143, 130), "{path} by {size}");
            assert!(pages.iter().all(|page| page["total"] == 130));
            let twice: Vec<&Value> = all.iter().filter(|item| item["status"] == "running").collect();
            assert_eq!(twice.len(), 13);
            for older in twice {
                let other =
                    |item: &&Value| item["session_id"] == older["session_id"] && item["status"] == "exit";
                let newer = all.iter().find(other).unwrap();
                let number = |item: &Value| match item["updated_at"].as_str() {
                    Some(text) => text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp(),
                    None => item["updated_at"].as_i64().unwrap(),
                };
                assert_eq!(number(newer) - number(older), 3_600);
                assert_eq!(older["acus_consumed"], 0.0);
            }
            if size == 50 {
                let (_, others) = pages.split_last().unwrap();
                let own = |page: &Value| distinct(&items(page)) == items(page).len();
                assert!(others.iter().all(own), "{path}: they come on another page");
            }
        }
    }
}

#[test]
fn dropped_records_are_counted_and_never_seen() {
    let organisation = Organisation::from_values(sessions(50));
    let mut missing = Vec::new();
    for path in BOTH {
        let pages = faulty_walk(&organisation, path, "", 8, 20, &fault("drop=10"));
        let all = ids(&records(&pages));
        assert_eq!((all.len(), distinct(&records(&pages))), (45, 45), "{path}");
        assert!(pages.iter().all(|page| page["total"] == 50));
        let id = |number: usize| format!("s{number:03}");
        missing.push((0..50).filter(|number| !all.contains(&id(*number))).collect::<Vec<_>>());
    }
    assert_eq!(missing, [[9, 19, 29, 39, 49], [9, 19, 29, 39, 49]]);
}

#[test]
fn ignored_filters_leave_the_organisation_of_the_path() {
    let mut values = sessions(20);
    values[3]["org_id"] = json!("org_789");
    let organisation = Organisation::from_values(values);
    for (path, window) in
        [(V2, "created_date_from=2026-10-06T00:00:00Z&tags=x"), (V3, "created_after=1791244800&tags=x")]
    {
        let total = |shape: &Shape| page(&organisation, path, window, shape)["total"].clone();
        let shape = mishaps(&fault("ignorefilter"), &[], 1).shape;
        assert_eq!((total(&Shape::default()), total(&shape)), (json!(0), json!(20)));
    }
    let shape = mishaps(&fault("ignorefilter"), &[], 1).shape;
    for path in [
        "/v2/enterprise/organizations/org_demo/sessions/insights",
        "/v3/organizations/org_demo/sessions/insights",
    ] {
        assert_eq!(page(&organisation, path, "tags=x", &shape)["total"], 19);
    }
}

#[test]
fn the_end_signal_is_missing_from_every_nth_page() {
    let organisation = Organisation::from_values(sessions(50));
    for (path, signal) in [(V2, "has_more"), (V3, "has_next_page")] {
        let pages = faulty_walk(&organisation, path, "", 10, 9, &fault("nohasmore=3"));
        let has: Vec<_> = pages.iter().map(|page| page.get(signal).is_some()).collect();
        assert_eq!(has, [true, true, false], "{path}");
    }
}

#[test]
fn a_loop_never_ends_and_brings_nothing_new() {
    let organisation = Organisation::from_values(sessions(25));
    for (path, reached) in [(V2, 10), (V3, 20)] {
        let pages = faulty_walk(&organisation, path, "", 10, 9, &fault("loop"));
        assert_eq!((pages.len(), distinct(&records(&pages))), (9, reached), "{path}");
        assert!(path == V2 || pages.iter().all(|page| page["end_cursor"] == pages[0]["end_cursor"]));
        // Also where an honest second page would be the last.
        let pages = faulty_walk(&organisation, path, "", 20, 9, &fault("loop"));
        assert_eq!(pages.len(), 9, "{path}");
    }
}

#[test]
fn an_empty_page_promises_more_and_keeps_the_place() {
    let organisation = Organisation::from_values(sessions(25));
    for path in BOTH {
        let pages = faulty_walk(&organisation, path, "", 10, 9, &fault("emptymore=2"));
        assert_eq!(lengths(&pages), [10, 0, 10, 0, 5], "{path}");
        assert_eq!(distinct(&records(&pages)), 25);
        // The very first too.
        let pages = faulty_walk(&organisation, path, "", 10, 3, &fault("emptymore=1"));
        assert_eq!(lengths(&pages), [0, 0, 0], "{path}");
        let cursor = pages[0]["end_cursor"].as_str().map(|text| format!("&after={}", escaped(text)));
        let next =
            page(&organisation, path, &format!("x=1{}", cursor.unwrap_or_default()), &Shape::default());
        assert_eq!(items(&next).len(), 25);
    }
}
