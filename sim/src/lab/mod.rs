//! The lab: measurements against bars.

mod chaos;
mod clips;
mod corpus;
mod extras;
mod hearing;
mod score;
mod signals;
mod table;
mod trust;
mod turn_taking;

use clap::Subcommand;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Lab {
    /// How well the local detector hears speech, against its bar, on data of
    /// scripts/lab-data.sh
    Hearing,
    /// How the agent takes turns: seeded conversations in virtual time
    TurnTaking(turn_taking::Options),
    /// Whether an outcome can be trusted: seeded conversations whose truth is known
    Trust(trust::Options),
    /// What a call survives: seeded faults in virtual time, invariants after every step
    Chaos(chaos::Options),
}

/// Runs a measurement; whether every bar was met.
pub(crate) fn run(lab: &Lab) -> anyhow::Result<bool> {
    match lab {
        Lab::Hearing => hearing::run(),
        Lab::TurnTaking(options) => turn_taking::run(options),
        Lab::Trust(options) => trust::run(options),
        Lab::Chaos(options) => chaos::run(options),
    }
}
