//! Twilio's form-encoded webhooks (`protocols.md` §2.4 to 2.8). The signature is checked over the
//! raw parameters before any of this is looked at.

use super::sid::{CallSid, SidError};
use serde::{Deserialize, Serialize};

/// The decoded parameters of a webhook, in the order received.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

/// The form lacks what every webhook carries; the sender's fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// No `CallSid`, or a malformed one.
    #[error("parameter CallSid: {0}")]
    CallSid(#[from] SidError),
    /// Another account's webhook.
    #[error("parameter AccountSid is not the configured account")]
    Account,
}

impl Form {
    /// Decodes an `application/x-www-form-urlencoded` body.
    pub fn decode(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// All parameters, for the signature.
    pub fn params(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first value of a parameter, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, v)| n == name && !v.is_empty())
            .map(|(_, v)| v.as_str())
    }

    /// The call this webhook is about, if it belongs to the account.
    pub fn call_sid(&self, account_sid: &str) -> Result<CallSid, FormError> {
        if self.get("AccountSid") != Some(account_sid) {
            return Err(FormError::Account);
        }
        Ok(CallSid::parse(self.get("CallSid").unwrap_or_default())?)
    }

    /// Whether the call came to us, rather than being placed by us.
    pub fn is_inbound(&self) -> bool {
        self.get("Direction").is_some_and(|d| d == "inbound")
    }

    /// Who is called.
    pub fn to(&self) -> Option<&str> {
        self.get("To")
    }

    /// Whether the call to a human was answered, in the callback of a `<Dial>`.
    pub fn dial_was_answered(&self) -> bool {
        matches!(self.get("DialCallStatus"), Some("completed" | "answered"))
    }

    /// The error number in a stream's status callback; 0 if it has none.
    pub fn stream_error(&self) -> Option<u64> {
        if self.get("StreamEvent") != Some("stream-error") {
            return None;
        }
        let text = self.get("StreamError").unwrap_or_default();
        let digits: String = text
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .take(6)
            .collect();
        Some(digits.parse().unwrap_or(0))
    }

    /// The status in a status callback.
    pub fn status(&self) -> Option<CallStatus> {
        CallStatus::parse(self.get("CallStatus")?)
    }
}

/// The URL of a webhook, for Twilio. Behind the `#`, which is neither sent nor signed, it says that a
/// question is asked again when the connection fails, nobody answers in time, or the answer is 5xx:
/// so that a restart of ours does not end the call (`protocols.md` §2.4).
pub fn webhook_url(base_url: &str, hook: &str) -> String {
    format!("{base_url}/twilio/{hook}#rc=5&rp=ct,rt,5xx&ct=2000&rt=4000&tt=15000")
}

/// Status of a call, as in callbacks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Accepted, not dialled yet.
    Queued,
    /// Being dialled.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Somebody answered.
    InProgress,
    /// Ended after an answer.
    Completed,
    /// Ended: the line was busy.
    Busy,
    /// Ended: nobody answered.
    NoAnswer,
    /// Ended: could not be connected.
    Failed,
    /// Ended: canceled before an answer.
    Canceled,
}

impl CallStatus {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "queued" => Self::Queued,
            "initiated" => Self::Initiated,
            "ringing" => Self::Ringing,
            "in-progress" => Self::InProgress,
            "completed" => Self::Completed,
            "busy" => Self::Busy,
            "no-answer" => Self::NoAnswer,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            _ => return None,
        })
    }

    /// Whether the call is over.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"AccountSid=AC1&CallSid=CA00000000000000000000000000000001&CallStatus=no-answer&SequenceNumber=3&ToZip=&CallDuration=0&Name=Zo%C3%AB+M";

    #[test]
    fn a_status_callback_is_read() {
        let form = Form::decode(BODY);
        assert_eq!(form.status(), Some(CallStatus::NoAnswer));
        assert_eq!(form.get("Name"), Some("Zoë M"));
        assert_eq!(form.get("ToZip"), None);
        assert!(
            form.params().contains(&("ToZip".into(), String::new())),
            "empty values are signed"
        );
    }

    #[test]
    fn a_webhook_of_another_account_or_without_a_call_is_refused() {
        assert_eq!(Form::decode(BODY).call_sid("AC2"), Err(FormError::Account));
        assert_eq!(
            Form::decode(b"AccountSid=AC1").call_sid("AC1"),
            Err(FormError::CallSid(SidError))
        );
        assert!(Form::decode(BODY).call_sid("AC1").is_ok());
    }
}
