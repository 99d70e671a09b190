//! Log lines: one JSON object each. [`LogLine`] has room for words of this program and numbers
//! only; nothing else is ever logged.

use crate::call::output::{LogLine, Severity};
use crate::config::LogLevel;
use crate::http::problem::Problem;
use crate::json;
use crate::twilio::sid::CallSid;
use serde::Serialize;
use worker::{Error, console_error, console_log, console_warn};

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a CallSid>,
    #[serde(flatten)]
    line: &'a LogLine,
}

/// Writes a line about a call, if the level asks for it.
pub(super) fn call(level: LogLevel, sid: Option<&CallSid>, line: &LogLine) {
    let wanted = match line.level {
        Severity::Error => LogLevel::Error,
        Severity::Warn => LogLevel::Warn,
        Severity::Info => LogLevel::Info,
        Severity::Debug => LogLevel::Debug,
    };
    if wanted > level {
        return;
    }
    let text = json::text(&Line { sid, line });
    match line.level {
        Severity::Error => console_error!("{text}"),
        Severity::Warn => console_warn!("{text}"),
        Severity::Info | Severity::Debug => console_log!("{text}"),
    }
}

/// Writes a line about a request that was refused for a failure of ours or of Twilio's.
pub(super) fn refused(problem: &Problem) {
    if problem.status >= 500 {
        call(
            LogLevel::Info,
            None,
            &LogLine::warn("request_failed")
                .what(problem.title)
                .n(u64::from(problem.status)),
        );
    }
}

/// Turns a failure of the runtime into a problem document. Its text may quote a URL, so it is
/// named, not shown.
pub(super) fn runtime_error(what: &'static str) -> impl FnOnce(Error) -> Problem {
    move |_| {
        call(
            LogLevel::Info,
            None,
            &LogLine::error("runtime_error").what(what),
        );
        Problem::internal()
    }
}
