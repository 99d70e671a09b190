//! Fuzzes `orderline_fuzz::documents::tool`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orderline_fuzz::documents::tool(data));
