//! What processes cost, as Linux counts it in `/proc`.

use std::fs;

/// Ticks per second of `/proc/PID/stat`: fixed for programs, whatever the kernel's own.
const TICKS: f64 = 100.0;
const PAGE_KIB: f64 = 4.0;

/// A process and everything it started, at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub resident_mib: f64,
}

/// The processes of this group.
pub fn group(leader: u32) -> Usage {
    let mut usage = Usage::default();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        // The name may have spaces; behind it, the state is the first field.
        let Some((_, fields)) = stat.rsplit_once(')') else {
            continue;
        };
        let fields: Vec<f64> = fields
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        let at = |index: usize| fields.get(index).copied().unwrap_or(0.0);
        if at(2) == f64::from(leader) {
            usage.cpu_seconds += (at(11) + at(12)) / TICKS;
            usage.resident_mib += at(21) * PAGE_KIB / 1024.0;
        }
    }
    usage
}

/// CPU time of everything on this machine, whoever it is for.
pub fn machine_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields
        .skip(1)
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    // user, nice, system; then idle and waiting; then irq, softirq, steal.
    let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|&at| ticks.get(at));
    busy.sum::<f64>() / TICKS
}

/// CPU time of the thread that asks.
pub fn own_thread_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next();
    nanoseconds
        .and_then(|ns| ns.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen() {
        let before = own_thread_seconds();
        let mut sum = 0u64;
        while own_thread_seconds() <= before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0 && own_thread_seconds() > before);
    }
}
