//! G.711 μ-law at 8 kHz, the audio of both Twilio Media Streams and Realtime's `audio/pcmu`.
//!
//! The call passes μ-law through untouched; it is decoded only to listen (levels, recordings).
//! Encoding follows Python's `audioop` (convention A of `protocols.md` §3.1), which differs from
//! the other common table in 381 negative samples by one step.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "sample arithmetic: every value is bounded by the 16-bit range, and the tables are checked whole"
)]

/// Samples, and with μ-law bytes, per millisecond.
pub const BYTES_PER_MS: u64 = 8;

/// The μ-law byte for digital silence.
pub const SILENCE: u8 = 0xFF;

const CLIP: i32 = 8159;
const BIAS: i32 = 0x84;

/// Linear 16-bit value of each μ-law byte.
pub static DECODE: [i16; 256] = decode_table();

/// Square of each byte's linear value: the energy look-up of the audio path.
static ENERGY: [u32; 256] = energy_table();

/// Encodes one linear 16-bit sample.
pub const fn encode(sample: i16) -> u8 {
    let floor14 = (sample as i32) >> 2;
    let (magnitude, mask) = if floor14 < 0 {
        (-floor14, 0x7F)
    } else {
        (floor14, 0xFF)
    };
    let clipped = if magnitude > CLIP { CLIP } else { magnitude };
    let biased = clipped + (BIAS >> 2);
    // The segment is the position of the highest set bit above bit 5.
    let segment = 26 - biased.leading_zeros() as i32;
    let code = if segment >= 8 {
        0x7F
    } else {
        (segment << 4) | ((biased >> (segment + 1)) & 0x0F)
    };
    (code as u8) ^ mask
}

/// Decodes one μ-law byte to a linear 16-bit sample.
pub fn decode(byte: u8) -> i16 {
    DECODE.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Mean square of a frame in squared linear units; 0 for an empty frame.
pub fn mean_square(frame: &[u8]) -> u32 {
    let sum: u64 = frame
        .iter()
        .map(|&b| u64::from(ENERGY.get(usize::from(b)).copied().unwrap_or(0)))
        .sum();
    u32::try_from(sum / (frame.len().max(1) as u64)).unwrap_or(u32::MAX)
}

/// Level of a frame in dB relative to full scale (32768); −96 for silence.
pub fn dbfs(frame: &[u8]) -> f32 {
    let ms = mean_square(frame);
    if ms == 0 {
        -96.0
    } else {
        10.0 * (f64::from(ms) / (32768.0 * 32768.0)).log10() as f32
    }
}

const fn decode_byte(byte: u8) -> i16 {
    let u = !byte as i32;
    let magnitude = (((u & 0x0F) << 3) + BIAS) << ((u & 0x70) >> 4);
    (if u & 0x80 == 0 {
        magnitude - BIAS
    } else {
        BIAS - magnitude
    }) as i16
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler; the index stays below 256"
)]
const fn decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = decode_byte(i as u8);
        i += 1;
    }
    table
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler; the index stays below 256"
)]
const fn energy_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let v = decode_byte(i as u8) as i32;
        table[i] = (v * v) as u32;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn hex(bytes: &[u8]) -> String {
        Sha256::digest(bytes)
            .iter()
            .fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
    }

    #[test]
    fn every_encoded_sample_matches_the_reference_digest() {
        let all: Vec<u8> = (i16::MIN..=i16::MAX).map(encode).collect();
        assert_eq!(
            hex(&all),
            "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"
        );
    }

    #[test]
    fn the_decode_table_matches_the_reference_digest() {
        let all: Vec<u8> = (0..=255u8).flat_map(|b| decode(b).to_le_bytes()).collect();
        assert_eq!(
            hex(&all),
            "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
        );
    }

    #[test]
    fn bytes_survive_a_round_trip_except_negative_zero() {
        for b in 0..=255u8 {
            assert_eq!(encode(decode(b)), if b == 0x7F { 0xFF } else { b });
        }
    }

    #[test]
    fn golden_samples() {
        for (s, byte, linear) in [
            (0, 0xFF, 0),
            (-1, 0x7E, -8),
            (100, 0xF2, 104),
            (1000, 0xCE, 988),
            (-1000, 0x4E, -988),
            (8192, 0x9F, 8316),
            (32767, 0x80, 32124),
            (-32768, 0x00, -32124),
        ] {
            assert_eq!((encode(s), decode(byte)), (byte, linear), "sample {s}");
        }
    }

    #[test]
    fn levels_run_from_silence_to_full_scale() {
        assert_eq!(mean_square(&[]), 0);
        assert!(dbfs(&[SILENCE; 160]) <= -96.0);
        assert!((dbfs(&[0x80; 160]) - -0.17).abs() < 0.02);
    }
}
