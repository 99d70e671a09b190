//! Standard base64 (RFC 4648, section 4): audio on both wires, signatures, secrets.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    let digit = |bits: u32| DIGITS.get(bits as usize & 63).copied().unwrap_or(b'=');
    let digits = |[x, y, z]: [u8; 3]| {
        let bits = u32::from_be_bytes([0, x, y, z]);
        [
            digit(bits >> 18),
            digit(bits >> 12),
            digit(bits >> 6),
            digit(bits),
        ]
    };
    let (groups, left) = bytes.as_chunks();
    let mut text = vec![b'='; bytes.len().div_ceil(3).saturating_mul(4)];
    for (to, group) in text.as_chunks_mut().0.iter_mut().zip(groups) {
        *to = digits(*group);
    }
    let last = match *left {
        [x] => Some(([x, 0, 0], 2)),
        [x, y] => Some(([x, y, 0], 3)),
        _ => None,
    };
    if let (Some((group, said)), Some(to)) = (last, text.last_chunk_mut::<4>()) {
        for (to, digit) in to.iter_mut().zip(digits(group)).take(said) {
            *to = digit;
        }
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The bytes of a text; `None` if it is not standard base64.
///
/// Written out for 50 frames a second: the crate `base64` takes half as long again in a build for
/// size, and is four times as large.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let padding = text.len().saturating_sub(digits.len());
    if padding > 2 || !text.len().is_multiple_of(4) {
        return None;
    }
    let (groups, left) = digits.as_chunks();
    let mut last = [b'A'; 4];
    for (to, digit) in last.iter_mut().zip(left) {
        *to = *digit;
    }
    let mut bytes = vec![0; groups.len().saturating_add(1).saturating_mul(3)];
    let value = |digit: u8| VALUES.get(usize::from(digit)).copied().unwrap_or(NONE);
    let mut seen = 0;
    for ([x, y, z], group) in (bytes.as_chunks_mut().0.iter_mut()).zip(groups.iter().chain([&last]))
    {
        let [a, b, c, d] = *group;
        let (a, b, c, d) = (value(a), value(b), value(c), value(d));
        seen |= a | b | c | d;
        (*x, *y, *z) = (a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d);
    }
    // What is left of the last digit says nothing.
    let len = digits.len().saturating_mul(3) / 4;
    let is_whole = bytes.iter().skip(len).all(|byte| *byte == 0);
    bytes.truncate(len);
    (is_whole && seen < 64).then_some(bytes)
}

/// The value of a byte that is no digit.
const NONE: u8 = 0xFF;

/// The value of each byte as a digit of standard base64 (RFC 4648, section 4).
static VALUES: [u8; 256] = values();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler; the indices stay below 64 and 256"
)]
const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value = value.saturating_add(1);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    #[test]
    fn texts_are_standard_base64_and_nothing_else() {
        for (text, bytes) in [
            ("", Some(vec![])),
            ("/////w==", Some(vec![0xFF; 4])),
            ("//8=", Some(vec![0xFF; 2])),
            ("a", None),
            ("a===", None),
            ("ab\"d", None),
            ("__8=", None),
        ] {
            assert_eq!(decode(text), bytes, "{text}");
        }
        assert_eq!(encode(&[0xFF; 4]), "/////w==");
    }

    proptest! {
        #[test]
        fn texts_are_what_the_crate_says(text in "[A-D+/=v]{0,12}|[ -~é]{0,8}", bytes: Vec<u8>) {
            prop_assert_eq!(decode(&text), STANDARD.decode(&text).ok());
            prop_assert_eq!(encode(&bytes), STANDARD.encode(&bytes));
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
