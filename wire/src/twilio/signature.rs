//! `X-Twilio-Signature`: HMAC-SHA1 with the account's auth token (`protocols.md` §2.7).
//!
//! The signed text is the URL exactly as Twilio requested it, then every form parameter's name and
//! value, sorted by name. The URL comes from the configured base URL, never from the Host header.

use crate::base64;
use crate::url::Parts;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BinaryHeap;

/// Whether the signature belongs to this URL and form, under any of the auth tokens.
///
/// `params` are the decoded form parameters in the order received; none for a GET.
/// The comparison takes constant time.
pub fn verify(
    auth_tokens: &[&str],
    url: &str,
    params: &[(String, String)],
    signature: &str,
) -> bool {
    // Some stacks sign the URL with its default port written out, some without the port that it has
    // (twilio-node tries all of them, too).
    [Some(url.to_owned()), with_other_port(url)]
        .iter()
        .flatten()
        .any(|candidate| verify_exact(auth_tokens, candidate, params, signature))
}

/// Whether the signature belongs to the upgrade request of a media stream at this path.
///
/// `base` is the configured base URL without a trailing slash. Twilio signs the `wss://` URL as
/// written in the TwiML; a trailing slash and the `https://` form are accepted as well (§2.7).
pub fn verify_stream(auth_tokens: &[&str], base: &str, path: &str, signature: &str) -> bool {
    let socket_base = socket_url(base);
    [socket_base.as_str(), base].iter().any(|base| {
        ["", "/"]
            .iter()
            .any(|slash| verify(auth_tokens, &format!("{base}{path}{slash}"), &[], signature))
    })
}

/// The WebSocket form of an `http` or `https` URL.
pub fn socket_url(base: &str) -> String {
    match base.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => base.to_owned(),
    }
}

fn verify_exact(
    auth_tokens: &[&str],
    url: &str,
    params: &[(String, String)],
    signature: &str,
) -> bool {
    let Some(given) = base64::decode(signature) else {
        return false;
    };
    // `|` and not `||`: which token matched must not show in the time.
    auth_tokens.iter().fold(false, |found, token| {
        found | mac(token, url, params).is_some_and(|mac| mac.verify_slice(&given).is_ok())
    })
}

fn mac(auth_token: &str, url: &str, params: &[(String, String)]) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    // Repeated names: each value once, in order.
    let mut sorted = BinaryHeap::from_iter(params).into_sorted_vec();
    sorted.dedup();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(mac)
}

/// The URL with its default port written out, or without the port that it has.
fn with_other_port(url: &str) -> Option<String> {
    let Parts {
        scheme,
        host,
        port,
        tail,
    } = Parts::of(url)?;
    Some(match (port, scheme) {
        (Some(_), _) => format!("{scheme}://{host}{tail}"),
        (None, "https" | "wss") => format!("{scheme}://{host}:443{tail}"),
        (None, _) => format!("{scheme}://{host}:80{tail}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    const P: [(&str, &str); 5] = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];

    #[test]
    fn the_vectors_of_twilio_node_verify() {
        for (url, signature) in [
            (
                "https://mycompany.com/myapp.php?foo=1&bar=2",
                "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            ),
            (
                "https://mycompany.com:443/myapp.php?foo=1&bar=2",
                "kvajT1Ptam85bY51eRf/AJRuM3w=",
            ),
            (
                "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
                "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
            ),
            (
                "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
                "CukzLTc1tT5dXEDIHm/tKBanW10=",
            ),
            (
                "https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing",
                "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
            ),
        ] {
            assert!(
                verify_exact(&["12345"], url, &params(&P), signature),
                "{url}"
            );
        }
    }

    #[test]
    fn own_vectors_cover_unicode_empty_values_and_byte_order() {
        let t = ["test_auth_token"];
        let base = "https://calls.example.com";
        let sid = ("CallSid", "CA00000000000000000000000000000001");
        for (path, pairs, signature) in [
            (
                "/twilio/voice",
                vec![("CallerName", "Zoë Müller"), sid, ("From", "+14155550100")],
                "hlNmLMZqB6vaQzQJeMfvpvbSoCw=",
            ),
            (
                "/twilio/status",
                vec![
                    sid,
                    ("CallStatus", "completed"),
                    ("ToZip", ""),
                    ("Timestamp", "Tue, 31 Aug 2010 20:36:44 +0000"),
                ],
                "LqqhfPC4G5aRXuLHunz8gpSwJCQ=",
            ),
            (
                "/x",
                vec![("b", "2"), ("B", "1"), ("a", "3"), ("A_", "4")],
                "IvivRctXSp4Bl53coDoUJLud2sA=",
            ),
        ] {
            assert!(
                verify(&t, &format!("{base}{path}"), &params(&pairs), signature),
                "{path}"
            );
        }
    }

    #[test]
    fn repeated_parameters_are_sorted_and_counted_once() {
        let repeated = params(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]);
        assert!(verify(
            &["12345"],
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            &repeated,
            "IK+Dwps556ElfBT0I3Rgjkr1wJU="
        ));
    }

    #[test]
    fn a_url_signed_without_its_port_verifies() {
        let signed_without = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        for (url, good) in [
            ("https://mycompany.com:8443/myapp.php?foo=1&bar=2", true),
            ("https://mycompany.com:8443/myapp.php?foo=1&bar=3", false),
        ] {
            assert_eq!(verify(&["12345"], url, &params(&P), signed_without), good);
        }
    }

    #[test]
    fn a_url_signed_with_its_default_port_verifies() {
        let signed_with_port = "kvajT1Ptam85bY51eRf/AJRuM3w=";
        assert!(verify(
            &["12345"],
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            &params(&P),
            signed_with_port
        ));
    }

    #[test]
    fn the_stream_upgrade_verifies_in_all_four_spellings() {
        for signature in [
            "N4otbzNKsPbukYWu4CuCJCW4lWY=",
            "B9evdNt68ktGC3FFSv+GnmAWZJQ=",
            "KU0bFXwgnBN7TxSNpFLqiI1WPOA=",
            "A5+e4xulu5UmLvDKcp8NTfI2pPw=",
        ] {
            assert!(
                verify_stream(
                    &["test_auth_token"],
                    "https://calls.example.com",
                    "/media",
                    signature
                ),
                "{signature}"
            );
        }
        assert!(!verify_stream(
            &["test_auth_token"],
            "https://calls.example.com",
            "/other",
            "N4otbzNKsPbukYWu4CuCJCW4lWY="
        ));
    }

    #[test]
    fn a_changed_value_name_url_token_or_signature_does_not_verify() {
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        let mut changed = P;
        changed[2] = ("Digits", "1235");
        assert!(!verify(&["12345"], url, &params(&changed), good));
        assert!(!verify(&["12345"], url, &params(&P[1..]), good));
        assert!(!verify(
            &["12345"],
            "https://mycompany.com/myapp.php?foo=1&bar=3",
            &params(&P),
            good
        ));
        assert!(!verify(&["12346"], url, &params(&P), good));
        assert!(!verify(&[], url, &params(&P), good));
        for bad in ["", "RSOY", "not base64 !", "RSOYDt4T1cUTdK1PDd93/VVr8B9="] {
            assert!(!verify(&["12345"], url, &params(&P), bad), "{bad}");
        }
        assert!(
            verify(&["old", "12345"], url, &params(&P), good),
            "a second token, during rotation"
        );
    }
}
