//! Short words that take no turn: "mm-hmm" means "go on", "one moment" means "wait for me".
//!
//! Both are closed lists: a word that is in none of them is something the shop wants to say. Whether
//! words agree to what was said before is for `answer` and `evidence`.

use super::answer::{self, Answer};
use super::spoken::{self, Spoken};

/// The most words of a backchannel.
const MAX_WORDS: usize = 5;
/// The most words of a phrase in the lists.
const MAX_PHRASE: usize = 5;

/// Phrases by language (en, es, fr, de, it, pt), as `spoken::split` writes them.
type Lists = [&'static str; 6];

/// "Go on", in any combination; no question, no objection, no answer with a content.
const GO_ON: Lists = [
    "mm hmm, mm hm, mmhmm, mhm, mhmm, m hm, mm, mmm, hm, hmm, hmmm, uh huh, uhhuh, uh hum, aha, \
     ah, oh, okay, ok, o k, okey, kay, yeah, yep, yup, yes, ye, ya, right, that's right, correct, \
     that's correct, exactly, sure, sure thing, of course, absolutely, got it, i got it, got that, \
     gotcha, all right, alright, i see, i understand, understood, cool, great, good, very good, \
     all good, sounds good, fine, that's fine, perfect, go on, go ahead, keep going, i'm listening",
    "sí, si, claro, claro que sí, vale, ajá, aja, mjm, bueno, bien, muy bien, está bien, \
     esta bien, perfecto, de acuerdo, correcto, exacto, entiendo, entendido, eso, eso es, dale, \
     listo, ya veo, por supuesto, siga, adelante",
    "oui, ouais, d'accord, bien sûr, très bien, parfait, entendu, compris, je vois, voilà, \
     exactement, tout à fait, c'est ça, c'est bon, c'est noté, noté, ça marche, super, hum, \
     allez y",
    "ja, jawohl, jap, jo, genau, gut, sehr gut, alles klar, klar, na klar, verstehe, \
     ich verstehe, verstanden, richtig, stimmt, passt, ach so, achso, in ordnung, prima",
    "sì, certo, va bene, bene, benissimo, esatto, perfetto, capito, ho capito, d'accordo, giusto, \
     già, chiaro",
    "sim, tá, tá bom, ta bom, tá bem, está bem, está bom, tudo bem, entendi, entendido, perfeito, \
     isso, isso mesmo, pois, pois é, beleza, com certeza, exato, exatamente, uhum, aham, ótimo",
];
/// Sounds that mean "go on" even as a question. "Hm?" and "huh?" do not: they mean "what?".
const SOUNDS: &str = "mm hmm, mm hm, mmhmm, mhm, mhmm, m hm, mm, mmm, uh huh, uhhuh, aha, uhum";
const LAUGHTER: &str =
    "ha, haha, hahaha, hahahaha, heh, hehe, hehehe, jaja, jajaja, jajajaja, hihi";
/// What transcriptions write in brackets or between asterisks for something that is no word.
const NOISES: &str = "cough, coughs, coughing, sneeze, sneezes, sneezing, sniff, sniffs, sigh, \
    sighs, breath, breathing, breathes, inhales, exhales, yawns, gasps, clears throat, \
    throat clearing, laugh, laughs, laughing, laughter, chuckle, chuckles, noise, \
    background noise, static, silence, pause, music, click, clicking, beep, inaudible, \
    unintelligible, indistinct, blank audio, no audio, no speech, tos, risas, ruido, toux, rires, \
    bruit, husten, lachen, geräusch, tosse, risate, rumore, risos, ruído";

/// Asks to wait.
const WAIT: Lists = [
    "one moment, 1 moment, one second, 1 second, one sec, 1 sec, one minute, 1 minute, a moment, \
     a second, a sec, a minute, moment, a few seconds, a few minutes, a couple of minutes, \
     a couple minutes, give me two minutes, give me two seconds, give me five minutes, hold, \
     hold on, hang on, hold the line, on hold, mind holding, bear with me, stay on the line, \
     don't hang up, be right back, be right with you, be right there, be with you in, be back in",
    "un momento, un momentito, momentito, un segundo, un segundito, un minuto, un minutito, \
     un ratito, espere, espera, espéreme, espérame, esperar, aguarde, permítame, no cuelgue, \
     no cuelgues, ahora vuelvo, ya vuelvo",
    "un instant, un petit instant, un moment, un petit moment, une seconde, une petite seconde, \
     une minute, une petite minute, deux secondes, deux minutes, ne quittez pas, ne quitte pas, \
     patientez, patienter, attendez, je reviens",
    "einen moment, ein moment, moment mal, einen augenblick, augenblick, eine sekunde, sekunde, \
     eine minute, warten sie, warte, bleiben sie dran, bleiben sie bitte dran, bleiben sie am apparat, momentchen, \
     bin gleich wieder da, bin gleich zurück",
    "un attimo, un attimino, attimo, un secondo, un minuto, un momento, aspetti, aspetta, \
     attenda, attendere, resti in linea, rimanga in linea, torno subito, arrivo subito",
    "um momento, um momentinho, momentinho, um segundo, um segundinho, um minuto, um minutinho, \
     um instante, um instantinho, espera aí, espere aí, peraí, pera aí, não desligue, já volto",
];
/// What the shop does meanwhile; any words may follow up to the next pause.
const MEANWHILE: Lists = [
    "let me check, let me just check, let me double check, let me see, let me just see, \
     let me ask, let me look, let me find, let me grab, let me pull, let me verify, let me talk, \
     let me speak, let me call, let me transfer, let me write, let me think, let me put you, \
     let me go, let me get a, let me get my, let me get the manager, let me get someone, \
     let me get somebody, lemme check, lemme see, lemme ask, i'll check, i'll ask, i'll go, \
     i'll see, i'll look, i'll find, i'll transfer, i'll get my, i'll get the manager, \
     i'll get someone, i'll get somebody, i will check, i will ask, i have to check, \
     i have to ask, i need to check, i need to ask, i gotta check, i'm going to check, \
     i'm gonna check, i'm checking, i'm looking, while i, while we, i have another call, \
     i have a customer, i'm with a customer, someone's at the, somebody's at the, \
     someone will be with you, your call is important, your call will be, all our, all of our",
    "déjeme ver, déjame ver, déjeme checar, déjeme preguntar, déjeme revisar, déjeme consultar, \
     deje que mire, deje que pregunte, voy a ver, voy a preguntar, voy a revisar, mientras",
    "je vérifie, je vais vérifier, je vais voir, je vais demander, je regarde, je demande, \
     laissez moi vérifier, laissez moi voir, laissez moi regarder, pendant que",
    "ich schaue, ich schau, ich frage, ich frag, ich gucke, ich guck, ich sehe mal, ich prüfe, \
     ich muss nachsehen, ich muss fragen, ich muss mal, lassen sie mich, während",
    "controllo, verifico, chiedo, guardo, fammi vedere, mi faccia vedere, mi faccia controllare, \
     vado a, mentre",
    "deixa eu ver, deixa eu verificar, deixa eu perguntar, deixe me ver, deixe me verificar, \
     vou verificar, vou ver, vou perguntar, vou checar, enquanto",
];
/// Said around it; asks nothing by itself.
const AROUND: Lists = [
    "okay, ok, sure, yeah, yes, yep, all right, alright, oh, ah, uh, um, hm, hmm, so, and, \
     please, thank you, thanks, sorry, i'm sorry, just, just wait, wait, give me, for, for me, \
     can you, could you, would you, will you, do you, can i, may i, put you, putting you, i'll, \
     i will, i'm, i'm going to, i'm gonna, we'll, i need, there, here, real quick, sir, ma'am",
    "sí, si, claro, vale, ok, por favor, gracias, perdón, perdone, disculpe, deme, déme, dame, \
     solo, sólo, y, a ver, puede, puedes, en línea, señor, señora",
    "oui, d'accord, s'il vous plaît, s'il te plaît, merci, juste, pardon, désolé, désolée, alors, \
     et, euh, donnez moi, pouvez vous, veuillez, tout de suite, monsieur, madame",
    "ja, bitte, danke, mal, kurz, nur, noch, entschuldigung, äh, ähm, und, klar, gut, \
     geben sie mir, ich, da, dran",
    "sì, certo, per favore, per cortesia, grazie, solo, scusi, mi scusi, mi dia, che, e, eh, \
     va bene, in linea, può, prego",
    "sim, tá, tá bom, por favor, obrigado, obrigada, só, desculpe, desculpa, me dá, me dê, que, \
     aí, na linha, pode",
];

/// Whether the listener only says "go on", or nothing that could be understood.
pub fn is_backchannel(words: &str) -> bool {
    if words.split_whitespace().count() > MAX_WORDS {
        return false;
    }
    let (said, noises) = apart(words);
    let mut lists = vec![SOUNDS];
    if !said.contains(['?', '¿']) {
        lists.push(LAUGHTER);
        lists.extend(GO_ON);
    }
    consists_of(&bare_words(&noises), &[NOISES]) && consists_of(&bare_words(&said), &lists)
}

/// Whether the shop asks for a moment and says nothing else that wants an answer.
pub fn asks_to_wait(words: &str) -> bool {
    let (said, _) = apart(words);
    let mut asked = false;
    for clause in said.split_inclusive([',', '.', ';', ':', '!', '?', '…']) {
        let words = bare_words(clause);
        let mut rest = words.as_slice();
        while !rest.is_empty() {
            if let Some(behind) = behind(rest, &WAIT) {
                (asked, rest) = (true, behind);
            } else if behind(rest, &MEANWHILE).is_some() {
                if clause.ends_with('?') {
                    return false;
                }
                (asked, rest) = (true, &[]);
            } else if let Some(behind) = behind(rest, &AROUND) {
                rest = behind;
            } else {
                return false;
            }
        }
    }
    // "Hold on, let me see that is $20.10" and "… we're out of that" tell something.
    let tells = || {
        Spoken::parse(&said).amounts().iter().any(|a| a.explicit)
            || answer::read(&said) == Answer::Objects { firmly: true }
    };
    asked && !tells()
}

/// Whether the words are phrases of these lists, one after another.
fn consists_of(words: &[String], lists: &[&str]) -> bool {
    let mut rest = words;
    while !rest.is_empty() {
        match behind(rest, lists) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

/// What follows the longest phrase of these lists at the beginning.
fn behind<'a>(words: &'a [String], lists: &[&str]) -> Option<&'a [String]> {
    let start = words.get(..MAX_PHRASE).unwrap_or(words).join(" ");
    let listed = lists.iter().flat_map(|list| list.split(','));
    let phrases = listed.map(|phrase| phrase.strip_prefix(' ').unwrap_or(phrase));
    let begins = |phrase: &&str| {
        let rest = start.strip_prefix(phrase);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let longest = phrases.filter(begins).max_by_key(|phrase| phrase.len())?;
    words.get(longest.split(' ').count()..)
}

fn bare_words(text: &str) -> Vec<String> {
    let mut words = spoken::split(text);
    words.retain(|word| word != spoken::PAUSE);
    words
}

/// What stands outside brackets and asterisks, and what stands inside.
fn apart(text: &str) -> (String, String) {
    let (mut outside, mut inside) = (String::new(), String::new());
    let mut closing = None;
    for c in text.chars() {
        let opens = match c {
            '(' => Some(')'),
            '[' => Some(']'),
            '<' => Some('>'),
            '*' => Some('*'),
            _ => None,
        };
        if closing == Some(c) {
            closing = None;
            inside.push(' ');
        } else if closing.is_some() {
            inside.push(c);
        } else if opens.is_some() {
            closing = opens;
            outside.push(' ');
        } else {
            outside.push(c);
        }
    }
    (outside, inside)
}

#[cfg(test)]
mod tests;
