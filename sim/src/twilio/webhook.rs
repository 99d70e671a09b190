//! Requests to the bridge: forms as Twilio encodes and signs them.

use super::signature::sign;
use super::twiml::Request;
use std::time::Duration;
use url::form_urlencoded::Serializer;

/// Parameters in the order of sending.
pub type Form = Vec<(String, String)>;

/// Twilio waits no longer for an answer (`protocols.md` §2.4).
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends signed requests.
#[derive(Clone)]
pub struct Webhooks {
    http: reqwest::Client,
    auth_token: String,
}

/// What the bridge answered.
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

impl Webhooks {
    /// A sender that signs with this token.
    pub fn new(auth_token: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent("TwilioProxy/1.1")
            .build()?;
        Ok(Self {
            http,
            auth_token: auth_token.into(),
        })
    }

    /// Sends a form; the error says why no 2xx answer came.
    pub async fn send(&self, to: &Request, form: &Form) -> Result<Reply, String> {
        let encoded = Serializer::new(String::new()).extend_pairs(form).finish();
        let token = super::sid::new("");
        let mut attempt = 0;
        let response = loop {
            let request = if to.post {
                let kind = "application/x-www-form-urlencoded; charset=UTF-8";
                self.http
                    .post(&to.url)
                    .header("Content-Type", kind)
                    .header("X-Twilio-Signature", sign(&self.auth_token, &to.url, form))
                    .body(encoded.clone())
            } else {
                let url = to.url.split('#').next().unwrap_or(&to.url);
                let joint = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{joint}{encoded}");
                let signature = sign(&self.auth_token, &url, &[]);
                self.http.get(url).header("X-Twilio-Signature", signature)
            };
            attempt += 1;
            match request
                .header("I-Twilio-Idempotency-Token", &token)
                .send()
                .await
            {
                Ok(response) => break response,
                // One retry when no connection comes about, as is Twilio's default.
                Err(error) if error.is_connect() && attempt == 1 => {}
                Err(error) => return Err(format!("11200 {}: {error}", to.url)),
            }
        };
        let status = response.status().as_u16();
        if !response.status().is_success() {
            return Err(format!("11200 {} answered {status}", to.url));
        }
        let header = response.headers().get("content-type");
        let content_type = header
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_string();
        let body = response
            .text()
            .await
            .map_err(|error| format!("11200 {}: {error}", to.url))?;
        Ok(Reply {
            status,
            content_type,
            body,
        })
    }
}

/// Adds a parameter.
pub fn put(form: &mut Form, name: &str, value: impl Into<String>) {
    form.push((name.to_string(), value.into()));
}
