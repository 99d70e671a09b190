//! When a total may be recorded: only for an order that was read back in words that were heard, and
//! only if the shop stated it.

use super::evidence;
use super::money::Cents;
use super::state::{OrderState, Totals};
use super::transcript::Transcript;

impl OrderState {
    /// Saves the total, if everything it belongs to was read back in words that were heard.
    ///
    /// # Errors
    /// What is missing, for the model to read back.
    pub fn confirm_total(
        &mut self,
        totals: Totals,
        transcript: &Transcript,
        max_total: Option<Cents>,
    ) -> Result<(), Vec<String>> {
        let mut missing: Vec<String> = evidence::incomplete(self)
            .into_iter()
            .map(|m| m.describe().to_owned())
            .collect();
        let heard = evidence::read_back(self, transcript);
        missing.extend(
            heard
                .into_iter()
                .filter(|field| !field.was_heard())
                .map(|field| field.read_back),
        );
        let total = evidence::total(totals.total, transcript);
        if !total.is_enough() {
            missing.push(total.read_back);
        }
        if max_total.is_some_and(|max| totals.total > max) {
            missing.push(
                "agreement: the total is above what the customer allowed; do not accept it".into(),
            );
        }
        if missing.is_empty() {
            // Many shops name the total only; a subtotal that nobody said is not recorded.
            let subtotal = totals
                .subtotal
                .filter(|amount| evidence::subtotal(*amount, totals.total, transcript).is_enough());
            self.totals = Some(Totals { subtotal, ..totals });
            Ok(())
        } else {
            Err(missing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_without_a_heard_read_back_is_refused_with_what_is_missing() {
        let mut order = OrderState::default();
        let missing = order
            .confirm_total(
                Totals {
                    subtotal: Some(Cents(1)),
                    total: Cents(2),
                },
                &Transcript::default(),
                Some(Cents(1)),
            )
            .unwrap_err();
        assert_eq!(missing.len(), 4, "{missing:?}");
        assert_eq!(order.totals, None);
    }
}
