//! A waveform as the outline of its loudest samples, one column per pixel.

use orderline::audio::ulaw::{self, BYTES_PER_MS};
use std::fmt::Write as _;

/// What makes the loudest sample of both sides fill its band.
pub(super) fn gain(agent: &[u8], shop: &[u8]) -> f64 {
    let loudest = agent
        .iter()
        .chain(shop)
        .map(|&byte| ulaw::decode(byte).unsigned_abs())
        .max()
        .unwrap_or(0);
    1.0 / f64::from(loudest.max(2_000))
}

/// The path of `ms` of audio from `from_ms` on, around the height `middle`.
pub(super) fn path(
    audio: &[u8],
    (from_ms, ms): (u64, u64),
    (x, width): (f64, f64),
    (middle, reach): (f64, f64),
) -> String {
    let at = |ms: f64| ((ms * BYTES_PER_MS as f64) as usize).min(audio.len());
    let columns = width as usize;
    let step = ms as f64 / width;
    let levels: Vec<f64> = (0..columns)
        .map_while(|column| {
            let start = from_ms as f64 + column as f64 * step;
            let samples = audio
                .get(at(start)..at(start + step))
                .filter(|samples| !samples.is_empty())?;
            let loudest = samples
                .iter()
                .map(|&byte| ulaw::decode(byte).unsigned_abs())
                .max()
                .unwrap_or(0);
            Some(f64::from(loudest) * reach + 0.6)
        })
        .collect();
    if levels.is_empty() {
        return String::new();
    }
    let mut out = format!("M{x:.1} {middle:.1}");
    for (column, level) in levels.iter().enumerate() {
        let _ = write!(out, "L{:.1} {:.1}", x + column as f64, middle - level);
    }
    for (column, level) in levels.iter().enumerate().rev() {
        let _ = write!(out, "L{:.1} {:.1}", x + column as f64, middle + level);
    }
    out + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_ends_where_the_audio_ends() {
        let audio = vec![ulaw::encode(8_000); 800];
        let outline = path(&audio, (0, 200), (0.0, 100.0), (50.0, 0.001));
        assert!(
            outline.contains("L49.0 ") && !outline.contains("L50.0 "),
            "{outline}"
        );
        assert!(path(&audio, (200, 200), (0.0, 100.0), (50.0, 0.001)).is_empty());
    }
}
