//! Where outcomes are sent to, and how they are signed: the symmetric scheme of Standard Webhooks
//! 1.0.0.

use crate::base64;
use crate::url::Parts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The longest URL, in characters.
pub const MAX_URL_CHARS: usize = 2_000;
/// What is wrong with a URL that is none of those.
pub const BAD_URL: &str =
    "must be an https URL without credentials or fragment; http only on loopback";
/// What is wrong with a secret that is none.
pub const BAD_SECRET: &str = "must be `whsec_` and 24 to 64 bytes in base64";

/// Last labels of names that lead nowhere in public (RFC 6761, RFC 6762, and what ICANN reserved).
const PRIVATE: [&str; 3] = ["localhost", "local", "internal"];

/// Whether something can be sent there.
pub fn is_url(url: &str) -> bool {
    let Some(parts) = Parts::of(url) else {
        return false;
    };
    let plain = parts.scheme == "http" && parts.is_loopback();
    url.len() <= MAX_URL_CHARS
        && (parts.scheme == "https" || plain)
        && parts.has_plain_host()
        && (parts.tail.bytes()).all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'\\'))
}

/// Whether the URL is one of the public network, as far as it can be told without asking. Whoever
/// asks for a call may not have the Worker look around where it runs.
///
/// No address is taken, of whatever network: a Worker cannot fetch one anyway (Cloudflare's error
/// 1003), and addresses have many spellings (`127.1`, `0x7f.1`). No top-level domain begins with a
/// digit.
pub fn is_public(url: &str) -> bool {
    let host = Parts::of(url).map(|parts| parts.host);
    let top = host.and_then(|host| Some(host.rsplit_once('.')?.1));
    top.is_some_and(|top| {
        top.starts_with(|c: char| c.is_ascii_alphabetic())
            && !PRIVATE.iter().any(|name| top.eq_ignore_ascii_case(name))
    })
}

/// A signing secret.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads a secret as Standard Webhooks writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64::decode(text.strip_prefix("whsec_")?)?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }
}

/// The value of `webhook-signature`, one signature by each of the secrets: none is missing while
/// secrets are changed. `timestamp` is in seconds since the Unix epoch.
pub fn sign(secrets: &[Secret], id: &str, timestamp: &str, payload: &str) -> String {
    let signed = [id, timestamp, payload].join(".");
    let mut list = String::new();
    for Secret(key) in secrets {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            continue;
        };
        mac.update(signed.as_bytes());
        list += if list.is_empty() { "v1," } else { " v1," };
        list += &base64::encode(&mac.finalize().into_bytes());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of the reference libraries' own tests.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_vector_of_the_reference_libraries_is_met() {
        let secret = Secret::parse(SECRET).unwrap();
        let sign = |secrets: &[Secret]| {
            let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
            sign(secrets, id, "1614265330", r#"{"test": 2432232314}"#)
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret)), expected);
        let other = Secret(vec![0; 24]);
        let both = sign(&[other, secret]);
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != expected);
        assert_eq!(second, expected);
    }

    #[test]
    fn a_secret_has_its_prefix_and_24_to_64_bytes() {
        for (bytes, good) in [(23, false), (24, true), (64, true), (65, false)] {
            let text = format!("whsec_{}", base64::encode(&vec![7; bytes]));
            assert_eq!(Secret::parse(&text).is_some(), good, "{bytes}");
        }
        for bad in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_not base64 at all, but long enough",
        ] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
        assert!(!format!("{:?}", Secret::parse(SECRET)).contains('7'));
    }

    #[test]
    fn what_can_be_sent_to() {
        for good in [
            "https://shop.example.com/hooks?token=a.b",
            "https://shop.example.com:8443",
            "https://shop.example.com?x",
            "http://127.0.0.1:9/x",
            "http://localhost/",
            "http://[::1]:9",
        ] {
            assert!(is_url(good), "{good}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_CHARS));
        for bad in [
            "",
            "shop.example.com",
            "http://shop.example.com/",
            "http://localhost.example.com/",
            "ftp://shop.example.com",
            "https://u@shop.example.com/",
            "https://u:p@shop.example.com/",
            "https://shop.example.com/#top",
            "https://shop.example.com\\@127.0.0.1/",
            "https://shop.example.com/a b",
            "https://sh%6fp.example.com/",
            "https://１２７.0.0.1/",
            "https://shop.example.com:99999/",
            "https://",
            "https:///x",
            &long,
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn only_names_of_the_public_network_are_public() {
        for good in [
            "https://shop.example.com/x",
            "https://xn--bcher-kva.example:8443",
            "https://10.0.0.1.example.com",
        ] {
            assert!(is_public(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0x1/",
            "https://0177.0.0.1/",
            "https://10.0.0.1/",
            "https://172.16.0.1:443/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]:8443/",
            "https://[::ffff:127.0.0.1]/",
            "https://localhost/",
            "https://a.localhost/",
            "https://intranet/",
            "https://metadata.google.internal/",
            "https://PRINTER.Local/",
            "https://printer.local./",
            "https://127.0.0.1./",
            "https://shop.example.com./",
        ] {
            assert!(!is_public(bad), "{bad}");
        }
    }

    proptest! {
        /// The runtime's own parser decides where a request goes.
        #[test]
        fn a_public_url_is_a_name_to_a_whole_parser(
            url in "https://([0-9a-fx.]{1,12}|[a-z0-9.-]{1,12}\\.(com|local|1|0x1|internal)|\\[[0-9a-f:]{2,8}\\])(:[0-9]{1,5})?/"
        ) {
            if let (true, true, Ok(whole)) = (is_url(&url), is_public(&url), ::url::Url::parse(&url)) {
                let host = whole.host();
                prop_assert!(matches!(host, Some(::url::Host::Domain(_))), "{}", url);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let url = format!("https://{text}");
            let _ = (is_url(&text), is_public(&text), is_url(&url), is_public(&url), Secret::parse(&text));
        }
    }
}
