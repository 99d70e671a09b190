//! The lab: measurements against bars, on data that is not committed.

mod clips;
mod corpus;
mod extras;
mod hearing;
mod score;
mod signals;
mod table;

use clap::Subcommand;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Lab {
    /// How well the local detector hears speech, against the bar of hearing.md
    Hearing,
}

/// Runs a measurement; whether every bar was met.
pub(crate) fn run(lab: &Lab) -> anyhow::Result<bool> {
    match lab {
        Lab::Hearing => hearing::run(),
    }
}
