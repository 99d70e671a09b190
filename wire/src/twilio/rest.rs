//! Requests to Twilio's REST API, as form bodies, and its answers (`protocols.md` §2.1 to 2.3).

use super::number::E164;
use super::sid::CallSid;
use super::webhook::webhook_url;
use crate::json;
use serde::Deserialize;

/// What is needed to place a call.
#[derive(Clone, Debug)]
pub struct CreateCall<'a> {
    /// The shop.
    pub to: &'a E164,
    /// Our number.
    pub from: &'a E164,
    /// Base URL of our webhooks, without a trailing slash.
    pub base_url: &'a str,
    /// Seconds to let it ring.
    pub ring_timeout_sec: u32,
    /// Twilio's own limit for the whole call, in seconds: the second safety net.
    pub time_limit_sec: u32,
}

impl CreateCall<'_> {
    /// The form body of `POST …/Calls.json`.
    pub fn to_form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("To", self.to.as_str());
        form.append_pair("From", self.from.as_str());
        form.append_pair("Url", &webhook_url(self.base_url, "voice"));
        form.append_pair("Method", "POST");
        form.append_pair("StatusCallback", &webhook_url(self.base_url, "status"));
        form.append_pair("StatusCallbackMethod", "POST");
        for event in ["initiated", "ringing", "answered", "completed"] {
            form.append_pair("StatusCallbackEvent", event);
        }
        form.append_pair("Timeout", &self.ring_timeout_sec.to_string());
        form.append_pair("TimeLimit", &self.time_limit_sec.to_string());
        form.finish()
    }
}

/// Path of the collection of calls, below the API's base URL.
pub fn calls_path(account_sid: &str) -> String {
    format!("/2010-04-01/Accounts/{account_sid}/Calls.json")
}

/// Path of one call, below the API's base URL.
pub fn call_path(account_sid: &str, call_sid: &CallSid) -> String {
    format!("/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}.json")
}

/// The form body that ends a call, whatever it is doing.
pub const HANG_UP_FORM: &str = "Status=completed";

/// What Twilio answered instead of doing what was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub http: u16,
    /// Twilio's error code, where the body had one.
    pub code: Option<u32>,
    /// Twilio's text; may contain phone numbers.
    pub message: String,
}

impl Refusal {
    /// Whether Twilio certainly did nothing: it understood the request and said no.
    pub fn is_certain(&self) -> bool {
        (400..500).contains(&self.http)
    }

    /// Whether there were too many requests at a time: the same one may pass later (`protocols.md` §2.3).
    pub fn is_busy(&self) -> bool {
        self.http == 429
    }

    /// Whether a hang-up failed because there was nothing left to hang up.
    pub fn is_already_over(&self) -> bool {
        matches!(self.code, Some(20404 | 21220))
    }
}

/// Reads the answer to call creation: the SID, or Twilio's refusal.
pub fn parse_created(http: u16, body: &str) -> Result<CallSid, Refusal> {
    #[derive(Deserialize)]
    struct Created {
        sid: CallSid,
    }
    if !(200..300).contains(&http) {
        return Err(parse_refusal(http, body));
    }
    json::read::<Created>(body)
        .map(|c| c.sid)
        .ok_or_else(|| Refusal {
            http,
            code: None,
            message: "the answer had no call SID".into(),
        })
}

/// Reads an error answer.
pub fn parse_refusal(http: u16, body: &str) -> Refusal {
    #[derive(Deserialize)]
    struct ErrorBody {
        code: Option<u32>,
        message: Option<String>,
    }
    let parsed = json::read(body).unwrap_or(ErrorBody {
        code: None,
        message: None,
    });
    let message = parsed
        .message
        .unwrap_or_else(|| format!("HTTP status {http} without a Twilio error body"));
    Refusal {
        http,
        code: parsed.code,
        message: message.chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_created_with_repeated_event_keys_and_both_limits() {
        let (to, from) = (
            E164::parse("+13105550123").unwrap(),
            E164::parse("+13105550100").unwrap(),
        );
        let form = CreateCall {
            to: &to,
            from: &from,
            base_url: "https://h",
            ring_timeout_sec: 40,
            time_limit_sec: 660,
        }
        .to_form();
        assert_eq!(
            form,
            "To=%2B13105550123&From=%2B13105550100&Url=https%3A%2F%2Fh%2Ftwilio%2Fvoice%23rc%3D5%26rp%3Dct%2Crt%2C5xx%26ct%3D2000%26rt%3D4000%26tt%3D15000&Method=POST\
             &StatusCallback=https%3A%2F%2Fh%2Ftwilio%2Fstatus%23rc%3D5%26rp%3Dct%2Crt%2C5xx%26ct%3D2000%26rt%3D4000%26tt%3D15000&StatusCallbackMethod=POST\
             &StatusCallbackEvent=initiated&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed\
             &Timeout=40&TimeLimit=660"
        );
    }

    #[test]
    fn answers_are_read_or_explained() {
        let sid = "CA00000000000000000000000000000001";
        assert_eq!(
            parse_created(201, &format!("{{\"sid\":\"{sid}\",\"status\":\"queued\"}}"))
                .unwrap()
                .as_str(),
            sid
        );
        let refused =
            parse_created(400, r#"{"code":21211,"message":"bad To","status":400}"#).unwrap_err();
        assert_eq!(
            (refused.http, refused.code, refused.message.as_str()),
            (400, Some(21211), "bad To")
        );
        assert_eq!(parse_created(201, "{}").unwrap_err().code, None);
        assert!(refused.is_certain());
        assert!(!parse_created(503, "").unwrap_err().is_certain());
        assert_eq!(parse_created(503, "<html>").unwrap_err().http, 503);
    }
}
