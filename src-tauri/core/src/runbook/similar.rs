//! How much of what a row says a playbook says too.

use std::collections::BTreeMap;

/// Words that say nothing of a fault.
const COMMON: &str = " the a an and or of to in is are was be been it its that this with for on at by as from not no if then than when which who \
                      but after before per can may must there does do has have had so too more any all one up out into over only your you ";

/// The words of all playbooks: a word that few of them have tells more.
pub(super) struct Vocabulary {
    texts: Vec<BTreeMap<String, f64>>,
    known_by: BTreeMap<String, usize>,
}

impl Vocabulary {
    /// That of these playbooks: each its texts, with how much a word of them counts, 0 to 1.
    pub fn new<'a>(playbooks: impl Iterator<Item = Vec<(&'a str, f64)>>) -> Self {
        let texts: Vec<BTreeMap<String, f64>> = playbooks.map(|texts| weighed(&texts)).collect();
        let mut known_by = BTreeMap::new();
        for word in texts.iter().flat_map(BTreeMap::keys) {
            *known_by.entry(word.clone()).or_insert(0) += 1;
        }
        Self { texts, known_by }
    }

    /// How much of `row`, texts with their weights, the `n`th playbook says too: 0 to 1.
    pub fn covered(&self, n: usize, row: &[(&str, f64)]) -> f64 {
        let (mut all, mut said) = (0.0, 0.0);
        for (word, weight) in weighed(row) {
            let weight = weight * self.tells(&word);
            all += weight;
            said += weight * self.texts.get(n).and_then(|text| text.get(&word)).copied().unwrap_or(0.0);
        }
        if all == 0.0 { 0.0 } else { said / all }
    }

    fn tells(&self, word: &str) -> f64 {
        // A word that no playbook knows may be a person's own for the same thing.
        let (known, part) = self.known_by.get(word).map_or((1, 0.5), |known| (*known, 1.0));
        part * (1.0 + self.texts.len() as f64 / known as f64).ln()
    }
}

/// The words of some texts, each with its largest weight.
fn weighed(texts: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for (text, weight) in texts {
        for word in words(text) {
            let there = all.entry(word).or_insert(0.0);
            *there = there.max(*weight);
        }
    }
    all
}

/// How alike two short texts are, whatever their case, marks and order of words: 0 to 1.
pub(super) fn alike(one: &str, other: &str) -> f64 {
    let sorted = |text: &str| {
        let mut words = words(text);
        words.sort();
        words.dedup();
        words.join(" ")
    };
    strsim::sorensen_dice(&sorted(one), &sorted(other))
}

/// A text's words in small letters, without an `s` at the end, without those that everybody uses.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.len() > 1 && !COMMON.contains(&format!(" {word} ")))
        .map(|word| match word.strip_suffix('s') {
            Some(stem) if stem.len() > 2 => stem.to_owned(),
            _ => word.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playbook_with_the_rare_words_wins_and_an_empty_text_is_like_nothing() {
        let texts = ["a service is stopped", "a payment waits for a callback", "a service waits"];
        let all = Vocabulary::new(texts.iter().map(|text| vec![(*text, 1.0)]));
        let row = [("The callback of a payment does not come", 1.0)];
        assert!(all.covered(1, &row) > all.covered(0, &row));
        assert!(all.covered(1, &row) > all.covered(2, &row));
        assert_eq!(all.covered(1, &[("", 1.0)]), 0.0);
        assert!(alike("Payments: stuck!", "stuck payment") > 0.9);
    }
}
