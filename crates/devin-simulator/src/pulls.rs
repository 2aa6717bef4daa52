//! Pull requests of the invented organisation, some under several sessions.

use chrono::{DateTime, Utc};

use super::random::Random;
use super::wire::PullRequest;
use super::words::WORDS;
use super::world::World;

/// How much better or worse a team's pull requests fare than the average.
const TEAM_LEAN: [f64; 8] = [0.04, -0.10, 0.08, 0.0, -0.06, 0.06, -0.14, 0.02];
/// The same for repositories.
const REPO_LEAN: [f64; 4] = [0.03, -0.03, 0.05, -0.04];
/// The share of the decided ones that is merged.
const MERGED: f64 = 0.78;

/// What was opened so far.
#[derive(Debug, Default)]
pub struct Shelf {
    opened: Vec<Opened>,
}

#[derive(Clone, Copy, Debug)]
struct Opened {
    repo: usize,
    number: usize,
    state: &'static str,
}

/// What decides on a session's pull requests.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub at: DateTime<Utc>,
    pub team: usize,
    pub acus: f64,
    /// What the kind of work adds to the merge rate.
    pub lean: f64,
}

/// The pull requests that a session lists; most list one or none.
pub fn list(shelf: &mut Shelf, world: &World, random: &mut Random, work: Work) -> Vec<PullRequest> {
    let some = match work.acus {
        acus if acus < 0.6 => 0.2,
        acus if acus < 2.0 => 0.6,
        _ => 0.72,
    };
    if world.repos == 0 || !random.chance(some) {
        return Vec::new();
    }
    let count = random.weighted(&[(85, 1), (12, 2), (3, 3)]);
    (0..count)
        .map(|_| {
            let opened = match shelf.recent(random).filter(|_| random.chance(0.07)) {
                // States lag: this session may have seen it before it was decided.
                Some(shared) if random.chance(0.3) => Opened { state: "open", ..shared },
                Some(shared) => shared,
                None => shelf.open(world, random, work),
            };
            spell(world, random, opened)
        })
        .collect()
}

impl Shelf {
    fn recent(&self, random: &mut Random) -> Option<Opened> {
        let back = 1 + random.below(40);
        self.opened.len().checked_sub(back).and_then(|index| self.opened.get(index)).copied()
    }

    fn open(&mut self, world: &World, random: &mut Random, work: Work) -> Opened {
        let home = random.chance(0.8);
        let repo = if home { work.team % world.repos } else { random.below(world.repos) };
        let number = 400 + 37 * (repo % 20) + self.opened.len();
        let opened = Opened { repo, number, state: state(world, random, work, repo) };
        self.opened.push(opened);
        opened
    }
}

/// Young ones are mostly still open.
fn state(world: &World, random: &mut Random, work: Work, repo: usize) -> &'static str {
    let undecided = match (world.end - work.at).num_days() {
        0..=1 => 0.5,
        2..=6 => 0.24,
        7..=13 => 0.12,
        _ => 0.06,
    };
    let lean = |leans: &[f64], index: usize| leans.get(index % leans.len()).copied().unwrap_or_default();
    let merged = MERGED + lean(&TEAM_LEAN, work.team) + lean(&REPO_LEAN, repo) + work.lean;
    match (random.chance(undecided), random.chance(merged)) {
        (true, _) if random.chance(0.15) => "draft",
        (true, _) => "open",
        (false, true) => "merged",
        (false, false) => "closed",
    }
}

/// One of the spellings in which answers and documents name a pull request.
fn spell(world: &World, random: &mut Random, opened: Opened) -> PullRequest {
    let address = (!world.odd(random, 0.003)).then(|| address(world, random, opened));
    let state = match opened.state {
        _ if world.odd(random, 0.008) => None,
        _ if world.odd(random, 0.003) => Some("locked"),
        "merged" if world.odd(random, 0.01) => Some("MERGED"),
        state => Some(state),
    };
    match random.below(20) {
        0..=2 => PullRequest { url: Some(address), state: Some(state), ..PullRequest::default() },
        3 | 4 => PullRequest { pr_url: Some(address), pr_state: Some(state), ..PullRequest::default() },
        _ => PullRequest { pr_url: Some(address), pr_state: Some(state), state: Some(state), url: None },
    }
}

fn address(world: &World, random: &mut Random, opened: Opened) -> String {
    let (host, path) =
        WORDS.repositories.get(opened.repo % WORDS.repositories.len()).copied().unwrap_or_default();
    // More repositories than names: the further ones are numbered.
    let path = match opened.repo / WORDS.repositories.len() {
        0 => path.to_owned(),
        round => path.replacen("/halden/", &format!("/halden-{}/", round + 1), 1),
    };
    let number = opened.number;
    match () {
        () if world.odd(random, 0.015) => format!("https://{host}{path}{number}/"),
        () if world.odd(random, 0.01) => format!("https://{host}{path}{number}?diff=split"),
        () if world.odd(random, 0.01) => format!("https://{host}{path}{number}#discussion_r{number}"),
        () if world.odd(random, 0.008) => format!("https://{}{path}{number}", host.to_uppercase()),
        () => format!("https://{host}{path}{number}"),
    }
}
