//! Which route a request means.

use super::problem::Problem;
use super::queued;
use crate::twilio::sid::CallSid;

/// A route of the Worker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// `POST /api/call`
    PlaceCall,
    /// A call: `GET` and `DELETE /api/calls/{sid}`, `GET /api/calls/{sid}/events` and
    /// `…/recording.ndjson`
    Call(About, CallSid),
    /// The same of a call that was queued, under its id
    Queued(About, String),
    /// `GET /api/suppressions`
    Suppressions,
    /// `GET`, `PUT`, `DELETE /api/suppressions/{number}`; the number as it is in the path
    Suppression(String),
    /// `POST /twilio/…`
    Hook(Hook),
    /// `GET /ws/media/{sid}/{token}`
    Media {
        /// The call.
        sid: CallSid,
        /// Its single-use token.
        token: String,
    },
    /// `GET /healthz`
    Health,
}

/// What is wanted of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum About {
    /// Its state or outcome.
    State,
    /// Its events.
    Events,
    /// What came in, if it was recorded.
    Recording,
    /// That it is erased.
    Erase,
}

/// One of Twilio's webhooks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hook {
    /// The call was answered, or comes in.
    Voice,
    /// A status callback.
    Status,
    /// A media stream started, stopped or failed.
    Stream,
    /// The media stream is over: what next?
    StreamEnded,
    /// The call to the human is over: what next?
    DialEnded,
}

/// Finds the route, or says why there is none.
pub fn find(method: &str, path: &str) -> Result<Route, Problem> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (allow, route) = match segments.as_slice() {
        ["api", "call"] => ("POST", Route::PlaceCall),
        ["api", "calls", sid] if method == "DELETE" => ("GET, DELETE", call(About::Erase, sid)?),
        ["api", "calls", sid] => ("GET, DELETE", call(About::State, sid)?),
        ["api", "calls", sid, "events"] => ("GET", call(About::Events, sid)?),
        ["api", "calls", sid, "recording.ndjson"] => ("GET", call(About::Recording, sid)?),
        ["api", "suppressions"] => ("GET", Route::Suppressions),
        ["api", "suppressions", number] => {
            ("GET, PUT, DELETE", Route::Suppression((*number).to_owned()))
        }
        ["twilio", hook] => ("POST", Route::Hook(hook_named(hook)?)),
        // Twilio may add a trailing slash to a stream URL (`protocols.md` §2.7).
        ["ws", "media", sid, token] | ["ws", "media", sid, token, ""] => (
            "GET",
            Route::Media {
                sid: call_sid(sid)?,
                token: (*token).to_owned(),
            },
        ),
        ["healthz"] => ("GET", Route::Health),
        _ => return Err(Problem::not_found()),
    };
    let asked = if method == "HEAD" { "GET" } else { method };
    if allow.split(", ").any(|allowed| allowed == asked) {
        Ok(route)
    } else {
        Err(Problem::method_not_allowed(allow))
    }
}

fn hook_named(name: &str) -> Result<Hook, Problem> {
    Ok(match name {
        "voice" => Hook::Voice,
        "status" => Hook::Status,
        "stream" => Hook::Stream,
        "stream-ended" => Hook::StreamEnded,
        "dial-ended" => Hook::DialEnded,
        _ => return Err(Problem::not_found()),
    })
}

fn call(about: About, text: &str) -> Result<Route, Problem> {
    if queued::is_id(text) {
        return Ok(Route::Queued(about, text.to_owned()));
    }
    Ok(Route::Call(about, call_sid(text)?))
}

fn call_sid(text: &str) -> Result<CallSid, Problem> {
    CallSid::parse(text).map_err(|_| Problem::not_found())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "CA0123456789abcdef0123456789abcdef";

    #[test]
    fn every_route_is_found_by_its_method_and_path() {
        let sid = CallSid::parse(SID).unwrap();
        for (method, path, route) in [
            ("POST", "/api/call".to_owned(), Route::PlaceCall),
            (
                "GET",
                format!("/api/calls/{SID}"),
                Route::Call(About::State, sid.clone()),
            ),
            (
                "DELETE",
                format!("/api/calls/{SID}"),
                Route::Call(About::Erase, sid.clone()),
            ),
            (
                "HEAD",
                format!("/api/calls/{SID}/events"),
                Route::Call(About::Events, sid.clone()),
            ),
            (
                "GET",
                format!("/api/calls/{SID}/recording.ndjson"),
                Route::Call(About::Recording, sid.clone()),
            ),
            (
                "DELETE",
                "/api/calls/0123456789abcdef0123456789abcdef".into(),
                Route::Queued(About::Erase, "0123456789abcdef0123456789abcdef".into()),
            ),
            ("GET", "/api/suppressions".into(), Route::Suppressions),
            (
                "DELETE",
                "/api/suppressions/+13105550123".into(),
                Route::Suppression("+13105550123".into()),
            ),
            ("POST", "/twilio/voice".into(), Route::Hook(Hook::Voice)),
            (
                "POST",
                "/twilio/dial-ended".into(),
                Route::Hook(Hook::DialEnded),
            ),
            (
                "GET",
                format!("/ws/media/{SID}/abc"),
                Route::Media {
                    sid: sid.clone(),
                    token: "abc".into(),
                },
            ),
            (
                "GET",
                format!("/ws/media/{SID}/abc/"),
                Route::Media {
                    sid,
                    token: "abc".into(),
                },
            ),
            ("GET", "/healthz".into(), Route::Health),
        ] {
            assert_eq!(find(method, &path), Ok(route), "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_found_and_other_methods_not_allowed() {
        for path in [
            "/",
            "/api",
            "/api/call/",
            "/api/calls",
            "/api/calls/CA1",
            "/api/suppressions/1/2",
            "/api/calls/CA1/events",
            "/api/calls/CA1/recording.ndjson",
            "/twilio/other",
            "/ws/media/x/y",
            "/healthz/x",
            "//api/call",
        ] {
            assert_eq!(find("GET", path).unwrap_err().status, 404, "{path}");
        }
        let refused = find("GET", "/api/call").unwrap_err();
        assert_eq!((refused.status, refused.allow), (405, Some("POST")));
        assert_eq!(find("POST", "/healthz").unwrap_err().allow, Some("GET"));
        let refused = find("POST", "/api/suppressions/1").unwrap_err();
        assert_eq!(refused.allow, Some("GET, PUT, DELETE"));
        assert!(find("HEAD", "/healthz").is_ok() && find("HEAD", "/api/call").is_err());
        let call = format!("/api/calls/{SID}");
        assert_eq!(find("PUT", &call).unwrap_err().allow, Some("GET, DELETE"));
        assert_eq!(find("HEAD", "/api/call").unwrap_err().status, 405);
    }
}
