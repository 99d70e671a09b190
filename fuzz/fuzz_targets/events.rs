//! Fuzzes `orderline_fuzz::documents::events`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::documents::events(data));
