//! Requests to others: Twilio, the model, our own objects.

use futures::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use worker::web_sys::{self, RequestRedirect};
use worker::{AbortController, Delay, Fetch, Headers, Request, Result};

/// A POST if there is a body, a GET otherwise. `worker::RequestInit` would bring along the code of all
/// of Cloudflare's image options (11 kB).
pub(super) fn request(url: &str, headers: &Headers, body: Option<&str>) -> Result<Request> {
    let init = web_sys::RequestInit::new();
    init.set_headers(&headers.0);
    // A redirect would carry credentials elsewhere; workerd knows no `error`.
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = body {
        init.set_method("POST");
        init.set_body(&body.into());
    }
    Ok(web_sys::Request::new_with_str_and_init(url, &init)?.into())
}

/// What somebody answered to a POST.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    /// Empty if it was not wanted.
    pub(super) body: String,
}

/// Posts, and waits for the answer so long; the error says what there was instead of one.
pub(super) async fn post(
    url: &str,
    headers: &[(&str, String)],
    body: &str,
    patience: Duration,
    read_body: bool,
) -> std::result::Result<Answer, &'static str> {
    let abort = AbortController::default();
    let signal = abort.signal();
    let exchange = async {
        let list = Headers::new();
        for (name, value) in headers {
            list.set(name, value)?;
        }
        let request = request(url, &list, Some(body))?;
        let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
        Ok::<_, worker::Error>(Answer {
            status: response.status_code(),
            retry_after: response.headers().get("retry-after")?,
            body: if read_body {
                response.text().await?
            } else {
                String::new()
            },
        })
    };
    let answer = match select(pin!(exchange), pin!(Delay::from(patience))).await {
        Either::Left((answer, _)) => answer.map_err(|_| "unreachable"),
        Either::Right(_) => Err("timeout"),
    };
    // A body that nobody reads would hold the connection.
    abort.abort();
    answer
}
