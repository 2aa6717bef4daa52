//! Texts that say the same in other words, by what they have in common.
//!
//! Two texts are the same if their canonical forms are equal, or if the Jaccard
//! similarity of their sets of words is at least 0.6; groups are the connected
//! components. The result is exact: it is that of comparing every text with every other.
//! Sets that have so much in common share one of their rarest words, and only sets that do
//! are compared (prefix filtering, Bayardo and others 2007, Xiao and others 2008).

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

/// Words have at least so many characters.
const SHORTEST_WORD: usize = 3;

/// Two sets are similar if their common part has at least 3/5 of all their words.
const PART: usize = 3;
const OF: usize = 5;

/// What ends a text without a meaning of its own.
const ENDS: &str = ".,;:!?…)]}\"'”’»。，、；：！？）】」』";

/// Texts that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The place of the text that stands for all: the one that occurs most often, then the
    /// shortest, then the smallest.
    pub shown: usize,
    /// The places of all of them, in their order.
    pub members: Vec<usize>,
}

/// The clusters of distinct texts with how often each occurs, in the order of their shown
/// texts. The order of the texts does not matter.
pub fn clusters(texts: &[(&str, u64)]) -> Vec<Cluster> {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut forms: Vec<String> = Vec::new();
    let of_text = texts.iter().map(|(text, _)| {
        let form = canonical(text);
        *ids.entry(form).or_insert_with_key(|form| {
            forms.push(form.clone());
            forms.len() - 1
        })
    });
    let of_text: Vec<usize> = of_text.collect();
    drop(ids);
    let mut joined = joined(&forms);
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, form) in of_text.into_iter().enumerate() {
        members.entry(joined.root(form)).or_default().push(place);
    }
    let rank = |place: &usize| {
        let (text, count) = texts.get(*place).expect("a member is the place of a text");
        (Reverse(*count), text.chars().count(), *text)
    };
    let cluster = |members: Vec<usize>| Cluster {
        shown: *members.iter().min_by_key(|place| rank(place)).expect("a cluster has a member"),
        members,
    };
    let mut clusters: Vec<Cluster> = members.into_values().map(cluster).collect();
    clusters.sort_unstable_by_key(|cluster| texts.get(cluster.shown).map(|(text, _)| *text));
    clusters
}

/// A text in lower case, with single spaces and without punctuation at its end.
fn canonical(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !form.is_empty() {
            form.push(' ');
        }
        form.extend(word.chars().flat_map(char::to_lowercase));
    }
    let end = form.trim_end_matches(|c: char| ENDS.contains(c) || c == ' ').len();
    form.truncate(end);
    form
}

/// The words of a canonical form: runs of letters and digits.
fn words(form: &str) -> impl Iterator<Item = &str> {
    let words = form.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().nth(SHORTEST_WORD - 1).is_some())
}

/// Which canonical forms are the same.
fn joined(forms: &[String]) -> Joined {
    let mut joined = Joined { parents: (0..forms.len()).collect(), sizes: vec![1; forms.len()] };
    let (sets, owners) = sets(forms);
    for (form, set) in owners {
        let first = sets.get(set).expect("an owner has one of the sets").owner;
        joined.join(first, form);
    }
    let mut index = Index::of(&sets);
    for place in (0..).take(sets.len()) {
        index.take(place, &mut joined);
    }
    joined
}

/// A distinct set of words.
struct Set {
    /// The first form that has it.
    owner: usize,
    /// The words by their rank, the rarest first.
    words: Vec<u32>,
}

/// The distinct sets of words, smallest first, and of each form but those without words
/// its set.
fn sets(forms: &[String]) -> (Vec<Set>, Vec<(usize, usize)>) {
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut distinct: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut owners = Vec::new();
    let mut first_of = Vec::new();
    for (form, text) in forms.iter().enumerate() {
        let mut set: Vec<u32> = Vec::new();
        for word in words(text) {
            let next = u32::try_from(ids.len()).expect("texts have fewer than four billion words");
            set.push(*ids.entry(word).or_insert(next));
        }
        set.sort_unstable();
        set.dedup();
        if !set.is_empty() {
            let id = *distinct.entry(set).or_insert_with(|| {
                first_of.push(form);
                first_of.len() - 1
            });
            owners.push((form, id));
        }
    }
    let mut counts = vec![0_u32; ids.len()];
    for word in distinct.keys().flatten() {
        *counts.get_mut(*word as usize).expect("a word has its count") += 1;
    }
    // Ties by the words, so that what is compared does not depend on the order of texts.
    let mut names = vec![""; ids.len()];
    for (word, id) in &ids {
        *names.get_mut(*id as usize).expect("a word has its name") = word;
    }
    let mut order: Vec<u32> = (0..).take(names.len()).collect();
    order.sort_unstable_by_key(|word| (counts.get(*word as usize), names.get(*word as usize)));
    let mut ranks = vec![0_u32; names.len()];
    for (rank, word) in (0_u32..).zip(&order) {
        *ranks.get_mut(*word as usize).expect("a word has its rank") = rank;
    }
    let mut sets: Vec<(usize, Set)> = distinct
        .into_iter()
        .map(|(words, id)| {
            let rank = |word: u32| *ranks.get(word as usize).expect("a word has its rank");
            let mut words: Vec<u32> = words.into_iter().map(rank).collect();
            words.sort_unstable();
            let owner = *first_of.get(id).expect("a set has its first form");
            (id, Set { owner, words })
        })
        .collect();
    sets.sort_unstable_by(|(_, one), (_, other)| {
        one.words.len().cmp(&other.words.len()).then_with(|| one.words.cmp(&other.words))
    });
    let mut places = vec![0; sets.len()];
    for (place, (id, _)) in sets.iter().enumerate() {
        *places.get_mut(*id).expect("a set has its place") = place;
    }
    for (_, set) in &mut owners {
        *set = *places.get(*set).expect("a set has its place");
    }
    (sets.into_iter().map(|(_, set)| set).collect(), owners)
}

/// How many words two sets must have in common, by the sum of their sizes.
fn needed(sizes: usize) -> usize {
    // common / (sizes - common) >= PART / OF
    (PART * sizes).div_ceil(PART + OF)
}

/// Whether two sets of words have at least so many in common.
fn share(mut one: &[u32], mut other: &[u32], needed: usize) -> bool {
    let mut common = 0;
    while let ([first, rest_of_one @ ..], [second, rest_of_other @ ..]) = (one, other) {
        if common + one.len().min(other.len()) < needed {
            return false;
        }
        match first.cmp(second) {
            Ordering::Less => one = rest_of_one,
            Ordering::Greater => other = rest_of_other,
            Ordering::Equal => (one, other, common) = (rest_of_one, rest_of_other, common + 1),
        }
    }
    common >= needed
}

/// The sets so far by their rarest words.
struct Index<'s> {
    /// All sets, smallest first.
    sets: &'s [Set],
    /// Of each set the last one that it was compared with.
    compared: Vec<u32>,
    by_word: Vec<Listed>,
}

/// A set in the index, with what tells most sets apart at first sight.
#[derive(Clone, Copy)]
struct Entry {
    /// A bit for each word, by its rank: sets that differ in many bits differ in as many words.
    bits: u64,
    place: u32,
    size: u32,
}

/// The sets with a word.
#[derive(Default)]
struct Listed {
    /// Those that were alone when they were last looked at, smallest first.
    alone: Vec<Entry>,
    /// The others, by component: a set that is in one of these need not be compared with any
    /// other of it.
    together: Vec<(usize, Vec<Entry>)>,
}

impl<'s> Index<'s> {
    fn of(sets: &'s [Set]) -> Self {
        let words = sets.iter().flat_map(|set| set.words.last()).max().map_or(0, |last| *last as usize + 1);
        let by_word = (0..words).map(|_| Listed::default()).collect();
        Self { sets, compared: vec![u32::MAX; sets.len()], by_word }
    }

    /// Joins a set with the similar ones before it, none of which is larger, and adds it.
    fn take(&mut self, place: u32, joined: &mut Joined) {
        let Self { sets, compared, by_word } = self;
        let set = |place: u32| sets.get(place as usize).expect("the index has places of sets");
        let own = set(place);
        let length = own.words.len();
        let bits = own.words.iter().fold(0, |bits, word| bits | 1 << (word % u64::BITS));
        let size = u32::try_from(length).expect("a text has fewer than four billion words");
        let entry = Entry { bits, place, size };
        let mut is_similar = |other: &Entry| {
            let sum = (size + other.size) as usize;
            let needed = needed(sum);
            if sum < (bits ^ other.bits).count_ones() as usize + 2 * needed {
                return false;
            }
            let compared = compared.get_mut(other.place as usize).expect("every set has its mark");
            let is_new = *compared != place;
            *compared = place;
            is_new && share(&own.words, &set(other.place).words, needed)
        };
        let smallest = (PART * length).div_ceil(OF);
        for (at, word) in own.words.iter().enumerate().take(length - smallest + 1) {
            // No word before this one is in both sets, so the common ones are among the rest.
            let largest = ((PART + OF) * (length - at) / PART).saturating_sub(length);
            let sizes = smallest as u32..=largest as u32;
            let listed = by_word.get_mut(*word as usize).expect("a word has its list");
            for (root, others) in &mut listed.together {
                *root = joined.root(*root);
                if *root == joined.root(own.owner) {
                    continue;
                }
                let mut others = others.iter().rev().filter(|other| sizes.contains(&other.size));
                if let Some(other) = others.find(|other| is_similar(other)) {
                    joined.join(own.owner, set(other.place).owner);
                }
            }
            let from = listed.alone.partition_point(|other| other.size < *sizes.start());
            let others = listed.alone.iter().skip(from).take_while(|other| other.size <= *sizes.end());
            let mut are_alone = true;
            for other in others {
                if is_similar(other) {
                    joined.join(own.owner, set(other.place).owner);
                    are_alone = false;
                }
            }
            if !are_alone {
                listed.sort_out(sets, joined);
            }
        }
        // A set that is not smaller needs a word of these.
        let shared = needed(2 * length);
        for word in own.words.iter().take(length - shared + 1) {
            by_word.get_mut(*word as usize).expect("a word has its list").add(entry, own.owner, joined);
        }
    }
}

impl Listed {
    /// Moves the sets that are no longer alone.
    fn sort_out(&mut self, sets: &[Set], joined: &mut Joined) {
        let mut moved = Vec::new();
        self.alone.retain(|entry| {
            let owner = sets.get(entry.place as usize).expect("the index has places of sets").owner;
            let is_alone = joined.is_alone(owner);
            if !is_alone {
                moved.push((*entry, owner));
            }
            is_alone
        });
        moved.into_iter().for_each(|(entry, owner)| self.add(entry, owner, joined));
    }

    fn add(&mut self, entry: Entry, owner: usize, joined: &mut Joined) {
        if joined.is_alone(owner) {
            return self.alone.push(entry);
        }
        let own = joined.root(owner);
        // What has become one component since becomes one list.
        let mut home: Option<usize> = None;
        let mut at = 0;
        while let Some((root, _)) = self.together.get_mut(at) {
            *root = joined.root(*root);
            match home {
                Some(home) if *root == own => {
                    let (_, more) = self.together.swap_remove(at);
                    self.together.get_mut(home).expect("it was met before").1.extend(more);
                    continue;
                }
                None if *root == own => home = Some(at),
                _ => {}
            }
            at += 1;
        }
        match home.and_then(|home| self.together.get_mut(home)) {
            Some((_, entries)) => entries.push(entry),
            None => self.together.push((own, vec![entry])),
        }
    }
}

/// Components of places (union-find).
struct Joined {
    parents: Vec<usize>,
    /// How many places the component of a root has.
    sizes: Vec<usize>,
}

impl Joined {
    /// The place that stands for the component of a place.
    fn root(&mut self, mut place: usize) -> usize {
        loop {
            let parent = self.parent(place);
            if parent == place {
                return place;
            }
            let next = self.parent(parent);
            *self.parents.get_mut(place).expect("a place has a parent") = next;
            place = next;
        }
    }

    fn parent(&self, place: usize) -> usize {
        *self.parents.get(place).expect("a place has a parent")
    }

    fn size(&self, root: usize) -> usize {
        *self.sizes.get(root).expect("a place has a size")
    }

    /// Whether a place is the only one of its component.
    fn is_alone(&self, place: usize) -> bool {
        self.parent(place) == place && self.size(place) == 1
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let size = self.size(one) + self.size(other);
        let (root, below) = if self.size(one) < self.size(other) { (other, one) } else { (one, other) };
        *self.parents.get_mut(below).expect("a place has a parent") = root;
        *self.sizes.get_mut(root).expect("a place has a size") = size;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The shown texts, each with all of its cluster.
    fn found<'t>(texts: &[(&'t str, u64)]) -> Vec<(&'t str, BTreeSet<&'t str>)> {
        let of = |cluster: Cluster| {
            let members = cluster.members.iter().map(|place| texts[*place].0);
            (texts[cluster.shown].0, members.collect())
        };
        clusters(texts).into_iter().map(of).collect()
    }

    /// The same by comparing everything with everything.
    fn by_force<'t>(texts: &[(&'t str, u64)]) -> Vec<(&'t str, BTreeSet<&'t str>)> {
        let forms: Vec<String> = texts.iter().map(|(text, _)| canonical(text)).collect();
        let sets: Vec<BTreeSet<&str>> = forms.iter().map(|form| words(form).collect()).collect();
        let mut labels: Vec<usize> = (0..texts.len()).collect();
        for one in 0..texts.len() {
            for other in 0..one {
                let common = sets[one].intersection(&sets[other]).count();
                let all = sets[one].union(&sets[other]).count();
                let is_similar = all > 0 && common as f64 / all as f64 >= 0.6;
                if (is_similar || forms[one] == forms[other]) && labels[one] != labels[other] {
                    let (from, to) = (labels[one], labels[other]);
                    labels.iter_mut().filter(|label| **label == from).for_each(|label| *label = to);
                }
            }
        }
        let all: BTreeSet<usize> = labels.iter().copied().collect();
        let mut groups = Vec::new();
        for label in all {
            let own = texts.iter().zip(&labels).filter(|(_, own)| **own == label);
            let mut own: Vec<(&str, u64)> = own.map(|(text, _)| *text).collect();
            own.sort_by_key(|(text, count)| (std::cmp::Reverse(*count), text.chars().count(), *text));
            groups.push((own[0].0, own.iter().map(|(text, _)| *text).collect()));
        }
        groups.sort_by_key(|(shown, _): &(&str, BTreeSet<&str>)| *shown);
        groups
    }

    fn dice(state: &mut u64, end: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state % end as u64) as usize
    }

    /// Distinct texts of a few words each: some alike, some not, some without words.
    fn texts(count: usize, vocabulary: usize, longest: usize, state: &mut u64) -> Vec<(String, u64)> {
        let mut all = BTreeSet::new();
        let mut previous: Vec<String> = Vec::new();
        for _ in 0..count {
            let mut words = previous.clone();
            if words.is_empty() || dice(state, 3) == 0 {
                words = (0..dice(state, longest + 1))
                    .map(|_| {
                        // Few words are frequent, many are rare.
                        let word = dice(state, vocabulary);
                        format!("wörd{}", if dice(state, 2) == 0 { word % 7 } else { word })
                    })
                    .collect();
            } else {
                for _ in 0..1 + dice(state, 3) {
                    let place = dice(state, words.len());
                    words[place] = format!("wörd{}", dice(state, vocabulary));
                }
            }
            previous.clone_from(&words);
            let mut text = words.join(["  ", " ", ", ", "-"][dice(state, 4)]);
            if dice(state, 4) == 0 {
                text = text.to_uppercase();
            }
            text.push_str(["", ".", "!?", " a b", " c"][dice(state, 5)]);
            all.insert(text);
        }
        all.into_iter().map(|text| (text, 1 + dice(state, 3) as u64)).collect()
    }

    #[test]
    fn clusters_are_those_of_comparing_everything_with_everything() {
        let mut state = 88_172_645_463_325_252;
        let (mut joined, mut apart) = (0, 0);
        for round in 0..24 {
            let (count, vocabulary, longest) = match round {
                0 => (2_000, 300, 14),
                _ => (120, [12, 40, 200][round % 3], [3, 6, 20][round / 3 % 3]),
            };
            let owned = texts(count, vocabulary, longest, &mut state);
            let mut all: Vec<(&str, u64)> =
                owned.iter().map(|(text, count)| (text.as_str(), *count)).collect();
            let expected = by_force(&all);
            joined += expected.iter().filter(|(_, members)| members.len() > 1).count();
            apart += expected.iter().filter(|(_, members)| members.len() == 1).count();
            assert_eq!(found(&all), expected, "round {round}");
            // The order of the texts does not matter.
            for place in (1..all.len()).rev() {
                all.swap(place, dice(&mut state, place + 1));
            }
            assert_eq!(found(&all), expected, "round {round}, in another order");
        }
        assert!(joined > 100 && apart > 100, "{joined} {apart}");
    }

    #[test]
    fn the_frequent_then_short_then_small_text_stands_for_its_cluster() {
        let same = |texts: &[(&'static str, u64)]| {
            found(texts).into_iter().map(|(shown, _)| shown).collect::<Vec<_>>()
        };
        assert_eq!(
            same(&[("Pin  the VERSION.", 1), ("pin the version", 2), ("pin the version!", 1)]),
            ["pin the version"]
        );
        assert_eq!(same(&[("Pin the version.", 1), ("Pin the version", 1)]), ["Pin the version"]);
        assert_eq!(same(&[("pin the version", 1), ("Pin the version", 1)]), ["Pin the version"]);
        assert_eq!(same(&[]), [""; 0]);
    }

    #[test]
    fn three_fifths_of_the_words_are_enough() {
        let count = |one: &str, other: &str| clusters(&[(one, 1), (other, 1)]).len();
        assert_eq!(count("aaa bbb ccc ddd", "aaa bbb ccc eee"), 1, "3 of 5");
        assert_eq!(count("aaa bbb ccc", "aaa bbb ddd eee"), 2, "2 of 5");
        assert_eq!(count("aaa bbb ccc ddd fff", "aaa bbb ccc eee ggg"), 2, "3 of 7");
        // Short words count for nothing, and texts of them alone are as they are.
        assert_eq!(count("do it on aaa", "if we go aaa"), 1);
        assert_eq!(count("do it", "do it."), 1);
        assert_eq!(count("do it", "do so"), 2);
        assert_eq!(count("", "..."), 1);
        // Letters are those of any alphabet, and a word of three has three characters.
        assert_eq!(count("Größe prüfen, bitte", "GRÖSSE prüfen bitte jetzt"), 2);
        assert_eq!(count("设置环境 变量名", "变量名 设置环境"), 1);
        assert_eq!(count("变量 设置", "设置 变量"), 2);
    }

    #[test]
    fn what_is_alike_by_a_third_is_one() {
        let all = ["aaa bbb ccc ddd", "bbb ccc ddd eee", "ccc ddd eee fff", "ddd eee fff ggg"];
        let weighted = all.map(|text| (text, 1));
        assert_eq!(clusters(&weighted).len(), 1);
        assert_eq!(clusters(&[weighted[0], weighted[3]]).len(), 2);
    }
}
