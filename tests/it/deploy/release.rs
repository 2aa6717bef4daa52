//! The release: what the workflow may do, and that its files are those that the
//! README, Cargo.toml and the image name.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::read;
use crate::support::{Outcome, repository, run};

fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn workflow() -> Value {
    serde_yaml_ng::from_str(&text(".github/workflows/release.yml")).unwrap()
}

fn manifest() -> toml::Table {
    text("Cargo.toml").parse().unwrap()
}

fn steps(job: &Value) -> &Vec<Value> {
    job["steps"].as_array().expect("steps")
}

/// The script of the only step of a job with this name.
fn script(job: &str, name: &str) -> String {
    let workflow = workflow();
    let found = steps(&workflow["jobs"][job]).iter().filter(|step| step["name"] == name);
    let scripts: Vec<&str> = found.filter_map(|step| step["run"].as_str()).collect();
    let [script] = scripts[..] else { panic!("{job}: {name}") };
    script.to_owned()
}

/// The targets that programs are built for.
fn targets() -> Vec<String> {
    let workflow = workflow();
    let rows = workflow["jobs"]["program"]["strategy"]["matrix"]["include"].as_array().unwrap();
    rows.iter().map(|row| row["target"].as_str().unwrap().to_owned()).collect()
}

/// A process that starts as GitHub starts a script.
fn bash(script: &str, folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command.args(["-e", "-c", script]).current_dir(folder).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("GITHUB_OUTPUT", folder.join("output"));
    command
}

#[test]
fn only_the_jobs_that_publish_may_write_and_they_do_not_build() {
    let workflow = workflow();
    assert_eq!(workflow["on"]["push"], json!({"tags": ["v*"]}));
    assert!(workflow["on"].as_object().unwrap().contains_key("workflow_dispatch"));
    assert_eq!(workflow["permissions"], json!({"contents": "read"}));
    let jobs = workflow["jobs"].as_object().unwrap();
    assert_eq!(jobs.keys().collect::<Vec<_>>(), ["image", "program", "registry", "release", "version"]);
    for (name, job) in jobs {
        assert!(job["timeout-minutes"].is_u64(), "{name}");
        let attests = |write: &str| json!({write: "write", "id-token": "write", "attestations": "write"});
        let rights = match name.as_str() {
            "release" => attests("contents"),
            "registry" => attests("packages"),
            _ => Value::Null,
        };
        assert_eq!(job["permissions"], rights, "{name}");
        let publishes = !rights.is_null();
        assert_eq!(job["if"] == "github.event_name == 'push'", publishes, "{name}");
        let has = |action: &str| job.to_string().contains(action);
        assert_eq!(has("actions/checkout@"), !publishes, "{name}");
        assert_eq!(has("actions/attest-build-provenance@"), publishes, "{name}");
    }
}

#[test]
fn actions_are_pinned_to_commits_and_scripts_have_no_expressions() {
    let text = text(".github/workflows/release.yml");
    let mut found = 0;
    for line in text.lines().filter(|line| line.contains("uses:")) {
        let (_, action) = line.split_once("uses: actions/").unwrap_or_else(|| panic!("{line}"));
        let (action, version) = action.split_once(" # v").unwrap_or_else(|| panic!("{line}"));
        let (_, commit) = action.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
        assert_eq!(version.split('.').count(), 3, "{line}");
        found += 1;
    }
    assert!(found >= 8, "only {found}");
    let workflow = workflow();
    for step in workflow["jobs"].as_object().unwrap().values().flat_map(steps) {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
        if step["uses"].as_str().is_some_and(|action| action.starts_with("actions/checkout@")) {
            assert_eq!(step["with"]["persist-credentials"], false);
        }
    }
}

#[test]
fn a_tag_that_is_not_the_version_ends_the_release() {
    let script = script("version", "Read Cargo.toml");
    let manifest = manifest();
    let version = manifest["workspace"]["package"]["version"].as_str().unwrap();
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    let start = |event: &str, tag: &str, repository: &str| -> (Outcome, String) {
        let folder = tempfile::tempdir().unwrap();
        // A repository of its own; the one of these sources is not known here.
        let own = text("Cargo.toml").replace("[package]\n", "[package]\nrepository = \"https://host/a/b\"\n");
        fs::write(folder.path().join("Cargo.toml"), own).unwrap();
        let mut command = bash(&script, folder.path());
        command.env("GITHUB_EVENT_NAME", event).env("GITHUB_REF_NAME", tag);
        command.env("GITHUB_SERVER_URL", "https://host").env("GITHUB_REPOSITORY", repository);
        let outcome = run(&mut command);
        (outcome, fs::read_to_string(folder.path().join("output")).unwrap_or_default())
    };
    let tag = format!("v{version}");
    let (outcome, output) = start("push", &tag, "a/b");
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(output, format!("version={version}\nrust={rust}\n"));
    assert_eq!(start("workflow_dispatch", "main", "c/d").0.code, Some(0));
    for (tag, repository, says) in [("v9.9.9", "a/b", "v9.9.9"), (&tag, "c/d", "https://host/c/d")] {
        let (outcome, output) = start("push", tag, repository);
        assert_eq!((outcome.code, output.as_str()), (Some(1), ""), "{tag} {repository}");
        assert!(
            outcome.stdout.starts_with("::error::") && outcome.stdout.contains(says),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn the_archive_has_the_program_where_cargo_binstall_expects_it() {
    let (target, version) = ("x86_64-unknown-linux-musl", "1.2.3");
    let workflow = workflow();
    let name = workflow["jobs"]["program"]["env"]["NAME"].as_str().unwrap();
    let name =
        name.replace("${{ needs.version.outputs.version }}", version).replace("${{ matrix.target }}", target);
    let folder = tempfile::tempdir().unwrap();
    let built = folder.path().join("target").join(target).join("dist");
    fs::create_dir_all(&built).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_acumen"), built.join("acumen")).unwrap();
    for file in ["LICENSE", "README.md"] {
        fs::copy(repository(file), folder.path().join(file)).unwrap();
    }
    let mut pack = bash(&script("program", "Pack"), folder.path());
    let outcome = run(pack.env("NAME", &name).env("TARGET", target));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);

    let manifest = manifest();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let value = |key: &str| {
        let value = binstall[key].as_str().unwrap().replace("{ version }", version);
        value.replace("{ target }", target).replace("{ bin }{ binary-ext }", "acumen")
    };
    assert_eq!(value("pkg-url"), format!("{{ repo }}/releases/download/v{version}/{name}.tar.gz"));
    let mut list = Command::new("tar");
    let listed = run(list.arg("-tzf").arg(folder.path().join(format!("{name}.tar.gz"))));
    let mut files: Vec<&str> = listed.stdout.lines().filter(|path| !path.ends_with('/')).collect();
    files.sort_unstable();
    let bin_dir = value("bin-dir");
    let mut expected = vec![bin_dir];
    for file in
        ["LICENSE", "README.md", "completions/_acumen", "completions/acumen.bash", "completions/acumen.fish"]
    {
        expected.push(format!("{name}/{file}"));
    }
    expected.sort_unstable();
    assert_eq!(files, expected);
    let bash = fs::read_to_string(folder.path().join(&name).join("completions/acumen.bash")).unwrap();
    assert!(bash.contains("_acumen()"));
}

#[test]
fn the_readme_names_the_targets_and_files_of_a_release() {
    let readme = text("README.md");
    let (_, install) = readme.split_once("## Install").unwrap();
    let (install, _) = install.split_once("\n## ").unwrap();
    let targets = targets();
    assert_eq!(targets.len(), 4);
    for target in &targets {
        assert!(install.contains(&format!("`{target}`")), "{target}");
    }
    for word in install.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
        let is_target = word.ends_with("-musl") || word.ends_with("-darwin");
        let known = targets.iter().any(|target| word.ends_with(target.as_str()));
        assert!(!is_target || known, "{word} is not built");
    }
    let workflow = text(".github/workflows/release.yml");
    for name in ["SHA256SUMS", "ghcr.io/"] {
        assert!(install.contains(name) && workflow.contains(name), "{name}");
    }
    for command in ["sha256sum --check", "gh attestation verify", "cargo binstall", "docker run"] {
        assert!(install.contains(command), "{command}");
    }
}

#[test]
fn programs_and_image_are_built_alike() {
    let build = script("program", "Build");
    let image = read("docker/Dockerfile");
    for option in ["--locked", "--profile dist", "--features pdf"] {
        assert!(build.contains(option) && image.contains(option), "{option}");
    }
    let manifest = manifest();
    assert!(manifest["profile"].get("dist").is_some() && manifest["features"].get("pdf").is_some());
    assert!(script("image", "Build").contains("-f deploy/docker/Dockerfile"));
}

/// The files that a source includes, from the repository's root.
fn included(source: &Path, found: &mut Vec<String>) {
    let text = fs::read_to_string(source).unwrap();
    for call in ["include_str!(\"", "include_bytes!(\""] {
        for rest in text.split(call).skip(1) {
            let path = rest.split('"').next().unwrap();
            let path = source.parent().unwrap().join(path).canonicalize();
            let path = path.unwrap_or_else(|error| panic!("{}: {error}", source.display()));
            let root = repository("").canonicalize().unwrap();
            found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|ending| ending == "rs") => included(&path, found),
            false => {}
        }
    }
}

#[test]
fn a_package_has_every_file_that_its_sources_include() {
    let manifest = manifest();
    let included = manifest["package"]["include"].as_array().unwrap();
    let patterns: Vec<&str> = included.iter().map(|pattern| pattern.as_str().unwrap()).collect();
    let is_packed = |path: &str| {
        patterns.iter().any(|pattern| {
            let pattern = pattern.strip_prefix('/').expect("from the root");
            match pattern.split_once('*') {
                Some((start, end)) => path.starts_with(start) && path.ends_with(end),
                None => Path::new(path).starts_with(pattern),
            }
        })
    };
    for pattern in patterns.iter().filter(|pattern| !pattern.contains('*')) {
        assert!(repository(&pattern[1..]).exists(), "{pattern}");
    }
    let mut found = Vec::new();
    sources(&repository("src"), &mut found);
    for needed in ["assets/inter/Inter-Regular.ttf", "src/settings/example.toml", "templates/report.html"] {
        assert!(found.iter().any(|path| path == needed), "{needed} is not seen");
    }
    for path in found.iter().map(String::as_str).chain(["LICENSE", "README.md", "assets/inter/OFL.txt"]) {
        assert!(is_packed(path), "{path}");
    }
    assert!(!is_packed("tests/it/main.rs") && !is_packed("reports/org_789_2026-W41.html"));
}
