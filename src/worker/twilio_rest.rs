//! Requests to Twilio's REST API. Creation is sent once and never again: Twilio has no idempotency
//! key, and a second request could ring twice.

use super::outgoing;
use crate::base64;
use crate::config::Config;
use crate::twilio::rest::{self, CreateCall, HANG_UP_FORM, Refusal};
use crate::twilio::sid::CallSid;
use std::time::Duration;

/// How long Twilio may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no call.
pub(super) enum CreateError {
    /// Twilio said no.
    Refused(Refusal),
    /// Nobody knows: no answer.
    Unknown,
}

/// Places a call.
pub(super) async fn create_call(
    config: &Config,
    call: &CreateCall<'_>,
) -> Result<CallSid, CreateError> {
    let path = rest::calls_path(&config.twilio_account_sid);
    let (status, body) = post(config, &path, call.to_form())
        .await
        .map_err(|_| CreateError::Unknown)?;
    rest::parse_created(status, &body).map_err(CreateError::Refused)
}

/// Ends a call; whether it is over.
pub(super) async fn hang_up(config: &Config, sid: &CallSid) -> bool {
    let path = rest::call_path(&config.twilio_account_sid, sid);
    // Ending a call twice does no harm.
    for _ in 0..2 {
        match post(config, &path, HANG_UP_FORM.to_owned()).await {
            Ok((200..300, _)) => return true,
            Ok((status, body)) if rest::parse_refusal(status, &body).is_already_over() => {
                return true;
            }
            Ok(_) | Err(_) => {}
        }
    }
    false
}

async fn post(config: &Config, path: &str, form: String) -> Result<(u16, String), &'static str> {
    let token = config.twilio_auth_tokens.first().map_or("", String::as_str);
    let credentials = base64::encode(format!("{}:{token}", config.twilio_account_sid).as_bytes());
    let headers = [
        ("authorization", format!("Basic {credentials}")),
        (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
    ];
    let url = format!("{}{path}", config.twilio_base_url);
    let answer = outgoing::post(&url, &headers, &form, PATIENCE, true).await?;
    Ok((answer.status, answer.body))
}
