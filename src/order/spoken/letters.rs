//! Words that are spelled: "W H I T", "W, H, I, T", "D as in dog".

use super::words::PAUSE;

/// Fewer letters in a row are a word of their own: "a", "I", the "N" of "N Main".
const MIN_LETTERS: usize = 3;
/// "D as in dog", "D like dog".
const SUCH_AS: [&[&str]; 4] = [&["as", "in"], &["like"], &["for"], &["is", "for"]];

/// The word that is spelled at the start of the words, and how many words it takes.
pub(super) fn read(words: &[String]) -> Option<(String, usize)> {
    let mut spelled = String::new();
    let mut used = 0;
    let mut letters = 0;
    let mut explained = false;
    let mut paused = false;
    loop {
        let at = used + usize::from(used > 0 && words.get(used).is_some_and(|w| w == PAUSE));
        let Some((letter, times, taken, such_as)) = words.get(at..).and_then(letter) else {
            break;
        };
        paused |= at > used;
        explained |= such_as;
        spelled.extend(std::iter::repeat_n(letter, times));
        letters += times;
        used = at + taken;
    }
    // "X L" and "P M", but not "I, a".
    let pair = letters == 2 && !paused && !spelled.contains(['a', 'i', 'o']);
    (letters >= MIN_LETTERS || pair || explained && letters > 0).then_some((spelled, used))
}

/// A letter, how often, how many words it takes, and whether it was explained.
fn letter(words: &[String]) -> Option<(char, usize, usize, bool)> {
    let first = words.first()?.as_str();
    if matches!(first, "double" | "triple") {
        let times = if first == "double" { 2 } else { 3 };
        return match single(words.get(1)?)? {
            // The name of a letter, not two of them.
            'u' if times == 2 => Some(('w', 1, 2, false)),
            letter => Some((letter, times, 2, false)),
        };
    }
    let letter = single(first)?;
    let explained = SUCH_AS.iter().find_map(|such_as| {
        let pause = usize::from(words.get(1).is_some_and(|w| w == PAUSE));
        let from = 1 + pause;
        let to = from + such_as.len();
        let says = words
            .get(from..to)?
            .iter()
            .map(String::as_str)
            .eq(such_as.iter().copied());
        let example = words.get(to)?;
        (says && example.len() > 1 && example.starts_with(letter)).then_some(to + 1)
    });
    Some((letter, 1, explained.unwrap_or(1), explained.is_some()))
}

fn single(word: &str) -> Option<char> {
    let mut chars = word.chars();
    let letter = chars.next().filter(|c| c.is_alphabetic())?;
    chars.next().is_none().then_some(letter)
}
