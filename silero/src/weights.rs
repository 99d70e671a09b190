//! The network's weights: one file, entropy-coded, unpacked once for the whole process.
//!
//! In the Worker the process is an isolate, and all its calls share the 0.8 MB. What they mean and
//! how they are laid out and coded in the file: `scripts/extract-silero.py`. The Worker's size is counted
//! gzipped, and gzip would make 20 kB more of the bare bytes: it finds repetitions where there are none.

use crate::lanes::Lanes;
use crate::layers::Layer;
use crate::spectrum::{BINS, Spectrum};
use std::array;
use std::sync::OnceLock;

static FILE: &[u8] = include_bytes!("../weights.bin");

/// What a scale and a bias count in.
const SCALE_UNIT: f32 = 1.0 / 65_536.0;
const BIAS_UNIT: f32 = 1.0 / 2_048.0;

/// Everything that does not change from step to step.
#[derive(Debug)]
pub struct Weights {
    pub(crate) spectrum: Spectrum,
    pub(crate) conv1: Layer<[[Lanes; 2]; 3]>,
    pub(crate) conv2: Layer<[[Lanes; 4]; 3]>,
    pub(crate) conv3: Layer<[Lanes; 8]>,
    pub(crate) conv4: Layer<[Lanes; 8]>,
    pub(crate) lstm: Layer<[Lanes; 8]>,
    pub(crate) output: Vec<Lanes>,
    pub(crate) output_bias: f32,
}

impl Weights {
    /// The weights, unpacked by the first who asks (3 ms; 10 ms in a cold V8).
    pub fn get() -> &'static Self {
        static WEIGHTS: OnceLock<Weights> = OnceLock::new();
        WEIGHTS.get_or_init(|| Self::unpack(FILE))
    }

    fn unpack(file: &[u8]) -> Self {
        let mut reader = Reader(file);
        let (conv1, conv1_biases) = reader.layer(128, 3 * BINS);
        let (conv2, conv2_biases) = reader.layer(64, 3 * 128);
        let (conv3, conv3_biases) = reader.layer(64, 2 * 64);
        let (conv4, conv4_biases) = reader.layer(128, 64);
        let (lstm, lstm_biases) = reader.layer(512, 2 * 128);
        let (output, output_bias) = reader.layer(1, 128);
        Self {
            spectrum: Spectrum::new(),
            conv1: Layer {
                weights: taps(&conv1.blocks(2)),
                biases: lanes(&conv1_biases),
            },
            conv2: Layer {
                weights: taps(&conv2.blocks(4)),
                biases: lanes(&conv2_biases),
            },
            conv3: Layer {
                weights: conv3.blocks(8).as_chunks().0.to_vec(),
                biases: lanes(&conv3_biases),
            },
            conv4: Layer {
                weights: conv4.blocks(8).as_chunks().0.to_vec(),
                biases: lanes(&conv4_biases),
            },
            lstm: Layer {
                weights: lstm.blocks(8).as_chunks().0.to_vec(),
                biases: lanes(&lstm_biases),
            },
            output: lanes(&output.values),
            output_bias: output_bias.iter().sum(),
        }
    }
}

/// Weights of one output after the other.
struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// For every block of 4 · `lanes` outputs and every input: its weights to the block.
    fn blocks(&self, lanes: usize) -> Vec<Lanes> {
        let mut blocks = Vec::with_capacity(self.values.len() / 4);
        for outputs in self.values.chunks(4 * lanes * self.columns) {
            for input in 0..self.columns {
                let mut weights = outputs.iter().skip(input).step_by(self.columns).copied();
                let mut next = || weights.next().unwrap_or(0.0);
                blocks.extend((0..lanes).map(|_| Lanes::new(array::from_fn(|_| next()))));
            }
        }
        blocks
    }
}

/// What is left of the file. Past its end it reads zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// A layer's weights and biases.
    fn layer(&mut self, rows: usize, columns: usize) -> (Matrix, Vec<f32>) {
        let scales = self.numbers(rows, |scale| f32::from(scale) * SCALE_UNIT);
        let biases = self.numbers(rows, |bias| f32::from(bias.cast_signed()) * BIAS_UNIT);
        let share = self.number().cast_signed();
        let slots = self.slots();
        let mut state = u32::from(self.number()) << 16 | u32::from(self.number());
        let mut values = Vec::with_capacity(rows * columns);
        for scale in scales {
            let mut before = [0; 3];
            for _ in 0..columns {
                let [first, second, third] = before;
                let weight = self.coded(&slots, &mut state) + ((share * first) >> 4);
                values.push(f32::from(weight) * scale);
                before = [second, third, weight];
            }
        }
        (Matrix { values, columns }, biases)
    }

    /// The next value of a range coder with fixed frequencies (rANS, <https://arxiv.org/abs/1311.2540>).
    fn coded(&mut self, slots: &[Slot], state: &mut u32) -> i16 {
        let Some(slot) = slots.get((*state % SLOTS) as usize) else {
            return 0;
        };
        *state = *state / SLOTS * u32::from(slot.frequency) + u32::from(slot.place);
        if *state < 1 << 16 {
            *state = *state << 16 | u32::from(self.number());
        }
        slot.value
    }

    /// A slot for every way in which a state can end.
    fn slots(&mut self) -> Vec<Slot> {
        let frequencies = self.numbers(256, |frequency| frequency);
        let mut slots = Vec::with_capacity(SLOTS as usize);
        for (value, frequency) in (-128..128).zip(frequencies) {
            slots.extend((0..frequency).map(|place| Slot {
                value,
                frequency,
                place,
            }));
        }
        slots
    }

    fn numbers<T>(&mut self, count: usize, number: impl Fn(u16) -> T) -> Vec<T> {
        (0..count).map(|_| number(self.number())).collect()
    }

    fn number(&mut self) -> u16 {
        let (number, rest) = self.0.split_first_chunk().unwrap_or((&[0; 2], &[]));
        self.0 = rest;
        u16::from_le_bytes(*number)
    }
}

/// Slots of all values of a layer: what their frequencies add up to.
const SLOTS: u32 = 4_096;

/// A value has as many slots as its frequency says, one after the other.
struct Slot {
    value: i16,
    frequency: u16,
    place: u16,
}

/// The three taps of every input together.
fn taps<const N: usize>(blocks: &[Lanes]) -> Vec<[[Lanes; N]; 3]> {
    blocks.as_chunks().0.as_chunks().0.to_vec()
}

fn lanes(values: &[f32]) -> Vec<Lanes> {
    values
        .as_chunks()
        .0
        .iter()
        .map(|four| Lanes::new(*four))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_fills_every_layer_and_ends_with_the_last() {
        let weights = Weights::get();
        let sizes = [
            (weights.conv1.weights.len(), weights.conv1.biases.len()),
            (weights.conv2.weights.len(), weights.conv2.biases.len()),
            (weights.conv3.weights.len(), weights.conv3.biases.len()),
            (weights.conv4.weights.len(), weights.conv4.biases.len()),
            (weights.lstm.weights.len(), weights.lstm.biases.len()),
        ];
        assert_eq!(
            sizes,
            [
                (16 * 65, 32),
                (4 * 128, 16),
                (2 * 128, 16),
                (4 * 64, 32),
                (16 * 256, 128)
            ]
        );
        assert_eq!(weights.output.len(), 32);
        // The file's last number is the bias of the model, but for what makes good the rounding.
        assert!((weights.output_bias - -0.590).abs() < 0.1);
    }

    #[test]
    fn a_file_cut_short_does_not_panic() {
        for length in [0, 1, 30_000, FILE.len() - 1] {
            assert!(Weights::unpack(&FILE[..length]).output_bias.is_finite());
        }
    }
}
