//! Fuzzes `orderline_fuzz::call::sequence`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::call::sequence(data));
