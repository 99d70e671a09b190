//! Whether somebody asks not to be called again.

use super::disclosure::words;

/// Asks for it in so many words.
const ASKS: [&str; 20] = [
    "do not call list",
    "off your list",
    "off of your list",
    "off this list",
    "off your call list",
    "off your calling list",
    "off of your calling list",
    "remove our number",
    "remove this number",
    "remove my number",
    "delete our number",
    "delete this number",
    "lose this number",
    "lose our number",
    "stop calling",
    "quit calling",
    "never call",
    "no more calls",
    "don't ever call",
    "do not ever call",
];
/// Asks for it with one of [`AGAIN`] behind it.
const CALL: [&str; 7] = [
    "don't call",
    "do not call",
    "don't you call",
    "not call",
    "don't want you calling",
    "don't want you to call",
    "don't want these calls",
];
const AGAIN: [&str; 8] = [
    "again",
    "anymore",
    "any more",
    "here",
    "this number",
    "us ever",
    "ever",
    "back",
];
/// How many words may stand between the two.
const BETWEEN: usize = 4;
/// And none of these: it is about something else, or about how to call.
const BUT: [&str; 6] = ["unless", "until", "if", "before", "just", "from"];

/// Whether these words of the shop ask not to be called again.
pub fn asks_not_to_be_called(text: &str) -> bool {
    let all = words(text);
    if ASKS
        .iter()
        .any(|phrase| all.contains(&format!(" {phrase} ")))
    {
        return true;
    }
    CALL.iter().any(|call| {
        all.match_indices(&format!(" {call} ")).any(|(at, found)| {
            let behind = all.get(at + found.len() - 1..).unwrap_or_default();
            let near: String = behind
                .split_whitespace()
                .take(BETWEEN)
                .fold(" ".to_owned(), |near, word| near + word + " ");
            let has = |phrases: &[&str]| phrases.iter().any(|p| near.contains(&format!(" {p} ")));
            has(&AGAIN) && !has(&BUT)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_that_wants_no_calls_is_understood() {
        for text in [
            "Don't call here again.",
            "Please do not call us again!",
            "Take us off your list.",
            "Take me off of your calling list please.",
            "Could you remove our number?",
            "Stop calling us.",
            "And never call this number again, okay?",
            "We don't want you calling here anymore.",
            "Don't you ever call. Don't call this number.",
            "Put us on your do not call list",
            "I said please don’t call back.",
            "Lose this number, buddy.",
        ] {
            assert!(asks_not_to_be_called(text), "{text}");
        }
    }

    #[test]
    fn other_talk_of_calls_and_lists_is_not() {
        for text in [
            "We'll call you when it's ready.",
            "You don't have to call again, it'll be there in thirty minutes.",
            "Don't call us, just come in.",
            "Let me take the olives off your order.",
            "Can I call you back?",
            "Sorry, don't call if you're late, it will be here.",
            "What's your phone number again?",
            "Who's calling?",
            "Do you want me to read it again? I did not catch that.",
            "No calls for delivery after ten.",
            "Don't call from a blocked number, please call here before you come.",
            "",
        ] {
            assert!(!asks_not_to_be_called(text), "{text}");
        }
    }
}
