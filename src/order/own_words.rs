//! Whether words that came from the line are the agent's own: an echo that was written down.

use super::spoken::split;

/// Of a hundred words, so many must be the agent's, in its order: a transcription of an echo mishears
/// some, and begins and ends anywhere.
const SHARE: usize = 70;

/// Whether `words` repeat what was said, or a part of it.
pub fn repeats(words: &str, said: &str) -> bool {
    let (words, said) = (split(words), split(said));
    !words.is_empty() && common(&words, &said) * 100 >= words.len() * SHARE
}

/// Whether `words` stand in what was said, one behind the other.
pub fn quotes(words: &str, said: &str) -> bool {
    let without_pauses = |text: &str| {
        let mut words = split(text);
        words.retain(|word| word.starts_with(char::is_alphanumeric));
        words
    };
    let (words, said) = (without_pauses(words), without_pauses(said));
    !words.is_empty() && said.windows(words.len()).any(|part| part == words)
}

/// Length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        let mut left = 0;
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            let best = if word == other {
                diagonal + 1
            } else {
                above.max(left)
            };
            (diagonal, left) = (above, best);
            *cell = best;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str =
        "So that's one small mushroom pizza with thin crust, delivered to 77 Sunset Boulevard.";

    #[test]
    fn an_echo_is_the_agents_words_in_its_order_even_if_some_are_misheard() {
        for words in [
            SAID,
            "one small mushroom pizza",
            "That's one small mush room pizza with thin crust delivered",
            "sunset boulevard",
        ] {
            assert!(repeats(words, SAID), "{words}");
        }
    }

    #[test]
    fn a_quote_is_word_for_word() {
        assert!(quotes("pizza, with thin", SAID));
        for words in ["", "thin pizza", "small pizza", "a thin crust"] {
            assert!(!quotes(words, SAID), "{words}");
        }
    }

    #[test]
    fn the_shops_own_words_are_not() {
        for words in [
            "",
            "Yes, that's right.",
            "Sorry, hold on, what was the address?",
            "No.",
            "Boulevard Sunset 77 to delivered crust thin",
            "The total is fourteen thirty five.",
        ] {
            assert!(!repeats(words, SAID), "{words}");
        }
    }
}
