//! What goes wrong.

use super::random::Random;

/// A fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The model's socket closes with some code.
    ModelCloses,
    /// It closes, and the next upgrades are refused.
    ModelRefuses,
    /// The model says nothing more on this socket.
    ModelFallsSilent,
    /// Events that are nonsense.
    ModelTalksNonsense,
    /// An `error` event with some code.
    ModelErrs,
    /// The response in flight fails with some code.
    ResponseFails,
    /// A flood of audio.
    ModelFloods,
    /// The media socket breaks.
    StreamBreaks,
    /// It breaks, and Twilio never asks what to do.
    StreamBreaksForGood,
    /// The shop hangs up.
    ShopHangsUp,
    /// A second's audio is missing.
    FramesLost,
    /// Five hundred frames at once.
    FramesFlood,
    /// Marks do not come back any more.
    MarksLost,
    /// Nonsense on the media socket, and a stream of somebody else.
    PhoneTalksNonsense,
    /// Old status callbacks, out of order.
    StatusesAgain,
    /// Twilio's question about the ended stream, again.
    QuestionAgain,
    /// The object loses its memory; the media socket stays.
    ForgetsAndStays,
    /// The object loses its memory and its sockets.
    ForgetsAll,
    /// It forgets, and the newest snapshot had not reached the disk.
    ForgetsTheNewest,
    /// Snapshots fail for a while.
    StorageFails,
    /// The clock steps back, or ahead.
    ClockSteps,
    /// The alarm rings long before its time, as after a retry.
    AlarmRings,
}

pub(super) const KINDS: usize = 22;

impl Fault {
    pub(super) const ALL: [Self; KINDS] = [
        Self::ModelCloses,
        Self::ModelRefuses,
        Self::ModelFallsSilent,
        Self::ModelTalksNonsense,
        Self::ModelErrs,
        Self::ResponseFails,
        Self::ModelFloods,
        Self::StreamBreaks,
        Self::StreamBreaksForGood,
        Self::ShopHangsUp,
        Self::FramesLost,
        Self::FramesFlood,
        Self::MarksLost,
        Self::PhoneTalksNonsense,
        Self::StatusesAgain,
        Self::QuestionAgain,
        Self::ForgetsAndStays,
        Self::ForgetsAll,
        Self::ForgetsTheNewest,
        Self::StorageFails,
        Self::ClockSteps,
        Self::AlarmRings,
    ];

    pub(super) fn name(self) -> String {
        format!("{self:?}")
    }

    /// Up to five faults of a call, each with its time, in ms since it was placed.
    pub(super) fn draw(random: &mut Random) -> Vec<(u64, Self)> {
        let count = random.within(0, 6);
        (0..count)
            .map(|_| (random.within(0, 45_000), random.pick(&Self::ALL)))
            .collect()
    }
}

/// Close codes and HTTP statuses.
pub(super) const CODES: [u16; 16] = [
    401, 403, 404, 429, 500, 502, 503, 1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 4000,
];
/// Codes of errors.
pub(super) const ERRORS: [&str; 9] = [
    "session_expired",
    "rate_limit_exceeded",
    "server_error",
    "insufficient_quota",
    "invalid_value",
    "response_cancel_not_active",
    "conversation_already_has_active_response",
    "input_audio_buffer_commit_empty",
    "something_new",
];
/// Statuses of a call.
pub(super) const STATUSES: [&str; 6] = [
    "initiated",
    "ringing",
    "in-progress",
    "queued",
    "nonsense",
    "in-progress",
];
