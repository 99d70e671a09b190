//! Fuzzes `orderline_fuzz::documents::order`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::documents::order(data));
