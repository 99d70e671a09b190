//! Fuzzes `orderline_fuzz::wire::twiml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::wire::twiml(data));
