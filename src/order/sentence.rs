//! Where sentences end in words that may still grow.

use super::letters::lower_case;

/// A point behind these ends no sentence, and neither does one behind a single letter ("p.m.").
const ABBREVIATIONS: [&str; 12] = [
    "st", "dr", "mr", "mrs", "ms", "ave", "rd", "blvd", "apt", "ste", "no", "jr",
];

/// Where the sentences end, in characters behind their mark and the quotes that close them, in
/// rising order. `complete` says that no more words come: until then a number at the end may go on
/// behind its point.
pub(super) fn ends(text: &str, complete: bool) -> Vec<usize> {
    let chars: Vec<char> = text.chars().collect();
    let mut ends = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let from = at;
        let behind = |from: usize, what: fn(char) -> bool| {
            let more = chars.iter().skip(from).take_while(|c| what(**c)).count();
            from.saturating_add(more)
        };
        let marks = behind(from, is_mark);
        if marks == from {
            at += 1;
            continue;
        }
        at = behind(marks, closes);
        let follows = chars.get(at);
        let point = marks == from + 1 && chars.get(from) == Some(&'.');
        let before = chars.get(..from).unwrap_or_default();
        let open = follows.is_none()
            && !complete
            && point
            && before.last().is_some_and(char::is_ascii_digit);
        if follows.is_none_or(|c| c.is_whitespace()) && !open && !(point && is_abbreviated(before))
        {
            ends.push(at);
        }
    }
    ends
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…')
}

fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')')
}

/// Whether a point behind these characters belongs to their last word.
fn is_abbreviated(before: &[char]) -> bool {
    let letters = before.iter().rev().take_while(|c| c.is_alphabetic());
    let word: String = letters.copied().collect::<Vec<_>>().iter().rev().collect();
    let stands_alone = |c: &char| !c.is_alphanumeric() && *c != '\'' && *c != '’';
    let alone = before
        .len()
        .checked_sub(word.chars().count() + 1)
        .is_none_or(|i| before.get(i).is_none_or(stands_alone));
    alone && (word.chars().count() == 1 || ABBREVIATIONS.contains(&lower_case(&word).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sentences(text: &str, complete: bool) -> Vec<String> {
        let cut = |end: &usize| text.chars().take(*end).collect();
        ends(text, complete).iter().map(cut).collect()
    }

    #[test]
    fn a_mark_before_a_space_or_the_end_ends_a_sentence() {
        assert_eq!(
            sentences("Hi! One pizza... \"Large?\" Yes… (Thin.) Bye.", false),
            [
                "Hi!",
                "Hi! One pizza...",
                "Hi! One pizza... \"Large?\"",
                "Hi! One pizza... \"Large?\" Yes…",
                "Hi! One pizza... \"Large?\" Yes… (Thin.)",
                "Hi! One pizza... \"Large?\" Yes… (Thin.) Bye.",
            ]
        );
    }

    #[test]
    fn abbreviations_numbers_and_letters_end_none() {
        for text in [
            "It costs 3.50 for",
            "at 12 Main St. in",
            "Dr. Who, Mr. X. and Mrs. Y",
            "at 5 p.m. or",
            "J. Smith",
            "www.pizza.com",
            "no mark",
            "",
        ] {
            assert_eq!(ends(text, true), [0usize; 0], "{text}");
        }
        assert_eq!(
            sentences("It was on the list. So", true).len(),
            1,
            "not st."
        );
        assert_eq!(sentences("That's 5. And", true), ["That's 5."]);
        assert_eq!(sentences("I can't. And", true), ["I can't."]);
    }

    #[test]
    fn a_number_at_the_end_may_still_go_on() {
        assert_eq!(ends("The total is 3.", false), [0usize; 0]);
        assert_eq!(ends("The total is 3.", true), [15]);
    }

    proptest! {
        #[test]
        fn ends_rise_within_the_text(text in "[a-z0-9 .!?…\"]{0,60}|.{0,60}", complete: bool) {
            let ends = ends(&text, complete);
            prop_assert!(ends.windows(2).all(|w| w[0] < w[1]));
            prop_assert!(ends.iter().all(|end| *end <= text.chars().count()));
        }
    }
}
