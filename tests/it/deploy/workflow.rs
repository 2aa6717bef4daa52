//! The workflow: keys as GitHub reads them, few rights, and steps that run in a shell.

use serde_json::{Value, json};

use super::{is_a_monday_morning, report, words, yaml};

/// The workflow's only document.
pub fn workflow() -> Value {
    let mut documents = yaml("github/acumen.yml");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// The steps of its only job.
pub fn steps(workflow: &Value) -> Vec<Value> {
    workflow["jobs"]["report"]["steps"].as_array().expect("steps").clone()
}

#[test]
fn the_workflow_has_a_schedule_and_reads_the_sources_and_no_more() {
    let workflow = workflow();
    let keys: Vec<&str> = workflow.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["concurrency", "jobs", "name", "on", "permissions"]);
    assert_eq!(workflow["permissions"], json!({"contents": "read"}));
    let cron = workflow["on"]["schedule"][0]["cron"].as_str().unwrap();
    let fields: Vec<String> = cron.split(' ').map(str::to_owned).collect();
    assert!(is_a_monday_morning(&fields), "{cron}");
    assert!(workflow["on"].as_object().unwrap().contains_key("workflow_dispatch"));
    let job = &workflow["jobs"]["report"];
    assert!(job["timeout-minutes"].is_u64() && job["runs-on"].is_string());
    assert!(job.get("permissions").is_none());
}

#[test]
fn actions_are_pinned_to_a_major_version_and_secrets_reach_one_step() {
    let workflow = workflow();
    let steps = steps(&workflow);
    let uses: Vec<&str> = steps.iter().filter_map(|step| step["uses"].as_str()).collect();
    assert_eq!(uses.len(), 3);
    for action in uses {
        let (name, version) = action.split_once("@v").unwrap_or_else(|| panic!("{action} is not pinned"));
        assert!(name.starts_with("actions/") && version.parse::<u32>().is_ok(), "{action}");
    }
    assert_eq!(steps[0]["with"]["persist-credentials"], false);
    for step in &steps {
        let exactly_one = step["uses"].is_string() ^ step["run"].is_string();
        assert!(exactly_one, "{step}");
        // An expression within a script would be run as part of it.
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
        let has_secrets = step.to_string().contains("secrets.");
        assert_eq!(has_secrets, step["name"] == "Report", "{step}");
    }
    let upload = steps.last().unwrap();
    assert_eq!(upload["with"]["if-no-files-found"], "error");
}

#[test]
fn its_report_is_for_leadership_and_tells_the_page_of_the_run() {
    let workflow = workflow();
    let steps = steps(&workflow);
    let step = steps.iter().find(|step| step["name"] == "Report").unwrap();
    let args = report(&words(step["run"].as_str().unwrap()));
    assert_eq!(args.profile, "leadership");
    assert_eq!(args.tz, super::ZONE);
    assert_eq!(args.summary.as_deref().and_then(|path| path.to_str()), Some("$GITHUB_STEP_SUMMARY"));
    // Nothing but the reports of this run is uploaded: the folder `reports` holds the sample.
    assert_eq!(steps.last().unwrap()["with"]["path"].as_str(), args.out.to_str());
    assert_ne!(args.out.to_str(), Some("reports"));
}
