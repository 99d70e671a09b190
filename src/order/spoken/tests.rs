use super::*;
use crate::order::money::Cents;
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
        assert!(
            Spoken::parse(text).phone("+13105550142").is_some(),
            "{text}"
        );
    }
    for text in [
        "310-555-0143",
        "0142",
        "five five five",
        "310 then 555 then 0142",
        "",
    ] {
        assert!(
            Spoken::parse(text).phone("+13105550142").is_none(),
            "{text}"
        );
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
        ("a hundred and five dollars", 10500),
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
        let _ = (spoken.amounts(), spoken.phone("+13105550142"), spoken.has_phrase(&text), spoken.digits_before(2));
    }

    #[test]
    fn a_phone_number_read_digit_by_digit_is_found(digits in "[2-9][0-9]{9}") {
        let read: Vec<String> = digits.chars().map(|c| ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][c.to_digit(10).unwrap() as usize].to_owned()).collect();
        let phone = format!("+1{digits}");
        prop_assert!(Spoken::parse(&read.join(" ")).phone(&phone).is_some());
    }

    #[test]
    fn a_written_price_is_found(dollars in 1u64..9999, cents in 0u64..100) {
        let text = format!("Your total is ${dollars}.{cents:02}, thanks.");
        prop_assert!(Spoken::parse(&text).amounts().iter().any(|a| a.cents == Cents(dollars * 100 + cents)));
    }
}
