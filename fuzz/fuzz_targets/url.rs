//! Fuzzes `orderline_fuzz::wire::url`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::wire::url(data));
