//! The evidence for the amounts: only the shop's own words.

use super::lines::counts;
use super::{FieldEvidence, Proof, Quote};
use crate::order::answer::{self, TotalSaid};
use crate::order::money::Cents;
use crate::order::spoken::Spoken;
use crate::order::transcript::{Transcript, Turn};
use std::ops::Range;

/// The evidence for the total: the shop has to have said it, and not taken it back.
pub fn total(amount: Cents, transcript: &Transcript) -> FieldEvidence {
    let mut said = (Proof::Unproven, None);
    for (turn, words) in shop(transcript) {
        let (what, at) = answer::find_total(&words, amount);
        said = match what {
            TotalSaid::Same => (Proof::Proven, Some(quote(turn, &words, at))),
            TotalSaid::Other if said.1.is_some() => {
                (Proof::Contradicted, Some(quote(turn, &words, at)))
            }
            TotalSaid::Other | TotalSaid::None => said,
        };
    }
    field("total", said.0, said.1)
}

/// The evidence for the subtotal: the shop has to have said it. Where it named one amount only,
/// that is both.
pub fn subtotal(amount: Cents, total_amount: Cents, transcript: &Transcript) -> FieldEvidence {
    if amount == total_amount {
        return FieldEvidence {
            pointer: "/order/totals/subtotal".into(),
            ..total(total_amount, transcript)
        };
    }
    let said = shop(transcript).filter_map(|(turn, words)| {
        let mut amounts = words.amounts().into_iter();
        let stated = amounts.rfind(|a| a.cents == amount && words.is_plain(a))?;
        Some(quote(turn, &words, stated.tokens()))
    });
    let said = said.last();
    let proof = match said {
        Some(_) => Proof::Proven,
        None => Proof::Unproven,
    };
    field("subtotal", proof, said)
}

fn shop(transcript: &Transcript) -> impl Iterator<Item = (&Turn, Spoken)> {
    transcript
        .shop_turns()
        .map(|turn| (turn, Spoken::parse(turn.heard_text())))
        .filter(|(turn, words)| counts(turn, words))
}

fn quote(turn: &Turn, words: &Spoken, tokens: Range<usize>) -> Quote {
    Quote {
        turn: turn.id.clone(),
        words: words.place(tokens),
    }
}

fn field(name: &str, proof: Proof, said: Option<Quote>) -> FieldEvidence {
    FieldEvidence {
        pointer: format!("/order/totals/{name}"),
        proof,
        needed: Proof::Proven,
        said,
        answered: None,
        read_back: "the total with taxes and fees, by asking the shop for it".into(),
    }
}
