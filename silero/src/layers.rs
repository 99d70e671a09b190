//! The matrix products, in blocks of outputs whose sums stay in registers.
//!
//! Weights are whole numbers of their output's scale, so the inputs become whole numbers too, of a
//! step that makes the largest of them 15 bits long: two products and their sum are one instruction.
//!
//! Frames are steps in time. Where a vector has more than one of them, its lanes are the frames of
//! one channel, otherwise the channels of one frame.

use crate::lanes::{Lanes, Pairs, SmallPairs, Sums};

/// A matrix, and the scales and biases of its outputs. `weights` holds, for every block of outputs
/// and every pair of inputs, the weights from both (at each tap of a convolution) to the block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) weights: Vec<SmallPairs>,
    pub(crate) scales: Vec<Lanes>,
    pub(crate) biases: Vec<Lanes>,
}

/// Vectors of outputs whose sums the registers hold: of each of four frames, of two, of one.
pub(crate) const OF_FOUR: usize = 2;
pub(crate) const OF_TWO: usize = 4;
pub(crate) const OF_ONE: usize = 8;

impl Layer {
    /// Three taps over four frames, with a frame of zeros at both ends; rectified.
    pub(crate) fn to_four_frames(&self, inputs: &Whole) -> [Lanes; 128] {
        let mut outputs = [Lanes::ZERO; 128];
        let blocks = self.blocks();
        for ((weights, end), outputs) in blocks.zip(outputs.as_chunks_mut::<8>().0) {
            let [mut sum0, mut sum1, mut sum2, mut sum3] = [[Sums::ZERO; OF_FOUR]; 4];
            for (input, taps) in inputs.pairs.iter().zip(weights.as_chunks().0) {
                let [before, at, after] = taps.map(|tap: [SmallPairs; OF_FOUR]| tap.map(Pairs::of));
                let [in0, in1, in2, in3] = input.map(Pairs::splat);
                add_products(&mut sum0, in0, &at);
                add_products(&mut sum0, in1, &after);
                add_products(&mut sum1, in0, &before);
                add_products(&mut sum1, in1, &at);
                add_products(&mut sum1, in2, &after);
                add_products(&mut sum2, in1, &before);
                add_products(&mut sum2, in2, &at);
                add_products(&mut sum2, in3, &after);
                add_products(&mut sum3, in2, &before);
                add_products(&mut sum3, in3, &at);
            }
            let [a, b, c, d] = [sum0, sum1, sum2, sum3].map(|sums| end.of(sums, inputs.step));
            let frames = a.into_iter().zip(b).zip(c).zip(d);
            for (outputs, (((a, b), c), d)) in outputs.as_chunks_mut::<4>().0.iter_mut().zip(frames)
            {
                *outputs = Lanes::transpose([a, b, c, d].map(Lanes::relu));
            }
        }
        outputs
    }

    /// Three taps over four frames with a frame of zeros in front, every other frame; rectified.
    pub(crate) fn to_two_frames(&self, inputs: &Whole) -> [[Lanes; 16]; 2] {
        let mut outputs = [[Lanes::ZERO; 16]; 2];
        let [first, second] = outputs.each_mut().map(|frame| frame.as_chunks_mut::<4>().0);
        let outputs_of_blocks = first.iter_mut().zip(second);
        let blocks = self.blocks();
        for ((weights, end), (first, second)) in blocks.zip(outputs_of_blocks) {
            let [mut sum0, mut sum1] = [[Sums::ZERO; OF_TWO]; 2];
            for (input, taps) in inputs.pairs.iter().zip(weights.as_chunks().0) {
                let [before, at, after] = taps.map(|tap: [SmallPairs; OF_TWO]| tap.map(Pairs::of));
                let [in0, in1, in2, in3] = input.map(Pairs::splat);
                add_products(&mut sum0, in0, &at);
                add_products(&mut sum0, in1, &after);
                add_products(&mut sum1, in1, &before);
                add_products(&mut sum1, in2, &at);
                add_products(&mut sum1, in3, &after);
            }
            *first = end.of(sum0, inputs.step).map(Lanes::relu);
            *second = end.of(sum1, inputs.step).map(Lanes::relu);
        }
        outputs
    }

    /// What is left of a convolution when its output is one frame; rectified.
    pub(crate) fn to_one_frame<const OUT: usize>(&self, inputs: &Whole) -> [Lanes; OUT] {
        let mut outputs = [Lanes::ZERO; OUT];
        self.multiply(inputs, &mut outputs);
        for output in &mut outputs {
            *output = output.relu();
        }
        outputs
    }

    /// The matrix times the inputs, plus the biases.
    // Inlined into every caller it would make the Worker larger and nothing faster.
    #[inline(never)]
    pub(crate) fn multiply(&self, inputs: &Whole, outputs: &mut [Lanes]) {
        let pairs = inputs.pairs.as_flattened();
        for ((weights, end), outputs) in self.blocks().zip(outputs.as_chunks_mut().0) {
            let mut sums = [Sums::ZERO; OF_ONE];
            for (input, weights) in pairs.iter().zip(weights) {
                add_products(&mut sums, Pairs::splat(*input), &weights.map(Pairs::of));
            }
            *outputs = end.of(sums, inputs.step);
        }
    }

    /// Every block's weights, and its end.
    fn blocks<const N: usize>(&self) -> impl Iterator<Item = (&[[SmallPairs; N]], End<'_, N>)> {
        let (scales, biases) = (self.scales.as_chunks().0, self.biases.as_chunks().0);
        let ends = scales.iter().zip(biases);
        let ends = ends.map(|(scales, biases)| End { scales, biases });
        let weights = self.weights.as_chunks().0;
        let items = weights.len() / scales.len().max(1);
        weights.chunks_exact(items.max(1)).zip(ends)
    }
}

/// What turns a block's sums into its outputs.
struct End<'a, const N: usize> {
    scales: &'a [Lanes; N],
    biases: &'a [Lanes; N],
}

impl<const N: usize> End<'_, N> {
    #[inline]
    fn of(&self, sums: [Sums; N], step: Lanes) -> [Lanes; N] {
        let mut outputs = *self.biases;
        for ((output, scale), sum) in outputs.iter_mut().zip(self.scales).zip(sums) {
            *output = output.add_product(sum.to_lanes(), scale.mul(step));
        }
        outputs
    }
}

/// Inputs in whole steps: pair i of an item is lane i of two vectors, one after the other.
pub(crate) struct Whole {
    pairs: [[i32; 4]; 64],
    step: Lanes,
}

impl Whole {
    /// Steps of the largest input. Times 127, the largest weight, and 384, the most inputs of an
    /// output, they are less than 2³¹.
    const MOST: f32 = 32_767.0;

    /// Of 128 vectors at most; zeros beyond.
    // As `multiply`.
    #[inline(never)]
    pub(crate) fn new(inputs: &[Lanes]) -> Self {
        // More than nothing, which could not be divided by.
        let least = Lanes::splat(1e-20);
        let [a, b, c, d] = inputs
            .iter()
            .fold(least, |largest, input| largest.max(input.abs()))
            .to_array()
            .map(Lanes::splat);
        let largest = a.max(b).max(c.max(d));
        let most = Lanes::splat(Self::MOST);
        let scale = most.div(largest);
        let mut pairs = [[0; 4]; 64];
        for (pairs, [first, second]) in pairs.iter_mut().zip(inputs.as_chunks().0) {
            *pairs = Pairs::rounded(first.mul(scale), second.mul(scale)).to_array();
        }
        Self {
            pairs,
            step: largest.div(most),
        }
    }
}

#[inline]
fn add_products<const N: usize>(sums: &mut [Sums; N], input: Pairs, weights: &[Pairs; N]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = sum.add_products(input, *weight);
    }
}
