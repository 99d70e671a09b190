//! Fuzzes `orderline_fuzz::words::payment`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::words::payment(data));
