//! Requests to the bridge: forms as Twilio encodes and signs them.

use super::overrides::{Failure, Overrides};
use super::signature::sign;
use super::twiml::Request;
use reqwest::{Client, Response};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded::Serializer;

/// Parameters in the order of sending.
pub type Form = Vec<(String, String)>;

/// How many requests are kept, to be sent again.
const MAX_SENT: usize = 4_096;

/// Sends signed requests.
#[derive(Clone)]
pub struct Webhooks {
    auth_token: String,
    sent: Arc<Mutex<Vec<(Request, Form)>>>,
}

/// What the bridge answered.
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

impl Webhooks {
    /// A sender that signs with this token.
    pub fn new(auth_token: &str) -> Self {
        Self {
            auth_token: auth_token.into(),
            sent: Arc::default(),
        }
    }

    /// Sends a form; the error says why no 2xx answer came.
    pub async fn send(&self, to: &Request, form: &Form) -> Result<Reply, String> {
        self.keep(to, form);
        self.deliver(to, form).await
    }

    /// The newest requests about this call.
    pub fn sent_about(&self, sid: &str) -> Vec<(Request, Form)> {
        let about = |(_, form): &&(Request, Form)| {
            form.iter()
                .any(|(name, value)| name == "CallSid" && value == sid)
        };
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().filter(about).cloned().collect()
    }

    fn keep(&self, to: &Request, form: &Form) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == MAX_SENT {
            sent.drain(..MAX_SENT / 2);
        }
        sent.push((to.clone(), form.clone()));
    }

    /// Sends a form without remembering it.
    pub async fn deliver(&self, to: &Request, form: &Form) -> Result<Reply, String> {
        let overrides = Overrides::of(&to.url)?;
        // A connection of its own for each attempt; one kept open may be that of a server that died.
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(overrides.connect)
            .read_timeout(overrides.read)
            .pool_max_idle_per_host(0)
            .user_agent("TwilioProxy/1.1")
            .build()
            .map_err(|error| error.to_string())?;
        let token = super::sid::new("");
        let deadline = Instant::now() + overrides.total;
        let mut attempt = 1;
        loop {
            let (failure, why) = match self.attempt(&http, to, form, &token, deadline).await {
                Ok(reply) if (200..300).contains(&reply.status) => return Ok(reply),
                Ok(reply) => {
                    let kind = if reply.status < 500 {
                        Failure::Client
                    } else {
                        Failure::Server
                    };
                    (kind, format!("answered {}", reply.status))
                }
                Err(failed) => failed,
            };
            if !overrides.retry(attempt, failure) || Instant::now() >= deadline {
                return Err(format!("11200 {} {why} (attempt {attempt})", to.url));
            }
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        http: &Client,
        to: &Request,
        form: &Form,
        token: &str,
        deadline: Instant,
    ) -> Result<Reply, (Failure, String)> {
        let encoded = Serializer::new(String::new()).extend_pairs(form).finish();
        let url = to.url.split('#').next().unwrap_or(&to.url);
        let request = if to.post {
            let kind = "application/x-www-form-urlencoded; charset=UTF-8";
            http.post(url)
                .header("Content-Type", kind)
                .header("X-Twilio-Signature", sign(&self.auth_token, url, form))
                .body(encoded)
        } else {
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}{encoded}");
            let signature = sign(&self.auth_token, &url, &[]);
            http.get(url).header("X-Twilio-Signature", signature)
        };
        let exchange = async {
            let response = request
                .header("I-Twilio-Idempotency-Token", token)
                .send()
                .await?;
            read(response).await
        };
        match timeout_at(deadline, exchange).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) if error.is_connect() => {
                Err((Failure::Connect, format!("was not connected: {error}")))
            }
            Ok(Err(error)) => Err((Failure::Read, format!("broke off: {error}"))),
            Err(_) => Err((Failure::Read, "did not answer in time".into())),
        }
    }
}

async fn read(response: Response) -> reqwest::Result<Reply> {
    let header = response.headers().get("content-type");
    let content_type = header.and_then(|v| v.to_str().ok());
    Ok(Reply {
        status: response.status().as_u16(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: response.text().await?,
    })
}

/// Adds a parameter.
pub fn put(form: &mut Form, name: &str, value: impl Into<String>) {
    form.push((name.to_string(), value.into()));
}
