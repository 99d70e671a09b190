//! The network's weights: one file of bytes with scales, unpacked once for the whole process.
//!
//! In the Worker the process is an isolate, and all its calls share the 0.8 MB. What they mean and
//! how they are laid out in the file: `scripts/extract-silero.py`.

use crate::lanes::Lanes;
use crate::layers::Layer;
use crate::spectrum::{BINS, Spectrum};
use std::array;
use std::sync::OnceLock;

static FILE: &[u8; 204_296] = include_bytes!("../weights.bin");

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
    /// The weights, unpacked by the first who asks (2 ms; 10 ms in a cold V8).
    pub fn get() -> &'static Self {
        static WEIGHTS: OnceLock<Weights> = OnceLock::new();
        WEIGHTS.get_or_init(|| Self::unpack(FILE))
    }

    fn unpack(file: &[u8]) -> Self {
        let mut reader = Reader(file);
        let conv1 = reader.matrix(128, 3 * BINS);
        let conv1_biases = reader.lanes(128);
        let conv2 = reader.matrix(64, 3 * 128);
        let conv2_biases = reader.lanes(64);
        let conv3 = reader.matrix(64, 2 * 64);
        let conv3_biases = reader.lanes(64);
        let conv4 = reader.matrix(128, 64);
        let conv4_biases = reader.lanes(128);
        let lstm = reader.matrix(512, 2 * 128);
        let lstm_biases = reader.lanes(512);
        let output = reader.matrix(1, 128);
        Self {
            spectrum: Spectrum::new(),
            conv1: Layer {
                weights: conv1.blocks().as_chunks().0.to_vec(),
                biases: conv1_biases,
            },
            conv2: Layer {
                weights: conv2.blocks().as_chunks().0.to_vec(),
                biases: conv2_biases,
            },
            conv3: Layer {
                weights: conv3.blocks(),
                biases: conv3_biases,
            },
            conv4: Layer {
                weights: conv4.blocks(),
                biases: conv4_biases,
            },
            lstm: Layer {
                weights: lstm.blocks(),
                biases: lstm_biases,
            },
            output: lanes(&output.values),
            output_bias: reader.floats(1).iter().sum(),
        }
    }
}

/// Weights of one output after the other.
struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// For every block of 4 · `N` outputs and every input: its weights to the block.
    fn blocks<const N: usize>(&self) -> Vec<[Lanes; N]> {
        let block = |outputs: &[f32], input: usize| {
            let mut weights = outputs.iter().skip(input).step_by(self.columns).copied();
            let mut next = || weights.next().unwrap_or(0.0);
            array::from_fn(|_| Lanes::new(array::from_fn(|_| next())))
        };
        self.values
            .chunks(4 * N * self.columns)
            .flat_map(|outputs| (0..self.columns).map(move |input| block(outputs, input)))
            .collect()
    }
}

/// What is left of the file. Past its end it reads nothing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn matrix(&mut self, rows: usize, columns: usize) -> Matrix {
        let bytes = self.take(rows * columns);
        let scales = self.floats(rows);
        let rows = bytes.chunks(columns).zip(scales);
        Matrix {
            values: rows
                .flat_map(|(row, scale)| {
                    row.iter().map(move |b| f32::from(b.cast_signed()) * scale)
                })
                .collect(),
            columns,
        }
    }

    fn lanes(&mut self, count: usize) -> Vec<Lanes> {
        lanes(&self.floats(count))
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        let (floats, _) = self.take(4 * count).as_chunks();
        floats.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }
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
        for length in [0, 1, 30_000, 204_295] {
            assert!(Weights::unpack(&FILE[..length]).output_bias.is_finite());
        }
    }
}
