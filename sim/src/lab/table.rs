//! The report: what was measured beside what must be.

/// Whether a bar was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// Not met, and the ONNX model does not meet it either on the same data.
    AsOnnx,
    Miss,
}

impl Verdict {
    pub(super) fn new(met: bool, as_onnx: bool) -> Self {
        match (met, as_onnx) {
            (true, _) => Self::Pass,
            (false, true) => Self::AsOnnx,
            (false, false) => Self::Miss,
        }
    }
}

/// Rows, in the order of measurement.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    name: String,
    measured: String,
    /// What must be and whether it is; nothing for rows that only inform.
    bar: Option<(String, Verdict)>,
}

impl Table {
    /// A row with a bar.
    pub(super) fn must(&mut self, name: &str, measured: String, bar: &str, verdict: Verdict) {
        self.push(name, measured, Some((bar.to_owned(), verdict)));
    }

    /// A row that only informs.
    pub(super) fn note(&mut self, name: &str, measured: String) {
        self.push(name, measured, None);
    }

    fn push(&mut self, name: &str, measured: String, bar: Option<(String, Verdict)>) {
        eprintln!("  {name}: {measured}");
        let name = name.to_owned();
        self.0.push(Row {
            name,
            measured,
            bar,
        });
    }

    /// Whether no bar was missed.
    pub(super) fn passed(&self) -> bool {
        self.0.iter().all(|row| {
            row.bar
                .as_ref()
                .is_none_or(|(_, verdict)| *verdict != Verdict::Miss)
        })
    }

    /// Prints the whole table.
    pub(super) fn print(&self) {
        let width = |of: fn(&Row) -> usize| self.0.iter().map(of).max().unwrap_or(0);
        let names = width(|row| row.name.chars().count());
        let values = width(|row| row.measured.chars().count());
        for Row {
            name,
            measured,
            bar,
        } in &self.0
        {
            let (bar, verdict) = match bar {
                Some((bar, Verdict::Pass)) => (bar.as_str(), "pass"),
                Some((bar, Verdict::AsOnnx)) => (bar.as_str(), "onnx"),
                Some((bar, Verdict::Miss)) => (bar.as_str(), "MISS"),
                None => ("", ""),
            };
            println!("{verdict:<4}  {name:<names$}  {measured:<values$}  {bar}");
        }
        let as_onnx = |row: &Row| matches!(row.bar, Some((_, Verdict::AsOnnx)));
        if self.0.iter().any(as_onnx) {
            println!(
                "onnx: the bar is missed, but not by more than the ONNX model on the same data"
            );
        }
    }
}
