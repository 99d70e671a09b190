//! The network's weights: one file, entropy-coded, unpacked once for the whole process.
//!
//! In the Worker the process is an isolate, and all its calls share the 0.2 MB. What they mean and
//! how they are laid out and coded in the file: `scripts/extract-silero.py`. The Worker's size is counted
//! gzipped, and gzip would make 20 kB more of the bare bytes: it finds repetitions where there are none.

use crate::lanes::{Lanes, SmallPairs};
use crate::layers::{Layer, OF_FOUR, OF_ONE, OF_TWO};
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
    pub(crate) conv1: Layer,
    pub(crate) conv2: Layer,
    pub(crate) conv3: Layer,
    pub(crate) conv4: Layer,
    pub(crate) lstm: Layer,
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
        let conv1 = reader.matrix(128, 3 * BINS);
        let conv2 = reader.matrix(64, 3 * 128);
        let conv3 = reader.matrix(64, 2 * 64);
        let conv4 = reader.matrix(128, 64);
        let lstm = reader.matrix(512, 2 * 128);
        let output = reader.matrix(1, 128);
        let output_scale: f32 = output.scales.iter().sum();
        let output_weights: Vec<f32> = output
            .values
            .iter()
            .map(|weight| f32::from(*weight) * output_scale)
            .collect();
        Self {
            spectrum: Spectrum::new(),
            conv1: conv1.layer(OF_FOUR, TAPS),
            conv2: conv2.layer(OF_TWO, TAPS),
            conv3: conv3.layer(OF_ONE, LANES),
            conv4: conv4.layer(OF_ONE, LANES),
            lstm: lstm.layer(OF_ONE, LANES),
            output: lanes(&output_weights),
            output_bias: output.biases.iter().sum(),
        }
    }
}

/// How many columns lie between the two of a pair: where the lanes of inputs are frames, the taps of
/// one channel, otherwise the channels that share a vector.
const TAPS: usize = 3;
const LANES: usize = 4;

/// Weights of one output after the other, in units of its scale.
struct Matrix {
    values: Vec<i8>,
    columns: usize,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

impl Matrix {
    /// In blocks of 4 · `vectors` outputs.
    fn layer(&self, vectors: usize, apart: usize) -> Layer {
        let mut weights = Vec::with_capacity(self.values.len() / 8);
        let rows: Vec<&[i8]> = self.values.chunks(self.columns).collect();
        for rows in rows.chunks(4 * vectors) {
            let groups = (0..self.columns).step_by(2 * apart);
            for first in groups.flat_map(|group| group..group + apart) {
                weights.extend(rows.chunks(4).map(|rows| {
                    SmallPairs::new(array::from_fn(|output| {
                        let row = rows.get(output).copied().unwrap_or_default();
                        [first, first + apart].map(|input| row.get(input).copied().unwrap_or(0))
                    }))
                }));
            }
        }
        Layer {
            weights,
            scales: lanes(&self.scales),
            biases: lanes(&self.biases),
        }
    }
}

/// What is left of the file. Past its end it reads zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// A layer's weights and biases.
    fn matrix(&mut self, rows: usize, columns: usize) -> Matrix {
        let scales = self.numbers(rows, |scale| f32::from(scale) * SCALE_UNIT);
        let biases = self.numbers(rows, |bias| f32::from(bias.cast_signed()) * BIAS_UNIT);
        let share = self.number().cast_signed();
        let slots = self.slots();
        let mut state = u32::from(self.number()) << 16 | u32::from(self.number());
        let mut values = Vec::with_capacity(rows * columns);
        for _ in 0..rows {
            let mut before = [0; 3];
            for _ in 0..columns {
                let [first, second, third] = before;
                let weight = self.coded(&slots, &mut state) + ((share * first) >> 4);
                // All of the network's are that small.
                values.push(weight.to_le_bytes()[0].cast_signed());
                before = [second, third, weight];
            }
        }
        Matrix {
            values,
            columns,
            scales,
            biases,
        }
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
                (16 * 33 * 3 * OF_FOUR, 32),
                (4 * 64 * 3 * OF_TWO, 16),
                (2 * 64 * OF_ONE, 16),
                (4 * 32 * OF_ONE, 32),
                (16 * 128 * OF_ONE, 128)
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
