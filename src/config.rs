//! The configuration, read once from variables and secrets, and checked by name.

use crate::json;
use crate::policy::callback::{self, Secret};
use crate::policy::gate::{DAY_MS, Policy};
use crate::policy::number_plan;
use crate::policy::quiet::Quiet;
use crate::realtime::prices::{MicroDollars, Prices};
use crate::twilio::number::E164;
use crate::twilio::sid::is_sid;
use crate::url::Parts;
use serde_json::Value;
use std::fmt;

/// Everything that can be configured. `Debug` shows no secret.
#[derive(Clone)]
pub struct Config {
    /// Bearer tokens of the API; never empty.
    pub api_tokens: Vec<String>,
    /// Key of the Realtime API.
    pub openai_api_key: String,
    /// Base URL of the Realtime API, `http` or `https`, without a trailing slash.
    pub openai_base_url: String,
    /// Realtime model.
    pub model: String,
    /// Its voice.
    pub voice: String,
    /// Transcription model.
    pub transcribe_model: String,
    /// Twilio account.
    pub twilio_account_sid: String,
    /// Its auth token or tokens, the current one first: requests are made with the first, and a
    /// signature by any of them is accepted.
    pub twilio_auth_tokens: Vec<String>,
    /// The number that calls.
    pub twilio_from: E164,
    /// Base URL of Twilio's REST API, without a trailing slash.
    pub twilio_base_url: String,
    /// Base URL under which Twilio reaches this Worker, without a trailing slash.
    pub public_base_url: String,
    /// A human to hand calls to.
    pub handoff_number: Option<E164>,
    /// What may be dialled, and when.
    pub gate: Policy,
    /// Longest call, in ms, if the request does not say.
    pub max_call_ms: u64,
    /// Silence after which the agent speaks again, in ms.
    pub silence_prompt_ms: u64,
    /// Price table.
    pub prices: Prices,
    /// What a call may cost, if the request does not say.
    pub max_cost: MicroDollars,
    /// Days an outcome is kept.
    pub outcome_ttl_days: u32,
    /// Where outcomes are sent, if the request does not say.
    pub outcome_webhook_url: Option<String>,
    /// What they are signed with; empty only where there is no URL either.
    pub outcome_webhook_secrets: Vec<Secret>,
    /// What is logged.
    pub log_level: LogLevel,
    /// Whether the inputs of calls are recorded.
    pub record: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LogLevel {
    /// Failures of ours.
    Error,
    /// And failures of others.
    Warn,
    /// And what happens to calls.
    Info,
    /// And every turn.
    Debug,
}

/// A variable that is missing or wrong; the operator's fault. Never quotes the value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    /// Name of the variable.
    pub name: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The longest call that is allowed: the platform keeps the connection to the model alive for
/// 15 minutes (`platform.md` §2.1).
pub const MAX_CALL_MINUTES: f64 = 14.0;

impl Config {
    /// Reads the configuration; `lookup` gives the value of a variable or secret.
    ///
    /// # Errors
    /// Everything that is missing or wrong, by name.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader {
            lookup,
            errors: Vec::new(),
        };
        let config = reader.config();
        match config {
            Some(config) if reader.errors.is_empty() => Ok(config),
            _ => Err(reader.errors),
        }
    }

    /// Whether the Worker runs on the machine of whoever calls it, and not on Cloudflare.
    pub fn is_local(&self) -> bool {
        Parts::of(&self.public_base_url).is_some_and(|url| url.is_loopback())
    }

    /// For how long an outcome is kept, in ms.
    pub fn outcome_ttl_ms(&self) -> u64 {
        u64::from(self.outcome_ttl_days).saturating_mul(DAY_MS)
    }

    /// The auth tokens, as the signature check takes them.
    pub fn auth_tokens(&self) -> Vec<&str> {
        self.twilio_auth_tokens.iter().map(String::as_str).collect()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

struct Reader<L> {
    lookup: L,
    errors: Vec<ConfigError>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn config(&mut self) -> Option<Config> {
        let api_tokens = self.secrets("API_TOKEN");
        let openai_api_key = self.required("OPENAI_API_KEY");
        let openai_base_url = self.base_url("OPENAI_BASE_URL", Some("https://api.openai.com/v1"));
        let twilio_account_sid = self.required("TWILIO_ACCOUNT_SID");
        if twilio_account_sid
            .as_deref()
            .is_some_and(|sid| !is_sid(sid, "AC"))
        {
            self.fail(
                "TWILIO_ACCOUNT_SID",
                "must be `AC` and 32 hexadecimal digits",
            );
        }
        let twilio_auth_tokens = self.secrets("TWILIO_AUTH_TOKEN");
        let twilio_from = self.required("TWILIO_FROM_NUMBER");
        let twilio_from = self.number("TWILIO_FROM_NUMBER", twilio_from);
        let twilio_base_url = self.base_url("TWILIO_BASE_URL", Some("https://api.twilio.com"));
        let public_base_url = self.base_url("PUBLIC_BASE_URL", None);
        if public_base_url
            .as_deref()
            .and_then(Parts::of)
            .is_some_and(|url| !url.tail.is_empty())
        {
            self.fail(
                "PUBLIC_BASE_URL",
                "must be an origin without a path, such as https://calls.example.com",
            );
        }
        let handoff = self.get("HANDOFF_NUMBER");
        let handoff_number = self.number("HANDOFF_NUMBER", handoff);
        let max_call_minutes = self.decimal("MAX_CALL_MINUTES", 10.0, 0.1, MAX_CALL_MINUTES);
        let silence_prompt_ms = self.decimal("SILENCE_PROMPT_MS", 3500.0, 500.0, 60_000.0);
        let outcome_ttl_days = self.decimal("OUTCOME_TTL_DAYS", 30.0, 1.0, 3650.0);
        let gate = self.gate(twilio_from.as_ref());
        let max_cost = self.decimal("MAX_COST_PER_CALL", 5.0, 0.01, 1000.0);
        let outcome_webhook_url = self.get("OUTCOME_WEBHOOK_URL");
        let outcome_webhook_secrets = self.webhook(outcome_webhook_url.as_deref());
        let log_level = self.log_level();
        let record = self.get("RECORD");
        if record.as_deref().is_some_and(|value| value != "1") {
            self.fail("RECORD", "must be 1, or not set");
        }
        let prices = self.prices();
        Some(Config {
            api_tokens,
            openai_api_key: openai_api_key?,
            openai_base_url: openai_base_url?,
            model: self
                .get("OPENAI_REALTIME_MODEL")
                .unwrap_or_else(|| "gpt-realtime-2.1".into()),
            voice: self.get("OPENAI_VOICE").unwrap_or_else(|| "marin".into()),
            transcribe_model: self
                .get("OPENAI_TRANSCRIBE_MODEL")
                .unwrap_or_else(|| "gpt-4o-mini-transcribe".into()),
            twilio_account_sid: twilio_account_sid?,
            twilio_auth_tokens,
            twilio_from: twilio_from?,
            twilio_base_url: twilio_base_url?,
            public_base_url: public_base_url?,
            handoff_number,
            gate,
            max_call_ms: whole(max_call_minutes * 60_000.0),
            silence_prompt_ms: whole(silence_prompt_ms),
            prices,
            max_cost: whole(max_cost * 1e6),
            outcome_ttl_days: u32::try_from(whole(outcome_ttl_days)).unwrap_or(30),
            outcome_webhook_url,
            outcome_webhook_secrets,
            log_level,
            record: record.is_some(),
        })
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
            .map(|v| v.trim().to_owned())
            .filter(|v| !v.is_empty())
    }

    fn fail(&mut self, name: &'static str, problem: impl Into<String>) {
        self.errors.push(ConfigError {
            name,
            problem: problem.into(),
        });
    }

    fn required(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name);
        if value.is_none() {
            self.fail(name, "is not set");
        }
        value
    }

    /// Several secrets, separated by commas, for rotation.
    fn secrets(&mut self, name: &'static str) -> Vec<String> {
        let secrets = parts(&self.required(name).unwrap_or_default());
        if secrets.is_empty() && self.get(name).is_some() {
            self.fail(name, "is empty");
        }
        secrets
    }

    fn number(&mut self, name: &'static str, value: Option<String>) -> Option<E164> {
        match E164::parse(&value?) {
            Ok(number) => Some(number),
            Err(e) => {
                self.fail(name, e.to_string());
                None
            }
        }
    }

    /// An `https` URL (or `http` on loopback), as `http(s)` and without a trailing slash.
    fn base_url(&mut self, name: &'static str, default: Option<&str>) -> Option<String> {
        let value = match (self.get(name), default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.to_owned(),
            (None, None) => {
                self.fail(name, "is not set");
                return None;
            }
        };
        let checked = Parts::of(&value).and_then(|url| {
            let secure = ["https", "wss"].contains(&url.scheme);
            let plain = ["http", "ws"].contains(&url.scheme) && url.is_loopback();
            // fetch() takes no ws: or wss: URL, not even for an upgrade.
            let scheme = if secure { "https" } else { "http" };
            let (_, rest) = value.split_once(':')?;
            ((secure || plain) && is_bare(&url))
                .then(|| format!("{scheme}:{}", rest.trim_end_matches('/')))
        });
        if checked.is_none() {
            self.fail(
                name,
                "must be an https URL without query or credentials; http only on loopback",
            );
        }
        checked
    }

    fn decimal(&mut self, name: &'static str, default: f64, min: f64, max: f64) -> f64 {
        // By serde_json's parser, which is here anyway; the standard library's brings a table of 10 kB.
        let number = |text: String| serde_json::from_str::<Value>(&text).ok()?.as_f64();
        match self.get(name).map(number) {
            None => default,
            Some(Some(value)) if (min..=max).contains(&value) => value,
            Some(_) => {
                let (min, max) = (json::number_text(min), json::number_text(max));
                self.fail(name, format!("must be a number from {min} to {max}"));
                default
            }
        }
    }

    fn gate(&mut self, from: Option<&E164>) -> Policy {
        let own = || from.map(|from| number_plan::country(from.digits()).to_owned());
        let given = self.get("ALLOWED_COUNTRIES").or_else(own);
        let mut countries = parts(&given.unwrap_or_default());
        for code in &mut countries {
            *code = code.trim_start_matches('+').to_owned();
        }
        let known = countries.iter().all(|code| number_plan::is_country(code));
        if from.is_some() && (countries.is_empty() || !known) {
            let problem = "must be country codes separated by commas, such as +1,+44";
            self.fail("ALLOWED_COUNTRIES", problem);
        }
        let quiet = self
            .get("QUIET_HOURS")
            .unwrap_or_else(|| "21:00-08:00".into());
        let window = Quiet::parse(&quiet);
        if window.is_none() && quiet != "off" {
            let problem = "must be two different times such as 21:00-08:00, or off";
            self.fail("QUIET_HOURS", problem);
        }
        let max_cost = self.decimal("MAX_COST_PER_DAY", 100.0, 0.0, 1e6);
        Policy {
            countries,
            quiet: window,
            max_concurrent: self.count("MAX_CONCURRENT_CALLS", 10.0, 0.0, 1e3),
            max_calls_per_day: self.count("MAX_CALLS_PER_DAY", 200.0, 0.0, 1e6),
            max_cost_per_day: whole(max_cost * 1e6),
            calls_per_second: self.count("CALLS_PER_SECOND", 1.0, 1.0, 1e3),
        }
    }

    fn count(&mut self, name: &'static str, default: f64, min: f64, max: f64) -> u64 {
        let count = self.decimal(name, default, min, max);
        if count.fract() > 0.0 {
            self.fail(name, "must be a whole number");
        }
        whole(count)
    }

    /// The secrets that outcomes are signed with. Without one there is no URL either.
    fn webhook(&mut self, url: Option<&str>) -> Vec<Secret> {
        if url.is_some_and(|url| !callback::is_url(url)) {
            self.fail("OUTCOME_WEBHOOK_URL", callback::BAD_URL);
        }
        let name = "OUTCOME_WEBHOOK_SECRET";
        let given = parts(&self.get(name).unwrap_or_default());
        let secrets: Vec<_> = (given.iter())
            .filter_map(|text| Secret::parse(text))
            .collect();
        if secrets.len() < given.len() {
            self.fail(name, callback::BAD_SECRET);
        } else if secrets.is_empty() && url.is_some() {
            self.fail(name, "is not set, and OUTCOME_WEBHOOK_URL is");
        }
        secrets
    }

    fn log_level(&mut self) -> LogLevel {
        match self.get("LOG_LEVEL").as_deref() {
            None | Some("info") => LogLevel::Info,
            Some("error") => LogLevel::Error,
            Some("warn") => LogLevel::Warn,
            Some("debug") => LogLevel::Debug,
            Some(_) => {
                self.fail("LOG_LEVEL", "must be error, warn, info or debug");
                LogLevel::Info
            }
        }
    }

    fn prices(&mut self) -> Prices {
        match self.get("PRICES").map(|json| Prices::with_override(&json)) {
            None => Prices::default(),
            Some(Ok(prices)) => prices,
            Some(Err(e)) => {
                self.fail(
                    "PRICES",
                    format!("must be JSON of the documented form: {e}"),
                );
                Prices::default()
            }
        }
    }
}

/// The parts of a list with commas.
fn parts(list: &str) -> Vec<String> {
    list.split(',')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether nothing is there but a host, a port and a plain path.
fn is_bare(url: &Parts<'_>) -> bool {
    url.has_plain_host()
        && (url.tail.bytes()).all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\'))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the ranges above"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
        let base = [
            ("API_TOKEN", "t1, t2"),
            ("OPENAI_API_KEY", "k"),
            ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
            ("TWILIO_AUTH_TOKEN", "a"),
            ("TWILIO_FROM_NUMBER", "+13105550100"),
            ("PUBLIC_BASE_URL", "https://calls.example.com/"),
        ];
        Config::read(|name| {
            changes
                .iter()
                .chain(&base)
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn calls_are_recorded_only_when_it_is_asked_for() {
        assert!(!read(&[]).unwrap().record);
        assert!(read(&[("RECORD", "1")]).unwrap().record);
        assert_eq!(read(&[("RECORD", "0")]).unwrap_err()[0].name, "RECORD");
    }

    #[test]
    fn the_required_variables_are_enough() {
        let config = read(&[]).unwrap();
        assert_eq!(config.api_tokens, ["t1", "t2"]);
        assert_eq!(config.public_base_url, "https://calls.example.com");
        assert_eq!(
            (
                config.max_call_ms,
                config.silence_prompt_ms,
                config.model.as_str()
            ),
            (600_000, 3500, "gpt-realtime-2.1")
        );
        assert!(!format!("{config:?}").contains("t1"));
    }

    #[test]
    fn everything_wrong_is_reported_by_name_and_without_its_value() {
        let errors = Config::read(|_| None).unwrap_err();
        let names: Vec<&str> = errors.iter().map(|e| e.name).collect();
        assert_eq!(
            names,
            [
                "API_TOKEN",
                "OPENAI_API_KEY",
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "TWILIO_FROM_NUMBER",
                "PUBLIC_BASE_URL"
            ]
        );
        for (name, value) in [
            ("API_TOKEN", " , "),
            ("TWILIO_ACCOUNT_SID", "ACsecret"),
            ("TWILIO_FROM_NUMBER", "5551234"),
            ("PUBLIC_BASE_URL", "http://example.com"),
            ("PUBLIC_BASE_URL", "https://example.com/path"),
            ("PUBLIC_BASE_URL", "https://"),
            ("PUBLIC_BASE_URL", "https:/example.com"),
            ("OPENAI_BASE_URL", "https://u:p@example.com"),
            ("OPENAI_BASE_URL", "https://u@example.com"),
            ("OPENAI_BASE_URL", "https://example.com:99999"),
            ("OPENAI_BASE_URL", "https://example.com:+80"),
            ("OPENAI_BASE_URL", "https://ex ample.com"),
            ("OPENAI_BASE_URL", "https://example.com/v1#x"),
            ("TWILIO_BASE_URL", "https://example.com?x=1"),
            ("HANDOFF_NUMBER", "nobody"),
            ("MAX_CALL_MINUTES", "15"),
            ("SILENCE_PROMPT_MS", "soon"),
            ("OUTCOME_TTL_DAYS", "never"),
            ("ALLOWED_COUNTRIES", "US"),
            ("ALLOWED_COUNTRIES", "+1,x"),
            ("ALLOWED_COUNTRIES", " , "),
            ("ALLOWED_COUNTRIES", "+1 +44"),
            ("QUIET_HOURS", "none"),
            ("QUIET_HOURS", "21-8"),
            ("QUIET_HOURS", "08:00-08:00"),
            ("MAX_CONCURRENT_CALLS", "-1"),
            ("MAX_CONCURRENT_CALLS", "2.5"),
            ("MAX_CALLS_PER_DAY", "many"),
            ("MAX_COST_PER_DAY", "$20"),
            ("CALLS_PER_SECOND", "0.5"),
            ("CALLS_PER_SECOND", "1.5"),
            ("OUTCOME_WEBHOOK_URL", "http://example.com/hook"),
            ("OUTCOME_WEBHOOK_URL", "https://u:p@example.com/hook"),
            ("OUTCOME_WEBHOOK_SECRET", "whsec_c2hvcnQ="),
            ("OUTCOME_WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ("LOG_LEVEL", "loud"),
            ("PRICES", "[]"),
        ] {
            let errors = read(&[(name, value)]).unwrap_err();
            assert_eq!(errors[0].name, name, "{value}");
            assert!(!errors[0].to_string().contains(value), "{errors:?}");
        }
    }

    #[test]
    fn what_may_be_dialled_is_read_strictly() {
        let gate = read(&[]).unwrap().gate;
        assert_eq!(gate.countries, ["1"], "where the calls come from");
        assert_eq!(gate.quiet, Quiet::parse("21:00-08:00"));
        let limits = (gate.max_concurrent, gate.max_calls_per_day);
        assert_eq!((limits, gate.max_cost_per_day), ((10, 200), 100_000_000));
        assert_eq!(gate.calls_per_second, 1, "as Twilio has it");
        let gate = read(&[
            ("ALLOWED_COUNTRIES", "+1, 44,+1787"),
            ("QUIET_HOURS", "off"),
            ("MAX_CALLS_PER_DAY", "0"),
            ("MAX_COST_PER_DAY", "2.5"),
        ])
        .unwrap()
        .gate;
        assert_eq!(gate.countries, ["1", "44", "1787"]);
        let rest = (gate.quiet, gate.max_calls_per_day, gate.max_cost_per_day);
        assert_eq!(rest, (None, 0, 2_500_000));
    }

    #[test]
    fn outcomes_are_sent_signed_or_not_at_all() {
        let url = (
            "OUTCOME_WEBHOOK_URL",
            "https://shop.example.com/hooks?key=1",
        );
        let unsigned = read(&[url]).unwrap_err();
        assert_eq!(unsigned.len(), 1);
        assert_eq!(unsigned[0].name, "OUTCOME_WEBHOOK_SECRET");
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let both = format!("{secret}, whsec_{}", "AAAA".repeat(8));
        for (text, count) in [(secret, 1), (both.as_str(), 2)] {
            let config = read(&[url, ("OUTCOME_WEBHOOK_SECRET", text)]).unwrap();
            assert_eq!(config.outcome_webhook_url.as_deref(), Some(url.1));
            assert_eq!(config.outcome_webhook_secrets.len(), count);
        }
        let empty = read(&[url, ("OUTCOME_WEBHOOK_SECRET", " , ")]).unwrap_err();
        assert_eq!(empty[0].name, "OUTCOME_WEBHOOK_SECRET");
        let half = format!("{secret}, whsec_short");
        assert!(read(&[("OUTCOME_WEBHOOK_SECRET", half.as_str())]).is_err());
        let neither = read(&[]).unwrap();
        assert_eq!(neither.outcome_webhook_url, None);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (given, kept) in [
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("ws://localhost:9/v1/", "http://localhost:9/v1"),
            ("wss://h/v1", "https://h/v1"),
            ("http://[::1]:9", "http://[::1]:9"),
        ] {
            assert_eq!(
                read(&[("OPENAI_BASE_URL", given)]).unwrap().openai_base_url,
                kept
            );
        }
        assert!(read(&[("OPENAI_BASE_URL", "http://127.0.0.1.evil.com")]).is_err());
    }
}
