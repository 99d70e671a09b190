//! WebSocket frames over bytes (RFC 6455), as cheap as can be: text whole, no extensions, and a key
//! of zeros, which masks nothing, where the protocol wants a mask.

/// A message that is worth something to us.
#[derive(Debug, PartialEq)]
pub enum Message<'a> {
    Text(&'a str),
    /// To be answered with a pong.
    Ping(&'a [u8]),
    Close,
    /// A pong, or bytes.
    Other,
}

/// The stream cannot be read any further.
#[derive(Debug, PartialEq)]
pub struct Broken(pub &'static str);

/// The side that writes a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

const FIN: u8 = 0x80;
const TEXT: u8 = 1;
const PONG: u8 = 10;
const MASKED: u8 = 0x80;
/// Nothing in these protocols is nearly so long.
const MAX_LENGTH: u64 = 8 << 20;
/// Bytes already read are thrown away from so many on.
const COMPACT: usize = 1 << 16;

/// Appends a text frame, joined from its parts.
pub fn text(out: &mut Vec<u8>, side: Side, parts: &[&[u8]]) {
    frame(out, side, TEXT, parts);
}

/// Appends the answer to a ping.
pub fn pong(out: &mut Vec<u8>, side: Side, payload: &[u8]) {
    frame(out, side, PONG, &[payload]);
}

fn frame(out: &mut Vec<u8>, side: Side, opcode: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let masked = if side == Side::Client { MASKED } else { 0 };
    out.push(FIN | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => out.push(masked | length),
        (_, Ok(length)) => {
            out.push(masked | 126);
            out.extend(length.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    if side == Side::Client {
        out.extend([0; 4]);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Takes bytes, gives messages.
#[derive(Default)]
pub struct Reader {
    bytes: Vec<u8>,
    at: usize,
    /// The parts so far of a text that comes in several frames.
    parts: Vec<u8>,
    in_parts: bool,
}

impl Reader {
    /// Bytes came in.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        } else if self.at > COMPACT {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there.
    pub fn next(&mut self) -> Result<Option<Message<'_>>, Broken> {
        let rest = self.bytes.get_mut(self.at..).unwrap_or_default();
        let &mut [first, second, ref mut rest @ ..] = rest else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Broken("a frame with an extension"));
        }
        let (length, width) = match second & 0x7F {
            126 => (be(rest, 2), 2),
            127 => (be(rest, 8), 8),
            short => (Some(u64::from(short)), 0),
        };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > MAX_LENGTH {
            return Err(Broken("a frame that is too long"));
        }
        let key_length = if second & MASKED == 0 { 0 } else { 4 };
        let (header, length) = (width + key_length, length as usize);
        let Some((head, body)) = rest.split_at_mut_checked(header) else {
            return Ok(None);
        };
        let Some(payload) = body.get_mut(..length) else {
            return Ok(None);
        };
        if let Some(&[a, b, c, d]) = head.get(width..) {
            unmask(payload, [a, b, c, d]);
        }
        self.at += 2 + header + length;
        let payload: &[u8] = payload;
        let is_last = first & FIN != 0;
        match first & 0x0F {
            1 if is_last => Ok(Some(Message::Text(utf8(payload)?))),
            0 | 1 => {
                if !std::mem::replace(&mut self.in_parts, !is_last) {
                    self.parts.clear();
                }
                self.parts.extend_from_slice(payload);
                if is_last {
                    return Ok(Some(Message::Text(utf8(&self.parts)?)));
                }
                Ok(Some(Message::Other))
            }
            8 => Ok(Some(Message::Close)),
            9 => Ok(Some(Message::Ping(payload))),
            2 | 10 => Ok(Some(Message::Other)),
            _ => Err(Broken("a frame of an unknown kind")),
        }
    }
}

fn utf8(payload: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(payload).map_err(|_| Broken("a text that is no UTF-8"))
}

fn be(bytes: &[u8], width: usize) -> Option<u64> {
    let bytes = bytes.get(..width)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
    )
}

fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let mut words = payload.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_of_any_length_come_back_however_the_bytes_are_cut(
            texts in proptest::collection::vec("[a-z]{0,300}|[a-z]{65530,65540}", 1..4), cut in 1usize..5000
        ) {
            for side in [Side::Client, Side::Server] {
                let mut bytes = Vec::new();
                for one in &texts {
                    text(&mut bytes, side, &[one.as_bytes()]);
                }
                let (mut reader, mut read) = (Reader::default(), Vec::new());
                for piece in bytes.chunks(cut) {
                    reader.push(piece);
                    while let Some(message) = reader.next().unwrap() {
                        if let Message::Text(text) = message {
                            read.push(text.to_owned());
                        }
                    }
                }
                prop_assert_eq!(&read, &texts);
            }
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }

    #[test]
    fn a_masked_frame_of_the_standard_and_a_text_in_parts_are_read() {
        // RFC 6455 §5.7.
        let mut reader = Reader::default();
        reader.push(&[
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ]);
        assert_eq!(reader.next(), Ok(Some(Message::Text("Hello"))));
        reader.push(&[
            0x01, 0x03, b'H', b'e', b'l', 0x89, 0x00, 0x80, 0x02, b'l', b'o',
        ]);
        assert_eq!(reader.next(), Ok(Some(Message::Other)));
        assert_eq!(reader.next(), Ok(Some(Message::Ping(&[]))));
        assert_eq!(reader.next(), Ok(Some(Message::Text("Hello"))));
        assert_eq!(reader.next(), Ok(None));
    }
}
