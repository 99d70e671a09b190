use super::*;
use proptest::prelude::*;

#[test]
fn unheard_words_count_for_nothing() {
    let mut t = Transcript::default();
    t.agent_words("a", 0, "One large pizza to ");
    t.agent_words("a", 0, "Main Street.");
    t.agent_audio("a", 0, 16_000);
    assert_eq!(t.turns()[0].heard_text(), "");
    t.agent_heard("a", 8_000);
    t.agent_complete("a");
    assert_eq!(t.turns()[0].heard_text(), "One large");
    t.agent_cut("a");
    t.agent_heard("a", 99_000);
    assert_eq!(t.turns()[0].heard_text(), "One large pizza to Main Street.");
}

#[test]
fn words_that_run_ahead_of_their_audio_were_not_heard() {
    let mut t = Transcript::default();
    t.agent_words("a", 0, "Hi, I'm an AI assistant calling for a customer.");
    t.agent_audio("a", 0, 1_600);
    t.agent_heard("a", 1_600);
    assert_eq!(t.turns()[0].heard_text(), "", "a fifth of a second");
    t.agent_audio("a", 0, 24_000);
    t.agent_heard("a", 24_000);
    t.agent_complete("a");
    assert_eq!(
        t.turns()[0].heard_text(),
        "Hi, I'm an AI assistant calling for a customer."
    );
}

#[test]
fn what_is_left_of_a_sentence_is_no_sentence() {
    let heard = |bytes: u64| {
        let mut t = Transcript::default();
        t.agent_words("a", 0, "Hi, I'm an AI assistant. May I order?");
        t.agent_audio("a", 0, 24_000);
        t.agent_complete("a");
        t.agent_heard("a", bytes);
        let before = t.turns()[0].heard_sentences().to_owned();
        t.settle_turns(true);
        let turn = &t.turns()[0];
        assert_eq!(turn.heard_sentences(), before);
        (before, turn.cut)
    };
    assert_eq!(heard(10_000), (String::new(), true));
    assert_eq!(heard(20_000), ("Hi, I'm an AI assistant.".to_owned(), true));
    let all = "Hi, I'm an AI assistant. May I order?".to_owned();
    assert_eq!(heard(24_000), (all, false));
}

#[test]
fn card_numbers_said_in_words_are_cut_out_too() {
    let mut t = Transcript::default();
    t.shop_words(
        "s",
        0,
        "It's four one one one, one one one one, one one one one, one one one one.",
    );
    assert_eq!(t.turns()[0].heard_text(), "It's [card number removed].");
}

#[test]
fn proof_of_hearing_never_shrinks_or_exceeds_what_was_received() {
    let mut t = Transcript::default();
    t.agent_audio("a", 0, 100);
    t.agent_heard("a", 80);
    t.agent_heard("a", 20);
    t.agent_words("a", 0, "0123456789");
    assert_eq!(t.turns()[0].heard, 80);
    t.agent_heard("unknown", 5);
    assert_eq!(t.turns().len(), 1);
}

#[test]
fn the_shops_words_replace_the_place_kept_for_them() {
    let mut t = Transcript::default();
    t.shop_turn("s", 10);
    t.agent_words("a", 20, "Hi.");
    assert!(t.is_pending());
    t.shop_words("s", 99, " Hello? my card is 4111 1111 1111 1111 ");
    assert!(!t.is_pending());
    assert_eq!(
        (t.turns()[0].heard_text(), t.turns()[0].at_ms),
        ("Hello? my card is [card number removed]", 10)
    );
}

#[test]
fn a_flood_of_turns_and_words_stays_bounded() {
    for (words, kept) in [(1, MAX_TURNS), (2_000, 1 + MAX_BYTES / MAX_TURN_CHARS)] {
        let mut t = Transcript::default();
        for i in 0..2_000 {
            t.shop_words(&i.to_string(), i, &"word ".repeat(words));
        }
        let turns = t.turns();
        assert_eq!(turns.len(), kept);
        // The middle is lost, not the disclosure and not the end.
        let ids = [turns[0].id.as_str(), turns[kept - 1].id.as_str()];
        assert_eq!(ids, ["0", "1999"]);
        assert!(turns[5].text.len() <= MAX_TURN_CHARS);
    }
}

#[test]
fn words_are_counted_between_the_places_where_they_met_their_audio() {
    let mut t = Transcript::default();
    // A slow beginning: two words in two seconds, then four in one.
    t.agent_words("a", 0, "One large ");
    t.agent_audio("a", 0, 16_000);
    t.agent_words("a", 0, "pizza to Main Street.");
    t.agent_audio("a", 0, 24_000);
    t.agent_complete("a");
    t.agent_heard("a", 12_000);
    assert_eq!(
        t.turns()[0].heard_text(),
        "One",
        "in proportion it were fifteen characters"
    );
    t.agent_heard("a", 20_000);
    assert_eq!(t.turns()[0].heard_text(), "One large pizza to");
}

#[test]
fn words_that_come_after_their_audio_count_once_it_is_complete() {
    let mut t = Transcript::default();
    t.agent_audio("a", 0, 16_000);
    t.agent_heard("a", 16_000);
    t.agent_words("a", 0, "One large pizza, ");
    t.agent_words("a", 0, "please.");
    assert_eq!(t.turns()[0].heard_text(), "");
    t.agent_complete("a");
    assert_eq!(t.turns()[0].heard_text(), "One large pizza, please.");
}

#[test]
fn a_turn_survives_a_snapshot_and_old_ones_are_still_read() {
    let mut t = Transcript::default();
    t.agent_audio("a", 0, 8_000);
    t.agent_words("a", 0, "One two three four ");
    t.agent_audio("a", 0, 16_000);
    t.agent_words("a", 0, "five six seven.");
    t.agent_audio("a", 0, 24_000);
    t.agent_heard("a", 20_000);
    t.shop_words("s", 0, "Mm-hmm.");
    t.acknowledge("s", "a", 12_000);
    let json = serde_json::to_value(&t).unwrap();
    assert_eq!(
        json["turns"][0]["anchors"],
        serde_json::json!([[0, 8_000], [19, 16_000]])
    );
    assert_eq!(
        json["turns"][1]["acknowledges"],
        serde_json::json!({ "turn": "a", "heardMs": 1_500, "heardChars": 9 })
    );
    let again: Transcript = serde_json::from_value(json).unwrap();
    assert_eq!(again.turns(), t.turns());
    let old = r#"{"turns":[{"id":"a","role":"agent","at_ms":0,"text":"Hi.","received":8,"heard":8,"complete":true,"cut":false,"pending":false}]}"#;
    let old: Transcript = serde_json::from_str(old).unwrap();
    assert_eq!(old.turns()[0].heard_text(), "Hi.");
}

#[test]
fn a_turn_that_was_heard_out_needs_no_places() {
    let mut t = Transcript::default();
    for (words, bytes) in [("One ", 8_000), ("two ", 16_000), ("three.", 24_000)] {
        t.agent_words("a", 0, words);
        t.agent_audio("a", 0, bytes);
    }
    t.agent_heard("a", 24_000);
    assert!(!t.turns()[0].anchors.is_empty());
    t.agent_complete("a");
    assert!(t.turns()[0].anchors.is_empty());
    assert_eq!(t.turns()[0].heard_text(), "One two three.");
    assert_eq!(t.turns()[0].heard_ms(), 3_000);
}

#[test]
fn a_monologue_has_ends_of_sentences() {
    let mut t = Transcript::default();
    assert_eq!(t.sentence_end_after("a", 0), None, "no such turn");
    // Ten characters a second.
    let mut bytes = 0;
    for words in [
        "It is at 5 ",
        "Main St. for",
        " $3.50. Is that",
        " right? And ",
    ] {
        t.agent_words("a", 0, words);
        assert_eq!(t.sentence_end_after("a", 32_000), None, "{words}");
        bytes += words.len() as u64 * 800;
        t.agent_audio("a", 0, bytes);
    }
    let (price, question) = (30 * 800, 45 * 800);
    assert_eq!(t.sentence_end_after("a", 0), Some(price));
    assert_eq!(t.sentence_end_after("a", price), Some(price));
    assert_eq!(t.sentence_end_after("a", price + 1), Some(question));
    assert_eq!(t.sentence_end_after("a", question + 1), None);
    t.shop_words("s", 0, "Yes.");
    assert_eq!(t.sentence_end_after("s", 0), None);
}

#[test]
fn an_acknowledgement_is_kept_with_its_place_and_taken_back() {
    let mut t = Transcript::default();
    t.agent_words("a", 0, "One large pizza.");
    t.shop_turn("s", 10);
    t.acknowledge("s", "a", 4_000);
    t.shop_words("s", 20, "Okay.");
    let place = t.get("s").unwrap().acknowledges.clone().unwrap();
    assert_eq!((place.turn.as_str(), place.heard_ms), ("a", 500));
    t.not_acknowledgement("s");
    assert_eq!(t.get("s").unwrap().acknowledges, None);
    t.acknowledge("a", "a", 0);
    t.acknowledge("unknown", "a", 0);
    assert!(t.turns().iter().all(|turn| turn.acknowledges.is_none()));
}

#[test]
fn an_echo_is_taken_out_and_the_agent_never() {
    let mut t = Transcript::default();
    t.agent_words("a", 0, "One large pizza.");
    t.shop_turn("s", 10);
    t.remove("a");
    t.remove("s");
    assert!(!t.is_pending());
    assert_eq!(t.turns().len(), 1);
    assert_eq!(t.turns()[0].id, "a");
}

proptest! {
    #[test]
    fn heard_words_grow_with_the_audio_and_never_exceed_their_share(
        pieces in prop::collection::vec(("[a-z. ]{0,12}", 0u64..4_000, any::<bool>()), 1..20),
        heard in 0u64..40_000,
        complete: bool,
    ) {
        let mut t = Transcript::default();
        let mut bytes = 0;
        t.agent_audio("a", 0, 0);
        for (words, more, words_first) in &pieces {
            if *words_first {
                t.agent_words("a", 0, words);
            }
            bytes += more;
            t.agent_audio("a", 0, bytes);
            if !words_first {
                t.agent_words("a", 0, words);
            }
        }
        if complete {
            t.agent_complete("a");
        }
        t.agent_heard("a", heard / 2);
        let before = t.turns()[0].heard_text().len();
        t.agent_heard("a", heard);
        let turn = &t.turns()[0];
        let all = turn.text.len() as u64;
        prop_assert!(before <= turn.heard_text().len());
        if !turn.is_heard_out() {
            prop_assert!(turn.heard_text().len() as u64 * bytes <= all * turn.heard);
        }
        if let Some(end) = t.sentence_end_after("a", heard) {
            prop_assert!((heard..=bytes).contains(&end));
        }
    }
}

#[test]
fn a_sentence_ends_at_the_later_of_both_estimates() {
    let mut slow = Transcript::default();
    let mut fast = Transcript::default();
    for (t, first) in [(&mut slow, 16_000), (&mut fast, 2_000)] {
        t.agent_words("a", 0, "One large. ");
        t.agent_audio("a", 0, first);
        t.agent_words("a", 0, "Pizza, please ");
        t.agent_audio("a", 0, 24_000);
    }
    assert_eq!(
        slow.sentence_end_after("a", 0),
        Some(14_546),
        "10/11 of 2 s"
    );
    assert_eq!(fast.sentence_end_after("a", 0), Some(9_600), "10/25 of 3 s");
}

#[test]
fn a_word_that_goes_on_in_the_next_piece_is_no_digit_yet() {
    let mut t = Transcript::default();
    t.shop_turn("s", 0);
    t.shop_words("s", 0, "I need the card number, and the security code.");
    let words = "No card, please. It is delivery to seven seventeen Hill Street.";
    for cut in 1..words.len() {
        let id = format!("a{cut}");
        let (first, second) = words.split_at(cut);
        t.agent_words(&id, 1_000, first);
        t.agent_words(&id, 1_000, second);
        t.agent_complete(&id);
        assert_eq!(t.get(&id).unwrap().words(), words, "cut at {cut}");
    }
    t.agent_words(
        "b",
        2_000,
        "So your card is four one one one one one one one one one one ",
    );
    t.agent_words("b", 2_000, "one one one on");
    t.agent_words("b", 2_000, "e");
    t.agent_complete("b");
    let left = t.get("b").unwrap().words();
    assert!(
        left.contains("card number removed") && !left.contains("one one"),
        "{left}"
    );
}

#[test]
fn words_that_nobody_may_have_heard_are_not_in_what_was_heard() {
    let mut t = Transcript::default();
    for (n, words) in ["Hi, I'm ", "an order", " agent, ", "and AI."]
        .into_iter()
        .enumerate()
    {
        t.agent_words("a", 0, words);
        t.agent_audio("a", 0, (n as u64 + 1) * 3_200);
    }
    t.agent_complete("a");
    t.shop_words("s", 900, "Yes");
    t.acknowledge("s", "a", 12_000);
    t.agent_unclear("a", 5_000..6_000);
    t.agent_heard("a", 12_800);
    let turn = &t.turns()[0];
    assert_eq!(turn.heard_text(), "Hi, I'm an [unclear] agent, and AI.");
    let acknowledged = t.turns()[1].acknowledges.as_ref().unwrap();
    assert_eq!(turn.heard_before(acknowledged), "Hi, I'm an");
}

proptest! {
    /// Wherever a turn is doubtful, what is left are its own words in their order.
    #[test]
    fn doubt_only_takes_words_away(
        words in proptest::collection::vec("[a-zé]{1,9}", 1..20),
        doubts in proptest::collection::vec((0u64..9_000, 0u64..3_000), 0..4),
    ) {
        let mut t = Transcript::default();
        for (n, word) in words.iter().enumerate() {
            t.agent_words("a", 0, &format!("{}{word}", if n > 0 { " " } else { "" }));
            t.agent_audio("a", 0, (n as u64 + 1) * 400);
        }
        t.agent_complete("a");
        for (from, length) in &doubts {
            t.agent_unclear("a", *from..from + length);
        }
        t.agent_heard("a", 99_000);
        let left = t.turns()[0].heard_text().split(' ').filter(|word| *word != UNCLEAR);
        let mut all = words.iter();
        for word in left {
            prop_assert!(all.any(|said| said == word), "{word}");
        }
    }
}
