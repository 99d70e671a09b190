//! How a shop agrees, and how it names a total.

use super::plan::{Means, Says, says};
use super::spoken::price;
use super::talk::Talk;

impl Talk<'_> {
    /// Agrees, and names the total.
    pub(super) fn affirms_with_total(&mut self) -> Says {
        let yes = self.yes();
        let (words, mut means) = self.total_said();
        means.insert(0, Means::Affirms);
        says(format!("{yes} {words}"), means)
    }

    pub(super) fn yes(&mut self) -> &'static str {
        self.pick(&[
            "Yes, that's right.",
            "Yep, correct.",
            "That's correct.",
            "Perfect.",
            "Exactly.",
            "Yes.",
            "Yeah, that's it.",
            "Right.",
            "Correct, yes.",
            "Sounds good.",
            "You got it.",
            "Okay, got it.",
            "All correct.",
            "Yes, I have all of that.",
            "Uh-huh, that's right.",
            "That is right, yes.",
            "Alright, got all of that.",
            "Sure, that's all correct.",
            "Absolutely.",
            "Yup, got that.",
        ])
    }

    /// The total as a shop says it.
    pub(super) fn total_said(&mut self) -> (String, Vec<Means>) {
        let (subtotal, total) = (self.order.subtotal, self.order.total);
        self.amounts_said(subtotal, total)
    }

    pub(super) fn amounts_said(&mut self, subtotal: u64, total: u64) -> (String, Vec<Means>) {
        let total_said = price(&mut self.random, total);
        if self.chance(40) {
            let sub = price(&mut self.random, subtotal);
            let words = match self.random.below(3) {
                0 => format!("Subtotal is {sub}, and your total is {total_said}."),
                1 => format!("The subtotal is {sub} and with tax the total comes to {total_said}."),
                _ => format!("That's a subtotal of {sub}, total {total_said}."),
            };
            return (words, vec![Means::Subtotal(subtotal), Means::Total(total)]);
        }
        let words = match self.random.below(7) {
            0 => format!("Your total is {total_said}."),
            1 => format!("That'll be {total_said}."),
            2 => format!("It comes to {total_said} with tax."),
            3 => format!("The total is {total_said}."),
            4 => format!("{total_said} altogether."),
            5 => format!("That's {total_said}, it'll be about forty minutes."),
            _ => format!("Total with everything is {total_said}."),
        };
        (words, vec![Means::Total(total)])
    }
}
