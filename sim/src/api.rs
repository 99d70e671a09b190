//! A client of Orderline's own HTTP API, as a customer would write it.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long to wait between two looks at a call.
const POLL: Duration = Duration::from_millis(250);

/// The API of one Worker.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// An answer, whatever its status.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The body, byte for byte.
    pub text: String,
    /// The same, parsed; null if it is no JSON.
    pub json: Value,
}

/// An outcome as it came over HTTP.
pub struct Outcome {
    /// The body, byte for byte.
    pub text: String,
    /// The same, parsed.
    pub json: Value,
}

impl Api {
    /// The API below this base URL, used with this bearer token.
    pub fn new(base: &str, token: &str) -> Self {
        Self {
            base: base.to_owned(),
            token: token.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// Places a call; its SID.
    pub async fn place(&self, request: &Value) -> anyhow::Result<String> {
        let Reply {
            status, text, json, ..
        } = self.ask_to_place(request, None).await?;
        if status != 201 {
            bail!("POST /api/call answered {status}: {text}");
        }
        let sid = json.get("sid").and_then(Value::as_str);
        sid.map(str::to_owned)
            .with_context(|| format!("POST /api/call answered no sid: {text}"))
    }

    /// `POST /api/call`, under this idempotency key.
    pub async fn ask_to_place(&self, request: &Value, key: Option<&str>) -> anyhow::Result<Reply> {
        let mut post = self.request(Method::POST, "/api/call").json(request);
        if let Some(key) = key {
            post = post.header("idempotency-key", key);
        }
        Self::reply(post).await
    }

    /// A request without a body.
    pub async fn ask(&self, method: Method, path: &str) -> anyhow::Result<Reply> {
        Self::reply(self.request(method, path)).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    async fn reply(request: reqwest::RequestBuilder) -> anyhow::Result<Reply> {
        let reply = request.send().await?;
        let retry_after = reply.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let (status, text) = (reply.status().as_u16(), reply.text().await?);
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Reply {
            status,
            retry_after,
            text,
            json,
        })
    }

    /// The call as it is now: its live state, or the outcome once it is over.
    pub async fn call(&self, sid: &str) -> anyhow::Result<Outcome> {
        let url = format!("{}/api/calls/{sid}", self.base);
        let reply = self.http.get(url).bearer_auth(&self.token).send().await?;
        let (status, text) = (reply.status(), reply.text().await?);
        if status != 200 {
            bail!("GET /api/calls/{sid} answered {status}: {text}");
        }
        let json = serde_json::from_str(&text)
            .with_context(|| format!("GET /api/calls/{sid} answered no JSON"))?;
        Ok(Outcome { text, json })
    }

    /// The events of a call, as JSON lines.
    pub async fn events(&self, sid: &str) -> anyhow::Result<String> {
        let url = format!("{}/api/calls/{sid}/events", self.base);
        let reply = self.http.get(url).bearer_auth(&self.token).send().await?;
        Ok(reply.error_for_status()?.text().await?)
    }

    /// What came in during a call that was recorded, as soon as it is there.
    pub async fn recording(&self, sid: &str) -> anyhow::Result<String> {
        let path = format!("/api/calls/{sid}/recording.ndjson");
        loop {
            let reply = self.ask(Method::GET, &path).await?;
            match reply.status {
                200 => return Ok(reply.text),
                404 => sleep(POLL).await,
                status => bail!("GET {path} answered {status}"),
            }
        }
    }

    /// The outcome, as soon as it is there.
    pub async fn outcome(&self, sid: &str, within: Duration) -> anyhow::Result<Outcome> {
        let deadline = Instant::now() + within;
        loop {
            let call = self.call(sid).await;
            match &call {
                Ok(outcome) if outcome.is_final() => return call,
                _ if Instant::now() < deadline => sleep(POLL).await,
                Ok(state) => bail!(
                    "no outcome within {} s; the call's state: {}",
                    within.as_secs(),
                    state.text
                ),
                Err(_) => return call,
            }
        }
    }
}

impl Outcome {
    /// A running call answers with its live state, which has no end.
    pub fn is_final(&self) -> bool {
        self.json.get("endedAt").is_some_and(|end| !end.is_null())
    }

    /// The body indented, its fields in the Worker's order.
    pub fn pretty(&self) -> String {
        indented(&self.text)
    }

    /// The `status` field.
    pub fn status(&self) -> &str {
        self.json
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// JSON on many lines; only the space between tokens changes.
fn indented(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        let new_line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            c if c.is_whitespace() => {}
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    out += &new_line(depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out += &new_line(depth);
                out.push(c);
            }
            ',' => out += &format!(",{}", new_line(depth)),
            ':' => out += ": ",
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn indenting_changes_nothing_but_the_space_between() {
        let value =
            json!({"b": [1, {"a": "x, {\"y\": \\"}], "empty": {}, "none": [], "t": "a:b\\\""});
        let text = indented(&value.to_string());
        assert_eq!(text, format!("{value:#}"));
        assert_eq!(indented(&text), text);
    }
}
