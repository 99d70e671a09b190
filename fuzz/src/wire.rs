//! What comes over the wire from Twilio and the model, and what goes back as XML.

use crate::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use orderline::http::route;
use orderline::policy::quiet::Quiet;
use orderline::policy::redact::mask_numbers;
use orderline::realtime::server;
use orderline::twilio::media::{self, MediaMessage};
use orderline::twilio::number::E164;
use orderline::twilio::rest::{parse_created, parse_refusal};
use orderline::twilio::signature;
use orderline::twilio::twiml::Twiml;
use orderline::twilio::webhook::Form;
use orderline::url::Parts;
use serde::de::IgnoredAny;
use serde_json::Value;
use sha1::Sha1;

/// A message of the media stream: JSON, if it is taken, and audio that survives the way back.
pub fn media(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(frame) = media::parse(text) else {
        return;
    };
    assert!(is_json(text));
    let MediaMessage::Media { payload, .. } = frame.message else {
        return;
    };
    assert!(!payload.is_empty());
    if let Some(audio) = media::decode(&payload) {
        assert_eq!(media::encode(&audio), *payload);
        let sent: Value = serde_json::from_str(&media::media("MZ", &payload)).unwrap();
        assert_eq!(sent["media"]["payload"], *payload);
    }
}

/// An event of the model: JSON, if it is taken.
pub fn realtime(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if server::parse(text).is_ok() {
        assert!(is_json(text));
    }
}

/// By its grammar: what nobody looks at may be half a character, or a number of any size.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The body of a webhook: what was read is written and read again the same.
pub fn form(data: &[u8]) {
    let form = Form::decode(data);
    let written = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.params())
        .finish();
    assert_eq!(Form::decode(written.as_bytes()).params(), form.params());
    for (name, value) in form.params() {
        assert!(value.is_empty() || form.get(name).is_some());
    }
    let _ = form.call_sid("AC00000000000000000000000000000001");
    let _ = (form.status(), form.is_inbound());
    let _ = (form.dial_was_answered(), form.stream_error());
}

/// A signed request: lines of a URL, a form and a signature. Our own signature holds, for this token
/// and for these parameters only, and no other does.
pub fn signature(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let url = lines.next().unwrap_or_default();
    let form = Form::decode(lines.next().unwrap_or_default().as_bytes());
    let given = lines.next().unwrap_or_default();
    let params = form.params();
    // By name and value, each pair once.
    let mut sorted = params.to_vec();
    sorted.sort();
    sorted.dedup();
    let signed = sorted
        .iter()
        .fold(url.to_owned(), |all, (name, value)| all + name + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"token").unwrap();
    mac.update(signed.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let good = STANDARD.encode(bytes);
    assert!(signature::verify(&["old", "token"], url, params, &good));
    assert!(!signature::verify(&["other"], url, params, &good));
    assert!(!signature::verify(&[], url, params, &good));
    let mut more = params.to_vec();
    more.push(("z".into(), signed));
    assert!(!signature::verify(&["token"], url, &more, &good));
    // Nobody guesses one: only what was just computed may be accepted.
    if signature::verify(&["token"], url, params, given) {
        assert!(STANDARD.decode(given).is_ok_and(|given| given.len() == 20));
    }
    let path = Parts::of(url).map_or("", |parts| parts.tail);
    let base = url.strip_suffix(path).unwrap_or_default();
    if form.params().is_empty() && url.starts_with("ws") && !path.is_empty() {
        assert!(signature::verify_stream(&["token"], base, path, &good));
    }
    let _ = signature::verify_stream(&["token"], base, path, given);
}

/// Text in a document that we answer with: well-formed XML that says the same text.
pub fn twiml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let [first_said, second_said] = [first, second].map(in_xml);
    let owned = || (first.to_owned(), second.to_owned());

    let (text, language) = owned();
    let xml = Twiml::SayAndHangUp { text, language }.to_xml();
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let say = named(&document, "Say");
    assert_eq!(say.text().unwrap_or_default(), first_said);
    assert_eq!(say.attribute("language"), Some(second_said.as_str()));
    assert_eq!(document.root_element().children().count(), 2);

    let (number, action) = owned();
    let caller_id = number.clone();
    let xml = Twiml::Dial {
        number,
        caller_id,
        action,
    }
    .to_xml();
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let number = named(&document, "Number");
    assert_eq!(number.text().unwrap_or_default(), first_said);
    let dial = named(&document, "Dial");
    assert_eq!(dial.attribute("action"), Some(second_said.as_str()));

    let (url, action) = owned();
    let status_callback = url.clone();
    let xml = Twiml::ConnectStream {
        url,
        action,
        status_callback,
    }
    .to_xml();
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let stream = named(&document, "Stream");
    assert_eq!(stream.attribute("url"), Some(first_said.as_str()));
}

/// The text with spaces for what XML 1.0 cannot carry, and for controls.
fn in_xml(text: &str) -> String {
    let space = |c: char| match c {
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => ' ',
        c => c,
    };
    text.chars().map(space).collect()
}

fn named<'a, 'x>(document: &'a roxmltree::Document<'x>, name: &str) -> roxmltree::Node<'a, 'x> {
    let mut nodes = document.descendants();
    nodes.find(|node| node.has_tag_name(name)).expect("element")
}

/// An answer of Twilio's REST API: an HTTP status as text, and a body. What is shown of it has no
/// phone number.
pub fn rest(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (http, body) = text.split_once('\n').unwrap_or(("201", text));
    let http = http.parse().unwrap_or(400);
    let refusal = match parse_created(http, body) {
        Ok(sid) => return assert!(body.contains(sid.as_str())),
        Err(refusal) => refusal,
    };
    assert_eq!(parse_refusal(http, body).http, http);
    let shown = mask_numbers(&refusal.message);
    let longest = shown.split(|c: char| !c.is_ascii_digit()).map(str::len);
    assert!(longest.max().unwrap_or_default() < 7, "{shown:?}");
    assert_eq!(mask_numbers(&shown), shown);
}

/// URLs and what stands in them: nothing is lost when they are cut, and a number is what it says.
pub fn url(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(Parts {
        scheme,
        host,
        port,
        tail,
    }) = Parts::of(text)
    {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        assert_eq!(format!("{scheme}://{host}{port}{tail}"), text);
    }
    for method in ["GET", "POST", "DELETE"] {
        let _ = route::find(method, text);
    }
    if let Ok(number) = E164::parse(text) {
        assert_eq!(format!("+{}", number.digits()), number.as_str());
        assert!(number.digits().bytes().all(|b| b.is_ascii_digit()));
    }
    if let Some(quiet) = Quiet::parse(text) {
        // The two times differ: some minutes are quiet, and some are not.
        let covered = (0..24 * 60).filter(|&minute| quiet.covers(minute)).count();
        assert!((1..24 * 60).contains(&covered));
    }
}
