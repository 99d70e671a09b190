//! Spoken words made comparable: numbers said digit by digit or as words, prices, abbreviations.
//!
//! "one twenty three Main St", "123 Main Street" and "one two three main street" are the same
//! address; "twenty ten", "$20.10" and "twenty dollars and ten cents" are the same price.

use super::money::Cents;
use super::number_words::{self, Number};

/// A sentence, taken apart.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Spoken {
    tokens: Vec<Token>,
    /// Positions of tokens that follow a pause: a comma or the end of a sentence.
    paused: Vec<usize>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Word(String),
    /// One spoken group of digits: "twenty three" is one, "five five" are two.
    Group {
        digits: String,
        decimals: Option<String>,
    },
}

/// An amount of money and where it stands in the sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amount {
    /// How much.
    pub cents: Cents,
    /// Position of its first word.
    pub from: usize,
    /// Position behind its last word.
    pub to: usize,
    /// Whether it was said as money: with cents, or with the currency.
    pub explicit: bool,
}

const CURRENCY: [&str; 4] = ["dollar", "buck", "euro", "pound"];
const STREETS: [&str; 6] = ["street", "avenue", "road", "boulevard", "drive", "lane"];
/// A number before one of these is no price.
const UNITS: [&str; 8] = [
    "minute", "min", "hour", "percent", "inch", "pizza", "item", "o'clock",
];

impl Spoken {
    /// Takes a text apart.
    pub fn parse(text: &str) -> Self {
        let raw = split(text);
        let mut spoken = Self::default();
        let mut at = 0;
        while let Some(word) = raw.get(at) {
            if word == PAUSE {
                spoken.paused.push(spoken.tokens.len());
                at += 1;
                continue;
            }
            let in_number = matches!(spoken.tokens.last(), Some(Token::Group { .. }));
            if let Some((number, used)) =
                number_words::read(raw.get(at..).unwrap_or_default(), in_number)
            {
                let Number {
                    digits,
                    decimals,
                    times,
                } = number;
                spoken.tokens.extend(std::iter::repeat_n(
                    Token::Group { digits, decimals },
                    times,
                ));
                at += used;
            } else {
                spoken.tokens.extend(
                    canonical(word)
                        .split(' ')
                        .map(|w| Token::Word(w.to_owned())),
                );
                at += 1;
            }
        }
        spoken
    }

    /// Whether the words occur in this order, next to each other.
    pub fn has_phrase(&self, phrase: &str) -> bool {
        !self.positions(phrase).is_empty()
    }

    /// Where the words occur in this order, next to each other: positions of the first word.
    pub fn positions(&self, phrase: &str) -> Vec<usize> {
        let wanted = Self::parse(phrase).tokens;
        if wanted.is_empty() {
            return Vec::new();
        }
        let windows = self.tokens.windows(wanted.len()).enumerate();
        windows
            .filter(|(_, window)| *window == wanted)
            .map(|(at, _)| at)
            .collect()
    }

    /// The tokens from one position to another, by themselves.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let tokens = self.tokens.iter().take(to).skip(from).cloned().collect();
        let paused = self
            .paused
            .iter()
            .filter_map(|at| at.checked_sub(from))
            .collect();
        Self { tokens, paused }
    }

    /// Whether this word stands at the position.
    pub fn is_word(&self, at: usize, word: &str) -> bool {
        matches!(self.tokens.get(at), Some(Token::Word(w)) if w == word)
    }

    /// The digits said right before a position, without a pause between: "one twenty three" before
    /// "Main" is 123.
    pub fn digits_before(&self, position: usize) -> Option<String> {
        let mut groups = Vec::new();
        let mut at = position;
        while let Some(Token::Group {
            digits,
            decimals: None,
        }) = at.checked_sub(1).and_then(|i| self.tokens.get(i))
        {
            if self.paused.contains(&at) {
                break;
            }
            at -= 1;
            groups.push(digits.as_str());
        }
        groups.reverse();
        (!groups.is_empty()).then(|| groups.concat())
    }

    /// Whether this phone number was said: in full, or its national or local part of at least seven
    /// digits.
    pub fn has_phone(&self, phone: &str) -> bool {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let national = digits
            .strip_prefix('1')
            .filter(|d| d.len() == 10)
            .unwrap_or(&digits);
        self.digit_runs().iter().any(|run| {
            let said = run.trim_start_matches('0');
            (national.len() >= 7 && run.contains(national))
                || (said.len() >= 7 && digits.ends_with(said))
        })
    }

    /// Every amount of money the sentence may mean, in the order said.
    pub fn amounts(&self) -> Vec<Amount> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let amount = self.amount_at(at);
            at = amount.map_or(at + 1, |amount| amount.to);
            found.extend(amount);
        }
        found
    }

    fn amount_at(&self, from: usize) -> Option<Amount> {
        let Some(Token::Group { digits, decimals }) = self.tokens.get(from) else {
            return None;
        };
        let base = digits.parse::<u64>().ok()?.checked_mul(100)?;
        // "Twenty ten Main Street" is a place.
        let street = |at: usize| {
            STREETS
                .iter()
                .any(|street| self.is_word(at, street) || self.is_word(at + 1, street))
        };
        let unit = |at: usize| street(at) || UNITS.iter().any(|unit| self.is_word(at, unit));
        let currency = |at: usize| CURRENCY.iter().any(|word| self.is_word(at, word));
        match decimals {
            Some(d) if d.len() <= 2 && !unit(from + 1) => {
                let cents: u64 = format!("{d:0<2}").parse().ok()?;
                Some(Amount {
                    cents: Cents(base.saturating_add(cents)),
                    from,
                    to: from + 1,
                    explicit: true,
                })
            }
            Some(_) => None,
            None => {
                let whole = Amount {
                    cents: Cents(base),
                    from,
                    to: from + 1,
                    explicit: currency(from + 1),
                };
                let with_cents =
                    self.cents_after(from + 1)
                        .filter(|(_, to)| !unit(*to))
                        .map(|(cents, to)| Amount {
                            cents: Cents(base.saturating_add(cents)),
                            from,
                            to,
                            explicit: true,
                        });
                with_cents.or_else(|| (!unit(from + 1)).then_some(whole))
            }
        }
    }

    /// The cents that follow a number of dollars ("fifty", "oh five", "dollars and ten cents",
    /// "point one oh"), and the position behind them.
    fn cents_after(&self, start: usize) -> Option<(u64, usize)> {
        let mut at = start;
        while let Some(Token::Word(word)) = self.tokens.get(at) {
            if !CURRENCY.contains(&word.as_str())
                && !matches!(word.as_str(), "and" | "point" | "with")
            {
                return None;
            }
            at += 1;
        }
        // "Twenty, fifteen minutes" is no price.
        if at == start && self.paused.contains(&at) {
            return None;
        }
        let group = |at: usize| match self.tokens.get(at) {
            Some(Token::Group {
                digits,
                decimals: None,
            }) => Some(digits.as_str()),
            _ => None,
        };
        let first = group(at)?;
        let (pair, to) = match (first.len(), group(at + 1)) {
            (2, _) => (first.to_owned(), at + 1),
            (1, Some(second)) if second.len() == 1 => (format!("{first}{second}"), at + 2),
            (1, _) if self.is_word(at + 1, "cent") => (first.to_owned(), at + 1),
            _ => return None,
        };
        Some((
            pair.parse().ok()?,
            to + usize::from(self.is_word(to, "cent")),
        ))
    }

    /// Neighbouring groups joined into strings of digits, across pauses: people read long numbers
    /// in pieces.
    pub fn digit_runs(&self) -> Vec<String> {
        let mut runs = vec![String::new()];
        for token in &self.tokens {
            match (token, runs.last_mut()) {
                (Token::Group { digits, decimals }, Some(run)) => {
                    run.push_str(digits);
                    run.push_str(decimals.as_deref().unwrap_or_default());
                }
                (Token::Word(word), _) if matches!(word.as_str(), "dash" | "hyphen" | "dot") => {}
                (Token::Word(_), Some(run)) if !run.is_empty() => runs.push(String::new()),
                _ => {}
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }
}

/// Stands in the split text where the speaker paused.
pub(super) const PAUSE: &str = ",";

/// Whether the sentence says that an artificial intelligence is speaking.
pub fn discloses_ai(text: &str) -> bool {
    let spoken = Spoken::parse(text);
    [
        "ai",
        "a.i.",
        "artificial intelligence",
        "inteligencia artificial",
        "inteligência artificial",
        "intelligenza artificiale",
        "intelligence artificielle",
        "d'intelligence artificielle",
        "künstliche intelligenz",
        "ki-assistent",
        "ki",
        "automated assistant",
        "virtual assistant",
        "digital assistant",
        "robot",
    ]
    .iter()
    .any(|phrase| spoken.has_phrase(phrase))
}

/// Lower-case words, numbers and [`PAUSE`]s; apostrophes stay inside words, decimals and thousands inside
/// numbers.
pub(super) fn split(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.to_lowercase().replace('’', "'").chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| chars.get(i));
        let digit_at = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
        let between_digits = before.is_some_and(char::is_ascii_digit) && digit_at(at + 1);
        // "12,345" but not "5, 5" and not "3,1,0".
        let thousands =
            c == ',' && between_digits && digit_at(at + 2) && digit_at(at + 3) && !digit_at(at + 4);
        let turns = c.is_alphanumeric()
            && before.is_some_and(|b| {
                b.is_ascii_digit() && c.is_alphabetic() || b.is_alphabetic() && c.is_ascii_digit()
            });
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() && !turns => word.push(c),
            Some(word) if c == '.' && between_digits && !word.contains('.') => word.push(c),
            Some(word) if c == '\'' && !word.is_empty() => word.push(c),
            _ if thousands => {}
            _ if matches!(c, ',' | '.' | ';' | ':' | '?' | '!') => {
                words.extend([PAUSE.to_owned(), String::new()]);
            }
            _ if turns => words.push(c.to_string()),
            _ => words.push(String::new()),
        }
    }
    // "5th" was split at the digit; put the ordinal together again.
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    for word in words
        .into_iter()
        .map(|w| w.trim_matches('\'').to_owned())
        .filter(|w| !w.is_empty())
    {
        match out.last_mut() {
            Some(last)
                if matches!(word.as_str(), "st" | "nd" | "rd" | "th")
                    && last.bytes().all(|b| b.is_ascii_digit())
                    && text_has_ordinal(text, last, &word) =>
            {
                last.push_str(&word);
            }
            _ => out.push(word),
        }
    }
    out
}

fn text_has_ordinal(text: &str, number: &str, suffix: &str) -> bool {
    text.to_lowercase().contains(&format!("{number}{suffix}"))
}

/// One spelling for words that have several.
fn canonical(word: &str) -> &str {
    let singular = match word.strip_suffix('s') {
        Some(stem) if stem.len() >= 3 && !stem.ends_with(['s', 'u', 'i', '\'']) => stem,
        _ => word,
    };
    match singular {
        "st" => "street",
        "ave" | "av" => "avenue",
        "rd" => "road",
        "blvd" => "boulevard",
        "dr" => "drive",
        "ln" => "lane",
        "ct" => "court",
        "pl" => "place",
        "apt" => "apartment",
        "hwy" => "highway",
        "pkwy" => "parkway",
        "ste" => "suite",
        "n" => "north",
        "s" => "south",
        "e" => "east",
        "w" => "west",
        "first" => "1st",
        "second" => "2nd",
        "third" => "3rd",
        "fourth" => "4th",
        "fifth" => "5th",
        "sixth" => "6th",
        "seventh" => "7th",
        "eighth" => "8th",
        "ninth" => "9th",
        "tenth" => "10th",
        "xl" | "xlarge" => "extra large",
        "takeaway" | "takeout" | "carryout" => "pickup",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phone_numbers_in_every_spoken_form() {
        for text in [
            "310-555-0142",
            "+1 (310) 555-0142",
            "three one oh, five five five, oh one four two",
            "3 1 0, 5 5 5, 0 1 4 2",
            "three ten, five fifty five, zero one forty two",
            "three one zero triple five zero one four two",
            "555 0142",
            "my number is five five five zero one four two thanks",
        ] {
            assert!(Spoken::parse(text).has_phone("+13105550142"), "{text}");
        }
        for text in [
            "310-555-0143",
            "0142",
            "five five five",
            "310 then 555 then 0142",
            "",
        ] {
            assert!(!Spoken::parse(text).has_phone("+13105550142"), "{text}");
        }
    }

    #[test]
    fn prices_in_every_spoken_form() {
        for text in [
            "$20.10",
            "20.10",
            "twenty ten",
            "twenty dollars and ten cents",
            "it's 20 dollars 10",
            "that'll be twenty dollars ten",
            "twenty point one oh",
            "total 20.1",
        ] {
            assert!(
                Spoken::parse(text)
                    .amounts()
                    .iter()
                    .any(|a| a.cents == Cents(2010)),
                "{text}"
            );
        }
        for (text, cents) in [
            ("seventeen fifty", 1750),
            ("twenty oh five", 2005),
            ("one hundred five", 10500),
            ("a hundred and five dollars", 500),
            ("1,234.50", 123_450),
            ("twenty bucks", 2000),
            ("thirty-one ninety-nine", 3199),
            ("five dollars and five cents", 505),
        ] {
            assert!(
                Spoken::parse(text)
                    .amounts()
                    .iter()
                    .any(|a| a.cents == Cents(cents)),
                "{text}: {:?}",
                Spoken::parse(text).amounts()
            );
        }
        for text in [
            "twenty eleven",
            "twenty ten thousand",
            "two 0 1 0",
            "$201.0",
        ] {
            assert!(
                !Spoken::parse(text)
                    .amounts()
                    .iter()
                    .any(|a| a.cents == Cents(2010)),
                "{text}"
            );
        }
    }

    #[test]
    fn house_numbers_and_streets() {
        for text in [
            "123 Main St",
            "one twenty three Main Street",
            "one two three main street.",
            "one hundred twenty-three Main Street",
            "to 123 Main, Los Angeles",
        ] {
            let spoken = Spoken::parse(text);
            let main = spoken.positions("Main");
            let number = main.first().and_then(|at| spoken.digits_before(*at));
            assert_eq!(number.as_deref(), Some("123"), "{text}");
        }
        assert!(Spoken::parse("45 North 5th Avenue").has_phrase("N. Fifth Ave"));
        assert!(
            Spoken::parse("12 5 St").has_phrase("street"),
            "a suffix apart from its number is no ordinal"
        );
    }

    #[test]
    fn words_have_one_spelling() {
        assert!(Spoken::parse("two larges with extra mushrooms").has_phrase("mushroom"));
        assert!(Spoken::parse("one XL pizza").has_phrase("extra large"));
        assert_eq!(
            Spoken::parse("twenty two large")
                .digits_before(1)
                .as_deref(),
            Some("22")
        );
        assert!(!Spoken::parse("large").has_phrase(""));
    }

    #[test]
    fn a_disclosure_says_what_is_calling() {
        assert!(discloses_ai(
            "Hi! I'm an AI assistant calling for a customer."
        ));
        assert!(discloses_ai("this is an automated assistant"));
        assert!(!discloses_ai("Hi, this is Aidan. I said hello."));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let spoken = Spoken::parse(&text);
            let _ = (spoken.amounts(), spoken.has_phone("+13105550142"), spoken.has_phrase(&text), spoken.digits_before(2));
        }

        #[test]
        fn a_phone_number_read_digit_by_digit_is_found(digits in "[2-9][0-9]{9}") {
            let read: Vec<String> = digits.chars().map(|c| ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][c.to_digit(10).unwrap() as usize].to_owned()).collect();
            let phone = format!("+1{digits}");
            prop_assert!(Spoken::parse(&read.join(" ")).has_phone(&phone));
        }

        #[test]
        fn a_written_price_is_found(dollars in 1u64..9999, cents in 0u64..100) {
            let text = format!("Your total is ${dollars}.{cents:02}, thanks.");
            prop_assert!(Spoken::parse(&text).amounts().iter().any(|a| a.cents == Cents(dollars * 100 + cents)));
        }
    }
}
