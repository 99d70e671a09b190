//! Lanes in a register of `simd128`.

use super::{ROUND, SmallPairs};
use std::arch::wasm32::{
    f32x4, f32x4_abs, f32x4_add, f32x4_convert_i32x4, f32x4_div, f32x4_extract_lane, f32x4_mul,
    f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sqrt, f32x4_sub, i16x8_extend_low_i8x16, i32x4,
    i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_shl, i32x4_shuffle, i32x4_splat, u64x2,
    v128, v128_and, v128_or,
};

/// Four `f32` in one register. Methods are described in `array.rs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes(v128);

impl Lanes {
    pub(crate) const ZERO: Self = Self(f32x4(0.0, 0.0, 0.0, 0.0));

    #[inline]
    pub(crate) fn new([a, b, c, d]: [f32; 4]) -> Self {
        Self(f32x4(a, b, c, d))
    }

    #[inline]
    pub(crate) fn splat(value: f32) -> Self {
        Self(f32x4_splat(value))
    }

    #[inline]
    pub(crate) fn to_array(self) -> [f32; 4] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline]
    pub(crate) fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let (ab, ab_high) = interleave(a.0, b.0);
        let (cd, cd_high) = interleave(c.0, d.0);
        [
            Self(i32x4_shuffle::<0, 1, 4, 5>(ab, cd)),
            Self(i32x4_shuffle::<2, 3, 6, 7>(ab, cd)),
            Self(i32x4_shuffle::<0, 1, 4, 5>(ab_high, cd_high)),
            Self(i32x4_shuffle::<2, 3, 6, 7>(ab_high, cd_high)),
        ]
    }

    #[inline]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }

    #[inline]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }

    #[inline]
    pub(crate) fn mul(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }

    #[inline]
    pub(crate) fn div(self, other: Self) -> Self {
        Self(f32x4_div(self.0, other.0))
    }

    #[inline]
    pub(crate) fn sqrt(self) -> Self {
        Self(f32x4_sqrt(self.0))
    }

    #[inline]
    pub(crate) fn abs(self) -> Self {
        Self(f32x4_abs(self.0))
    }

    // pmin and pmax are one instruction of the processor each; min and max, which order zeros
    // and keep NaN, are several.
    #[inline]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(f32x4_pmax(self.0, other.0))
    }

    #[inline]
    pub(super) fn min(self, other: Self) -> Self {
        Self(f32x4_pmin(self.0, other.0))
    }

    #[inline]
    pub(super) fn power_of_two(self) -> Self {
        Self(i32x4_shl(i32x4_add(self.0, i32x4_splat(127)), 23))
    }
}

/// Four pairs of `i16` in one register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs(v128);

impl Pairs {
    #[inline]
    pub(crate) fn of(small: SmallPairs) -> Self {
        Self(i16x8_extend_low_i8x16(u64x2(small.0, 0)))
    }

    #[inline]
    pub(crate) fn rounded(first: Lanes, second: Lanes) -> Self {
        let shift = f32x4_splat(ROUND);
        let (first, second) = (f32x4_add(first.0, shift), f32x4_add(second.0, shift));
        let low_half = v128_and(first, i32x4_splat(0xFFFF));
        Self(v128_or(low_half, i32x4_shl(second, 16)))
    }

    #[inline]
    pub(crate) fn splat(pair: i32) -> Self {
        Self(i32x4_splat(pair))
    }

    #[inline]
    pub(crate) fn to_array(self) -> [i32; 4] {
        [
            i32x4_extract_lane::<0>(self.0),
            i32x4_extract_lane::<1>(self.0),
            i32x4_extract_lane::<2>(self.0),
            i32x4_extract_lane::<3>(self.0),
        ]
    }
}

/// Four `i32` in one register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums(v128);

impl Sums {
    pub(crate) const ZERO: Self = Self(i32x4(0, 0, 0, 0));

    #[inline]
    pub(crate) fn add_products(self, a: Pairs, b: Pairs) -> Self {
        Self(i32x4_add(self.0, i32x4_dot_i16x8(a.0, b.0)))
    }

    #[inline]
    pub(crate) fn to_lanes(self) -> Lanes {
        Lanes(f32x4_convert_i32x4(self.0))
    }
}

#[inline]
fn interleave(a: v128, b: v128) -> (v128, v128) {
    (
        i32x4_shuffle::<0, 4, 1, 5>(a, b),
        i32x4_shuffle::<2, 6, 3, 7>(a, b),
    )
}
