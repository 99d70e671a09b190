//! The suppression list in the API: numbers that are not called.

use super::account_do;
use super::api::authorize;
use super::reply;
use crate::config::Config;
use crate::http::problem::Problem;
use crate::json::FieldError;
use crate::policy::account::{Ask, SuppressedBy};
use crate::twilio::number::E164;
use crate::url::Parts;
use worker::{Env, Method, Request, Response};

/// `GET /api/suppressions`
pub(super) async fn list(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Problem> {
    authorize(request, config)?;
    let url = request.inner().url();
    let tail = Parts::of(&url).map_or("", |url| url.tail);
    // The only parameter there is.
    let after = tail.rsplit_once('=').map(|(_, text)| number("after", text));
    let ask = Ask::Suppressions(after.transpose()?);
    reply::json_text(200, account_do::ask(env, config, ask.to_text()).await?, &[])
}

/// `GET`, `PUT`, `DELETE /api/suppressions/{number}`
pub(super) async fn one(
    request: &Request,
    env: &Env,
    config: &Config,
    path: &str,
) -> Result<Response, Problem> {
    authorize(request, config)?;
    let number = number("number", path)?;
    let ask = match request.method() {
        Method::Put => Ask::Suppress {
            number,
            by: SuppressedBy::Api,
        },
        Method::Delete => Ask::Unsuppress(number),
        _ => Ask::Suppressed(number),
    };
    let is_question = matches!(ask, Ask::Suppressed(_));
    let answer = account_do::ask(env, config, ask.to_text()).await?;
    match answer.as_str() {
        _ if !is_question => reply::no_content(),
        "" => Err(Problem::not_found()),
        _ => reply::json_text(200, answer, &[]),
    }
}

/// A number in a URL, where its `+` may be written as `%2B`.
fn number(what: &str, text: &str) -> Result<E164, Problem> {
    let digits = ["%2B", "%2b", "+"]
        .iter()
        .find_map(|plus| text.strip_prefix(plus));
    E164::parse(&format!("+{}", digits.unwrap_or_default()))
        .map_err(|error| Problem::bad_fields(vec![FieldError::new(what, error.to_string())]))
}
