//! What goes wrong on the model's side, and what is done about it: one table. Codes as in
//! `protocols.md` §1.1 and §1.9; what it does not name is worth another try, because the shop is on
//! the line.

use super::model::Link;

/// What is done about a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Handling {
    /// Nothing: the session is as it was.
    Ignore,
    /// The response is asked for again a little later.
    AskLater,
    /// The response is asked for again; if that fails, too, another session is opened.
    AskAgain,
    /// Another session is opened, and told what was said.
    Reconnect,
    /// No session will do better: a human takes over, or Twilio's voice apologises.
    GiveUp,
}

use Handling::{AskAgain, AskLater, GiveUp, Ignore, Reconnect};

/// A failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure<'a> {
    /// The upgrade was refused, with this HTTP status.
    Refused(u16),
    /// The socket is gone, with this close code (1006 if it broke), while the link was in this state.
    Closed(u16, Link),
    /// It does not open, does not take its settings, begins no response or says nothing more of one.
    Overdue,
    /// An `error` event with this code, while the link is in this state, about the response that was
    /// asked for or not.
    Error {
        code: &'a str,
        link: Link,
        of_response: bool,
    },
    /// A response that failed, with this code where there is one.
    Response(&'a str),
    /// A response that was cut by a limit or a filter before it said or did anything.
    Incomplete,
}

/// HTTP statuses and close codes, from and to. The others are worth another try.
const FINAL_CODES: [(u16, u16); 6] = [
    // Key, project or model are wrong; 408 and 429 pass.
    (400, 407),
    (409, 428),
    (430, 499),
    // Policy, and what the official client calls unauthorized.
    (1008, 1008),
    (3000, 3000),
    // The API's own refusals, such as `beta_api_shape_disabled`.
    (4000, 4999),
];

/// Error codes of events and of failed responses.
const ERROR_CODES: [(&str, Handling); 12] = [
    ("conversation_already_has_active_response", AskLater),
    ("response_cancel_not_active", Ignore),
    ("input_audio_buffer_commit_empty", Ignore),
    ("item_truncate_invalid_item_id", Ignore),
    ("session_expired", Reconnect),
    ("rate_limit_exceeded", AskLater),
    ("server_error", AskAgain),
    ("insufficient_quota", GiveUp),
    ("invalid_api_key", GiveUp),
    ("model_not_found", GiveUp),
    ("beta_api_shape_disabled", GiveUp),
    ("account_deactivated", GiveUp),
];

impl Failure<'_> {
    /// What is done about it.
    pub(super) fn handling(self) -> Handling {
        match self {
            // What was taken once is taken again.
            Self::Closed(_, Link::Ready) | Self::Overdue => Reconnect,
            Self::Refused(code) | Self::Closed(code, _) => {
                let is_final = FINAL_CODES
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&code));
                if is_final { GiveUp } else { Reconnect }
            }
            Self::Incomplete => AskAgain,
            Self::Response(code) => known(code).unwrap_or(AskAgain),
            Self::Error {
                code,
                link,
                of_response,
            } => match known(code) {
                // Our settings were refused, and would be again.
                None if link == Link::Configuring => GiveUp,
                None if of_response => AskAgain,
                // Most errors leave the session as it was.
                None => Ignore,
                Some(AskLater | AskAgain) if !of_response => Ignore,
                Some(handling) => handling,
            },
        }
    }
}

fn known(code: &str) -> Option<Handling> {
    let known = ERROR_CODES.iter().find(|(known, _)| *known == code);
    known.map(|(_, handling)| *handling)
}

/// How long to wait before a session is opened after so many losses in a row, in ms; nothing when
/// it has been tried often enough. At once first: most losses are of one socket.
pub(super) fn pause_ms(losses: u32) -> Option<u64> {
    const PAUSES: [u64; 4] = [0, 500, 1_000, 2_000];
    let at = usize::try_from(losses).ok()?;
    PAUSES.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_handling() {
        let error = |code, link, of_response| Failure::Error {
            code,
            link,
            of_response,
        };
        let ready = Link::Ready;
        for (failure, handling) in [
            (Failure::Refused(401), GiveUp),
            (Failure::Refused(404), GiveUp),
            (Failure::Refused(408), Reconnect),
            (Failure::Refused(429), Reconnect),
            (Failure::Refused(500), Reconnect),
            (Failure::Refused(503), Reconnect),
            (Failure::Closed(1000, Link::Connecting), Reconnect),
            (Failure::Closed(1001, Link::Connecting), Reconnect),
            (Failure::Closed(1005, Link::Connecting), Reconnect),
            (Failure::Closed(1006, Link::Connecting), Reconnect),
            (Failure::Closed(1008, Link::Connecting), GiveUp),
            (Failure::Closed(1011, Link::Connecting), Reconnect),
            (Failure::Closed(4000, Link::Connecting), GiveUp),
            (Failure::Closed(4000, ready), Reconnect),
            (Failure::Overdue, Reconnect),
            (Failure::Incomplete, AskAgain),
            (Failure::Response(""), AskAgain),
            (Failure::Response("server_error"), AskAgain),
            (Failure::Response("rate_limit_exceeded"), AskLater),
            (Failure::Response("insufficient_quota"), GiveUp),
            (error("session_expired", ready, false), Reconnect),
            (error("unknown_parameter", Link::Configuring, false), GiveUp),
            (error("unknown_parameter", ready, false), Ignore),
            (error("unknown_parameter", ready, true), AskAgain),
            (error("response_cancel_not_active", ready, false), Ignore),
            (
                error("conversation_already_has_active_response", ready, true),
                AskLater,
            ),
            (error("rate_limit_exceeded", ready, false), Ignore),
            (error("rate_limit_exceeded", ready, true), AskLater),
        ] {
            assert_eq!(failure.handling(), handling, "{failure:?}");
        }
    }

    #[test]
    fn the_first_retry_comes_at_once_and_there_are_four() {
        assert_eq!(pause_ms(0), Some(0));
        assert_eq!(pause_ms(4), None);
    }
}
