//! Connection overrides: what the fragment of a webhook's URL says about timeouts and retries
//! (`protocols.md` §2.4; twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
//!
//! Nothing documents a pause between two attempts, so there is none: a port that refuses connections
//! uses up five retries within milliseconds.

use std::time::Duration;

/// How a webhook is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrides {
    /// `ct`: until the connection stands.
    pub connect: Duration,
    /// `rt`: from the request to the answer.
    pub read: Duration,
    /// `tt`: all attempts together.
    pub total: Duration,
    /// `rc`: attempts after the first.
    pub retries: u32,
    /// `rp`: what is tried again.
    pub policy: Vec<Failure>,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `ct`: no connection.
    Connect,
    /// `rt`: no answer, or one that broke off.
    Read,
    /// `4xx`
    Client,
    /// `5xx`
    Server,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(5_000),
            read: Duration::from_millis(15_000),
            total: Duration::from_millis(15_000),
            retries: 1,
            policy: vec![Failure::Connect],
        }
    }
}

impl Overrides {
    /// Reads the fragment of a URL; the error is Twilio's.
    pub fn of(url: &str) -> Result<Self, String> {
        let mut overrides = Self::default();
        let Some((_, fragment)) = url.split_once('#') else {
            return Ok(overrides);
        };
        for pair in fragment.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "ct" => overrides.connect = ms(pair, value, 10_000)?,
                "rt" => overrides.read = ms(pair, value, 15_000)?,
                "tt" => overrides.total = ms(pair, value, 15_000)?,
                "rc" => {
                    let retries = value.parse().ok().filter(|retries| *retries <= 5);
                    overrides.retries = retries.ok_or_else(|| invalid(pair))?;
                }
                "rp" => overrides.policy = policy(value)?,
                // Edge locations and server names change nothing here.
                "e" | "sni" => {}
                _ => return Err(invalid(pair)),
            }
        }
        Ok(overrides)
    }

    /// Whether another attempt follows the one that failed so.
    pub fn retry(&self, attempt: u32, failure: Failure) -> bool {
        attempt <= self.retries && self.policy.contains(&failure)
    }
}

fn ms(pair: &str, value: &str, most: u64) -> Result<Duration, String> {
    let ms = value.parse().ok().filter(|ms| (100..=most).contains(ms));
    ms.map(Duration::from_millis).ok_or_else(|| invalid(pair))
}

fn invalid(pair: &str) -> String {
    format!("invalid connection override: {pair}")
}

fn policy(value: &str) -> Result<Vec<Failure>, String> {
    let mut policy = Vec::new();
    for word in value.split(',') {
        match word {
            "ct" => policy.push(Failure::Connect),
            "rt" => policy.push(Failure::Read),
            "4xx" => policy.push(Failure::Client),
            "5xx" => policy.push(Failure::Server),
            "all" => policy.extend([
                Failure::Connect,
                Failure::Read,
                Failure::Client,
                Failure::Server,
            ]),
            _ => return Err(format!("11243 retry policy: rp={value}")),
        }
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fragment_a_refused_connection_is_tried_once_more() {
        let plain = Overrides::of("https://calls.example.com/twilio/voice?a=b").unwrap();
        assert_eq!(plain, Overrides::default());
        assert!(plain.retry(1, Failure::Connect) && !plain.retry(2, Failure::Connect));
        assert!(!plain.retry(1, Failure::Read) && !plain.retry(1, Failure::Server));
    }

    #[test]
    fn the_fragment_says_what_is_tried_how_often_and_how_long() {
        let url = "https://h/x#ct=2000&rt=4000&tt=12000&rc=5&rp=ct,5xx";
        let overrides = Overrides::of(url).unwrap();
        assert_eq!(overrides.connect.as_millis(), 2_000);
        assert_eq!(overrides.read.as_millis(), 4_000);
        assert_eq!(overrides.total.as_millis(), 12_000);
        assert!(overrides.retry(5, Failure::Server) && !overrides.retry(6, Failure::Server));
        assert!(!overrides.retry(1, Failure::Client));
        assert!(Overrides::of("h#rp=all").unwrap().retry(1, Failure::Client));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for bad in [
            "rc=6", "rc=", "ct=99", "ct=10001", "rt=15001", "tt=x", "rp=3xx", "zz=1", "",
        ] {
            assert!(Overrides::of(&format!("h#{bad}")).is_err(), "{bad}");
        }
    }
}
