//! How much of one signal another explains: the likely lags by sign, then the best short filter.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of samples, far below what f32 counts exactly"
)]

use orderline_silero::dot;

/// Taps of the filter: 6 ms, for what the line smears and what a handset or a room reflects first. With 8
/// taps, two of three echoes with reflections up to 7 ms were taken for somebody; with 24, one of fifty.
pub(super) const TAPS: usize = 24;

/// Taps before the lag: the search may have found a stronger reflection.
pub(super) const LEAD: usize = 4;

/// White noise 30 dB below the reference, for taps to stay small where the reference has no sound.
const FLOOR: f64 = 1e-3;

/// Samples per word of signs.
pub(super) const WORD: usize = 64;

/// The signs of a signal, 64 to a word, first sample in the lowest bit.
pub(super) fn signs(samples: &[f32]) -> Vec<u64> {
    let word = |chunk: &[f32]| {
        let bits = chunk.iter().rev();
        bits.fold(0, |word, sample| word << 1 | u64::from(*sample > 0.0))
    };
    samples.chunks(WORD).map(word).collect()
}

/// The shifts of `reference`, below `shifts`, at which its signs agree (or disagree: an echo may be
/// inverted) most with the words of a signal, each given with its number; best first, none beside
/// a better one.
pub(super) fn best_shifts<const N: usize>(
    words: &[(usize, u64)],
    reference: &[u64],
    shifts: usize,
) -> [usize; N] {
    let chance = WORD * words.len() / 2;
    let score = |shift: usize| {
        let (skip, bits) = (shift / WORD, shift % WORD);
        let differing = words.iter().map(|&(number, word)| {
            let at = |index: usize| reference.get(index).copied().unwrap_or(0);
            let (low, high) = (at(number + skip), at(number + skip + 1));
            // In two steps, for a shift by all 64 bits is none.
            let shifted = low >> bits | high << 1 << (WORD - 1 - bits);
            (word ^ shifted).count_ones() as usize
        });
        differing.sum::<usize>().abs_diff(chance)
    };
    let mut scores: Vec<usize> = (0..shifts).map(score).collect();
    std::array::from_fn(|_| {
        let best = scores.iter().enumerate().max_by_key(|(_, score)| **score);
        let shift = best.map_or(0, |(shift, _)| shift);
        let beside = shift.saturating_sub(LEAD)..(shift + LEAD + 1).min(shifts);
        scores.get_mut(beside).unwrap_or_default().fill(0);
        shift
    })
}

/// The copy of `reference` through the best filter of [`TAPS`] taps that explains `signal` by least
/// squares. `reference` begins `TAPS - 1` samples earlier than what belongs to the first sample of `signal`.
pub(super) fn copy(signal: &[f32], reference: &[f32]) -> Vec<f32> {
    let taps = solve(correlations(signal, reference));
    reference
        .windows(TAPS)
        .map(|past| dot(past, &taps))
        .take(signal.len())
        .collect()
}

/// The normal equations: the products of every two shifts of the reference, and of each with the
/// signal.
type System = ([[f64; TAPS]; TAPS], [f64; TAPS]);

fn correlations(signal: &[f32], reference: &[f32]) -> System {
    let len = signal.len();
    let shifted = |by: usize| reference.get(by..by + len).unwrap_or_default();
    let at = |index: usize| f64::from(reference.get(index).copied().unwrap_or(0.0));
    let mut matrix = [[0.0; TAPS]; TAPS];
    for distance in 0..TAPS {
        // Along a diagonal the window moves on by one sample: one product comes, one goes.
        let mut product = f64::from(dot(shifted(0), shifted(distance)));
        for row in 0..TAPS - distance {
            for (a, b) in [(row, row + distance), (row + distance, row)] {
                if let Some(cell) = matrix.get_mut(a).and_then(|row| row.get_mut(b)) {
                    *cell = product;
                }
            }
            product += at(row + len) * at(row + distance + len) - at(row) * at(row + distance);
        }
    }
    let energy = matrix
        .first()
        .and_then(|row| row.first())
        .copied()
        .unwrap_or(0.0);
    for (index, row) in matrix.iter_mut().enumerate() {
        if let Some(cell) = row.get_mut(index) {
            *cell += FLOOR * energy + 1.0;
        }
    }
    let mut vector = [0.0; TAPS];
    for (by, cell) in vector.iter_mut().enumerate() {
        *cell = f64::from(dot(signal, shifted(by)));
    }
    (matrix, vector)
}

/// Gaussian elimination; the matrix is positive definite.
#[expect(
    clippy::cast_possible_truncation,
    reason = "taps need no more than f32"
)]
fn solve((mut matrix, mut vector): System) -> [f32; TAPS] {
    for pivot in 0..TAPS {
        let (row, value) = match (matrix.get(pivot), vector.get(pivot)) {
            (Some(row), Some(value)) => (*row, *value),
            _ => continue,
        };
        let head = row.get(pivot).copied().unwrap_or(1.0);
        for (index, (other, target)) in matrix.iter_mut().zip(&mut vector).enumerate() {
            if index == pivot {
                continue;
            }
            let factor = other.get(pivot).copied().unwrap_or(0.0) / head;
            for (cell, by) in other.iter_mut().zip(&row) {
                *cell -= factor * by;
            }
            *target -= factor * value;
        }
    }
    let mut taps = [0.0; TAPS];
    for (k, ((tap, row), value)) in taps.iter_mut().zip(&matrix).zip(&vector).enumerate() {
        *tap = (value / row.get(k).copied().unwrap_or(1.0)) as f32;
    }
    taps
}

/// The mean square.
pub(super) fn power(samples: &[f32]) -> f32 {
    dot(samples, samples) / samples.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise, the same in every run.
    fn noise(seed: u32, len: usize) -> Vec<f32> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as f32 - 32_768.0) / 10.0
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    fn numbered(words: &[u64]) -> Vec<(usize, u64)> {
        words.iter().copied().enumerate().collect()
    }

    #[test]
    fn a_piece_is_found_wherever_it_lies_and_whichever_way_up() {
        let reference = noise(1, 1_200);
        for shift in [0, 1, 63, 64, 65, 500, 847] {
            for sign in [1.0, -0.01] {
                let piece: Vec<f32> = reference[shift..shift + 256]
                    .iter()
                    .map(|s| sign * s)
                    .collect();
                let found = best_shifts(&numbered(&signs(&piece)), &signs(&reference), 900);
                assert_eq!(found, [shift]);
            }
        }
    }

    #[test]
    fn the_next_best_does_not_lie_beside_the_best() {
        let reference = noise(1, 1_200);
        let words = numbered(&signs(&reference[400..656]));
        let [best, next] = best_shifts(&words, &signs(&reference), 900);
        assert!(best == 400 && next.abs_diff(best) > LEAD);
    }

    #[test]
    fn words_that_are_left_out_do_not_count() {
        let reference = noise(1, 1_200);
        let mut piece = reference[300..684].to_vec();
        piece[64..192].copy_from_slice(&noise(2, 128));
        let mut words = numbered(&signs(&piece));
        words.drain(1..3);
        assert_eq!(best_shifts(&words, &signs(&reference), 900), [300]);
    }

    #[test]
    fn what_went_through_a_filter_is_explained_and_what_is_new_is_not() {
        let reference = noise(1, 800 + TAPS - 1);
        let response = |k: usize| {
            [(2, 0.3), (7, -0.2), (20, 0.1)]
                .iter()
                .find(|(at, _)| *at == k)
                .map_or(0.0, |(_, tap)| *tap)
        };
        let taps: Vec<f32> = (0..TAPS).map(response).collect();
        let echo: Vec<f32> = reference
            .windows(TAPS)
            .map(|past| dot(past, &taps))
            .collect();
        let other: Vec<f32> = noise(2, 800).iter().map(|s| 0.2 * s).collect();
        let left = |signal: &[f32]| {
            let copy = copy(signal, &reference);
            power(
                &signal
                    .iter()
                    .zip(copy)
                    .map(|(a, b)| a - b)
                    .collect::<Vec<_>>(),
            )
        };
        assert!(left(&echo) < 1e-4 * power(&echo));
        assert!(left(&other) > 0.9 * power(&other));
        let both: Vec<f32> = echo.iter().zip(&other).map(|(a, b)| a + b).collect();
        assert!((0.9..1.0).contains(&(left(&both) / power(&other))));
    }

    #[test]
    fn silence_explains_nothing() {
        let signal = noise(1, 320);
        assert_eq!(copy(&signal, &vec![0.0; 320 + TAPS - 1]), vec![0.0; 320]);
    }
}
