//! Requests to others: Twilio, the model, our own objects.

use worker::web_sys::{self, RequestRedirect};
use worker::{Headers, Request, Result};

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
