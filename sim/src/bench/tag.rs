//! A number in every 20 ms of audio: in the lowest bits of its μ-law codes, where it changes neither
//! speech nor silence for any listener (a step of the quantiser; silence becomes 0 and 8 of 32,768).

/// Bytes of a piece of audio that carries a tag: 20 ms.
pub const PIECE: usize = 160;

const MAGIC: u64 = 0xB5A3;
const CALL_BITS: u32 = 12;
/// In the place of a call, where it is not known.
pub const NOBODY: u32 = (1 << CALL_BITS) - 1;
const NUMBER_BITS: u32 = 24;
/// 16 of the magic word, then call and number, then 8 of a sum over these.
const BITS: u32 = 16 + CALL_BITS + NUMBER_BITS + 8;

/// What a piece of audio says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub call: u32,
    pub number: u32,
}

impl Tag {
    /// Writes it into the first bytes.
    pub fn put(self, audio: &mut [u8]) {
        let body = u64::from(self.call & ((1 << CALL_BITS) - 1))
            | u64::from(self.number & ((1 << NUMBER_BITS) - 1)) << CALL_BITS;
        let word = MAGIC | body << 16 | sum(body) << (BITS - 8);
        for (bit, byte) in audio.iter_mut().take(BITS as usize).enumerate() {
            *byte = (*byte & 0xFE) | u8::from(word >> bit & 1 == 1);
        }
    }

    /// Reads it from the first bytes, if there is one.
    pub fn of(audio: &[u8]) -> Option<Self> {
        let bits = audio.get(..BITS as usize)?;
        let word = bits
            .iter()
            .rev()
            .fold(0, |word, byte| word << 1 | u64::from(byte & 1));
        let body = word >> 16 & ((1 << (CALL_BITS + NUMBER_BITS)) - 1);
        let is_tag = word & 0xFFFF == MAGIC && word >> (BITS - 8) == sum(body);
        is_tag.then_some(Self {
            call: (body & ((1 << CALL_BITS) - 1)) as u32,
            number: (body >> CALL_BITS) as u32,
        })
    }
}

fn sum(body: u64) -> u64 {
    body.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56
}

/// The audio in pieces, each with its tag. A bridge may join pieces, put silence between them or cut
/// one: what has no tag goes up to the next that has.
pub fn pieces(audio: &[u8]) -> impl Iterator<Item = (Option<Tag>, usize)> {
    let mut rest = audio;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let tag = Tag::of(rest);
        let length = if tag.is_some() {
            rest.len().min(PIECE)
        } else {
            let next = (1..rest.len()).find(|&at| rest.get(at..).and_then(Tag::of).is_some());
            next.unwrap_or(rest.len())
        };
        rest = rest.get(length..).unwrap_or_default();
        Some((tag, length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tag_is_read_back_and_moves_no_sample_by_more_than_a_step(
            call in 0u32..4096, number in 0u32..(1 << 24), mut audio in proptest::collection::vec(any::<u8>(), PIECE)
        ) {
            let before = audio.clone();
            Tag { call, number }.put(&mut audio);
            prop_assert_eq!(Tag::of(&audio), Some(Tag { call, number }));
            prop_assert!(before.iter().zip(&audio).all(|(a, b)| a >> 1 == b >> 1));
        }

        #[test]
        fn what_has_no_tag_is_read_as_none(audio in proptest::collection::vec(any::<u8>(), 0..400)) {
            // One in 2^24 would be a tag by chance.
            prop_assert_eq!(pieces(&audio).map(|(_, length)| length).sum::<usize>(), audio.len());
        }
    }

    #[test]
    fn joined_and_cut_pieces_are_told_apart() {
        let mut audio = vec![0xFF; 5 * PIECE];
        for (number, piece) in audio.chunks_exact_mut(PIECE).enumerate() {
            Tag {
                call: 7,
                number: number as u32,
            }
            .put(piece);
        }
        let gap = vec![0xFF; 300];
        let all = [&gap, &audio[..PIECE], &audio[3 * PIECE..4 * PIECE + 80]].concat();
        let found: Vec<_> = pieces(&all)
            .map(|(tag, length)| (tag.map(|tag| tag.number), length))
            .collect();
        assert_eq!(
            found,
            [(None, 300), (Some(0), 160), (Some(3), 160), (Some(4), 80)]
        );
    }
}
