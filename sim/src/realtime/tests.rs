//! A session as its client sees it, without a network, and one over a real socket.

use super::connection::{Connection, Out};
use super::*;
use crate::clips::Clip;
use crate::clips::tests::noise;
use crate::play::Play;
use crate::scenario::Scenario;
use crate::timeline::What;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use orderline::audio::ulaw::SILENCE;
use std::path::Path;
use tokio_tungstenite::tungstenite::{Message as Frame, client::IntoClientRequest};

const SCENARIO: &str = r#"
    about = "a"
    instructions_contain = "Ann Example"
    request = { to = "+13105550100" }
    expect = { status = "confirmed" }
    model = [
        { opening = true, say = "greeting" },
        { heard = "what", say = "order", calls = [{ name = "save_order_item", arguments = { size = "large" } }] },
        { heard = "again", say = "order", drop_socket = 1011 },
        { text = "interrupted", say = "apology" },
    ]"#;

fn shared() -> Arc<Shared> {
    let clip = |(n, (id, text, len)): (usize, (&str, &str, usize))| Clip {
        id: id.into(),
        text: text.into(),
        audio: noise(n as u32 + 1, len),
    };
    let lines = [
        ("greeting", "Hi! I am an assistant.", 20_001),
        ("what", "What would you like?", 9_000),
        ("order", "One large pizza, please.", 16_000),
        ("again", "Once more?", 8_000),
        ("apology", "Sorry about that.", 9_600),
        (model::SORRY, "Sorry?", 4_000),
    ];
    let clips = Clips::new(lines.into_iter().enumerate().map(clip).collect()).unwrap();
    let plays: Plays = Arc::new(vec![Arc::new(Play::new(
        Scenario::parse("x", SCENARIO).unwrap(),
    ))]);
    Shared::new(plays, clips)
}

fn configuration() -> Value {
    json!({"type": "session.update", "session": {"type": "realtime", "instructions": "You call for Ann Example.",
        "audio": {"input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-4o-mini-transcribe"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400, "create_response": false, "interrupt_response": false}},
            "output": {"format": {"type": "audio/pcmu"}}},
        "tools": [{"type": "function", "name": "save_order_item", "parameters": {"type": "object"}}]}})
}

/// A client on a virtual clock.
struct Client {
    shared: Arc<Shared>,
    server: Connection,
    now: u64,
    got: Vec<Value>,
    closed: Option<u16>,
}

impl Client {
    fn new(shared: &Arc<Shared>) -> Self {
        let server = Connection::new(shared.clone(), "gpt-realtime-2.1", 0);
        let mut client = Self {
            shared: shared.clone(),
            server,
            now: 0,
            got: Vec::new(),
            closed: None,
        };
        client.send(&configuration());
        client
    }

    fn send(&mut self, event: &Value) {
        self.server.handle_text(self.now, &event.to_string());
        self.collect();
    }

    fn cue(&mut self, text: &str) {
        self.send(&json!({"type": "conversation.item.create", "item": {"type": "message", "role": "system",
            "content": [{"type": "input_text", "text": text}]}}));
    }

    fn wait(&mut self, ms: u64) {
        for _ in 0..ms / 10 {
            self.now += 10;
            self.server.tick(self.now);
            self.collect();
        }
    }

    /// The shop says a line, in real time, and is quiet.
    fn hears(&mut self, line: &str) {
        let audio = [
            &self.shared.clips.get(line).unwrap().audio[..],
            &[SILENCE; 4_800],
        ]
        .concat();
        for frame in audio.chunks(160) {
            self.send(
                &json!({"type": "input_audio_buffer.append", "audio": STANDARD.encode(frame)}),
            );
            self.wait(20);
        }
    }

    fn collect(&mut self) {
        while let Some(out) = self.server.poll() {
            match out {
                Out::Send(event) => self.got.push(event),
                Out::Close { code, .. } => self.closed = Some(code),
            }
        }
    }

    fn all(&self, kind: &str) -> Vec<&Value> {
        self.got.iter().filter(|e| e["type"] == kind).collect()
    }

    fn audio(&self) -> Vec<u8> {
        let deltas = self.all("response.output_audio.delta");
        deltas
            .iter()
            .flat_map(|e| STANDARD.decode(e["delta"].as_str().unwrap()).unwrap())
            .collect()
    }

    fn faults(&self) -> Vec<String> {
        let events = self.shared.plays[0].timeline.events();
        events
            .into_iter()
            .filter_map(|e| {
                if let What::Violation { detail, .. } = e.what {
                    Some(detail)
                } else {
                    None
                }
            })
            .collect()
    }
}

#[test]
fn an_opening_is_spoken_faster_than_it_plays_in_odd_pieces() {
    let mut c = Client::new(&shared());
    c.cue("They have just answered.");
    c.send(&json!({"type": "response.create"}));
    c.wait(600);
    assert_eq!(c.audio(), c.shared.clips.get("greeting").unwrap().audio);
    let kinds: Vec<&str> = c
        .got
        .iter()
        .filter_map(|e| e["type"].as_str())
        .filter(|k| k.starts_with("response."))
        .collect();
    assert_eq!(
        kinds[..3],
        [
            "response.created",
            "response.pace.updated",
            "response.output_item.added"
        ]
    );
    assert_eq!(*kinds.last().unwrap(), "response.done");
    let done = c.all("response.done")[0];
    assert_eq!(done["response"]["status"], "completed");
    assert_eq!(
        done["response"]["usage"]["output_token_details"]["audio_tokens"],
        50
    );
    assert_eq!(
        c.all("response.output_audio_transcript.done")[0]["transcript"],
        "Hi! I am an assistant."
    );
    assert!(c.got.iter().all(|e| e["event_id"].is_string()));
    assert!(c.faults().is_empty(), "{:?}", c.faults());
}

#[test]
fn the_shop_is_understood_and_answered_with_a_tool_call() {
    let mut c = Client::new(&shared());
    c.send(&json!({"type": "response.create"}));
    c.wait(600);
    c.hears("what");
    c.wait(200);
    assert_eq!(c.all("input_audio_buffer.committed").len(), 1);
    assert_eq!(
        c.all("conversation.item.input_audio_transcription.completed")[0]["transcript"],
        "What would you like?"
    );
    c.send(&json!({"type": "response.create"}));
    c.wait(800);
    let done = c.all("response.done")[1]["response"].clone();
    assert_eq!(
        (&done["output"][0]["type"], &done["output"][1]["arguments"]),
        (&json!("message"), &json!("{\"size\":\"large\"}"))
    );
    let call_id = done["output"][1]["call_id"].clone();
    let output = json!({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": call_id, "output": "{}"}});
    c.send(&output);
    let whats: Vec<What> = c.shared.plays[0]
        .timeline
        .events()
        .into_iter()
        .map(|e| e.what)
        .collect();
    assert!(whats.contains(&What::ToolResult {
        name: "save_order_item".into(),
        output: "{}".into()
    }));
    // Nothing to add after the output.
    c.send(&json!({"type": "response.create"}));
    c.wait(300);
    assert_eq!(c.all("response.done")[2]["response"]["output"], json!([]));
    assert!(c.faults().is_empty(), "{:?}", c.faults());
}

#[test]
fn a_second_response_is_refused_and_a_cancel_leaves_late_pieces() {
    let mut c = Client::new(&shared());
    c.send(&json!({"type": "response.create"}));
    c.send(&json!({"type": "response.create", "event_id": "rc-2"}));
    let e = c.all("error")[0]["error"].clone();
    assert_eq!(
        (&e["code"], &e["event_id"]),
        (
            &json!("conversation_already_has_active_response"),
            &json!("rc-2")
        )
    );
    assert_eq!(c.faults().len(), 1);
    c.wait(200);
    let before = c.audio().len();
    c.send(&json!({"type": "response.cancel"}));
    c.wait(200);
    assert!(before > 0 && c.audio().len() > before);
    let done = c.all("response.done")[0]["response"].clone();
    assert_eq!(
        done["status_details"],
        json!({"type": "cancelled", "reason": "client_cancelled"})
    );
    assert_eq!(done["output"][0]["status"], "incomplete");
    c.send(&json!({"type": "response.cancel"}));
    assert_eq!(
        c.all("error")[1]["error"]["code"],
        "response_cancel_not_active"
    );
    // The line was not said: it is said now.
    c.send(&json!({"type": "response.create"}));
    c.wait(800);
    assert!(
        c.audio()
            .ends_with(&c.shared.clips.get("greeting").unwrap().audio)
    );
}

#[test]
fn server_turns_interrupt_and_answer_where_the_session_says_so() {
    let mut c = Client::new(&shared());
    c.send(&json!({"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}}));
    c.send(&json!({"type": "response.create"}));
    c.wait(200);
    c.hears("what");
    assert_eq!(
        c.all("response.done")[0]["response"]["status_details"]["reason"],
        "turn_detected"
    );
    assert_eq!(c.all("response.created").len(), 2);
}

#[test]
fn a_dropped_socket_leaves_half_a_line_and_the_script_goes_on_in_the_next_session() {
    let shared = shared();
    let mut c = Client::new(&shared);
    c.send(&json!({"type": "response.create"}));
    c.wait(600);
    c.hears("again");
    c.send(&json!({"type": "response.create"}));
    c.wait(600);
    assert_eq!(c.closed, Some(1011));
    c.server.closed(c.closed);
    let mut c = Client::new(&shared);
    c.cue("The connection was interrupted.");
    c.send(&json!({"type": "response.create"}));
    c.wait(600);
    assert_eq!(c.audio(), shared.clips.get("apology").unwrap().audio);
    let whats: Vec<What> = shared.plays[0]
        .timeline
        .events()
        .into_iter()
        .map(|e| e.what)
        .collect();
    assert!(whats.contains(&What::ModelClosed {
        code: Some(1011),
        by_fault: true
    }));
    assert_eq!(
        whats.iter().filter(|w| **w == What::ModelConnected).count(),
        2
    );
}

#[test]
fn breaches_are_violations_of_the_call_they_belong_to() {
    let shared = shared();
    let server = Connection::new(shared.clone(), "gpt-realtime-2.1", 0);
    let mut c = Client {
        shared,
        server,
        now: 0,
        got: Vec::new(),
        closed: None,
    };
    c.send(&json!({"type": "input_audio_buffer.append", "audio": "/////w=="}));
    c.send(&json!({"type": "input_audio_buffer.append", "audio": "/////w=="}));
    c.server.handle_binary();
    c.server.handle_text(0, "{");
    c.send(&configuration());
    c.send(&json!({"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1}));
    let faults = c.faults();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(
        faults[0].contains("not audio/pcmu") && faults[3].contains("item_truncate_invalid_item_id")
    );
    let recorded = c.shared.plays[0].client_events.lock().unwrap().clone();
    assert_eq!(
        recorded[0],
        json!({"type": "input_audio_buffer.append", "audio": "/////w=="})
    );
}

#[test]
fn every_committed_line_of_a_shop_is_one_turn() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
    let clips = Clips::load(&fixtures.join("speech")).unwrap();
    let scenarios = crate::scenario::load_all(&fixtures.join("scenarios"), &clips).unwrap();
    for line in scenarios
        .iter()
        .flat_map(|s| s.shop.iter().filter_map(|rule| rule.say.as_ref()))
    {
        let mut vad = vad::Vad::new();
        vad.configure(&json!({"type": "server_vad", "silence_duration_ms": 200}));
        let turns = vad.push(&[&clips.get(line).unwrap().audio[..], &[SILENCE; 4_000]].concat());
        assert_eq!(turns.len(), 2, "{line}: {turns:?}");
    }
}

async fn listen(shared: &Arc<Shared>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        "sk-test".into(),
        shared.plays.clone(),
        shared.clips.clone(),
    ));
    format!("ws://{address}/v1/realtime?model=gpt-realtime-2.1")
}

#[tokio::test]
async fn over_a_socket_the_greeting_arrives_byte_for_byte() {
    let shared = shared();
    let mut request = listen(&shared).await.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("authorization", "Bearer sk-test".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let mut audio = Vec::new();
    while let Some(Ok(frame)) = socket.next().await {
        let Ok(text) = frame.to_text() else { continue };
        let event: Value = serde_json::from_str(text).unwrap();
        match event["type"].as_str().unwrap() {
            "session.created" => socket
                .send(Frame::text(configuration().to_string()))
                .await
                .unwrap(),
            "session.updated" => socket
                .send(Frame::text(r#"{"type":"response.create"}"#))
                .await
                .unwrap(),
            "response.output_audio.delta" => {
                audio.extend(STANDARD.decode(event["delta"].as_str().unwrap()).unwrap())
            }
            "response.done" => break,
            _ => {}
        }
    }
    assert_eq!(audio, shared.clips.get("greeting").unwrap().audio);
}

#[tokio::test]
async fn the_key_and_the_ga_shape_are_required() {
    let shared = shared();
    let url = listen(&shared).await;
    let refused = tokio_tungstenite::connect_async(&url).await.unwrap_err();
    assert!(refused.to_string().contains("401"), "{refused}");
    let mut request = url.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("authorization", "Bearer sk-test".parse().unwrap());
    request
        .headers_mut()
        .insert("openai-beta", "realtime=v1".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let first = socket.next().await.unwrap().unwrap();
    assert!(first.to_text().unwrap().contains("beta_api_shape_disabled"));
    let Frame::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else {
        panic!("not closed")
    };
    assert_eq!(u16::from(frame.code), 4000);
}

#[tokio::test]
async fn a_session_that_is_lost_on_purpose_is_refused_once_and_then_there_again() {
    let shared = shared();
    let url = listen(&shared).await;
    let connect = async || {
        let mut request = url.as_str().into_client_request().unwrap();
        let key = "Bearer sk-test".parse().unwrap();
        request.headers_mut().insert("authorization", key);
        tokio_tungstenite::connect_async(request).await
    };
    let (mut socket, _) = connect().await.unwrap();
    let configuration = Frame::text(configuration().to_string());
    socket.send(configuration).await.unwrap();
    let (status, times) = (503, 1);
    crate::fault::strike(&shared.plays[0], Fault::ModelRefuses { status, times });
    // It ends without a closing frame.
    while let Some(Ok(frame)) = socket.next().await {
        assert!(!frame.is_close());
    }
    assert!(connect().await.unwrap_err().to_string().contains("503"));
    assert!(connect().await.is_ok());
}

#[test]
fn what_a_lost_session_was_to_say_may_be_said_on_the_next() {
    let shared = shared();
    let mut first = Client::new(&shared);
    first.send(&configuration());
    first.send(&json!({"type": "response.create"}));
    first.wait(200);
    first.server.suffer(Fault::ModelCloses { code: 1012 });
    first.collect();
    assert_eq!(first.closed, Some(1012));
    let mut second = Client::new(&shared);
    second.send(&configuration());
    second.send(&json!({"type": "response.create"}));
    second.wait(4_000);
    assert!(second.audio() == shared.clips.get("greeting").unwrap().audio);
}
