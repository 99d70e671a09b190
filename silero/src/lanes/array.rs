//! Lanes for every other target.

use super::{ROUND, SmallPairs};

/// Four `f32`, for the compiler to put in one register where it can.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(crate) struct Lanes([f32; 4]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; 4]);

    #[inline]
    pub(crate) fn new(values: [f32; 4]) -> Self {
        Self(values)
    }

    #[inline]
    pub(crate) fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline]
    pub(crate) fn to_array(self) -> [f32; 4] {
        self.0
    }

    /// Lane j of item i becomes lane i of item j.
    #[inline]
    pub(crate) fn transpose(items: [Self; 4]) -> [Self; 4] {
        let mut columns = [[0.0; 4]; 4];
        for (i, row) in items.into_iter().enumerate() {
            for (column, value) in columns.iter_mut().zip(row.0) {
                if let Some(place) = column.get_mut(i) {
                    *place = value;
                }
            }
        }
        columns.map(Self)
    }

    #[inline]
    pub(crate) fn add(self, other: Self) -> Self {
        self.pairwise(other, |a, b| a + b)
    }

    #[inline]
    pub(crate) fn sub(self, other: Self) -> Self {
        self.pairwise(other, |a, b| a - b)
    }

    #[inline]
    pub(crate) fn mul(self, other: Self) -> Self {
        self.pairwise(other, |a, b| a * b)
    }

    #[inline]
    pub(crate) fn div(self, other: Self) -> Self {
        self.pairwise(other, |a, b| a / b)
    }

    #[inline]
    pub(crate) fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline]
    pub(crate) fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    // NaN in `self` stays, as with the register's pmin and pmax.
    #[inline]
    pub(crate) fn max(self, other: Self) -> Self {
        self.pairwise(other, |a, b| if a < b { b } else { a })
    }

    #[inline]
    pub(super) fn min(self, other: Self) -> Self {
        self.pairwise(other, |a, b| if b < a { b } else { a })
    }

    /// 2ⁿ for `ROUND` + n, where n is −126 to 127.
    #[inline]
    pub(super) fn power_of_two(self) -> Self {
        let exponent = |shifted: f32| shifted.to_bits().wrapping_add(127) << 23;
        Self(self.0.map(|shifted| f32::from_bits(exponent(shifted))))
    }

    #[inline]
    fn pairwise(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        let mut values = self.0;
        for (value, other) in values.iter_mut().zip(other.0) {
            *value = of(*value, other);
        }
        Self(values)
    }
}

/// Four pairs of `i16`.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(crate) struct Pairs([[i16; 2]; 4]);

impl Pairs {
    #[inline]
    pub(crate) fn of(small: SmallPairs) -> Self {
        let mut pairs = [[0; 2]; 4];
        for (pair, bytes) in pairs.iter_mut().zip(small.0.to_le_bytes().as_chunks().0) {
            *pair = bytes.map(|byte: u8| i16::from(byte.cast_signed()));
        }
        Self(pairs)
    }

    /// Lane i of both, rounded, is pair i. They may be −32768 to 32767.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the sum's low bits are the whole number"
    )]
    #[inline]
    pub(crate) fn rounded(first: Lanes, second: Lanes) -> Self {
        let whole = |value: f32| ((value + ROUND).to_bits() as u16).cast_signed();
        let mut pairs = [[0; 2]; 4];
        for (pair, (first, second)) in pairs.iter_mut().zip(first.0.into_iter().zip(second.0)) {
            *pair = [whole(first), whole(second)];
        }
        Self(pairs)
    }

    /// The same pair four times: its first in the low half.
    #[inline]
    pub(crate) fn splat(pair: i32) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "one half each")]
        Self([[pair as i16, (pair >> 16) as i16]; 4])
    }

    #[inline]
    pub(crate) fn to_array(self) -> [i32; 4] {
        self.0.map(whole_pair)
    }
}

/// Four `i32`.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(crate) struct Sums([i32; 4]);

impl Sums {
    pub(crate) const ZERO: Self = Self([0; 4]);

    /// Adds to each sum both products of its pair.
    #[inline]
    pub(crate) fn add_products(self, a: Pairs, b: Pairs) -> Self {
        let mut sums = self.0;
        for (sum, ([a, b], [c, d])) in sums.iter_mut().zip(a.0.into_iter().zip(b.0)) {
            let (a, b, c, d) = (i32::from(a), i32::from(b), i32::from(c), i32::from(d));
            *sum = sum.wrapping_add((a * c).wrapping_add(b * d));
        }
        Self(sums)
    }

    #[expect(clippy::cast_precision_loss, reason = "as the register rounds")]
    #[inline]
    pub(crate) fn to_lanes(self) -> Lanes {
        Lanes(self.0.map(|sum| sum as f32))
    }
}

/// A pair in one number, the first in its low half.
#[inline]
fn whole_pair([first, second]: [i16; 2]) -> i32 {
    i32::from(second) << 16 | i32::from(first.cast_unsigned())
}
