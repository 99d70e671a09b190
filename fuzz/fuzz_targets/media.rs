//! Fuzzes `orderline_fuzz::wire::media`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::wire::media(data));
