//! Which route a request means.

use super::problem::Problem;
use crate::twilio::sid::CallSid;

/// A route of the Worker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// `POST /api/call`
    PlaceCall,
    /// `GET /api/calls/{sid}`
    GetCall(CallSid),
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
        ["api", "calls", sid] => ("GET", Route::GetCall(call_sid(sid)?)),
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
    if method == allow || (method == "HEAD" && allow == "GET") {
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
                Route::GetCall(sid.clone()),
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
    }
}
