//! Fuzzes `orderline_fuzz::words::words`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::words::words(data));
