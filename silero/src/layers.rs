//! The matrix products, in blocks of outputs whose sums stay in registers.
//!
//! Frames are steps in time. Where a vector has more than one of them, its lanes are the frames of
//! one channel, otherwise the channels of one frame.

use crate::lanes::Lanes;

/// A matrix and the biases of its outputs. `weights` holds, for every block of outputs, one item
/// per input: the weights from this input (at each tap of a convolution) to the block.
#[derive(Debug)]
pub(crate) struct Layer<W> {
    pub(crate) weights: Vec<W>,
    pub(crate) biases: Vec<Lanes>,
}

impl Layer<[[Lanes; 2]; 3]> {
    /// Three taps over four frames, with a frame of zeros at both ends; rectified.
    pub(crate) fn to_four_frames<const IN: usize>(&self, inputs: &[Lanes; IN]) -> [Lanes; 128] {
        let mut outputs = [Lanes::ZERO; 128];
        let blocks = self
            .weights
            .chunks_exact(IN.max(1))
            .zip(self.biases.as_chunks().0);
        for ((weights, biases), outputs) in blocks.zip(outputs.as_chunks_mut::<8>().0) {
            let [mut sum0, mut sum1, mut sum2, mut sum3] = [*biases; 4];
            for (input, [before, at, after]) in inputs.iter().zip(weights) {
                let [in0, in1, in2, in3] = input.spread();
                add_products(&mut sum0, in0, at);
                add_products(&mut sum0, in1, after);
                add_products(&mut sum1, in0, before);
                add_products(&mut sum1, in1, at);
                add_products(&mut sum1, in2, after);
                add_products(&mut sum2, in1, before);
                add_products(&mut sum2, in2, at);
                add_products(&mut sum2, in3, after);
                add_products(&mut sum3, in2, before);
                add_products(&mut sum3, in3, at);
            }
            let frames = sum0.into_iter().zip(sum1).zip(sum2).zip(sum3);
            for (outputs, (((a, b), c), d)) in outputs.as_chunks_mut::<4>().0.iter_mut().zip(frames)
            {
                *outputs = Lanes::transpose([a, b, c, d].map(Lanes::relu));
            }
        }
        outputs
    }
}

impl Layer<[[Lanes; 4]; 3]> {
    /// Three taps over four frames with a frame of zeros in front, every other frame; rectified.
    pub(crate) fn to_two_frames(&self, inputs: &[Lanes; 128]) -> [[Lanes; 16]; 2] {
        let mut outputs = [[Lanes::ZERO; 16]; 2];
        let [first, second] = outputs.each_mut().map(|frame| frame.as_chunks_mut::<4>().0);
        let outputs_of_blocks = first.iter_mut().zip(second);
        let blocks = self
            .weights
            .chunks_exact(inputs.len())
            .zip(self.biases.as_chunks().0);
        for ((weights, biases), (first, second)) in blocks.zip(outputs_of_blocks) {
            let [mut sum0, mut sum1] = [*biases; 2];
            for (input, [before, at, after]) in inputs.iter().zip(weights) {
                let [in0, in1, in2, in3] = input.spread();
                add_products(&mut sum0, in0, at);
                add_products(&mut sum0, in1, after);
                add_products(&mut sum1, in1, before);
                add_products(&mut sum1, in2, at);
                add_products(&mut sum1, in3, after);
            }
            (*first, *second) = (sum0.map(Lanes::relu), sum1.map(Lanes::relu));
        }
        outputs
    }
}

impl Layer<[Lanes; 8]> {
    /// What is left of a convolution when its output is one frame; rectified.
    pub(crate) fn to_one_frame<const OUT: usize>(&self, inputs: &[Lanes]) -> [Lanes; OUT] {
        let mut outputs = [Lanes::ZERO; OUT];
        self.multiply(inputs, &mut outputs);
        outputs.map(Lanes::relu)
    }

    /// The matrix times the inputs, plus the biases.
    pub(crate) fn multiply(&self, inputs: &[Lanes], outputs: &mut [Lanes]) {
        let (weights, _) = self.weights.as_chunks::<4>();
        let blocks = weights
            .chunks_exact(inputs.len().max(1))
            .zip(self.biases.as_chunks().0);
        for ((weights, biases), outputs) in blocks.zip(outputs.as_chunks_mut().0) {
            let mut sums = *biases;
            for (four, weights) in inputs.iter().zip(weights) {
                for (input, weights) in four.spread().into_iter().zip(weights) {
                    add_products(&mut sums, input, weights);
                }
            }
            *outputs = sums;
        }
    }
}

#[inline]
fn add_products<const N: usize>(sums: &mut [Lanes; N], input: Lanes, weights: &[Lanes; N]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = sum.add_product(input, *weight);
    }
}
