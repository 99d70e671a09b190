//! A call that is over: the runtime keeps its object for as long as it likes, so what it keeps in memory
//! is little.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use orderline_silero::{STEP, Silero};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use support::{Bench, FILLER, GREETING, sentence};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KIB: usize = 1024;
/// The record of a short call, with room for texts to grow in.
const MOST: usize = 32 * KIB;

#[test]
fn a_call_that_is_over_keeps_its_record_and_no_audio() {
    // The network's weights are there once for all calls.
    Silero::new().step(&[0.0; STEP]);
    let mut bench = Bench::without_filler(&[], support::request());
    bench.line_loaded(GREETING, &vec![0x55; 40_000]);
    bench.line_loaded(FILLER, &vec![0x55; 30_000]);
    bench.voice();
    bench.stream_up();
    // The model is not there yet: what the shop says is kept for it.
    bench.line(&sentence("shop/what-would-you-like"));
    bench.stop();
    assert_eq!(bench.outcome()["endReason"], "shop_hung_up");
    let before = live();
    drop(bench.call);
    let kept = before - live();
    println!("{} KiB", kept / KIB);
    assert!(kept <= MOST, "it keeps {kept} bytes");
}

/// Bytes that are allocated.
fn live() -> usize {
    let stats = MEMORY.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}
