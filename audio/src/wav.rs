//! WAV files for tools and recordings: 16-bit PCM or μ-law, any rate, mono or stereo.
//!
//! Reading yields interleaved linear samples; `to_mono` and `resample` bring them to the
//! telephone's 8 kHz. Writing makes 16-bit PCM. Other encodings are refused by name.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample arithmetic on lengths and values that a file bounds"
)]

use super::ulaw;

/// A decoded WAV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wav {
    /// Samples per second and channel.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u16,
    /// Linear samples, interleaved by channel.
    pub samples: Vec<i16>,
}

/// Why a WAV file cannot be used; all are the file's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF/WAVE header.
    #[error("not a WAV file: it does not start with a RIFF/WAVE header")]
    NotWav,
    /// The file ends inside a chunk header, or lacks a chunk.
    #[error("the WAV file has no usable `{0}` chunk")]
    MissingChunk(&'static str),
    /// Something other than 16-bit PCM or 8-bit μ-law.
    #[error("unsupported WAV encoding: format {format} with {bits} bits; use 16-bit PCM or μ-law")]
    Encoding {
        /// The `wFormatTag` of the header.
        format: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// Neither mono nor stereo, or an impossible rate.
    #[error("unsupported WAV layout: {channels} channels at {rate} Hz")]
    Layout {
        /// Channels in the header.
        channels: u16,
        /// Rate in the header.
        rate: u32,
    },
}

const PCM: u16 = 1;
const MULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;

impl Wav {
    /// Parses a WAV file.
    ///
    /// # Errors
    /// [`WavError`] when the file is no WAV or holds another encoding than 16-bit PCM or μ-law.
    pub fn parse(bytes: &[u8]) -> Result<Self, WavError> {
        if bytes.get(0..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(WavError::NotWav);
        }
        let fmt = chunk(bytes, *b"fmt ").ok_or(WavError::MissingChunk("fmt "))?;
        let field = |at: usize| {
            fmt.get(at..at + 2)
                .and_then(|b| b.try_into().ok())
                .map(u16::from_le_bytes)
        };
        let missing = WavError::MissingChunk("fmt ");
        let (Some(tag), Some(channels), Some(bits)) = (field(0), field(2), field(14)) else {
            return Err(missing);
        };
        let rate = fmt
            .get(4..8)
            .and_then(|b| b.try_into().ok())
            .map(u32::from_le_bytes)
            .ok_or(missing)?;
        // WAVE_FORMAT_EXTENSIBLE keeps the real tag in the first bytes of the sub-format GUID.
        let format = if tag == EXTENSIBLE {
            field(24).unwrap_or(tag)
        } else {
            tag
        };
        if !(1..=2).contains(&channels) || !(1_000..=384_000).contains(&rate) {
            return Err(WavError::Layout { channels, rate });
        }
        let data = chunk(bytes, *b"data").ok_or(WavError::MissingChunk("data"))?;
        let samples = match (format, bits) {
            (PCM, 16) => data
                .as_chunks()
                .0
                .iter()
                .map(|b| i16::from_le_bytes(*b))
                .collect(),
            (MULAW, 8) => data.iter().map(|&b| ulaw::decode(b)).collect(),
            _ => return Err(WavError::Encoding { format, bits }),
        };
        Ok(Self {
            rate,
            channels,
            samples,
        })
    }

    /// The file as 16-bit PCM bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let data_len = u32::try_from(self.samples.len().saturating_mul(2)).unwrap_or(u32::MAX);
        let block = self.channels.saturating_mul(2);
        let mut out = Vec::with_capacity(44 + self.samples.len() * 2);
        out.extend_from_slice(b"RIFF");
        out.extend_from_slice(&data_len.saturating_add(36).to_le_bytes());
        out.extend_from_slice(b"WAVEfmt ");
        out.extend_from_slice(&16u32.to_le_bytes());
        out.extend_from_slice(&PCM.to_le_bytes());
        out.extend_from_slice(&self.channels.to_le_bytes());
        out.extend_from_slice(&self.rate.to_le_bytes());
        out.extend_from_slice(&self.rate.saturating_mul(u32::from(block)).to_le_bytes());
        out.extend_from_slice(&block.to_le_bytes());
        out.extend_from_slice(&16u16.to_le_bytes());
        out.extend_from_slice(b"data");
        out.extend_from_slice(&data_len.to_le_bytes());
        out.extend(self.samples.iter().flat_map(|s| s.to_le_bytes()));
        out
    }

    /// Two telephone channels side by side at 8 kHz; the shorter one is padded with silence.
    pub fn stereo_from_ulaw(left: &[u8], right: &[u8]) -> Self {
        let at =
            |side: &[u8], i: usize| ulaw::decode(side.get(i).copied().unwrap_or(ulaw::SILENCE));
        let samples = (0..left.len().max(right.len()))
            .flat_map(|i| [at(left, i), at(right, i)])
            .collect();
        Self {
            rate: 8000,
            channels: 2,
            samples,
        }
    }

    /// The file as one telephone channel: mixed to mono, resampled to 8 kHz, encoded as μ-law.
    pub fn to_ulaw(&self) -> Vec<u8> {
        resample(&self.to_mono(), self.rate, 8000)
            .into_iter()
            .map(ulaw::encode)
            .collect()
    }

    fn to_mono(&self) -> Vec<i16> {
        if self.channels == 1 {
            return self.samples.clone();
        }
        let (frames, _) = self.samples.as_chunks();
        frames
            .iter()
            .map(|[left, right]| i16::midpoint(*left, *right))
            .collect()
    }
}

/// The first chunk with this id; its length is bounded by the file.
fn chunk(bytes: &[u8], id: [u8; 4]) -> Option<&[u8]> {
    let mut at = 12usize;
    while let Some(header) = bytes.get(at..at.checked_add(8)?) {
        let len = u32::from_le_bytes(header.get(4..8)?.try_into().ok()?) as usize;
        let start = at + 8;
        if header.get(0..4) == Some(&id[..]) {
            return bytes.get(start..start.saturating_add(len).min(bytes.len()));
        }
        // Chunks are padded to even lengths.
        at = start.checked_add(len)?.checked_add(len % 2)?;
    }
    None
}

/// Windowed-sinc resampling; the cut-off lies below the lower of the two Nyquist frequencies.
fn resample(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    const HALF_TAPS: f64 = 16.0;
    if from == to {
        return samples.to_vec();
    }
    let step = f64::from(from) / f64::from(to);
    let stretch = step.max(1.0);
    let half = (HALF_TAPS * stretch).ceil() as i64;
    let len = (samples.len() as f64 / step).floor() as usize;
    (0..len)
        .map(|i| {
            let centre = i as f64 * step;
            let middle = centre.floor() as i64;
            let (mut sum, mut weight) = (0.0, 0.0);
            for k in (middle - half + 1)..=(middle + half) {
                let x = (centre - k as f64) / stretch;
                let w = sinc(x) * (0.5 + 0.5 * (std::f64::consts::PI * x / HALF_TAPS).cos());
                let sample = usize::try_from(k)
                    .ok()
                    .and_then(|k| samples.get(k))
                    .copied()
                    .unwrap_or(0);
                sum += w * f64::from(sample);
                weight += w;
            }
            (sum / weight).round().clamp(-32768.0, 32767.0) as i16
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    let px = std::f64::consts::PI * x;
    if px.abs() < 1e-9 { 1.0 } else { px.sin() / px }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tone(rate: u32, hz: f64, ms: u32) -> Vec<i16> {
        let step = std::f64::consts::TAU * hz / f64::from(rate);
        (0..rate * ms / 1000)
            .map(|i| (8000.0 * (step * f64::from(i)).sin()) as i16)
            .collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let wav = Wav {
            rate: 44_100,
            channels: 2,
            samples: vec![0, 1, -1, i16::MAX, i16::MIN, 7],
        };
        assert_eq!(Wav::parse(&wav.to_bytes()), Ok(wav));
    }

    #[test]
    fn mulaw_files_and_extra_chunks_are_read() {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x12\0\0\0\x07\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0\0\0".to_vec();
        file.extend(b"data\x02\0\0\0\xff\x80");
        assert_eq!(Wav::parse(&file).map(|w| w.samples), Ok(vec![0, 32_124]));
    }

    #[test]
    fn other_files_are_refused_by_name() {
        assert_eq!(Wav::parse(b"ID3"), Err(WavError::NotWav));
        assert_eq!(
            Wav::parse(b"RIFF\0\0\0\0WAVE"),
            Err(WavError::MissingChunk("fmt "))
        );
        let mut float = Wav {
            rate: 8000,
            channels: 1,
            samples: vec![0],
        }
        .to_bytes();
        float[20] = 3;
        assert_eq!(
            Wav::parse(&float),
            Err(WavError::Encoding {
                format: 3,
                bits: 16
            })
        );
        let mut surround = Wav {
            rate: 8000,
            channels: 1,
            samples: vec![0],
        }
        .to_bytes();
        surround[22] = 6;
        assert_eq!(
            Wav::parse(&surround),
            Err(WavError::Layout {
                channels: 6,
                rate: 8000
            })
        );
    }

    #[test]
    fn resampling_keeps_a_tone_and_drops_what_the_telephone_cannot_carry() {
        let level = |ulaw: &[u8]| super::super::ulaw::dbfs(&ulaw[400..ulaw.len() - 400]);
        let at = |rate, hz| {
            Wav {
                rate,
                channels: 1,
                samples: tone(rate, hz, 500),
            }
            .to_ulaw()
        };
        for rate in [8_000, 11_025, 16_000, 44_100, 48_000] {
            assert!((level(&at(rate, 1_000.0)) - -15.3).abs() < 0.5, "{rate}");
        }
        assert!(level(&at(48_000, 9_000.0)) < -50.0);
        assert_eq!(at(16_000, 440.0).len(), 4_000);
    }

    #[test]
    fn two_telephone_channels_stand_side_by_side() {
        let wav = Wav::stereo_from_ulaw(&[0x80], &[0xFF, 0x00]);
        assert_eq!(
            (wav.rate, wav.channels, wav.samples),
            (8000, 2, vec![32_124, 0, 0, -32_124])
        );
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Wav::parse(&bytes);
            let mut named = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
            named.extend(&bytes);
            if let Ok(wav) = Wav::parse(&named) {
                let _ = wav.to_ulaw();
            }
        }
    }
}
