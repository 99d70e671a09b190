//! When a total may be recorded: only for an order that was read back in words that were heard, and
//! only if the shop stated it.

use super::evidence::{self, Lines};
use super::money::Cents;
use super::request::OrderRequest;
use super::state::{OrderState, Totals};
use super::transcript::Transcript;

/// What one item can cost, in cents: a side dish, a pizza for a party; and what comes on top of all.
const ITEM: (u64, u64) = (100, 10_000);
const ON_TOP: u64 = 5_000;

impl OrderState {
    /// Whether the items can cost so much. What was misheard by a factor of ten cannot.
    fn is_plausible(&self, total: Cents) -> bool {
        let items: u64 = self.items.iter().map(|item| u64::from(item.quantity)).sum();
        let (least, most) = (items.saturating_mul(ITEM.0), items.saturating_mul(ITEM.1));
        (least..=most.saturating_add(ON_TOP)).contains(&total.0)
    }

    /// Saves the total, if everything it belongs to was read back in words that were heard.
    ///
    /// # Errors
    /// What is missing, for the model to read back.
    pub fn confirm_total(
        &mut self,
        totals: Totals,
        transcript: &Transcript,
        max_total: Option<Cents>,
        request: Option<&OrderRequest>,
    ) -> Result<(), Vec<String>> {
        let mut missing: Vec<String> = evidence::incomplete(self)
            .into_iter()
            .map(|m| m.describe().to_owned())
            .collect();
        let deviations = request.map_or_else(Vec::new, |wanted| wanted.deviations(self));
        missing.extend(
            deviations
                .into_iter()
                .map(|d| format!("{} {}: correct what is saved", d.pointer, d.detail)),
        );
        let heard = Lines::new(self, transcript);
        for field in heard
            .fields()
            .into_iter()
            .filter(|field| !field.was_heard())
        {
            // The parts of an item or an address are read back with the whole.
            if !missing.contains(&field.read_back) {
                missing.push(field.read_back);
            }
        }
        let total = heard.total(totals.total);
        if !total.is_enough() {
            missing.push(total.read_back);
        }
        if max_total.is_some_and(|max| totals.total > max) {
            missing.push(
                "agreement: the total is above what the customer allowed; do not accept it".into(),
            );
        }
        if !self.is_plausible(totals.total) {
            missing.push(
                "a total that fits what is ordered: ask the shop whether the amount is right"
                    .into(),
            );
        }
        if missing.is_empty() {
            // Many shops name the total only; a subtotal that nobody said is not recorded.
            let subtotal = totals
                .subtotal
                .filter(|amount| heard.subtotal(*amount, totals.total).is_enough());
            self.totals = Some(Totals { subtotal, ..totals });
            Ok(())
        } else {
            Err(missing)
        }
    }

    /// What was read back without a clear yes of the shop, for the model to ask for it.
    pub fn unanswered(&self, transcript: &Transcript) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        for field in Lines::new(self, transcript).fields() {
            if !field.is_enough() && !open.contains(&field.read_back) {
                open.push(field.read_back);
            }
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Item;
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
                None,
            )
            .unwrap_err();
        assert_eq!(missing.len(), 4, "{missing:?}");
        assert_eq!(order.totals, None);
    }

    #[test]
    fn a_total_must_fit_the_items() {
        let order = |quantity| OrderState {
            items: vec![Item {
                quantity,
                ..Item::default()
            }],
            ..OrderState::default()
        };
        assert!(order(1).is_plausible(Cents(2_010)));
        for (quantity, total) in [(1, 20), (1, 20_100), (30, 2_010)] {
            let mut order = order(quantity);
            assert!(!order.is_plausible(Cents(total)), "{quantity} for {total}");
            let totals = Totals {
                subtotal: None,
                total: Cents(total),
            };
            let missing = order.confirm_total(totals, &Transcript::default(), None, None);
            assert!(missing.unwrap_err().iter().any(|why| why.contains("fits")));
        }
    }
}
