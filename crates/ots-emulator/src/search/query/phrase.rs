//! Words that stand one after another, or nearly so.

use std::collections::BTreeMap;

/// Words in an order, and how far they may be from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    words: Vec<String>,
    /// Places by which words may be moved, all together: none for words next to each other, 2 for two
    /// that have changed places.
    slop: usize,
}

impl Phrase {
    pub(crate) const fn new(words: Vec<String>, slop: usize) -> Self {
        Self { words, slop }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The tokens that each occurrence consists of, by their places in the text.
    pub(crate) fn places<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<Vec<usize>> {
        if self.slop > 0 {
            return self.loose_places(tokens);
        }
        if self.words.is_empty() {
            return Vec::new();
        }
        let is_there = |window: &[T]| {
            let mut pairs = window.iter().zip(&self.words);
            pairs.all(|(token, word)| token.as_ref() == word)
        };
        let windows = tokens.windows(self.words.len()).enumerate();
        let found = windows.filter(|(_, window)| is_there(window));
        found
            .map(|(place, window)| (place..place + window.len()).collect())
            .collect()
    }

    /// A word at the place it would have, if the phrase began at the beginning of the text, is moved by
    /// nothing; words are as far from their order as the one moved most is from the one moved least.
    fn loose_places<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<Vec<usize>> {
        // Where in the phrase and where in the text each word stands.
        let mut words: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (index, word) in self.words.iter().enumerate() {
            words.entry(word).or_default().0.push(index);
        }
        for (place, token) in tokens.iter().enumerate() {
            if let Some((_, places)) = words.get_mut(token.as_ref()) {
                places.push(place);
            }
        }
        // Every occurrence begins at the word that is moved least.
        let count = self.words.len();
        let moves = words.values().flat_map(|(indexes, places)| {
            let of = |index: usize| places.iter().map(move |place| place + count - index);
            indexes.iter().copied().flat_map(of).collect::<Vec<_>>()
        });
        let mut least: Vec<usize> = moves.collect();
        least.sort_unstable();
        least.dedup();
        let occurrence = |least: usize| {
            let mut tokens = Vec::with_capacity(count);
            for (indexes, places) in words.values() {
                // A word that the phrase has twice needs two tokens. Taking the first that will do
                // leaves the most to the others: what they may take begins later and ends later.
                let mut places = places.iter();
                for index in indexes {
                    let moved = |place: &usize| place + count - index;
                    let place = places.find(|place| moved(place) >= least)?;
                    if moved(place) > least + self.slop {
                        return None;
                    }
                    tokens.push(*place);
                }
            }
            tokens.sort_unstable();
            Some(tokens)
        };
        let mut found: Vec<_> = least.into_iter().filter_map(occurrence).collect();
        // Which may well be the same tokens, seen from another word.
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(text: &str, phrase: &str, slop: usize) -> Vec<Vec<usize>> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let tokens: Vec<String> = words(text);
        Phrase::new(words(phrase), slop).places(&tokens)
    }

    #[test]
    fn words_may_be_moved_as_far_as_the_slop() {
        for (text, phrase, enough) in [
            ("a b", "a b", 0),
            ("a x b", "a b", 1),
            ("a x y b", "a b", 2),
            ("b a", "a b", 2),
            ("b x a", "a b", 3),
            ("a x b y c", "a b c", 2),
            ("a a", "a a", 0),
            ("a x a", "a a", 1),
        ] {
            for slop in 0..5 {
                let found = !places(text, phrase, slop).is_empty();
                assert_eq!(found, slop >= enough, "{phrase} in {text} by {slop}");
            }
        }
        assert_eq!(places("a", "a a", 9), [[0; 0]; 0]);
        assert_eq!(places("a x b", "", 9), [[0; 0]; 0]);
        assert_eq!(places("x a y b", "a b", 1), [[1, 3]]);
    }

    /// Every way to give each word of a phrase a token of its own.
    fn fits(tokens: &[String], words: &[String], slop: usize, taken: &mut Vec<usize>) -> bool {
        let Some(word) = words.get(taken.len()) else {
            let moves = taken.iter().enumerate();
            let moves = moves.map(|(index, place)| place + words.len() - index);
            let (most, least) = (moves.clone().max(), moves.min());
            return most.unwrap_or(0) - least.unwrap_or(0) <= slop;
        };
        (0..tokens.len()).any(|place| {
            if tokens[place] != *word || taken.contains(&place) {
                return false;
            }
            taken.push(place);
            let fits = fits(tokens, words, slop, taken);
            taken.pop();
            fits
        })
    }

    proptest! {
        #[test]
        fn a_phrase_is_found_where_some_choice_of_tokens_is_near_enough(
            tokens in prop::collection::vec("[abc]", 0..7),
            words in prop::collection::vec("[abc]", 1..4),
            slop in 0_usize..5,
        ) {
            let found = Phrase::new(words.clone(), slop).places(&tokens);
            prop_assert_eq!(!found.is_empty(), fits(&tokens, &words, slop, &mut Vec::new()));
            for places in found {
                let mut found: Vec<_> = places.iter().map(|place| &tokens[*place]).collect();
                found.sort();
                let mut expected: Vec<_> = words.iter().collect();
                expected.sort();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
