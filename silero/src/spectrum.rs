//! The magnitudes of four overlapping frames of 128 samples, one lane per frame.

use crate::lanes::Lanes;
use std::array;

/// Samples per frame of the transform.
const FRAME: usize = 128;

/// Points of the complex transform.
const POINTS: usize = FRAME / 2;

/// From one frame to the next, in samples.
const HOP: usize = 64;

/// Frequencies from 0 to 4 kHz, both ends included.
pub(crate) const BINS: usize = FRAME / 2 + 1;

/// What four frames span, in samples.
pub(crate) const SPAN: usize = 3 * HOP + FRAME;

/// A complex number of every frame.
type Complex = (Lanes, Lanes);

/// The tables of a Fourier transform of 128 real samples under a Hann window, by one of half as many
/// complex points: the even samples, and as imaginary parts the odd.
#[derive(Debug)]
pub(crate) struct Spectrum {
    /// For every point its place in bit-reversed order, and half the window at its two samples.
    order: [(usize, Complex); POINTS],
    /// `e^(−2πik/128)` for the first half of the circle, both ends included.
    roots: [Complex; BINS],
}

impl Spectrum {
    pub(crate) fn new() -> Self {
        let (mut window, mut roots) = (circle(), circle());
        let mut half_window = || {
            let (re, _) = window.next().unwrap_or_default();
            Lanes::splat(0.25 - 0.25 * re)
        };
        Self {
            order: array::from_fn(|n| {
                let place = n.reverse_bits() >> (usize::BITS - POINTS.ilog2());
                (place, (half_window(), half_window()))
            }),
            roots: array::from_fn(|_| {
                let (re, im) = roots.next().unwrap_or_default();
                (Lanes::splat(re), Lanes::splat(im))
            }),
        }
    }

    /// The magnitude of every frequency, and a zero that makes their number even; the lanes are the
    /// four frames.
    pub(crate) fn magnitudes(&self, samples: &[f32; SPAN]) -> [Lanes; BINS + 1] {
        let mut points = [(Lanes::ZERO, Lanes::ZERO); POINTS];
        let (twos, _) = samples.as_chunks::<2>();
        let frame = |index: usize| twos.iter().skip(index * HOP / 2);
        let frames = frame(0).zip(frame(1)).zip(frame(2)).zip(frame(3));
        for (&(place, window), (((a, b), c), d)) in self.order.iter().zip(frames) {
            if let Some(point) = points.get_mut(place) {
                let (even, odd) = (
                    [a, b, c, d].map(|[even, _]| *even),
                    [a, b, c, d].map(|[_, odd]| *odd),
                );
                *point = (
                    Lanes::new(even).mul(window.0),
                    Lanes::new(odd).mul(window.1),
                );
            }
        }
        self.transform(&mut points);
        let mut magnitudes = [Lanes::ZERO; BINS + 1];
        // A point is the transform of the even samples and i times that of the odd; as both are real,
        // the point mirrored tells which is which.
        let around = points.iter().chain(&points);
        let mirrored = points.iter().take(1).chain(points.iter().rev());
        let pairs = around.zip(mirrored).zip(&self.roots);
        for (magnitude, ((a, b), root)) in magnitudes.iter_mut().zip(pairs) {
            let even = (a.0.add(b.0), a.1.sub(b.1));
            let odd = (a.1.add(b.1), b.0.sub(a.0));
            let (re, im) = turned(odd, *root);
            let (re, im) = (even.0.add(re), even.1.add(im));
            *magnitude = re.mul(re).add_product(im, im).sqrt();
        }
        magnitudes
    }

    /// Radix 2, decimation in time, in place.
    fn transform(&self, points: &mut [Complex; POINTS]) {
        let mut half = 1;
        while half < POINTS {
            for block in points.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                let roots = self.roots.iter().step_by(FRAME / 2 / half);
                for ((a, b), root) in low.iter_mut().zip(high).zip(roots) {
                    let (re, im) = turned(*b, *root);
                    *b = (a.0.sub(re), a.1.sub(im));
                    *a = (a.0.add(re), a.1.add(im));
                }
            }
            half *= 2;
        }
    }
}

#[inline]
fn turned(value: Complex, (re, im): Complex) -> Complex {
    (
        value.0.mul(re).sub(value.1.mul(im)),
        value.0.mul(im).add_product(value.1, re),
    )
}

/// `e^(−2πik/128)` for k = 0, 1, 2 …, each from the one before it: `f32::sin` would be 8 kB of the Worker.
#[expect(
    clippy::cast_possible_truncation,
    reason = "to the precision of the network"
)]
fn circle() -> impl Iterator<Item = (f32, f32)> {
    // k = 1.
    const RE: f64 = 0.998_795_456_205_172_4;
    const IM: f64 = -0.049_067_674_327_418_015;
    let turn = |(re, im): &(f64, f64)| Some((re * RE - im * IM, re * IM + im * RE));
    std::iter::successors(Some((1.0, 0.0)), turn).map(|(re, im)| (re as f32, im as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_where_it_belongs_and_half_the_window_high() {
        let turns = |n: usize| f32::from(u16::try_from(n % 128).unwrap()) / 128.0;
        let samples = array::from_fn(|n| (std::f32::consts::TAU * turns(10 * n)).cos());
        let magnitudes = Spectrum::new().magnitudes(&samples);
        for (bin, frames) in magnitudes.iter().enumerate() {
            let expected = match bin {
                10 => 32.0,
                9 | 11 => 16.0,
                _ => 0.0,
            };
            for value in frames.to_array() {
                assert!((value - expected).abs() < 1e-3, "bin {bin}: {value}");
            }
        }
    }
}
