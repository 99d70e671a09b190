use super::*;
use proptest::prelude::*;

fn clean(text: &str) -> String {
    without_payment_data(text, Asked::default).into_owned()
}

#[test]
fn card_numbers_are_cut_out_in_any_grouping() {
    for (text, expected) in [
        (
            "it's 4111 1111 1111 1111, ok",
            "it's [card number removed], ok",
        ),
        ("4111-1111-1111-1111 12/28", "[card number removed] 12/28"),
        ("5 5 0 0 0 0 0 0 0 0 0 0 0 0 0 4", "[card number removed]"),
        ("amex 378282246310005.", "amex [card number removed]."),
        ("3782 822463 10005", "[card number removed]"),
        (
            "It's four one one one, one one one one, one one one one, one one one one.",
            "It's [card number removed].",
        ),
        (
            "forty one eleven, eleven eleven, eleven eleven, eleven eleven okay",
            "[card number removed] okay",
        ),
        (
            "four triple one then one one one one, uh, one one one one and then one one one one",
            "[card number removed]",
        ),
        (
            "my visa is 411111 1111 111111",
            "my visa is [card number removed]",
        ),
        // Misheard by one digit, and called a card.
        (
            "the card is 4111 1111 1111 1112",
            "the card is [card number removed]",
        ),
    ] {
        assert_eq!(clean(text), expected, "{text}");
    }
}

#[test]
fn security_codes_and_bank_details_are_cut_out_where_they_are_named() {
    for (text, expected) in [
        (
            "the three digits on the back are 123",
            "the three digits on the back are [payment data removed]",
        ),
        ("CVV one two three.", "CVV [payment data removed]."),
        (
            "it's 1234, the security code",
            "it's [payment data removed], the security code",
        ),
        (
            "routing number 021000021, account number 000123456789 at Chase",
            "routing number [payment data removed], account number [payment data removed] at Chase",
        ),
        (
            "IBAN is D E eight nine, three seven zero four, zero zero four four",
            "IBAN is D E [payment data removed]",
        ),
        (
            "pay to DE89 3704 0044 0532 0130 00 please",
            "pay to [payment data removed] please",
        ),
        ("gb29nwbk60161331926819", "[payment data removed]"),
    ] {
        assert_eq!(clean(text), expected, "{text}");
    }
}

#[test]
fn bare_digits_are_cut_out_where_they_were_asked_for() {
    let code = Asked::by("And what is the security code?");
    let account = Asked::by("What's your account number?");
    for (asked, text, cut) in [
        (code, "It's one two three.", true),
        (code, "123", true),
        (code, "The total is seventeen twenty five.", false),
        (code, "twenty ten", false),
        (code, "It's 20.10", false),
        (code, "No, we can't do that at 123 Main Street.", false),
        (account, "0123 456 789", true),
        (account, "That's twenty ten.", false),
        (Asked::default(), "It's one two three.", false),
        (Asked::by("phone or account number?"), "310 555 0142", false),
    ] {
        let cleaned = without_payment_data(text, || asked);
        assert_eq!(cleaned.contains(DETAILS), cut, "{text}: {cleaned}");
    }
}

#[test]
fn phone_numbers_prices_and_addresses_stay() {
    for text in [
        "call 310 555 0142",
        "+13105550142",
        "twenty 20.10, at 123 Main St 90001",
        "Miami 33139 310 555 0142",
        "415 555 0142, 415 555 0143",
        "347 555 0142 90001",
        "4111 1111 1111 1112",
        "42.50, 17.25, 38.20, 51.10",
        "$42.50 and $17.25",
        "we take credit cards, call 347-555-0142, zip 37201",
        "no security code needed, 310-555-0142",
        "310-555-0142, and no security code",
        "account number? no, the phone is 310 555 0142",
        "",
    ] {
        assert_eq!(clean(text), text);
        assert!(!has_card(text));
    }
}

#[test]
fn a_number_that_is_read_in_several_turns_is_found() {
    let turns = [
        "four one one one",
        "Mm-hmm.",
        "okay, one one one one",
        "one one one one",
        "and one one one one",
    ];
    let (number, span) = split_card(&turns, false).unwrap();
    assert_eq!((number.as_str(), span), ("4111111111111111", 0..=4));
    assert_eq!(
        without_pieces(turns[2], &number, 1),
        "okay, [card number removed]"
    );
    // In odd pieces where a card was spoken of.
    let odd = ["41 11 11", "one one one one one one", "1111"];
    assert!(split_card(&odd, true).is_some());
    assert!(split_card(&["three one oh", "five five five", "oh one four two"], true).is_none());
    assert!(
        split_card(&["4111 1111 1111 1111"], true).is_none(),
        "that is one turn's"
    );
    assert!(
        turns
            .iter()
            .all(|turn| is_piece(turn) != turn.starts_with("Mm"))
    );
    assert!(!is_piece("That will be twenty ten with tax, thank you"));
}

const WORDS: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

fn spoken(digits: &str) -> String {
    let words = digits.bytes().map(|d| WORDS[usize::from(d - b'0')]);
    words.collect::<Vec<_>>().join(" ")
}

/// A Visa number with its check digit.
fn card() -> impl Strategy<Value = String> {
    "4[0-9]{14}".prop_map(|mut digits| {
        let check = (b'0'..=b'9').find(|check| {
            let number = format!("{digits}{}", char::from(*check));
            luhn(&number.bytes().filter_map(value).collect::<Vec<_>>())
        });
        digits.push(char::from(check.unwrap()));
        digits
    })
}

proptest! {
    #[test]
    fn no_card_survives_however_it_is_said(
        digits in card(),
        gap in prop::sample::select(vec![" ", "-", ", ", " then ", " and uh ", ". "]),
        in_words: bool,
        before in "(okay|it's|my visa is|pay with)?",
        after in "(|thanks|and that's it|expires soon)",
    ) {
        let groups: Vec<String> = (0..4)
            .filter_map(|i| digits.get(i * 4..i * 4 + 4))
            .map(|group| if in_words { spoken(group) } else { group.to_owned() })
            .collect();
        let text = format!("{before} {} {after}", groups.join(gap));
        let cleaned = clean(&text);
        prop_assert!(cleaned.contains(REPLACEMENT), "{cleaned}");
        prop_assert!(Said::parse(&cleaned).groups.is_empty(), "{cleaned}");
        prop_assert_eq!(clean(&cleaned), cleaned, "once is enough");
        // Read in four turns.
        let turns: Vec<&str> = groups.iter().map(String::as_str).collect();
        let found = split_card(&turns, false).map(|(number, _)| number);
        prop_assert_eq!(found.as_deref(), Some(digits.as_str()));
    }

    #[test]
    fn what_an_order_needs_survives(
        house in 1u32..99_999,
        zip in "[0-9]{5}",
        phone in "[2-9][0-9]{2}[2-9][0-9]{6}",
        price in 1u32..30_000,
        in_words: bool,
        card in prop::sample::select(vec!["", "We take cards. "]),
    ) {
        let (area, rest) = phone.split_at(3);
        let (exchange, line) = rest.split_at(3);
        let phone = if in_words {
            format!("{}, {}, {}", spoken(area), spoken(exchange), spoken(line))
        } else {
            format!("{area}-{exchange}-{line}")
        };
        let (dollars, cents) = (price / 100, price % 100);
        for text in [
            format!("{card}{house} Main Street, Los Angeles, CA {zip}, phone {phone}, total ${dollars}.{cents:02}"),
            format!("{card}zip {zip}, number {phone}, that's {dollars}.{cents:02} in 45 minutes"),
            format!("{card}{zip} {phone}"),
            format!("{card}{phone}, {phone}"),
        ] {
            prop_assert_eq!(clean(&text), text);
        }
        prop_assert!(split_card(&[&spoken(area), &spoken(exchange), &spoken(line), &spoken(&zip)], false).is_none());
    }

    #[test]
    fn no_text_panics(text in ".{0,200}", number in "[0-9]{0,19}") {
        let asked = Asked { card: true, security_code: true, bank: true };
        let _ = (clean(&text), without_payment_data(&text, || asked), has_card(&text), split_card(&[&text, &text], true), without_pieces(&text, &number, 1));
    }
}
