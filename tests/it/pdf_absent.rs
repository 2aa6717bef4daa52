//! Without the feature `pdf` the options of the PDF exist, and say how to get it.

use crate::support::{acumen, repository, run};

#[test]
fn options_that_need_the_pdf_say_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let facts = repository("reports/org_demo_2026-W41.json");
    let facts = facts.to_str().unwrap();
    let mail = ["--mail-from", "a@example.com", "--mail-to", "b@example.com"];
    for (option, words) in [
        ("--export pdf", vec!["demo", "--export", "xlsx,pdf"]),
        ("--format pdf", vec!["render", facts, "--format", "md,pdf", "--out", "."]),
        (
            "--mail-attach pdf",
            [&["send", facts, "--eml", "m.eml", "--mail-attach", "html,pdf"], &mail[..]].concat(),
        ),
        (
            "--mail-attach pdf",
            [&["render", facts, "--out", ".", "--format", "eml", "--mail-attach", "pdf"], &mail[..]].concat(),
        ),
    ] {
        let outcome = run(acumen(folder.path()).args(&words));
        assert_eq!(outcome.code, Some(2), "{words:?}\n{}", outcome.stderr);
        for part in [option, "PDF is not built into this program", "--features pdf"] {
            assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
        }
        assert_eq!(crate::support::files(folder.path()), [""; 0], "{words:?}");
    }
}
