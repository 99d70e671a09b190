//! Errors as RFC 9457 problem documents.

use crate::config::ConfigError;
use crate::json::{self, FieldError};
use crate::policy::gate::{self, Reason};
use crate::policy::redact::mask_numbers;
use crate::twilio::rest::Refusal;
use crate::twilio::webhook::FormError;
use serde::Serialize;

/// Content type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What went wrong with a request. Quotes nothing private and no secret.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// A URI for the kind of problem.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// This very problem, and what to do about it.
    pub detail: String,
    /// Each bad field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Everything that speaks against dialling.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Twilio's error code.
    #[serde(rename = "twilioCode", skip_serializing_if = "Option::is_none")]
    pub twilio_code: Option<u32>,
    /// Value of the `Allow` header.
    #[serde(skip)]
    pub allow: Option<&'static str>,
    /// Value of the `Retry-After` header, in seconds.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    fn new(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
            reasons: Vec::new(),
            twilio_code: None,
            allow: None,
            retry_after: None,
        }
    }

    /// 401: no API token, or a wrong one.
    pub fn unauthorized() -> Self {
        Self::new(
            401,
            "urn:orderline:unauthorized",
            "Unauthorized",
            "send `Authorization: Bearer <token>` with a token configured in API_TOKEN",
        )
    }

    /// 403: the request is not Twilio's, or a stream token was used before.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(403, "urn:orderline:forbidden", "Forbidden", detail)
    }

    /// 404: no such route or call.
    pub fn not_found() -> Self {
        Self::new(
            404,
            "urn:orderline:not-found",
            "Not found",
            "there is nothing at this path",
        )
    }

    /// 405: the route takes another method.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                405,
                "urn:orderline:method-not-allowed",
                "Method not allowed",
                format!("this path takes {allow}"),
            )
        }
    }

    /// 409: the idempotency key belongs to another request.
    pub fn key_conflict() -> Self {
        Self::new(
            409,
            "urn:orderline:key-conflict",
            "Conflict",
            "this Idempotency-Key came with another body before; use a new one for a new call",
        )
    }

    /// 409: the first request under the idempotency key is still under way.
    pub fn key_under_way() -> Self {
        let detail = "the first request with this Idempotency-Key is still under way; repeat it for its answer";
        Self {
            retry_after: Some(2),
            ..Self::new(409, "urn:orderline:key-under-way", "Conflict", detail)
        }
    }

    /// 409: the call still runs.
    pub fn still_running() -> Self {
        Self::new(
            409,
            "urn:orderline:still-running",
            "Conflict",
            "this call still runs; erase it when it is over",
        )
    }

    /// 422: the idempotency key cannot be used.
    pub fn bad_key() -> Self {
        Self::new(
            422,
            "urn:orderline:bad-key",
            "Unprocessable content",
            "the header Idempotency-Key must have 1 to 255 ASCII characters, none of them a control character",
        )
    }

    /// 413: the body is too large.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            413,
            "urn:orderline:too-large",
            "Content too large",
            format!("the body may have at most {limit} bytes"),
        )
    }

    /// 415: the body is of another type.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            415,
            "urn:orderline:unsupported-media-type",
            "Unsupported media type",
            format!("send the body as {expected}"),
        )
    }

    /// 422: fields are wrong.
    pub fn bad_fields(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(
                422,
                "urn:orderline:bad-fields",
                "Unprocessable content",
                "nothing was done; correct the fields in `errors`",
            )
        }
    }

    /// The gate does not allow the call: 429 if all that helps is to wait, else 422.
    pub fn not_allowed(reasons: Vec<Reason>) -> Self {
        let retry_after = gate::retry_after(&reasons);
        let status = if retry_after.is_some() { 429 } else { 422 };
        Self {
            reasons,
            retry_after,
            ..Self::new(
                status,
                "urn:orderline:not-allowed",
                "Not allowed",
                "nothing was dialled; `reasons` says why",
            )
        }
    }

    /// A signed webhook that is not ours (403), or lacks what every webhook has (422).
    pub fn bad_webhook(error: &FormError) -> Self {
        match error {
            FormError::Account => Self::forbidden(&error.to_string()),
            FormError::CallSid(problem) => {
                Self::bad_fields(vec![FieldError::new("/CallSid", problem.to_string())])
            }
        }
    }

    /// 426: the path takes WebSocket upgrades only.
    pub fn upgrade_required() -> Self {
        Self::new(
            426,
            "urn:orderline:upgrade-required",
            "Upgrade required",
            "this path takes a WebSocket upgrade",
        )
    }

    /// 500: a failure of ours.
    pub fn internal() -> Self {
        Self::new(
            500,
            "urn:orderline:internal",
            "Internal error",
            "something failed on our side; the log has the event",
        )
    }

    /// 502: Twilio refused, or failed.
    pub fn refused_by_twilio(refusal: &Refusal) -> Self {
        let detail = format!(
            "Twilio refused (HTTP {}): {}",
            refusal.http,
            mask_numbers(&refusal.message)
        );
        let problem = if refusal.is_certain() {
            Self::new(
                502,
                "urn:orderline:twilio-refused",
                "Twilio refused",
                detail,
            )
        } else {
            let detail = format!(
                "{detail}; it is not known whether the call was placed, and it was not tried again"
            );
            Self::new(502, "urn:orderline:twilio-failed", "Twilio failed", detail)
        };
        Self {
            twilio_code: refusal.code,
            ..problem
        }
    }

    /// 502: Twilio did not answer.
    pub fn no_answer_from_twilio() -> Self {
        Self::new(
            502,
            "urn:orderline:twilio-unreachable",
            "Twilio did not answer",
            "it is not known whether the call was placed, so it was not tried again: look at Twilio's call log before you repeat the request",
        )
    }

    /// 503: the call's turn did not come in time.
    pub fn waited_too_long() -> Self {
        Self::new(
            503,
            "urn:orderline:waited-too-long",
            "Waited too long",
            "the call was queued and its turn did not come in time; nothing was dialled",
        )
    }

    /// 503: variables are missing or wrong.
    pub fn not_configured(errors: &[ConfigError]) -> Self {
        let errors = errors
            .iter()
            .map(|e| FieldError::new(e.name, e.problem.clone()))
            .collect();
        Self {
            errors,
            ..Self::new(
                503,
                "urn:orderline:not-configured",
                "Not configured",
                "set the variables in `errors` (README: Variables)",
            )
        }
    }

    /// The document.
    pub fn to_json(&self) -> String {
        json::text(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_twilio_carries_its_code_and_no_phone_number() {
        let problem = Problem::refused_by_twilio(&Refusal {
            http: 400,
            code: Some(21211),
            message: "The number +13105550123 is bad".into(),
        });
        assert_eq!(
            problem.to_json(),
            r#"{"type":"urn:orderline:twilio-refused","title":"Twilio refused","status":502,"detail":"Twilio refused (HTTP 400): The number … is bad","twilioCode":21211}"#
        );
    }

    #[test]
    fn only_a_refusal_that_waiting_lifts_is_429() {
        let reason = Reason::named;
        let waiting = [
            reason("concurrent_calls", Some(60)),
            reason("quiet_hours", Some(90)),
        ];
        let problem = Problem::not_allowed(waiting.to_vec());
        assert_eq!((problem.status, problem.retry_after), (429, Some(90)));
        let json = problem.to_json();
        let listed = r#"allows","retryAfter":60},{"code":"quiet_hours","pointer":"/timezone""#;
        assert!(json.contains(listed), "{json}");
        let both = [&waiting[..], &[reason("suppressed", None)]].concat();
        let problem = Problem::not_allowed(both);
        assert_eq!((problem.status, problem.retry_after), (422, None));
    }

    #[test]
    fn bad_fields_are_listed_with_their_pointers() {
        let json = Problem::bad_fields(vec![FieldError::new("/to", "is required")]).to_json();
        assert!(
            json.contains(r#""errors":[{"pointer":"/to","detail":"is required"}]"#),
            "{json}"
        );
    }
}
