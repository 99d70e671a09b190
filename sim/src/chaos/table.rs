//! The table at the end.

use super::Name;
use super::calls::Played;

/// Failures of a row that are told at length.
const TOLD: usize = 5;

/// One promise, and what came of it.
pub struct Row {
    pub name: Name,
    /// What was done, for people.
    pub what: String,
    pub good: usize,
    pub cases: usize,
    /// What else was measured.
    pub measured: String,
    /// Why the row misses although every case is good.
    pub misses: Option<String>,
}

impl Row {
    /// Of these calls; those that went wrong are told about.
    pub fn of(name: Name, what: &str, played: &[Played], log: &str) -> Self {
        let row = format!("{name:?}").to_lowercase();
        let bad = |(_, call): &(usize, &Played)| !call.wrong.is_empty();
        for (nth, (n, call)) in played.iter().enumerate().filter(bad).enumerate() {
            if nth < TOLD {
                call.report(&row, n, log);
            } else {
                println!("FAIL  {row}, case {n}: {}", call.wrong.join("; "));
            }
        }
        let good = played.iter().filter(|call| call.wrong.is_empty()).count();
        Self {
            name,
            what: what.to_owned(),
            good,
            cases: played.len(),
            measured: String::new(),
            misses: None,
        }
    }

    /// A row that could not be run.
    pub fn broken(name: Name, what: &str, error: &anyhow::Error) -> Self {
        Self {
            name,
            what: what.to_owned(),
            good: 0,
            cases: 0,
            measured: String::new(),
            misses: Some(format!("{error:#}")),
        }
    }

    /// Every case is good, there is one, and nothing else misses.
    pub fn holds(&self) -> bool {
        self.misses.is_none() && self.cases > 0 && self.good == self.cases
    }
}

/// The rows as text.
pub fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let word = if row.holds() { "ok  " } else { "MISS" };
        let share = format!("{}/{}", row.good, row.cases);
        text += &format!("{word}  {:<44} {share:>8}  {}\n", row.what, row.measured);
        if let Some(misses) = &row.misses {
            text += &format!("      {misses}\n");
        }
    }
    text
}

/// The value that `share` of the sorted values do not exceed.
pub fn percentile(sorted: &[u64], share: f64) -> Option<u64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(good: usize, cases: usize, misses: Option<&str>) -> Row {
        Row {
            name: Name::Model,
            what: "x".into(),
            good,
            cases,
            measured: String::new(),
            misses: misses.map(str::to_owned),
        }
    }

    #[test]
    fn a_row_holds_when_every_case_does() {
        assert!(row(2, 2, None).holds());
        assert!(!row(1, 2, None).holds());
        assert!(!row(0, 0, None).holds());
        assert!(!row(2, 2, Some("too slow")).holds());
    }

    #[test]
    fn the_95th_percentile_of_twenty_is_the_nineteenth() {
        let values: Vec<u64> = (1..=20).collect();
        assert_eq!(percentile(&values, 0.95), Some(19));
        assert_eq!(percentile(&[7], 0.95), Some(7));
        assert_eq!(percentile(&[], 0.95), None);
    }
}
