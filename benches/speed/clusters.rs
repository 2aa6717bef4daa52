//! A hundred thousand recommendations to clusters of those that say the same.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use acumen::metrics::clusters;
use criterion::{BenchmarkId, Criterion};

const TEXTS: usize = 100_000;

/// What analyses recommend, with the place of what differs between sessions.
const TEMPLATES: [&str; 12] = [
    "Add the {} token and the current {} toolchain to the machine snapshot of the {} repository before {} is built",
    "State in the {} repository how to run the {} tests, and which of the {} checks must pass before {} is merged",
    "Name the {} service, the expected result of {} and one example of {} in the prompt for {}",
    "Configure the environment variables of the {} database connection for {} in the {} environment ({})",
    "Commit an up-to-date lock file of {} and check it in continuous integration of {} with {} and {}",
    "Quarantine the flaky {} tests of {} and list them in the {} repository under {}",
    "Let the {} pipeline tell failures of the infrastructure for {} from those of a change to {} ({})",
    "Give the {} service account read access to the submodules of {} and {} needed by {}",
    "Pre-install {} and {} in the snapshot, because {} took more than ten minutes in {}",
    "Provide credentials for the {} registry as a secret named {} for sessions on {} or {}",
    "Add a knowledge note on how {} generates {} clients, since {} was edited by hand in {}",
    "Split requests on {} into smaller ones: first {}, then {}, at last {}",
];

/// Texts of the templates, with words of a vocabulary in them, or of words alone.
fn texts(vocabulary: usize, of_templates: bool) -> HashMap<String, u64> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut dice = move |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % end as u64) as usize
    };
    let mut texts = HashMap::new();
    for _ in 0..TEXTS {
        let mut text = String::new();
        if of_templates {
            let template = TEMPLATES.get(dice(TEMPLATES.len())).expect("a template");
            for part in template.split_inclusive("{}") {
                text.push_str(part.trim_end_matches("{}"));
                if part.ends_with("{}") {
                    text.push_str(&format!("name{}", dice(vocabulary)));
                }
            }
        } else {
            for _ in 0..18 {
                // Few words are frequent, many are rare.
                let rank = (vocabulary as f64).powf(dice(1_000_000) as f64 / 1e6);
                text.push_str(&format!("word{} ", rank as usize));
            }
        }
        *texts.entry(text).or_default() += 1;
    }
    texts
}

/// The group `clusters`.
pub fn clusters_of_texts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clusters");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(10));
    for (name, vocabulary, of_templates) in
        [("few names", 40, true), ("many names", 400, true), ("unlike", 5_000, false)]
    {
        let owned = texts(vocabulary, of_templates);
        let all: Vec<(&str, u64)> = owned.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| clusters(black_box(&all)));
        });
    }
    group.finish();
}
