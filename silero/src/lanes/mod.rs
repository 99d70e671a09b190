//! Four `f32`, pairs of `i16` or `i32` side by side: one SIMD register where WebAssembly has them,
//! an array elsewhere.
//!
//! Explicit, because nothing else survives the Worker's build: link-time optimization runs at the
//! Worker's `opt-level = "z"`, which does not vectorize loops. Both forms round alike (no fused
//! multiply-add), so the tests on the host hold for the Worker.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd::{Lanes, Pairs, Sums};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod array;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use array::{Lanes, Pairs, Sums};

/// Four pairs of `i8`, as weights are kept: what passes through the processor's cache with every step is
/// half as much. In one number, the first lowest, because one by one is how the compiler would read them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmallPairs(u64);

impl SmallPairs {
    pub(crate) fn new(pairs: [[i8; 2]; 4]) -> Self {
        let byte = |byte: &i8| u64::from(byte.cast_unsigned());
        let bytes = pairs.as_flattened().iter().rev();
        Self(bytes.fold(0, |all, one| all << 8 | byte(one)))
    }
}

/// Added to a value below 2²² this leaves its nearest whole number (of two, the even one) in the
/// sum's low bits: 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;

/// The sum of products, eight side by side.
// Inlined into the Worker it would be optimized for size, as the Worker is.
#[inline(never)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let halves =
        |[a, b, c, d, e, f, g, h]: [f32; 8]| [Lanes::new([a, b, c, d]), Lanes::new([e, f, g, h])];
    let [mut low, mut high] = [Lanes::ZERO; 2];
    for (a, b) in a.iter().zip(b) {
        let ([a_low, a_high], [b_low, b_high]) = (halves(*a), halves(*b));
        low = low.add_product(a_low, b_low);
        high = high.add_product(a_high, b_high);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let sums = [low.to_array(), high.to_array()];
    sums.as_flattened().iter().sum::<f32>() + rest
}

impl Lanes {
    /// `1 / (1 + e^-x)`.
    #[inline]
    pub(crate) fn sigmoid(self) -> Self {
        let one = Self::splat(1.0);
        one.div(one.add(Self::splat(0.0).sub(self).exp()))
    }

    /// The hyperbolic tangent.
    #[inline]
    pub(crate) fn tanh(self) -> Self {
        let one = Self::splat(1.0);
        let twice = self.add(self).exp();
        one.sub(Self::splat(2.0).div(twice.add(one)))
    }

    /// Zero where negative.
    #[inline]
    pub(crate) fn relu(self) -> Self {
        self.max(Self::splat(0.0))
    }

    /// `self + a · b`, rounded twice.
    #[inline]
    pub(crate) fn add_product(self, a: Self, b: Self) -> Self {
        self.add(a.mul(b))
    }

    /// `e^x` to about 2⁻²² of itself, by the Cephes way: `x = n ln 2 + r`, a polynomial for `e^r`,
    /// and `n` put into the exponent. Its own, because `f32::exp` would be 640 calls per step.
    #[inline]
    fn exp(self) -> Self {
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        // Pairs of neighbours, so that the processor need not wait for one term after the other.
        const POLYNOMIAL: [[f32; 2]; 3] = [
            [1.987_569_1e-4, 1.398_2e-3],
            [8.333_452e-3, 4.166_579_6e-2],
            [0.166_666_66, 0.5],
        ];
        let one = Self::splat(1.0);
        let x = self.max(Self::splat(-87.0)).min(Self::splat(87.0));
        let shift = Self::splat(ROUND);
        let shifted = x.mul(Self::splat(std::f32::consts::LOG2_E)).add(shift);
        let n = shifted.sub(shift);
        let r = x
            .sub(n.mul(Self::splat(LN2_HIGH)))
            .sub(n.mul(Self::splat(LN2_LOW)));
        let square = r.mul(r);
        let [high, middle, low] =
            POLYNOMIAL.map(|[a, b]| Self::splat(b).add_product(Self::splat(a), r));
        let tail = low.add_product(middle.add_product(high, square), square);
        one.add(r)
            .add_product(tail, square)
            .mul(shifted.power_of_two())
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn curves_follow_the_standard_library() {
        for step in -2_000..2_000i16 {
            let x = f32::from(step) / 50.0;
            let [sigmoid, ..] = Lanes::splat(x).sigmoid().to_array();
            let [tanh, ..] = Lanes::splat(x).tanh().to_array();
            assert!((sigmoid - 1.0 / (1.0 + (-x).exp())).abs() < 3e-7, "{x}");
            assert!((tanh - x.tanh()).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn curves_stay_finite_at_the_ends() {
        for x in [
            f32::MIN,
            -1e4,
            1e4,
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ] {
            let [sigmoid, ..] = Lanes::splat(x).sigmoid().to_array();
            let [tanh, ..] = Lanes::splat(x).tanh().to_array();
            assert!(
                (0.0..=1.0).contains(&sigmoid) && (-1.0..=1.0).contains(&tanh),
                "{x}"
            );
        }
    }
}
