//! TwiML, read strictly: a verb, attribute or value Twilio does not document is a problem of the
//! document (`protocols.md` §2.8). What a document does to a call is `leg.rs`.

use roxmltree::{Document, Node};
use std::collections::BTreeMap;
use url::Url;

/// What a document says, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// `<Connect><Stream>`: blocks until the bridge closes the socket.
    Connect {
        action: Option<Request>,
        stream: Stream,
    },
    /// The network's voice.
    Say { text: String, times: u64 },
    /// Silence.
    Pause { seconds: u64 },
    /// Connects somebody else to the call.
    Dial {
        action: Option<Request>,
        numbers: Vec<Callee>,
    },
    /// Goes on with another document.
    Redirect(Request),
    /// Ends the call.
    Hangup,
    /// Does not answer an inbound call.
    Reject { busy: bool },
}

/// Somebody to dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Callee {
    pub number: String,
    /// TwiML for the callee alone, before the calls are joined.
    pub whisper: Option<Request>,
}

/// A URL to ask for more TwiML.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Absolute, as written if it was written so.
    pub url: String,
    pub post: bool,
}

/// The `<Stream>` noun.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// `wss` (or `ws` on loopback) as written.
    pub url: String,
    pub name: Option<String>,
    pub status_callback: Option<Request>,
    /// Becomes `start.customParameters`.
    pub parameters: BTreeMap<String, String>,
}

/// A document and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Script {
    pub verbs: Vec<Verb>,
    pub problems: Vec<String>,
}

/// Reads a document that was fetched from (or, given inline, belongs to) `base`.
pub fn parse(xml: &str, base: &str) -> Script {
    let mut reader = Reader {
        base: Url::parse(base).ok(),
        problems: Vec::new(),
    };
    let verbs = match Document::parse(xml) {
        Ok(document) => reader.response(document.root_element()),
        Err(error) => {
            reader.problem(format!("12100 not well-formed XML: {error}"));
            Vec::new()
        }
    };
    Script {
        verbs,
        problems: reader.problems,
    }
}

/// Whether `host` is this machine: the only place where plain `http` and `ws` are accepted.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether this is `+` and 8 to 15 digits, the first not 0.
pub fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && digits.bytes().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

struct Reader {
    base: Option<Url>,
    problems: Vec<String>,
}

impl Reader {
    fn problem(&mut self, what: String) {
        self.problems.push(what);
    }

    fn response(&mut self, root: Node<'_, '_>) -> Vec<Verb> {
        if root.tag_name().name() != "Response" {
            self.problem(format!(
                "12100 the root element is <{}>",
                root.tag_name().name()
            ));
            return Vec::new();
        }
        self.attributes(root, &[]);
        self.children(root)
            .into_iter()
            .filter_map(|node| self.verb(node))
            .collect()
    }

    fn verb(&mut self, node: Node<'_, '_>) -> Option<Verb> {
        match node.tag_name().name() {
            "Connect" => self.connect(node),
            "Say" => {
                self.attributes(node, &["voice", "language", "loop"]);
                let text = self.text(node);
                if text.is_empty() {
                    self.problem("13520 <Say> without text".into());
                }
                Some(Verb::Say {
                    text,
                    times: self.number(node, "loop", 1),
                })
            }
            "Pause" => {
                self.attributes(node, &["length"]);
                self.empty(node);
                Some(Verb::Pause {
                    seconds: self.number(node, "length", 1),
                })
            }
            "Dial" => self.dial(node),
            "Redirect" => {
                self.attributes(node, &["method"]);
                let url = self.text(node);
                Some(Verb::Redirect(Request {
                    url: self.absolute(&url),
                    post: self.post(node, "method"),
                }))
            }
            "Hangup" => {
                self.attributes(node, &[]);
                self.empty(node);
                Some(Verb::Hangup)
            }
            "Reject" => {
                self.attributes(node, &["reason"]);
                self.empty(node);
                let busy = match node.attribute("reason") {
                    None | Some("rejected") => false,
                    Some("busy") => true,
                    Some(other) => {
                        self.problem(format!("<Reject reason=\"{other}\">"));
                        false
                    }
                };
                Some(Verb::Reject { busy })
            }
            other => {
                self.problem(format!("12200 <{other}> is unknown, or not simulated"));
                None
            }
        }
    }

    fn connect(&mut self, node: Node<'_, '_>) -> Option<Verb> {
        self.attributes(node, &["action", "method"]);
        let action = self.action(node, "action", "method");
        let children = self.children(node);
        let [stream] = children[..] else {
            self.problem(format!(
                "<Connect> has {} children instead of one",
                children.len()
            ));
            return None;
        };
        if stream.tag_name().name() != "Stream" {
            self.problem(format!("<Connect> holds <{}>", stream.tag_name().name()));
            return None;
        }
        Some(Verb::Connect {
            action,
            stream: self.stream(stream)?,
        })
    }

    fn stream(&mut self, node: Node<'_, '_>) -> Option<Stream> {
        self.attributes(
            node,
            &[
                "url",
                "name",
                "track",
                "statusCallback",
                "statusCallbackMethod",
            ],
        );
        // Bidirectional streams receive the inbound track only.
        if let Some(track) = node
            .attribute("track")
            .filter(|track| *track != "inbound_track")
        {
            self.problem(format!("31941 <Stream track=\"{track}\"> within <Connect>"));
        }
        let mut parameters = BTreeMap::new();
        for child in self.children(node) {
            if child.tag_name().name() != "Parameter" {
                self.problem(format!("<Stream> holds <{}>", child.tag_name().name()));
                continue;
            }
            self.attributes(child, &["name", "value"]);
            self.empty(child);
            let (name, value) = (child.attribute("name"), child.attribute("value"));
            let (Some(name), Some(value)) = (name, value) else {
                self.problem("<Parameter> without name or value".into());
                continue;
            };
            if name.chars().count() + value.chars().count() >= 500 {
                self.problem(format!(
                    "<Parameter name=\"{name}\"> has 500 characters or more"
                ));
            }
            if parameters
                .insert(name.to_string(), value.to_string())
                .is_some()
            {
                self.problem(format!("<Parameter name=\"{name}\"> twice"));
            }
        }
        let url = self.stream_url(node.attribute("url"))?;
        let status_callback = self.action(node, "statusCallback", "statusCallbackMethod");
        let name = node.attribute("name").map(Into::into);
        Some(Stream {
            url,
            name,
            status_callback,
            parameters,
        })
    }

    fn stream_url(&mut self, written: Option<&str>) -> Option<String> {
        let Some(written) = written else {
            self.problem("<Stream> without url".into());
            return None;
        };
        let url = match Url::parse(written) {
            Ok(url) => url,
            Err(error) => {
                self.problem(format!("<Stream url=\"{written}\">: {error}"));
                return None;
            }
        };
        if url.query().is_some() || url.fragment().is_some() {
            self.problem("31920 the stream URL has a query string or fragment".into());
        }
        if url.scheme() != "wss" && !(url.scheme() == "ws" && is_loopback(&url)) {
            self.problem(format!("31922 the stream URL's scheme is {}", url.scheme()));
            return None;
        }
        Some(written.to_string())
    }

    fn dial(&mut self, node: Node<'_, '_>) -> Option<Verb> {
        self.attributes(
            node,
            &[
                "action",
                "method",
                "timeout",
                "callerId",
                "timeLimit",
                "answerOnBridge",
                "hangupOnStar",
                "record",
                "trim",
                "ringTone",
                "sequential",
            ],
        );
        self.number(node, "timeout", 30);
        self.number(node, "timeLimit", 14_400);
        if let Some(caller) = node.attribute("callerId").filter(|number| !is_e164(number)) {
            self.problem(format!("13214 <Dial callerId=\"{caller}\">"));
        }
        let mut numbers = Vec::new();
        if node.children().any(|child| child.is_element()) {
            for child in self.children(node) {
                if child.tag_name().name() != "Number" {
                    self.problem(format!("<Dial> holds <{}>", child.tag_name().name()));
                    continue;
                }
                self.attributes(
                    child,
                    &[
                        "url",
                        "method",
                        "sendDigits",
                        "statusCallback",
                        "statusCallbackEvent",
                        "statusCallbackMethod",
                        "machineDetection",
                    ],
                );
                let whisper = self.action(child, "url", "method");
                numbers.push(Callee {
                    number: self.text(child),
                    whisper,
                });
            }
        } else {
            numbers.push(Callee {
                number: self.text(node),
                whisper: None,
            });
        }
        for Callee { number, .. } in &numbers {
            if !is_e164(number) {
                self.problem(format!("13224 <Dial> of `{number}`"));
            }
        }
        let action = self.action(node, "action", "method");
        (!numbers.is_empty()).then_some(Verb::Dial { action, numbers })
    }

    /// Element children; text beside them is a problem.
    fn children<'a, 'b>(&mut self, node: Node<'a, 'b>) -> Vec<Node<'a, 'b>> {
        let stray = node
            .children()
            .filter_map(|child| child.text().filter(|_| child.is_text()));
        if stray.into_iter().any(|text| !text.trim().is_empty()) {
            self.problem(format!("text within <{}>", node.tag_name().name()));
        }
        node.children().filter(Node::is_element).collect()
    }

    fn text(&mut self, node: Node<'_, '_>) -> String {
        if node.children().any(|child| child.is_element()) {
            self.problem(format!("elements within <{}>", node.tag_name().name()));
        }
        node.text().unwrap_or_default().trim().to_string()
    }

    fn empty(&mut self, node: Node<'_, '_>) {
        if !self.children(node).is_empty() {
            self.problem(format!("elements within <{}>", node.tag_name().name()));
        }
    }

    fn attributes(&mut self, node: Node<'_, '_>, known: &[&str]) {
        let name = node.tag_name().name();
        for attribute in node.attributes().filter(|a| !known.contains(&a.name())) {
            self.problem(format!(
                "12200 unknown attribute {} of <{name}>",
                attribute.name()
            ));
        }
    }

    fn number(&mut self, node: Node<'_, '_>, attribute: &str, default: u64) -> u64 {
        match node.attribute(attribute).map(str::parse) {
            None => default,
            Some(Ok(number)) => number,
            Some(Err(_)) => {
                self.problem(format!(
                    "{attribute} of <{}> is no number",
                    node.tag_name().name()
                ));
                default
            }
        }
    }

    fn action(&mut self, node: Node<'_, '_>, url: &str, method: &str) -> Option<Request> {
        let post = self.post(node, method);
        let url = node.attribute(url)?;
        Some(Request {
            url: self.absolute(url),
            post,
        })
    }

    fn post(&mut self, node: Node<'_, '_>, attribute: &str) -> bool {
        match node.attribute(attribute) {
            None | Some("POST") => true,
            Some("GET") => false,
            Some(other) => {
                self.problem(format!("{attribute}=\"{other}\""));
                true
            }
        }
    }

    fn absolute(&mut self, written: &str) -> String {
        if Url::parse(written).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return written.to_string();
        }
        match self.base.as_ref().and_then(|base| base.join(written).ok()) {
            Some(url) if !written.is_empty() => url.to_string(),
            _ => {
                self.problem(format!("11100 `{written}` is no URL"));
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests;
