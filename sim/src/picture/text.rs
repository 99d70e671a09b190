//! Measuring, wrapping and escaping text for the picture, whose font is known.

/// The family of both fonts (`sim/assets`).
pub(super) const FAMILY: &str = "DejaVu Sans Condensed";

/// A font file and the advances of its printable ASCII characters, in hundredths of the size.
pub(super) struct Font {
    pub(super) data: &'static [u8],
    advances: [u8; 95],
}

/// Other characters are taken to be this wide.
const WIDE: u8 = 60;

pub(super) static REGULAR: Font = Font {
    data: include_bytes!("../../assets/DejaVuSansCondensed.ttf"),
    advances: [
        29, 36, 41, 75, 57, 85, 70, 25, 35, 35, 45, 75, 29, 32, 29, 30, 57, 57, 57, 57, 57, 57, 57,
        57, 57, 57, 30, 30, 75, 75, 75, 48, 90, 62, 62, 63, 69, 57, 52, 70, 68, 27, 27, 59, 50, 78,
        67, 71, 54, 71, 62, 57, 55, 66, 62, 89, 62, 55, 62, 35, 30, 35, 75, 45, 45, 55, 57, 49, 57,
        55, 32, 57, 57, 25, 25, 52, 25, 88, 57, 55, 57, 57, 37, 47, 35, 57, 53, 74, 53, 53, 47, 57,
        30, 57, 75,
    ],
};

pub(super) static BOLD: Font = Font {
    data: include_bytes!("../../assets/DejaVuSansCondensed-Bold.ttf"),
    advances: [
        31, 41, 47, 75, 63, 90, 78, 28, 41, 41, 47, 75, 34, 37, 34, 33, 63, 63, 63, 63, 63, 63, 63,
        63, 63, 63, 36, 36, 75, 75, 75, 52, 90, 70, 69, 66, 75, 61, 61, 74, 75, 33, 33, 70, 57, 90,
        75, 76, 66, 76, 69, 65, 61, 73, 70, 99, 69, 65, 65, 41, 33, 41, 75, 45, 45, 61, 64, 53, 64,
        61, 39, 64, 64, 31, 31, 60, 31, 94, 64, 62, 64, 64, 44, 54, 43, 64, 59, 83, 58, 59, 52, 64,
        33, 64, 75,
    ],
};

impl Font {
    /// Width of a text in pixels.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        let advance = |c: char| {
            (c as usize)
                .checked_sub(32)
                .and_then(|i| self.advances.get(i))
                .copied()
                .unwrap_or(WIDE)
        };
        text.chars().map(|c| f64::from(advance(c))).sum::<f64>() * size / 100.0
    }
}

/// The text in lines that fit; what does not fit into so many lines ends in an ellipsis.
pub(super) fn wrapped(text: &str, font: &Font, size: f64, width: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.peek() {
        let longer = if line.is_empty() {
            (*word).to_owned()
        } else {
            format!("{line} {word}")
        };
        if font.width(&longer, size) <= width || (line.is_empty() && out.len() + 1 < lines) {
            line = longer;
            words.next();
        } else if out.len() + 1 < lines {
            out.push(std::mem::take(&mut line));
        } else {
            let rest = words.collect::<Vec<_>>().join(" ");
            line = fitted(&format!("{line} {rest}"), font, size, width);
            break;
        }
    }
    if !line.trim().is_empty() {
        out.push(line.trim().to_owned());
    }
    out
}

/// The text, cut with an ellipsis where it is too wide; nothing when not even that fits.
pub(super) fn fitted(text: &str, font: &Font, size: f64, width: f64) -> String {
    let text = text.trim();
    if font.width(text, size) <= width {
        return text.to_owned();
    }
    let mut cut = text.to_owned();
    while cut.pop().is_some() {
        let candidate = format!("{}…", cut.trim_end_matches([' ', ',']));
        if font.width(&candidate, size) <= width {
            return candidate;
        }
    }
    String::new()
}

/// The text as XML character data.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_at_words_and_ends_in_an_ellipsis() {
        let lines = wrapped("one two three four five six seven", &REGULAR, 10.0, 45.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(
            lines.iter().all(|line| REGULAR.width(line, 10.0) <= 45.0),
            "{lines:?}"
        );
        assert!(lines.last().unwrap().ends_with('…'));
        assert_eq!(wrapped("one two", &REGULAR, 10.0, 200.0, 2), ["one two"]);
    }

    #[test]
    fn nothing_is_drawn_where_nothing_fits() {
        assert!(wrapped("word", &REGULAR, 10.0, 3.0, 1).is_empty());
    }
}
