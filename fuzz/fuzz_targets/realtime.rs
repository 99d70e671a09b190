//! Fuzzes `orderline_fuzz::wire::realtime`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::wire::realtime(data));
