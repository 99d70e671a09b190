use super::*;
use proptest::prelude::*;

const BACKCHANNELS: [&str; 74] = [
    "Mm-hmm.",
    "mm-hmm, mm-hmm, mm-hmm",
    "Uh-huh",
    "uh-huh?",
    "Mhm.",
    "Okay.",
    "OK!",
    "O.K.",
    "Yeah",
    "yeah, yeah, yeah, yeah, yeah",
    "Yep.",
    "Yes.",
    "Right.",
    "Sure.",
    "Got it.",
    "All right.",
    "I see.",
    "Aha!",
    "Hm.",
    "Cool.",
    "Great, okay.",
    "Okay, yeah.",
    "okay yeah got it",
    "Oh, I see.",
    "That’s right.",
    "Go ahead.",
    "Hahaha.",
    "Haha, okay.",
    "(coughs)",
    "[noise]",
    "*cough*",
    "[BLANK_AUDIO]",
    "(laughter) (coughs)",
    "(coughs) Okay.",
    "<clears throat>",
    "...",
    "…",
    "",
    "   ",
    "?",
    "♪♪",
    "Sí.",
    "Sí, sí.",
    "Vale.",
    "ajá",
    "Claro que sí",
    "De acuerdo.",
    "Muy bien, perfecto.",
    "(risas)",
    "Oui.",
    "D'accord.",
    "D’accord, très bien.",
    "Ouais ouais.",
    "C'est noté.",
    "[toux]",
    "Ja.",
    "Ja, genau.",
    "Alles klar.",
    "Ach so, ja.",
    "In Ordnung.",
    "*husten*",
    "Sì.",
    "Sì, certo.",
    "Va bene.",
    "Ho capito.",
    "(risate)",
    "Sim.",
    "Tá.",
    "Tá bom, entendi.",
    "Isso mesmo.",
    "Pois é.",
    "Uhum.",
    "(risos)",
    "Está bem.",
];

const WORDS_WITH_CONTENT: [&str; 68] = [
    "No.",
    "no no",
    "No problem",
    "Wait.",
    "Stop.",
    "Hold on.",
    "Hang on",
    "One moment.",
    "Sorry?",
    "What?",
    "Huh?",
    "Hm?",
    "Hello?",
    "Hello.",
    "Okay?",
    "Right?",
    "Yeah?",
    "¿Sí?",
    "Okay, but",
    "Okay, but not the onions",
    "yes, what's the name",
    "Yes, what's the name?",
    "Right now?",
    "Okay, large.",
    "Sure, what would you like?",
    "Twenty ten.",
    "$20.10",
    "20",
    "Okay, two.",
    "five",
    "Pepperoni.",
    "Yeah, pepperoni",
    "Okay, bye.",
    "Thanks, bye",
    "Pickup or delivery",
    "yeah, yeah, yeah, yeah, yeah, yeah",
    "okay okay okay okay okay okay",
    "That's wrong.",
    "We're closed.",
    "I don't know",
    "(no)",
    "[pressed 1]",
    "[card number removed]",
    "(coughs) what was that",
    "*wait",
    "(speaking Spanish)",
    "Are you a robot",
    "Um",
    "Say again.",
    "Espera.",
    "Sí, pero",
    "¿Qué?",
    "¿Vale?",
    "Digame",
    "Non.",
    "Oui, mais",
    "Pardon?",
    "Attendez",
    "Nein.",
    "Ja, aber",
    "Wie bitte?",
    "Moment.",
    "Sì, ma",
    "Aspetti",
    "Come?",
    "Não.",
    "Sim, mas",
    "Como?",
];

#[test]
fn only_go_on_is_a_backchannel() {
    for words in BACKCHANNELS {
        assert!(is_backchannel(words), "{words}");
    }
}

#[test]
fn words_with_a_content_are_no_backchannel() {
    for words in WORDS_WITH_CONTENT {
        assert!(!is_backchannel(words), "{words}");
    }
}

#[test]
fn the_shop_asks_to_wait() {
    for words in [
        "One moment.",
        "One moment, please.",
        "One second",
        "Just a sec.",
        "Just a minute",
        "Just a moment, please",
        "Okay, hold on.",
        "Hold on a second",
        "hold on one second okay",
        "Hang on.",
        "Hang on, let me check the oven.",
        "Please hold.",
        "Hold, please.",
        "Can you hold?",
        "Could you hold on a moment, please?",
        "Can I put you on hold for a minute?",
        "I'm gonna put you on hold",
        "Please hold while I transfer you.",
        "Let me check.",
        "Let me check what we have",
        "Let me see.",
        "Okay, let me see if we have that.",
        "Let me ask my manager.",
        "Let me look.",
        "Sure, let me get a pen.",
        "Give me a second.",
        "Give me two minutes",
        "Bear with me.",
        "Wait a minute.",
        "Wait, one second.",
        "I'll be right back.",
        "I’ll be right back.",
        "Sorry, hold on, I have another call.",
        "Hold the line, please.",
        "Your call is important to us, please stay on the line.",
        "Un momento.",
        "Sí, un momento, por favor.",
        "Espere.",
        "Espere un segundo, déjeme ver.",
        "No cuelgue, por favor",
        "Un instant.",
        "Un instant, s'il vous plaît.",
        "Ne quittez pas.",
        "Une petite minute, je vérifie avec la cuisine",
        "Einen Moment.",
        "Einen Moment bitte, ich frage den Chef.",
        "Moment mal",
        "Bleiben Sie bitte dran, ich bin gleich wieder da",
        "Un attimo.",
        "Un attimo, per favore, controllo",
        "Attenda in linea",
        "Um momento.",
        "Só um momentinho, por favor.",
        "Peraí, deixa eu ver",
    ] {
        assert!(asks_to_wait(words), "{words}");
    }
}

#[test]
fn words_that_want_an_answer_do_not_ask_to_wait() {
    for words in [
        "hold on, what was the address?",
        "Hold on, what was the address",
        "Hang on. Is that for delivery?",
        "One second... okay, go ahead.",
        "Hold on, okay, your total is twenty ten.",
        "Let me see, that's $20.10",
        "let me see that is twenty dollars and ten cents",
        "Let me check. We're out of pepperoni.",
        "Hold on, that's wrong.",
        "Let me see if I got that, a large?",
        "Let me get your name.",
        "Let me have the address",
        "Let me repeat that: one large pepperoni",
        "Let me know",
        "It takes a minute",
        "Ready in twenty minutes.",
        "Two minutes.",
        "Thank you for holding.",
        "Thanks for waiting, what can I get you?",
        "Hold the onions",
        "One moment, how do you spell that?",
        "One large pizza",
        "Wait, no, mushrooms.",
        "Wait.",
        "No.",
        "Okay.",
        "Yes please",
        "Sorry?",
        "Hello?",
        "Mm-hmm",
        "I'll take the number",
        "I need the phone number",
        "Can you spell the name",
        "Can you repeat that?",
        "",
        "[pressed 1]",
        "Un momento, ¿cuál es la dirección?",
        "Espere, la dirección",
        "Un instant, quel est le nom ?",
        "Oui, merci.",
        "Einen Moment, wie war der Name?",
        "Ja, bitte.",
        "Un attimo, qual è il nome?",
        "Um momento, qual é o endereço?",
        "Sim, por favor",
    ] {
        assert!(!asks_to_wait(words), "{words}");
    }
}

#[test]
fn every_listed_phrase_is_written_as_it_is_compared() {
    let lists = [GO_ON, WAIT, MEANWHILE, AROUND];
    let singles = [SOUNDS, LAUGHTER, NOISES];
    for phrase in lists
        .iter()
        .flatten()
        .chain(&singles)
        .flat_map(|l| l.split(','))
    {
        let words = bare_words(phrase);
        assert_eq!(words.join(" "), phrase.trim(), "split otherwise");
        assert!((1..=MAX_PHRASE).contains(&words.len()), "{phrase}");
    }
}

#[test]
fn no_backchannel_objects_and_none_asks_to_wait() {
    for phrase in GO_ON.iter().flat_map(|list| list.split(',')) {
        let objects = matches!(answer::read(phrase), Answer::Objects { .. });
        assert!(
            !objects && !asks_to_wait(phrase) && is_backchannel(phrase),
            "{phrase}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = (is_backchannel(&text), asks_to_wait(&text));
    }

    #[test]
    fn words_of_the_lists_in_any_order_do_not_panic(text in "([(*\\[]?(one|moment|okay|hold|on|let|me|see|mm-hmm|2|[?.,…])[)\\]* ]?){0,12}") {
        prop_assert!(!(is_backchannel(&text) && asks_to_wait(&text)));
    }

    #[test]
    fn an_unknown_word_makes_it_no_backchannel(at in 0..BACKCHANNELS.len(), word in "x[a-z]{3,8}") {
        let with_word = format!("{} {word}", BACKCHANNELS[at]);
        prop_assert!(!is_backchannel(&with_word));
        let asking_to_wait = format!("hold on {word}");
        prop_assert!(!asks_to_wait(&asking_to_wait));
    }
}
