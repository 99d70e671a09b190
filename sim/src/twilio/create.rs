//! The parameters of `POST …/Calls.json`: what Twilio refuses, and what it would take but means
//! that the bridge is wrong (`protocols.md` §2.1, §2.3).

use super::leg::Source;
use super::status::Subscription;
use super::twiml::{Request, is_e164};
use super::webhook::Form;
use url::Url;

const PARAMETERS: [&str; 36] = [
    "To",
    "From",
    "Url",
    "Method",
    "Twiml",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackEvent",
    "StatusCallbackMethod",
    "Timeout",
    "TimeLimit",
    "Record",
    "RecordingChannels",
    "RecordingStatusCallback",
    "RecordingStatusCallbackEvent",
    "RecordingStatusCallbackMethod",
    "RecordingTrack",
    "Trim",
    "SendDigits",
    "MachineDetection",
    "MachineDetectionTimeout",
    "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold",
    "MachineDetectionSilenceTimeout",
    "AsyncAmd",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
    "CallerId",
    "CallReason",
    "CallToken",
    "Byoc",
    "SipAuthUsername",
    "SipAuthPassword",
    "ApplicationSid",
    "ClientNotificationUrl",
];
const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];
/// `Twiml` has at most so many characters (error 32018).
const MAX_TWIML: usize = 4000;

/// A REST error: HTTP status, Twilio's code, its text.
#[derive(Debug, PartialEq)]
pub struct Refusal(pub u16, pub u32, pub String);

/// What a call is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    pub voice: Source,
    pub fallback: Option<Request>,
    pub status: Option<Subscription>,
    pub timeout_s: u64,
    pub time_limit_s: u64,
    pub amd: Option<Amd>,
}

/// Answering-machine detection; with a callback it runs beside the call.
#[derive(Clone, Debug)]
pub struct Amd {
    pub callback: Option<Request>,
}

/// The numbers of a new call, or Twilio's refusal.
pub fn numbers(form: &Form, own_number: &str) -> Result<(String, String), Refusal> {
    let refuse = |code, text: String| Err(Refusal(400, code, text));
    let Some(to) = get(form, "To").filter(|to| !to.is_empty()) else {
        return refuse(21201, "No 'To' number is specified".into());
    };
    if !is_e164(to) {
        return refuse(
            21211,
            format!("The 'To' number {to} is not a valid phone number."),
        );
    }
    let Some(from) = get(form, "From").filter(|from| !from.is_empty()) else {
        return refuse(21213, "No 'From' number is specified".into());
    };
    if !is_e164(from) {
        return refuse(
            21212,
            format!("The 'From' number {from} is not a valid phone number."),
        );
    }
    if from != own_number {
        let text = format!(
            "The source phone number provided, {from}, is not yet verified for your account."
        );
        return refuse(21210, text);
    }
    Ok((to.into(), from.into()))
}

/// What else a new call is to do, and everything questionable about it.
pub fn settings(form: &Form) -> Result<(Settings, Vec<String>), Refusal> {
    let mut check = Check {
        form,
        problems: Vec::new(),
    };
    check.known(&PARAMETERS);
    let voice = check
        .source()?
        .ok_or_else(|| Refusal(400, 21205, "Url parameter is required.".into()))?;
    let fallback = check.request("FallbackUrl", "FallbackMethod");
    let status = check.subscription();
    let amd = check.amd();
    let settings = Settings {
        voice,
        fallback,
        status,
        timeout_s: check.number("Timeout", 60, 1..=600),
        time_limit_s: check.number("TimeLimit", 14_400, 1..=86_400),
        amd,
    };
    Ok((settings, check.problems))
}

/// What an update of a live call is to run, if anything, and everything questionable about it.
pub fn update(form: &Form) -> Result<(Option<Source>, Vec<String>), Refusal> {
    let mut check = Check {
        form,
        problems: Vec::new(),
    };
    check.known(&[
        "Status",
        "Url",
        "Method",
        "FallbackUrl",
        "FallbackMethod",
        "Twiml",
        "StatusCallback",
        "StatusCallbackMethod",
        "TimeLimit",
    ]);
    let given = ["Status", "Url", "Twiml"]
        .iter()
        .filter(|name| get(form, name).is_some())
        .count();
    if given != 1 {
        check
            .problems
            .push("an update takes one of Status, Url and Twiml".into());
    }
    let source = check.source()?;
    Ok((source, check.problems))
}

/// The value of a parameter.
pub fn get<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

struct Check<'a> {
    form: &'a Form,
    problems: Vec<String>,
}

impl Check<'_> {
    fn known(&mut self, names: &[&str]) {
        for (index, (name, _)) in self.form.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                self.problems.push(format!("unknown parameter {name}"));
            }
            let again = self
                .form
                .iter()
                .take(index)
                .any(|(earlier, _)| earlier == name);
            if again && name != "StatusCallbackEvent" {
                self.problems.push(format!("{name} given twice"));
            }
        }
    }

    fn source(&mut self) -> Result<Option<Source>, Refusal> {
        if let Some(url) = get(self.form, "Url") {
            if !is_absolute(url) {
                return Err(Refusal(
                    400,
                    21205,
                    format!("Url is not a valid URL: {url}"),
                ));
            }
            if get(self.form, "Twiml").is_some() {
                self.problems
                    .push("both Url and Twiml: Twiml is ignored".into());
            }
            return Ok(self
                .request("Url", "Method")
                .map(|url| Source::Fetch(url, Form::new())));
        }
        match get(self.form, "Twiml") {
            Some(twiml) if twiml.chars().count() > MAX_TWIML => {
                Err(Refusal(400, 32018, "Twiml exceeds 4000 characters".into()))
            }
            twiml => Ok(twiml.map(|twiml| Source::Inline(twiml.into()))),
        }
    }

    fn request(&mut self, url: &str, method: &str) -> Option<Request> {
        let post = match get(self.form, method) {
            None | Some("POST") => true,
            Some("GET") => false,
            Some(other) => {
                self.problems.push(format!("{method}={other}"));
                true
            }
        };
        let written = get(self.form, url)?;
        if !is_absolute(written) {
            self.problems
                .push(format!("{url} is no absolute URL: {written}"));
            return None;
        }
        Some(Request {
            url: written.into(),
            post,
        })
    }

    fn subscription(&mut self) -> Option<Subscription> {
        let request = self.request("StatusCallback", "StatusCallbackMethod");
        if let Some(host) = request.as_ref().and_then(|r| Url::parse(&r.url).ok())
            && host.host_str().is_some_and(|host| host.contains('_'))
        {
            self.problems
                .push("the host of StatusCallback has an underscore".into());
        }
        let mut events = Vec::new();
        for (_, event) in self
            .form
            .iter()
            .filter(|(name, _)| name == "StatusCallbackEvent")
        {
            if EVENTS.contains(&event.as_str()) {
                events.push(event.clone());
            } else {
                self.problems.push(format!(
                    "21626 StatusCallbackEvent={event}: repeat the key for several"
                ));
            }
        }
        if events.is_empty() {
            events.push("completed".into());
        }
        Some(Subscription {
            request: request?,
            events,
        })
    }

    fn amd(&mut self) -> Option<Amd> {
        let mode = get(self.form, "MachineDetection")?;
        if !matches!(mode, "Enable" | "DetectMessageEnd") {
            self.problems.push(format!("MachineDetection={mode}"));
        }
        let callback = self.request("AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod");
        match (get(self.form, "AsyncAmd"), &callback) {
            (None | Some("false"), None) | (Some("true"), Some(_)) => {}
            (Some("true"), None) => self
                .problems
                .push("21262 AsyncAmd without its callback".into()),
            (other, _) => self
                .problems
                .push(format!("AsyncAmd={}", other.unwrap_or_default())),
        }
        Some(Amd { callback })
    }

    fn number(&mut self, name: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
        let Some(written) = get(self.form, name) else {
            return default;
        };
        match written.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.problems.push(format!("{name}={written}"));
                default
            }
        }
    }
}

fn is_absolute(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect()
    }

    const URL: (&str, &str) = ("Url", "https://calls.example.com/twilio/voice");

    #[test]
    fn bad_numbers_are_refused_with_twilios_code() {
        let (good_to, good_from) = (("To", "+14155550101"), ("From", "+15005550006"));
        for (pairs, code) in [
            (vec![], 21201),
            (vec![("To", ""), good_from], 21201),
            (vec![("To", "4155550101"), good_from], 21211),
            (vec![good_to], 21213),
            (vec![good_to, ("From", "me")], 21212),
            (vec![good_to, ("From", "+14155550177")], 21210),
        ] {
            let refusal = numbers(&form(&pairs), "+15005550006").unwrap_err();
            assert_eq!((refusal.0, refusal.1), (400, code), "{pairs:?}");
        }
        assert!(numbers(&form(&[good_to, good_from]), "+15005550006").is_ok());
    }

    #[test]
    fn a_call_needs_a_document() {
        assert_eq!(settings(&form(&[])).unwrap_err().1, 21205);
        assert_eq!(
            settings(&form(&[("Url", "/twilio/voice")])).unwrap_err().1,
            21205
        );
        let long = "x".repeat(4001);
        assert_eq!(update(&form(&[("Twiml", &long)])).unwrap_err().1, 32018);
    }

    #[test]
    fn the_parameters_of_a_bridge_are_understood() {
        let (settings, problems) = settings(&form(&[
            URL,
            ("Timeout", "25"),
            ("TimeLimit", "660"),
            ("StatusCallback", "https://calls.example.com/twilio/status"),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "answered"),
        ]))
        .unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!((settings.timeout_s, settings.time_limit_s), (25, 660));
        assert_eq!(settings.status.unwrap().events, ["initiated", "answered"]);
    }

    #[test]
    fn questionable_parameters_are_reported() {
        for pair in [
            ("Retries", "3"),
            ("Timeout", "soon"),
            ("TimeLimit", "0"),
            ("StatusCallback", "/twilio/status"),
            ("StatusCallback", "https://my_calls.example.com/"),
            ("StatusCallbackEvent", "initiated ringing"),
            ("StatusCallbackEvent", "initiated,ringing"),
            ("Method", "PUT"),
            ("MachineDetection", "yes"),
            ("Twiml", "<Response/>"),
        ] {
            let (_, problems) = settings(&form(&[URL, pair])).unwrap();
            assert_eq!(problems.len(), 1, "{pair:?}: {problems:?}");
        }
        let (_, problems) =
            update(&form(&[("Status", "completed"), ("Twiml", "<Response/>")])).unwrap();
        assert_eq!(problems.len(), 1);
    }
}
