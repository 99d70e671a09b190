//! Words and phrases by which `answer` tells agreement from objection, in the one spelling of
//! [`Spoken`](crate::order::spoken::Spoken).

/// Objects to the order, whatever was said before.
pub(super) const FIRM: [&str; 71] = [
    "wrong",
    "incorrect",
    "not right",
    "not correct",
    "isn't right",
    "isn't correct",
    "that's not",
    "that is not",
    "not what",
    "can't do",
    "can't deliver",
    "can't make",
    "can't take",
    "cannot",
    "can not",
    "unable",
    "won't deliver",
    "won't be able",
    "don't deliver",
    "do not deliver",
    "don't take",
    "don't do",
    "don't have",
    "do not have",
    "not taking",
    "aren't taking",
    "out of",
    "sold out",
    "ran out",
    "we're closed",
    "we are closed",
    "are closing",
    "cancel",
    "cancelled",
    "canceled",
    "mistake",
    "no longer",
    "not available",
    "unavailable",
    "would have been",
    "forget it",
    "say no",
    "said no",
    "not putting",
    "not making",
    "not doing",
    "not going to",
    "not happening",
    "stopped taking",
    "stopped delivering",
    "all gone",
    "wrong number",
    "we can't",
    "i can't",
    "we won't",
    "no can do",
    "we're closing",
    "we're out",
    "all out",
    "fresh out",
    "used up",
    "is finished",
    "done for tonight",
    "done for today",
    "too far",
    "outside our",
    "we don't go",
    "scratch that",
    "haven't got",
    "doesn't have",
    "not able",
];
/// Doubts it, which objects as firmly.
pub(super) const LOST: [&str; 6] = [
    "not sure",
    "don't know",
    "don't think",
    "do not think",
    "not yet",
    "hold off",
];
/// Did not hear it, which objects as firmly to what it answers.
pub(super) const MISSED: [&str; 6] = [
    "didn't get",
    "didn't catch",
    "didn't hear",
    "did not get",
    "did not catch",
    "don't understand",
];
/// Wants to hear it again.
pub(super) const AGAIN: [&str; 3] = ["say again", "say that again", "pardon"];
pub(super) const AFFIRMATIVE: [&str; 39] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "ye",
    "ya",
    "correct",
    "right",
    "exactly",
    "okay",
    "sure",
    "perfect",
    "great",
    "good",
    "fine",
    "alright",
    "all right",
    "got it",
    "got that",
    "absolutely",
    "definitely",
    "of course",
    "you bet",
    "mm hmm",
    "mhm",
    "uh huh",
    "will do",
    "understood",
    "you got it",
    "have all of that",
    "have it all",
    "awesome",
    "gotcha",
    "you're all set",
    "look good",
    "that work",
    "look good to me",
    "that's what i have",
    "that's what i got",
];
/// Sound like an objection and agree.
pub(super) const HARMLESS: [&str; 18] = [
    "no problem",
    "no worry",
    "not a problem",
    "no that's right",
    "no that's correct",
    "no that's all",
    "no that's it",
    "no that's everything",
    "no that is all",
    "no that's fine",
    "no that's good",
    "no you're good",
    "nope that's right",
    "nope that's all",
    "nope that's it",
    "nope you're good",
    "nothing else",
    "won't take long",
];
/// Sound like an objection or a yes, and say nothing of the order.
pub(super) const ASIDE: [&str; 46] = [
    "no longer than",
    "no more than",
    "no later than",
    "no rush",
    "no hurry",
    "no trouble",
    "no need",
    "don't need",
    "you don't have to",
    "you don't have to pay until",
    "doesn't have to",
    "don't forget",
    "won't be long",
    "won't be late",
    "shouldn't be long",
    "shouldn't take long",
    "not too far",
    "isn't too far",
    "can't wait to",
    "not sure how long",
    "don't know how long",
    "out of the oven",
    "if anything change",
    "if you need to cancel",
    "don't have a delivery fee",
    "don't have a delivery charge",
    "it should be there",
    "it should be ready",
    "give us",
    "cash only",
    "only take cash",
    "thank for holding",
    "thank you for holding",
    "thank for waiting",
    "thank you for waiting",
    "sorry about that",
    "sorry for the wait",
    "out to you",
    "no delivery fee",
    "no delivery charge",
    "no charge",
    "no extra charge",
    "good morning",
    "good afternoon",
    "good evening",
    "good night",
];
/// Words beside an affirmative one that cannot turn it, and beside a price that leave it what it is:
/// whoever says anything else may have said anything.
pub(super) const KNOWN: &str = " a about address again ah all also altogether amount an and any anything are arrive as back be \
    bill buck by bye calling can cent charge come cool cost coupon day dear deliver delivered delivery do \
    doe dollar done door down driver enjoy euro evening everything extra fee final for free front gave \
    get getting give go gonna goodbye got grand half have heading hear heard hello here him hm \
    hour i i'd i'll i'm i've in include included including is it it'll it's its long ma'am make \
    man meal mean minute much my name night noted now number of oh on order our phone pickup \
    please plus pound price put read ready same see shall shortly should sir so soon sound sub subtotal \
    sum take tax thank that that'd that'll that's the them then there there'll there's they they'll \
    thing this tip to today together tonight too total two uh um up very we we'll we're we've \
    welcome well when will with within worry write written wrote you you'll you're you've your ";
/// Turns an answer, wherever it stands; so does everything that ends in "n't".
pub(super) const TURNING: [&str; 29] = [
    "but", "though", "although", "however", "except", "only", "unless", "instead", "not", "no",
    "nope", "nah", "never", "nobody", "nothing", "none", "without", "hardly", "maybe", "perhaps",
    "if", "hold", "stop", "hang", "ask", "cannot", "close", "closed", "check",
];
/// A question that goes on to something else, behind a yes.
pub(super) const ASKING: [&str; 14] = [
    "what", "what's", "what'll", "what'd", "which", "where", "where's", "who", "who's", "how",
    "when", "anything", "any", "and",
];
/// A later amount replaces the one before such words.
pub(super) const CORRECTIONS: [&str; 9] = [
    "sorry",
    "actually",
    "i mean",
    "make that",
    "correction",
    "no wait",
    "mistake",
    "my bad",
    "rather",
];
/// Agrees to what was just heard, and is no mere "go on".
pub(super) const CONFIRMING: [&str; 12] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "correct",
    "right",
    "exactly",
    "got it",
    "got that",
    "that's right",
    "that's correct",
    "absolutely",
];
/// Leaves a price what it is.
pub(super) const FRAMES: [&str; 3] = ["going to be", "come out to", "after tax"];
/// Asks whether something else would do.
pub(super) const SUBSTITUTING: [&str; 10] = [
    "okay",
    "fine",
    "all right",
    "alright",
    "that work",
    "instead",
    "how about",
    "what about",
    "do you mind",
    "rather",
];
/// A sentence with one of these speaks of how to pay, or how long it takes.
pub(super) const BESIDES: [&str; 10] = [
    "cash", "card", "credit", "change", "minute", "hour", "late", "receipt", "pay", "tip",
];
/// Asks whether anything is missing.
pub(super) const ELSE: [&str; 8] = [
    "anything else",
    "anything more",
    "anything missing",
    "anything wrong",
    "something else",
    "any question",
    "any other question",
    "need anything",
];
/// What must be done, …
pub(super) const MUST: [&str; 7] = [
    "need", "have to", "has to", "must", "require", "gotta", "got to",
];
/// … before anything is made.
pub(super) const FIRST: [&str; 7] = [
    "1st",
    "upfront",
    "up front",
    "in advance",
    "deposit",
    "prepay",
    "card number",
];
/// Before a price, beside the words that are always known.
pub(super) const LEADING: [&str; 27] = [
    "think",
    "they're",
    "going",
    "look",
    "looking",
    "like",
    "would",
    "price",
    "ring",
    "almost",
    "around",
    "roughly",
    "something",
    "maybe",
    "perhaps",
    "probably",
    "little",
    "over",
    "under",
    "least",
    "minimum",
    "last",
    "time",
    "was",
    "has",
    "at",
    "change",
];
