//! The simulated Twilio against a bridge of a few lines, over real sockets.

mod bridge;

use super::ear::tests::speech;
use super::*;
use crate::fault::Fault;
use crate::scenario::{DialResult, Expect, Network, Scenario};
use crate::timeline::What;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::{Bridge, CONNECT};
use serde_json::{Value, json};

const TOKEN: &str = "test_auth_token";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const OWN: &str = "+15005550006";
const SHOP: &str = "+14155550101";

/// A Twilio with one play, and the base URL of its REST.
async fn twilio(shop: Value, network: Network) -> (Arc<Twilio>, Arc<Play>, String) {
    let scenario = Scenario {
        name: "test".into(),
        about: String::new(),
        request: json!({"to": SHOP}),
        instructions_contain: String::new(),
        network,
        shop: serde_json::from_value(shop).unwrap(),
        model: Vec::new(),
        faults: Vec::new(),
        expect: Expect {
            status: String::new(),
            outcome: Value::Null,
            heard: Vec::new(),
            clears: 0,
            handed_to: None,
        },
    };
    let play = Arc::new(Play::new(scenario));
    let config = TwilioConfig {
        account_sid: ACCOUNT.into(),
        auth_token: TOKEN.into(),
        from_number: OWN.into(),
    };
    let lines = [speech("agent", 400), speech("shop", 200)];
    let clips = Clips::new(lines.into()).unwrap();
    let twilio = Twilio::new(config, Arc::new(vec![Arc::clone(&play)]), clips).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!(
        "http://{}/2010-04-01/Accounts/{ACCOUNT}",
        listener.local_addr().unwrap()
    );
    tokio::spawn(Arc::clone(&twilio).serve(listener));
    (twilio, play, base)
}

async fn rest(url: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = reqwest::Client::new()
        .post(url)
        .basic_auth(ACCOUNT, Some(TOKEN))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn create(base: &str, bridge: &Bridge) -> (u16, Value) {
    let (voice, status) = (bridge.url("/voice"), bridge.url("/status"));
    let mut form = vec![
        ("To", SHOP),
        ("From", OWN),
        ("Url", &voice),
        ("StatusCallback", &status),
        ("Timeout", "20"),
    ];
    form.extend(
        ["initiated", "ringing", "answered", "completed"].map(|e| ("StatusCallbackEvent", e)),
    );
    rest(&format!("{base}/Calls.json"), &form).await
}

/// Waits for the end of the call; what happened, without the sounds' times.
async fn ended(play: &Play) -> Vec<What> {
    let mut live = play.timeline.subscribe();
    let over = |what: &What| matches!(what, What::Ended { .. });
    if !play.timeline.events().iter().any(|event| over(&event.what)) {
        while !over(&live.recv().await.unwrap().what) {}
    }
    play.timeline
        .events()
        .into_iter()
        .map(|event| event.what)
        .collect()
}

fn quick() -> Network {
    Network {
        ring_ms: 20,
        ..Network::default()
    }
}

fn end(by: &str, status: &str) -> What {
    What::Ended {
        by: by.into(),
        status: status.into(),
    }
}

/// Webhooks still under way arrive.
async fn settle(bridge: &mut Bridge, count: usize) -> Vec<String> {
    let mut seen = bridge.seen();
    while seen.len() < count {
        tokio::task::yield_now().await;
        seen.extend(bridge.seen());
    }
    seen
}

#[tokio::test]
async fn a_line_is_played_marked_answered_and_the_call_ends_with_the_document() {
    let mut bridge = Bridge::new(CONNECT).await;
    let shop = json!([{"heard": "agent", "say": "shop"}]);
    let (_twilio, play, base) = twilio(shop, quick()).await;
    let (status, call) = create(&base, &bridge).await;
    assert_eq!(
        (status, &call["status"], &call["duration"]),
        (201, &json!("queued"), &Value::Null)
    );
    let mut socket = bridge.sockets.recv().await.unwrap();
    let stream = socket.start().await;
    socket.say(&stream, &speech("agent", 400).audio, "end");
    assert_eq!(socket.next("mark").await.0["mark"]["name"], "end");
    // The shop's words arrive byte for byte.
    let mut audio = Vec::new();
    let words = speech("shop", 200).audio;
    while !audio.windows(words.len()).any(|w| w == words) {
        let media = socket.next("media").await.0;
        audio.extend(
            STANDARD
                .decode(media["media"]["payload"].as_str().unwrap())
                .unwrap(),
        );
    }
    drop(socket);
    let events = ended(&play).await;
    let line = |line: &str| (line.to_string(), format!("Text of {line}."));
    let (agent, shop) = (line("agent"), line("shop"));
    assert_eq!(
        events,
        [
            What::Dialled { to: SHOP.into() },
            What::Ringing,
            What::Answered,
            What::StreamStarted,
            What::FirstAudio,
            What::AgentSpeaks {
                line: agent.0.clone(),
                text: agent.1
            },
            What::AgentStopped {
                line: agent.0,
                played_ms: 400,
                missed_ms: 0,
                cut: false
            },
            What::ShopSpeaks {
                line: shop.0,
                text: shop.1,
                duration_ms: 200
            },
            What::StreamStopped,
            end("bridge", "completed"),
        ]
    );
    {
        let line = play.line.lock().unwrap();
        assert_eq!(line.to_shop.len(), line.from_shop.len());
        let whole = |side: &[u8], words: &[u8]| side.windows(words.len()).any(|w| w == words);
        assert!(
            whole(&line.to_shop, &speech("agent", 400).audio) && whole(&line.from_shop, &words)
        );
    }
    let mut seen = settle(&mut bridge, 8).await;
    seen.sort();
    assert_eq!(
        seen,
        [
            "/ended in-progress",
            "/status completed 3",
            "/status in-progress 2",
            "/status initiated 0",
            "/status ringing 1",
            "/stream stream-started",
            "/stream stream-stopped",
            "/voice in-progress",
        ]
    );
    let url = format!("{base}/Calls/{}.json", call["sid"].as_str().unwrap());
    let (status, body) = rest(&url, &[("Status", "completed")]).await;
    assert_eq!((status, &body["code"]), (400, &json!(21220)));
}

#[tokio::test]
async fn clear_returns_marks_and_rest_redirects_the_call() {
    let mut bridge = Bridge::new(CONNECT).await;
    let (_twilio, play, base) = twilio(json!([]), quick()).await;
    let (_, call) = create(&base, &bridge).await;
    let mut socket = bridge.sockets.recv().await.unwrap();
    let stream = socket.start().await;
    socket.say(&stream, &[0x10; 80_000], "one");
    socket.say(&stream, &[0x10; 80_000], "two");
    socket.send(&json!({"event": "clear", "streamSid": stream}));
    for name in ["one", "two"] {
        assert_eq!(socket.next("mark").await.0["mark"]["name"], name);
    }
    socket.send(&json!({"event": "clear", "streamSid": "MZ0"}));
    let twiml = format!(
        "<Response><Say>Hi</Say><Dial action=\"{}\">+14155550199</Dial></Response>",
        bridge.url("/dialled")
    );
    let url = format!("{base}/Calls/{}.json", call["sid"].as_str().unwrap());
    assert_eq!(rest(&url, &[("Twiml", &twiml)]).await.0, 200);
    socket.next("stop").await;
    let events = ended(&play).await;
    let cleared =
        |what: &What| matches!(what, What::Cleared { dropped_ms } if *dropped_ms > 19_000);
    assert!(events.iter().any(cleared), "{events:?}");
    let violations = events
        .iter()
        .filter(|what| matches!(what, What::Violation { .. }))
        .count();
    assert_eq!(violations, 1, "only the wrong streamSid: {events:?}");
    assert!(events.contains(&What::NetworkSays { text: "Hi".into() }));
    assert!(events.contains(&What::Dials {
        number: "+14155550199".into()
    }));
    assert_eq!(events.last(), Some(&end("bridge", "completed")));
    assert!(
        settle(&mut bridge, 8)
            .await
            .contains(&"/dialled completed".to_string())
    );
}

#[tokio::test]
async fn the_shop_hangs_up_with_stop_and_a_lost_line_has_none() {
    for (rule, by, stops) in [("hang_up", "shop", true), ("line_drops", "network", false)] {
        let mut bridge = Bridge::new(CONNECT).await;
        let (_twilio, play, base) = twilio(
            json!([{"answered": true, "dtmf": "1", rule: true}]),
            quick(),
        )
        .await;
        create(&base, &bridge).await;
        let mut socket = bridge.sockets.recv().await.unwrap();
        socket.start().await;
        assert_eq!(socket.next("dtmf").await.0["dtmf"]["digit"], "1");
        let mut stop = false;
        while let Some(frame) = socket.from_twilio.recv().await {
            stop |= frame["event"] == "stop";
        }
        assert_eq!(stop, stops);
        assert_eq!(ended(&play).await.last(), Some(&end(by, "completed")));
    }
}

#[tokio::test]
async fn calls_that_are_not_answered_fetch_no_document() {
    for (result, status) in [
        (DialResult::Busy, "busy"),
        (DialResult::NoAnswer, "no-answer"),
        (DialResult::Failed, "failed"),
    ] {
        let mut bridge = Bridge::new(CONNECT).await;
        let network = Network {
            result,
            messy_callbacks: true,
            ..quick()
        };
        let (_twilio, play, base) = twilio(json!([]), network).await;
        create(&base, &bridge).await;
        assert_eq!(ended(&play).await.last(), Some(&end("network", status)));
        let seen = match status {
            "no-answer" => settle(&mut bridge, 6).await,
            _ => settle(&mut bridge, 4).await,
        };
        let expected: &[&str] = match status {
            "busy" => &["busy 1", "busy 1", "initiated 0", "initiated 0"],
            "failed" => &["failed 1", "failed 1", "initiated 0", "initiated 0"],
            _ => &[
                "ringing 1",
                "ringing 1",
                "initiated 0",
                "initiated 0",
                "no-answer 2",
                "no-answer 2",
            ],
        };
        let expected: Vec<String> = expected
            .iter()
            .map(|what| format!("/status {what}"))
            .collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_call_that_comes_in_plays_the_same_way() {
    let mut bridge = Bridge::new(CONNECT).await;
    let (twilio, play, _) = twilio(
        json!([{"answered": true, "say": "shop", "hang_up": true}]),
        quick(),
    )
    .await;
    let (voice, status) = (bridge.url("/voice"), bridge.url("/status"));
    let task = tokio::spawn({
        let play = Arc::clone(&play);
        async move { twilio.ring_in(play, SHOP, &voice, Some(&status)).await }
    });
    let mut socket = bridge.sockets.recv().await.unwrap();
    socket.start().await;
    socket.next("stop").await;
    task.await.unwrap();
    let (path, form) = bridge.webhooks.recv().await.unwrap();
    let get = |name| create::get(&form, name).unwrap();
    assert_eq!(
        (path.as_str(), get("Direction"), get("CallStatus")),
        ("/voice", "inbound", "ringing")
    );
    assert_eq!((get("From"), get("To")), (SHOP, OWN));
    assert_eq!(ended(&play).await.last(), Some(&end("shop", "completed")));
}

#[tokio::test]
async fn rest_refuses_like_twilio() {
    let (_twilio, play, base) = twilio(json!([]), quick()).await;
    let calls = format!("{base}/Calls.json");
    let (to, from, url) = (
        ("To", SHOP),
        ("From", OWN),
        ("Url", "https://calls.example.com/v"),
    );
    for (form, code) in [
        (vec![from, url], 21201),
        (vec![("To", "+14155550177"), from, url], 21211),
        (vec![to, from], 21205),
    ] {
        let (status, body) = rest(&calls, &form).await;
        assert_eq!(
            (status, &body["code"], &body["status"]),
            (400, &json!(code), &json!(400))
        );
        assert_eq!(
            body["more_info"],
            format!("https://www.twilio.com/docs/errors/{code}")
        );
    }
    let (status, body) = rest(
        &format!("{base}/Calls/CA0.json"),
        &[("Status", "completed")],
    )
    .await;
    assert_eq!((status, &body["code"]), (404, &json!(20404)));
    let response = reqwest::Client::new()
        .post(&calls)
        .basic_auth(ACCOUNT, Some("wrong"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 20003);
    assert!(
        !play
            .timeline
            .events()
            .iter()
            .any(|event| matches!(event.what, What::Dialled { .. }))
    );
}

/// TwiML of a bridge that goes on after each lost stream.
const RECONNECT: &str = r#"<Response><Connect action="http://HOST/voice#rc=2&amp;rp=all">
    <Stream url="ws://HOST/media"><Parameter name="callId" value="c_1"/></Stream>
    </Connect></Response>"#;

#[tokio::test]
async fn a_lost_socket_leads_to_the_action_and_a_stream_of_its_own() {
    let mut bridge = Bridge::new(RECONNECT).await;
    let (_twilio, play, base) = twilio(json!([{"quiet_ms": 400, "hang_up": true}]), quick()).await;
    create(&base, &bridge).await;
    let mut first = bridge.sockets.recv().await.unwrap();
    let stream = first.start().await;
    assert_eq!(first.next("media").await.0["sequenceNumber"], "2");
    crate::fault::strike(&play, Fault::StreamLost);
    // No `stop`: the socket is just gone.
    while let Some(frame) = first.from_twilio.recv().await {
        assert_ne!(frame["event"], "stop");
    }
    let mut second = bridge.sockets.recv().await.unwrap();
    assert_ne!(second.start().await, stream);
    let media = second.next("media").await.0;
    let numbers = [&media["sequenceNumber"], &media["media"]["timestamp"]];
    assert_eq!(numbers, ["2", "5"]);
    let mut asked = Vec::new();
    while asked.len() < 2 {
        let (path, form) = bridge.webhooks.recv().await.unwrap();
        if path == "/voice" {
            asked.push(create::get(&form, "StreamSid").map(str::to_owned));
        }
    }
    assert_eq!(asked, [None, Some(stream)]);
    let events = ended(&play).await;
    let fault = What::Fault {
        fault: "stream-lost".into(),
    };
    assert!(events.contains(&fault));
    let count = |wanted: &What| events.iter().filter(|what| *what == wanted).count();
    assert_eq!(
        [&What::StreamStarted, &What::StreamStopped].map(count),
        [2, 2]
    );
    assert_eq!(events.last(), Some(&end("shop", "completed")));
}

#[tokio::test]
async fn the_shop_may_hang_up_and_frames_still_come() {
    let mut bridge = Bridge::new(CONNECT).await;
    let (_twilio, play, base) = twilio(json!([]), quick()).await;
    create(&base, &bridge).await;
    let mut socket = bridge.sockets.recv().await.unwrap();
    socket.start().await;
    crate::fault::strike(&play, Fault::FramesAfterStop);
    socket.next("stop").await;
    let (_, late) = socket.next("stop").await;
    assert_eq!(late.len(), 50 * 160);
    assert_eq!(ended(&play).await.last(), Some(&end("shop", "completed")));
}

/// A server that answers with these statuses, one after the other, and counts its requests.
async fn statuses(list: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let tokens: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&tokens);
    let answer = move |headers: axum::http::HeaderMap| async move {
        let mut tokens = seen.lock().unwrap();
        let token = headers["i-twilio-idempotency-token"].to_str().unwrap();
        tokens.push(token.to_owned());
        axum::http::StatusCode::from_u16(list[tokens.len() - 1]).unwrap()
    };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, tokens)
}

#[tokio::test]
async fn a_webhook_is_tried_as_often_as_its_fragment_says() {
    for (fragment, answers, attempts, reached) in [
        ("", &[500, 200][..], 1, false),
        ("#rc=2&rp=5xx", &[500, 503, 200], 3, true),
        ("#rc=1&rp=5xx", &[500, 503, 200], 2, false),
        ("#rc=5&rp=ct,rt,5xx", &[403, 200], 1, false),
        ("#rc=1&rp=all", &[403, 204], 2, true),
    ] {
        let (url, tokens) = statuses(answers).await;
        let request = Request {
            url: url + fragment,
            post: true,
        };
        let reply = Webhooks::new(TOKEN).send(&request, &Vec::new()).await;
        let tokens = tokens.lock().unwrap();
        assert_eq!(
            (tokens.len(), reply.is_ok()),
            (attempts, reached),
            "{fragment}"
        );
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{fragment}");
    }
}

#[tokio::test]
async fn a_port_that_refuses_uses_up_the_retries() {
    let port = crate::worker::free_port().unwrap();
    let url = format!("http://127.0.0.1:{port}/#rc=3&rp=ct");
    let request = Request { url, post: true };
    let why = Webhooks::new(TOKEN).send(&request, &Vec::new()).await;
    assert!(why.err().unwrap().contains("(attempt 4)"));
}
