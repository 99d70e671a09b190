//! One system's turn: it is started, filled with calls, and measured mix by mix.

use super::driver::{Driver, Window};
use super::front::Front;
use super::load::Load;
use super::process;
use super::report::Figures;
use super::script::{Lines, Mix};
use super::system::{Running, System};
use super::tally::{Cut, Situation, percentile};
use crate::clips::Clips;
use anyhow::bail;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Calls that are placed at the same time.
const PLACED_AT_ONCE: usize = 4;
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// Calls at the same time where it is measured what one costs beside the others.
pub const BESIDE: [usize; 6] = [1, 5, 10, 25, 50, 75];
/// Calls at the same time while the most is searched for.
const STEPS: [usize; 9] = [25, 50, 63, 75, 90, 110, 130, 160, 200];
/// What passes before such a step is measured, and for how long it is: in less, one pause of the garbage
/// collector would be more than a hundredth.
const SETTLE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_secs(10);
/// Inbound p99 of a system that still holds its calls, in ms.
const HOLDS_MS: f64 = 20.0;
/// The generator's thread is busier than this: it is the limit itself.
const BUSY: f64 = 0.8;
/// Frames are later than this though the generator is not busy: the machine has other things to do.
const LATE_US: u32 = 10_000;
/// How often a step of the climb is tried while the machine has other things to do.
const ATTEMPTS: usize = 4;

/// How long each mix is measured, and what passes before.
pub struct Plan {
    silence: Duration,
    both: Duration,
    order: Duration,
    cut: Duration,
    settle: Duration,
}

impl Plan {
    /// For figures.
    pub fn full() -> Self {
        Self {
            silence: Duration::from_secs(4),
            both: Duration::from_secs(5),
            order: Duration::from_secs(10),
            cut: Duration::from_secs(11),
            settle: Duration::from_millis(1_200),
        }
    }

    /// To see that it works.
    pub fn quick() -> Self {
        Self {
            silence: Duration::from_secs(1),
            both: Duration::from_secs(2),
            order: Duration::from_secs(4),
            cut: Duration::from_secs(7),
            settle: Duration::from_millis(500),
        }
    }
}

/// A system that runs, and its load.
pub struct Trial {
    running: Running,
    front: Front,
    driver: Arc<Driver>,
    calls: usize,
}

impl Trial {
    /// Starts it, without calls.
    pub async fn start(system: System, clips: &Clips, logs: &Path) -> anyhow::Result<Self> {
        let driver = Arc::new(Driver::start(Load::new(Lines::load(clips)?))?);
        let front = Front::start(Arc::clone(&driver)).await?;
        let running = Running::start(system, &front, logs).await?;
        Ok(Self {
            running,
            front,
            driver,
            calls: 0,
        })
    }

    /// Places calls until there are so many, and waits until each has reached the model.
    async fn fill(&mut self, calls: usize) -> anyhow::Result<()> {
        let (running, front, driver) = (&self.running, &self.front, &*self.driver);
        stream::iter(self.calls..calls)
            .map(|nth| running.call(nth, front, driver))
            .buffer_unordered(PLACED_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        self.calls = calls;
        let deadline = Instant::now() + CONNECT_LIMIT;
        loop {
            let connected = self.driver.connected().await?;
            if connected >= calls {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{connected} of {calls} calls have reached the model");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// A window of this mix, and the CPU-ms that a minute of a call cost in it.
    async fn window(&self, time: Duration) -> anyhow::Result<(Window, f64)> {
        let (before, machine) = (self.running.usage(), process::machine_seconds());
        self.driver.begin();
        sleep(time).await;
        let (after, machine) = (self.running.usage(), process::machine_seconds() - machine);
        let mut window = self.driver.end().await?;
        let cpu = after.cpu_seconds - before.cpu_seconds;
        window.others = ((machine - cpu - window.own_cpu_seconds) / window.seconds).max(0.0);
        let cpu_ms = cpu * 1_000.0;
        let minutes = window.seconds / 60.0 * self.calls as f64;
        Ok((window, cpu_ms / minutes))
    }

    async fn begin(&self, mix: Mix, settle: Duration) {
        self.driver.mix(mix);
        sleep(settle).await;
    }

    /// All mixes, one after the other.
    pub async fn measure(&mut self, calls: usize, plan: &Plan) -> anyhow::Result<Figures> {
        let mut figures = Figures::default();
        // The isolate has its code, and the first call its objects.
        self.fill(2.min(calls)).await?;
        sleep(plan.settle).await;
        let (first, before) = (self.calls, self.running.usage());
        self.fill(calls).await?;
        // What the start of so many calls held up is over.
        sleep(plan.silence + plan.settle * 2).await;

        // First, while nothing plays that would be cut off as well.
        self.begin(Mix::Cut, Duration::ZERO).await;
        let (cut, _) = self.window(plan.cut).await?;
        figures.cuts(&cut.tally.cuts);
        figures.own(&cut);

        self.begin(Mix::Both, plan.settle * 2).await;
        let (both, cpu) = self.window(plan.both).await?;
        let full = self.running.usage();
        figures.set("cpu_both", cpu);
        figures.latencies("", &both);
        let tally = &both.tally;
        figures.set("lost_in", tally.inbound.lost() as f64);
        figures.set("lost_out", tally.outbound.lost() as f64);
        figures.set("clears_both", tally.clears as f64);
        figures.set(
            "mib_per_call",
            (full.resident_mib - before.resident_mib) / (calls - first).max(1) as f64,
        );
        figures.own(&both);

        self.begin(Mix::Order, plan.settle * 2).await;
        let (order, cpu) = self.window(plan.order).await?;
        figures.set("cpu_order", cpu);
        figures.latencies("order_", &order);
        let tally = &order.tally;
        let seconds = order.seconds * calls as f64;
        figures.set("appends", tally.appends as f64 / seconds);
        figures.set("order_lost_in", tally.inbound.lost() as f64);
        figures.set("turns", tally.turns as f64);
        figures.set("unanswered", tally.unanswered as f64);
        figures.own(&order);

        figures.set("closed", (both.closed + order.closed + cut.closed) as f64);
        let minutes = (plan.order + plan.settle * 2).as_secs_f64() / 60.0;
        let grown = self.running.usage().resident_mib - full.resident_mib;
        figures.set("mib_per_call_minute", grown / calls as f64 / minutes);

        // Last, when the runtime has compiled what runs often.
        self.begin(Mix::Silence, plan.settle * 2).await;
        let (_, cpu) = self.window(plan.silence).await?;
        figures.set("cpu_silence", cpu);
        Ok(figures)
    }

    /// What a call costs beside so many others, in an order.
    pub async fn beside(&mut self) -> anyhow::Result<Figures> {
        let mut figures = Figures::default();
        for calls in BESIDE {
            self.fill(calls).await?;
            let mut attempts = 0;
            let (window, cpu) = loop {
                self.begin(Mix::Order, SETTLE).await;
                let (window, cpu) = self.window(STEP).await?;
                attempts += 1;
                if doubt(&window).is_none() {
                    break (window, cpu);
                }
                if attempts == ATTEMPTS {
                    figures.set("unknown_beside", calls as f64);
                    return Ok(figures);
                }
            };
            let lost = window.tally.inbound.lost() as f64;
            println!("  {calls} calls: {cpu:.0} CPU-ms per call-minute of an order");
            let prefix = format!("beside_{calls}_");
            figures.set(&format!("{prefix}cpu"), cpu);
            figures.set(&format!("{prefix}lost_in"), lost);
            figures.latencies(&prefix, &window);
        }
        Ok(figures)
    }

    /// The most calls that it holds, sound both ways.
    pub async fn climb(&mut self) -> anyhow::Result<Figures> {
        let mut figures = Figures::default();
        for calls in STEPS {
            self.fill(calls).await?;
            let (mut holds, mut missed) = (false, 0);
            for _ in 0..ATTEMPTS {
                self.begin(Mix::Both, SETTLE).await;
                let (window, cpu) = self.window(STEP).await?;
                let p99 = f64::from(percentile(&window.tally.inbound_us, 0.99)) / 1_000.0;
                let told = match doubt(&window) {
                    Some(Doubt::Generator) => "; the generator is the limit",
                    Some(Doubt::Machine) => "; the machine is busy with other things",
                    None => "",
                };
                println!("  {calls} calls: p99 {p99:.1} ms, {cpu:.0} CPU-ms per call-minute{told}");
                match doubt(&window) {
                    Some(Doubt::Generator) => {
                        figures.set("generator_limit", calls as f64);
                        return Ok(figures);
                    }
                    Some(Doubt::Machine) => continue,
                    None => figures.step(calls, p99, cpu),
                }
                holds = p99 < HOLDS_MS && window.tally.inbound.lost() == 0;
                missed += usize::from(!holds);
                // A hiccup is no limit: it has to miss twice.
                if holds || missed == 2 {
                    break;
                }
            }
            if !holds {
                if missed < 2 {
                    figures.set("unknown_from", calls as f64);
                }
                break;
            }
            figures.set("most_calls", calls as f64);
        }
        Ok(figures)
    }
}

/// Why a window says nothing about the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// Our own thread had no time left.
    Generator,
    /// Our own thread had time left, and did not get it.
    Machine,
}

fn doubt(window: &Window) -> Option<Doubt> {
    if window.own_cpu_seconds > BUSY * window.seconds {
        Some(Doubt::Generator)
    } else if percentile(&window.tally.late_us, 0.99) > LATE_US {
        Some(Doubt::Machine)
    } else {
        None
    }
}

impl Figures {
    fn latencies(&mut self, prefix: &str, window: &Window) {
        let tally = &window.tally;
        for (name, values) in [("in", &tally.inbound_us), ("out", &tally.outbound_us)] {
            for (rank, share) in [("p50", 0.5), ("p99", 0.99)] {
                let ms = f64::from(percentile(values, share)) / 1_000.0;
                self.set(&format!("{prefix}{name}_{rank}"), ms);
            }
        }
    }

    /// What the generator itself cost, the worst of all windows.
    fn own(&mut self, window: &Window) {
        let late = f64::from(percentile(&window.tally.late_us, 0.99)) / 1_000.0;
        self.worst("own_late_p99", late);
        self.worst("own_cpu", 100.0 * window.own_cpu_seconds / window.seconds);
        self.worst("others", window.others);
        for (name, why) in [("own_limit", Doubt::Generator), ("starved", Doubt::Machine)] {
            self.worst(name, f64::from(doubt(window) == Some(why)));
        }
    }

    fn cuts(&mut self, cuts: &[Cut]) {
        let clears: Vec<u64> = cuts.iter().filter_map(|cut| cut.clear_us).collect();
        self.set("cuts", cuts.len() as f64);
        self.set("no_clear", (cuts.len() - clears.len()) as f64);
        if !clears.is_empty() {
            self.set("clear_p50", percentile(&clears, 0.5) as f64 / 1_000.0);
            self.set("clear_p95", percentile(&clears, 0.95) as f64 / 1_000.0);
        }
        for (name, situation) in [
            ("generating", Situation::Generating),
            ("playing", Situation::Playing),
            ("queued", Situation::Queued),
        ] {
            for delay in [0, super::script::DELAY_MS] {
                let these = cuts
                    .iter()
                    .filter(|cut| cut.situation == situation && cut.delay_ms == delay);
                let errors: Vec<u64> = these.map(|cut| cut.error_ms).collect();
                if !errors.is_empty() {
                    self.set(
                        &format!("error_{name}_{delay}"),
                        percentile(&errors, 0.95) as f64,
                    );
                }
            }
        }
        let stale: Vec<u64> = cuts.iter().map(|cut| cut.stale_ms).collect();
        self.set("stale", percentile(&stale, 1.0) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tally::Tally;

    #[test]
    fn a_late_generator_is_told_from_a_busy_one() {
        let window = |late_us: u32, own_cpu_seconds: f64| Window {
            tally: Tally {
                late_us: vec![late_us],
                ..Tally::default()
            },
            seconds: 1.0,
            own_cpu_seconds,
            ..Window::default()
        };
        assert_eq!(doubt(&window(1_000, 0.2)), None);
        assert_eq!(doubt(&window(30_000, 0.2)), Some(Doubt::Machine));
        assert_eq!(doubt(&window(30_000, 0.9)), Some(Doubt::Generator));
    }
}
