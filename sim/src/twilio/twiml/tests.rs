//! Documents a bridge may send, and what is wrong with others.

use super::*;

const BASE: &str = "https://calls.example.com/twilio/voice";

fn problems(body: &str) -> Vec<String> {
    parse(&format!("<Response>{body}</Response>"), BASE).problems
}

#[test]
fn the_document_of_a_bridge_is_read() {
    let script = parse(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <Response>
          <Connect action="/twilio/stream-ended">
            <Stream url="wss://calls.example.com/media/T" name="call"
                    statusCallback="https://calls.example.com/twilio/stream">
              <Parameter name="callId" value="c_123"/>
            </Stream>
          </Connect>
          <Say language="en-US">Sorry &amp; goodbye.</Say><Pause/><Hangup/>
        </Response>"#,
        BASE,
    );
    assert_eq!(script.problems, [""; 0]);
    let request = |url: &str| {
        Some(Request {
            url: url.into(),
            post: true,
        })
    };
    let stream = Stream {
        url: "wss://calls.example.com/media/T".into(),
        name: Some("call".into()),
        status_callback: request("https://calls.example.com/twilio/stream"),
        parameters: BTreeMap::from([("callId".into(), "c_123".into())]),
    };
    let action = request("https://calls.example.com/twilio/stream-ended");
    let say = Verb::Say {
        text: "Sorry & goodbye.".into(),
        times: 1,
    };
    assert_eq!(
        script.verbs,
        [
            Verb::Connect { action, stream },
            say,
            Verb::Pause { seconds: 1 },
            Verb::Hangup
        ]
    );
}

#[test]
fn numbers_to_dial_are_text_or_children() {
    for body in [
        "<Dial callerId=\"+15005550006\" timeout=\"20\">+14155550199</Dial>",
        "<Dial><Number>+14155550199</Number></Dial>",
    ] {
        let script = parse(&format!("<Response>{body}</Response>"), BASE);
        assert_eq!(script.problems, [""; 0]);
        let numbers = vec![Callee {
            number: "+14155550199".into(),
            whisper: None,
        }];
        assert_eq!(
            script.verbs,
            [Verb::Dial {
                action: None,
                numbers
            }]
        );
    }
}

#[test]
fn loopback_streams_may_be_plain() {
    let stream = |url: &str| problems(&format!("<Connect><Stream url=\"{url}\"/></Connect>"));
    assert_eq!(stream("ws://127.0.0.1:8787/ws/media/CA1/t"), [""; 0]);
    assert!(stream("ws://calls.example.com/media")[0].starts_with("31922"));
    assert!(stream("https://calls.example.com/media")[0].starts_with("31922"));
    assert!(stream("wss://calls.example.com/media?token=t")[0].starts_with("31920"));
}

#[test]
fn everything_undocumented_is_a_problem() {
    let long = "x".repeat(495);
    let parameter = format!(
        "<Connect><Stream url=\"wss://h/m\"><Parameter name=\"token\" value=\"{long}\"/></Stream></Connect>"
    );
    for body in [
        "<Speak>hi</Speak>",
        "<Say volume=\"3\">hi</Say>",
        "<Say/>",
        "<Pause length=\"long\"/>",
        "<Connect/>",
        "<Connect><Stream/></Connect>",
        "<Connect><Stream url=\"wss://h/m\" track=\"both_tracks\"/></Connect>",
        "<Dial>911</Dial>",
        "<Dial callerId=\"shop\">+14155550199</Dial>",
        "<Redirect/>",
        "<Hangup>now</Hangup>",
        "hello",
        parameter.as_str(),
    ] {
        assert!(!problems(body).is_empty(), "{body}");
    }
    assert!(!parse("<Response>", BASE).problems.is_empty());
    assert!(!parse("<Reply/>", BASE).problems.is_empty());
}
