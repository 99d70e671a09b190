//! The evidence for the amounts: only the shop's own words.

use super::lines::Lines;
use super::{FieldEvidence, Proof, Quote};
use crate::order::answer::{self, Answer, TotalSaid};
use crate::order::do_not_call::asks_not_to_be_called;
use crate::order::money::Cents;
use crate::order::spoken::Spoken;
use crate::order::transcript::Turn;
use std::ops::Range;

impl Lines<'_> {
    /// The evidence for the total: the shop has to have said it, for the items as they are, and not
    /// taken it back.
    pub fn total(&self, amount: Cents) -> FieldEvidence {
        let mut said = (Proof::Unproven, None);
        for (turn, words, before) in self.shop(self.changed_at()) {
            let (what, at) = answer::find_total(words, amount);
            said = match what {
                TotalSaid::Same => (Proof::Proven, Some(quote(turn, words, at))),
                TotalSaid::Other if said.1.is_some() => {
                    (Proof::Contradicted, Some(quote(turn, words, at)))
                }
                TotalSaid::Other | TotalSaid::None => said,
            };
            // Whoever refuses something with the price, or behind it, has not closed the deal; to want
            // no more calls takes back no order.
            let refuses = answer::refuses(words) && !asks_not_to_be_called(turn.heard_text());
            let says_no = answer::find(words).0 == Answer::Objects { firmly: false };
            let open = what == TotalSaid::None
                && (answer::unsettles(words, amount)
                    || answer::demands(words)
                    || says_no && before.is_some_and(answer::asks_of_total));
            if said.0 == Proof::Proven && (refuses || open) {
                said.0 = Proof::Stated;
            }
        }
        field("total", said.0, said.1)
    }

    /// The evidence for the subtotal: the shop has to have said it. Where it named one amount only,
    /// that is both.
    pub fn subtotal(&self, amount: Cents, total: Cents) -> FieldEvidence {
        if amount == total {
            return FieldEvidence {
                pointer: "/order/totals/subtotal".into(),
                ..self.total(total)
            };
        }
        let said = self.shop(0).filter_map(|(turn, words, _)| {
            let mut amounts = words.amounts().into_iter();
            let stated = amounts.rfind(|a| a.cents == amount && words.is_plain(a))?;
            Some(quote(turn, words, stated.tokens()))
        });
        let said = said.last();
        let proof = match said {
            Some(_) => Proof::Proven,
            None => Proof::Unproven,
        };
        field("subtotal", proof, said)
    }
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
