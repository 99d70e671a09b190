//! The TwiML we answer with (`protocols.md` §2.8). Every text and attribute is escaped here.

use std::fmt::Write;

/// A TwiML document: what Twilio is to do with the call next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Twiml {
    /// Open a bidirectional media stream; when it ends, ask `action` what to do.
    ConnectStream {
        /// `wss://` URL, without a query string.
        url: String,
        /// Where Twilio asks for the next TwiML when the stream has ended.
        action: String,
        /// Where Twilio reports the stream's start, stop and errors.
        status_callback: String,
    },
    /// Hand the call to a human; when that call leg ends, ask `action`.
    Dial {
        /// E.164 number of the human.
        number: String,
        /// Our number, shown to the human.
        caller_id: String,
        /// Where Twilio reports how the dial went.
        action: String,
    },
    /// Speak with Twilio's own voice, then hang up.
    SayAndHangUp {
        /// What to say.
        text: String,
        /// BCP 47 language of the voice.
        language: String,
    },
    /// End the call.
    HangUp,
}

impl Twiml {
    /// The document as XML.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>");
        let written = match self {
            Self::ConnectStream {
                url,
                action,
                status_callback,
            } => write!(
                xml,
                "<Connect action=\"{}\" method=\"POST\"><Stream url=\"{}\" statusCallback=\"{}\" statusCallbackMethod=\"POST\"/></Connect>",
                escape(action),
                escape(url),
                escape(status_callback)
            ),
            Self::Dial {
                number,
                caller_id,
                action,
            } => write!(
                xml,
                "<Dial action=\"{}\" method=\"POST\" callerId=\"{}\" timeout=\"30\"><Number>{}</Number></Dial>",
                escape(action),
                escape(caller_id),
                escape(number)
            ),
            Self::SayAndHangUp { text, language } => {
                write!(
                    xml,
                    "<Say language=\"{}\">{}</Say><Hangup/>",
                    escape(language),
                    escape(text)
                )
            }
            Self::HangUp => write!(xml, "<Hangup/>"),
        };
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        xml.push_str("</Response>");
        xml
    }
}

/// Escapes text for XML content and attributes; characters XML 1.0 forbids become spaces.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                c if c.is_control() || c == '\u{FFFE}' || c == '\u{FFFF}' => out.push(' '),
                c => out.push(c),
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_connected_and_not_started() {
        let twiml = Twiml::ConnectStream {
            url: "wss://h/ws/media/CA1/t".into(),
            action: "https://h/a".into(),
            status_callback: "https://h/s".into(),
        };
        assert_eq!(
            twiml.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Connect action=\"https://h/a\" method=\"POST\">\
             <Stream url=\"wss://h/ws/media/CA1/t\" statusCallback=\"https://h/s\" statusCallbackMethod=\"POST\"/></Connect></Response>"
        );
    }

    #[test]
    fn text_cannot_break_out_of_its_element() {
        let twiml = Twiml::SayAndHangUp {
            text: "</Say><Dial>+1900\u{0}\"'&".into(),
            language: "en\"".into(),
        };
        assert!(twiml.to_xml().contains("<Say language=\"en&quot;\">&lt;/Say&gt;&lt;Dial&gt;+1900 &quot;&apos;&amp;</Say><Hangup/>"));
    }
}
