//! How much of what a row says a playbook says too.

use std::collections::{BTreeMap, BTreeSet};

/// Words that say nothing of a fault.
const COMMON: &str = " the a an and or of to in is are was be been it its that this with for on at by as from not no if then than when which who \
                      but after before per can may must there does do has have had so too more any all one up out into over only your you ";

/// The words of all playbooks: a word that few of them have tells more.
pub(super) struct Vocabulary {
    texts: Vec<BTreeSet<String>>,
    known_by: BTreeMap<String, usize>,
}

impl Vocabulary {
    /// That of these texts, one for each playbook.
    pub fn new(texts: impl Iterator<Item = String>) -> Self {
        let texts: Vec<BTreeSet<String>> = texts.map(|text| words(&text).into_iter().collect()).collect();
        let mut known_by = BTreeMap::new();
        for word in texts.iter().flatten() {
            *known_by.entry(word.clone()).or_insert(0) += 1;
        }
        Self { texts, known_by }
    }

    /// How much of `parts`, each text with its weight, the `n`th playbook says too: 0 to 1.
    pub fn covered(&self, n: usize, parts: &[(&str, f64)]) -> f64 {
        let (mut all, mut said) = (0.0, 0.0);
        for (text, weight) in parts {
            for word in words(text).into_iter().collect::<BTreeSet<_>>() {
                let weight = weight * self.weight(&word);
                all += weight;
                if self.texts.get(n).is_some_and(|text| text.contains(&word)) {
                    said += weight;
                }
            }
        }
        if all == 0.0 { 0.0 } else { said / all }
    }

    fn weight(&self, word: &str) -> f64 {
        let known = self.known_by.get(word).copied().unwrap_or(0).max(1);
        (1.0 + self.texts.len() as f64 / known as f64).ln()
    }
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
        let all = Vocabulary::new(texts.iter().map(|t| (*t).to_owned()));
        let row = [("The callback of a payment does not come", 1.0)];
        assert!(all.covered(1, &row) > all.covered(0, &row));
        assert!(all.covered(1, &row) > all.covered(2, &row));
        assert_eq!(all.covered(1, &[("", 1.0)]), 0.0);
        assert!(alike("Payments: stuck!", "stuck payment") > 0.9);
    }
}
