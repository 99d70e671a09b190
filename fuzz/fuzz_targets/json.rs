//! Fuzzes `orderline_fuzz::documents::json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::documents::json(data));
