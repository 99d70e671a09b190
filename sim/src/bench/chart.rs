//! The picture of a report: bars, one panel for each figure that has a bar to meet.

use super::report::Report;
use super::system::System;
use std::fmt::Write;

const PANELS: [(&str, &str, usize); 6] = [
    ("cpu_order", "CPU-ms per call-minute, an order", 0),
    ("cpu_both", "CPU-ms per call-minute, sound both ways", 0),
    ("in_p99", "added inbound, p99 ms", 1),
    ("clear_p50", "speech_started to clear, p50 ms", 2),
    (
        "error_queued_60",
        "truncation error, replies queued, 60 ms away, p95 ms",
        0,
    ),
    ("mib_per_call", "resident MiB per call", 2),
];
const COLUMNS: usize = 2;
const PANEL: (usize, usize) = (440, 56);
const ROW: usize = 22;
const LABEL: usize = 160;

/// The picture, as SVG.
pub fn draw(report: &Report) -> String {
    let systems: Vec<System> = report.systems().collect();
    let height = PANEL.1 + systems.len() * ROW;
    let rows = PANELS.len().div_ceil(COLUMNS);
    let (width, total) = (PANEL.0 * COLUMNS, rows * height + 16);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{total}\" viewBox=\"0 0 {width} {total}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{total}\" fill=\"#ffffff\"/>\n"
    );
    for (at, (name, title, digits)) in PANELS.into_iter().enumerate() {
        let (x, y) = ((at % COLUMNS) * PANEL.0 + 16, (at / COLUMNS) * height + 28);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" font-weight=\"bold\" fill=\"#222222\">{title}</text>"
        );
        let value = |system: System| report.median(system, name);
        let most = systems
            .iter()
            .filter_map(|&system| value(system))
            .fold(0.0, f64::max);
        for (row, &system) in systems.iter().enumerate() {
            let y = y + 10 + row * ROW;
            let colour = if system == System::Orderline {
                "#1b6ca8"
            } else {
                "#b8c4ce"
            };
            let share =
                value(system).map_or(0.0, |value| if most > 0.0 { value / most } else { 0.0 });
            // Room for the number behind the longest.
            let length = share * (PANEL.0 - LABEL - 80) as f64;
            let number = value(system).map_or("-".to_owned(), |value| format!("{value:.digits$}"));
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"{}\" fill=\"#444444\">{}</text>\
                 <rect x=\"{}\" y=\"{y}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{}\" fill=\"#222222\">{number}</text>",
                y + 11,
                system.name(),
                x + LABEL,
                (x + LABEL) as f64 + length + 6.0,
                y + 11,
            );
        }
    }
    svg + "</svg>\n"
}
