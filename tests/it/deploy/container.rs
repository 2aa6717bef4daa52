//! The image and the cluster's schedule for it: no root, nothing written but
//! the volume, and both of one mind.

use std::path::Path;

use serde_json::{Value, json};

use super::{ZONE, is_a_monday_morning, read, report, yaml};
use crate::support::{acumen, repository, run};

/// The Dockerfile's instructions, continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = read("docker/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no instruction: {line}"));
            (word.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

fn all<'i>(instructions: &'i [(String, String)], word: &str) -> Vec<&'i str> {
    instructions.iter().filter(|(own, _)| own == word).map(|(_, rest)| rest.as_str()).collect()
}

/// The manifests, by kind.
pub fn manifest(kind: &str) -> Value {
    let found = yaml("kubernetes/cronjob.yaml").into_iter().filter(|document| document["kind"] == kind);
    let mut found: Vec<Value> = found.collect();
    assert_eq!(found.len(), 1, "{kind}");
    found.remove(0)
}

/// The container's command line: the image's entry and the manifest's arguments.
pub fn command_line() -> Vec<String> {
    let cronjob = manifest("CronJob");
    let container = &cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let args = container["args"].as_array().expect("arguments");
    std::iter::once("acumen").chain(args.iter().map(|arg| arg.as_str().unwrap())).map(str::to_owned).collect()
}

#[test]
fn the_image_is_built_in_two_stages_and_does_not_run_as_root() {
    let instructions = instructions();
    let known = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "ENV", "ENTRYPOINT", "CMD"];
    assert!(instructions.iter().all(|(word, _)| known.contains(&word.as_str())), "{instructions:?}");
    let from = all(&instructions, "FROM");
    let manifest = std::fs::read_to_string(repository("Cargo.toml")).unwrap();
    let version = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(from, [&format!("rust:{version}-slim-bookworm AS build"), "debian:bookworm-slim"]);
    let runs = all(&instructions, "RUN");
    assert_eq!(runs[0], "cargo install --path . --locked --profile dist --features pdf --root /out");
    for package in
        ["ca-certificates", "fonts-noto-cjk", "fonts-noto-core", "tzdata", "--no-install-recommends"]
    {
        assert!(runs[1].contains(package), "{package}");
    }
    assert_eq!(all(&instructions, "COPY"), [". .", "--from=build /out/bin/acumen /usr/local/bin/acumen"]);
    // The last user set is the one at run time; a number can be checked by a cluster.
    let user = all(&instructions, "USER");
    assert_eq!(user, ["10001:10001"]);
    for part in ["groupadd", "--gid 10001", "useradd", "--uid 10001", "install -d -o acumen -g acumen"] {
        assert!(runs[1].contains(part), "{part}");
    }
    let place = |word: &str| instructions.iter().rposition(|(own, _)| own == word);
    assert!(place("USER") > place("RUN") && place("USER") > place("COPY"));
    let entry: Vec<String> = serde_json::from_str(all(&instructions, "ENTRYPOINT")[0]).unwrap();
    let more: Vec<String> = serde_json::from_str(all(&instructions, "CMD")[0]).unwrap();
    assert_eq!(entry, ["acumen"]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(acumen(folder.path()).args(more)).code, Some(0));
}

#[test]
fn what_a_build_needs_is_sent_to_it_and_secrets_are_not() {
    let text = std::fs::read_to_string(repository(".dockerignore")).unwrap();
    let ignored: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let is_ignored = |path: &str| ignored.iter().any(|name| Path::new(path).starts_with(name));
    for needed in [
        "Cargo.toml",
        "Cargo.lock",
        "src/main.rs",
        "templates/report.html",
        "assets/inter/Inter-Regular.ttf",
        "benches/speed/main.rs",
    ] {
        assert!(repository(needed).exists() && !is_ignored(needed), "{needed}");
    }
    for kept in [
        ".git/config",
        "target/debug/acumen",
        "reports/org_789_2026-W41.html",
        "acumen.toml",
        "devin-api-key",
    ] {
        assert!(is_ignored(kept), "{kept} would be in a layer");
    }
}

#[test]
fn the_cronjob_runs_one_pod_at_a_time_with_no_right_it_does_not_need() {
    let cronjob = manifest("CronJob");
    assert_eq!(cronjob["apiVersion"], "batch/v1");
    let spec = &cronjob["spec"];
    let fields: Vec<String> = spec["schedule"].as_str().unwrap().split(' ').map(str::to_owned).collect();
    assert!(is_a_monday_morning(&fields));
    assert_eq!((&spec["timeZone"], &spec["concurrencyPolicy"]), (&json!(ZONE), &json!("Forbid")));
    let job = &spec["jobTemplate"]["spec"];
    assert!(job["backoffLimit"].is_u64() && job["activeDeadlineSeconds"].is_u64());
    let pod = &job["template"]["spec"];
    assert_eq!(
        (&pod["restartPolicy"], &pod["automountServiceAccountToken"]),
        (&json!("Never"), &json!(false))
    );
    let own = &pod["securityContext"];
    assert_eq!((&own["runAsNonRoot"], &own["runAsUser"]), (&json!(true), &json!(10001)));
    let container = &pod["containers"][0];
    let rights = &container["securityContext"];
    assert_eq!(
        rights,
        &json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
    );
    // Tried again: what may pass, and what was killed from outside.
    let rules = job["podFailurePolicy"]["rules"].as_array().unwrap();
    let codes = &rules.iter().find(|rule| rule["action"] == "FailJob").unwrap()["onExitCodes"];
    assert_eq!(codes["values"], json!([5, 75, 137, 143]));
    assert_eq!((&codes["operator"], &codes["containerName"]), (&json!("NotIn"), &container["name"]));
}

#[test]
fn what_the_pod_names_is_mounted_and_nothing_else_is_writable() {
    let args = report(&command_line());
    let cronjob = manifest("CronJob");
    let pod = &cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = |path: &Path| {
        let holds = |mount: &&Value| path.starts_with(mount["mountPath"].as_str().unwrap());
        mounts.iter().find(holds).unwrap_or_else(|| panic!("{} is not mounted", path.display()))
    };
    let volume = |mount: &Value| {
        let volumes = pod["volumes"].as_array().unwrap();
        volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("a volume").clone()
    };
    let settings = mount(args.config.as_deref().unwrap());
    assert_eq!(volume(settings)["configMap"]["name"], manifest("ConfigMap")["metadata"]["name"]);
    let key = args.access.api_key_file.as_deref().unwrap();
    let secret = volume(mount(key));
    assert!(secret["secret"]["secretName"].is_string());
    assert_eq!(secret["secret"]["items"][0]["path"].as_str(), key.file_name().unwrap().to_str());
    assert_eq!(secret["secret"]["defaultMode"], 0o440);
    let state = mount(&args.out);
    assert_eq!(state["name"], mount(args.state.as_deref().unwrap())["name"]);
    let claim = &volume(state)["persistentVolumeClaim"]["claimName"];
    assert_eq!(*claim, manifest("PersistentVolumeClaim")["metadata"]["name"]);
    for mount in mounts {
        assert_eq!(mount["readOnly"] == true, mount["name"] != "state", "{mount}");
    }
}
