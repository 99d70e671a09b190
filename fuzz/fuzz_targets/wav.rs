//! Fuzzes `orderline_fuzz::documents::wav`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::documents::wav(data));
