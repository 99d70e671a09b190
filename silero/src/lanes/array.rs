//! Lanes for every other target.

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

    /// Each lane's value in all lanes of its own.
    #[inline]
    pub(crate) fn spread(self) -> [Self; 4] {
        self.0.map(Self::splat)
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

    // NaN in `self` stays, as with the register's pmin and pmax.
    #[inline]
    pub(crate) fn max(self, other: Self) -> Self {
        self.pairwise(other, |a, b| if a < b { b } else { a })
    }

    #[inline]
    pub(super) fn min(self, other: Self) -> Self {
        self.pairwise(other, |a, b| if b < a { b } else { a })
    }

    #[inline]
    pub(super) fn nearest(self) -> Self {
        // Adding and taking away 1.5 · 2²³ rounds to even; exact below 2²², and a call of
        // `round_ties_even` would not become one instruction everywhere.
        let shift = Self::splat(12_582_912.0);
        self.add(shift).sub(shift)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers of −126 to 126, and casts saturate"
    )]
    #[inline]
    pub(super) fn power_of_two(self) -> Self {
        Self(
            self.0
                .map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23)),
        )
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
