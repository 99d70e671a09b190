//! `X-Twilio-Signature` as Twilio computes it (`protocols.md` §2.7).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BTreeSet;

/// Signs a request to `url`, which is taken as written up to its fragment, with the form
/// parameters of a POST (empty for GET and for the WebSocket upgrade).
pub fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes any key");
    mac.update(url.split('#').next().unwrap_or(url).as_bytes());
    // Sorted by name, then value; equal pairs once.
    let sorted: BTreeSet<_> = params.iter().collect();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect()
    }

    const U: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    #[test]
    fn signatures_equal_the_vectors_of_twilio_node() {
        let p = params(&[
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
        ]);
        for (url, signature) in [
            (U.to_string(), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            (
                "https://mycompany.com:443/myapp.php?foo=1&bar=2".into(),
                "kvajT1Ptam85bY51eRf/AJRuM3w=",
            ),
            (
                "http://mycompany.com:80/myapp.php?foo=1&bar=2".into(),
                "0ZXoZLH/DfblKGATFgpif+LLRf4=",
            ),
            (
                "http://mycompany.com:1234/myapp.php?foo=1&bar=2".into(),
                "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
            ),
            (
                "http://mycompany.com/myapp.php?foo=1&bar=2".into(),
                "OyGYPqTF6ztdbRNCvuQO/oPvqQ4=",
            ),
            (
                "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2".into(),
                "CukzLTc1tT5dXEDIHm/tKBanW10=",
            ),
            (
                "https://user@mycompany.com/myapp.php?foo=1&bar=2".into(),
                "2YRLlVAflCqxaNicjMpJcSTgzSs=",
            ),
            (
                format!("{U}&Body=It%27s+amazing"),
                "TfZzewPq8wqrGlMfyAud8+/IvJ0=",
            ),
            (
                format!("{U}&Body=It's+amazing"),
                "dsq4Ehbj6cs+KdTkpF5sSSplOWw=",
            ),
            (format!("{U}#rc=2"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ] {
            assert_eq!(sign("12345", &url, &p), signature, "{url}");
        }
    }

    #[test]
    fn repeated_names_are_sorted_and_counted_once() {
        let address = "MessagingBinding.Address";
        let p = params(&[(address, "+1415xxxxxxx"), (address, "+1325xxxxxxx")]);
        assert_eq!(sign("12345", U, &p), "83O6e2vORAoJHUNzJjDWN1jz+BA=");
        let p = params(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]);
        assert_eq!(sign("12345", U, &p), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }

    #[test]
    fn sockets_and_odd_forms_sign_like_the_reference() {
        for (url, signature) in [
            (
                "wss://calls.example.com/media",
                "N4otbzNKsPbukYWu4CuCJCW4lWY=",
            ),
            (
                "wss://calls.example.com/media/",
                "B9evdNt68ktGC3FFSv+GnmAWZJQ=",
            ),
            (
                "wss://calls.example.com/media/tok_abc123",
                "8BjvzKUYr6nuKI9CZ6QeK5IXa34=",
            ),
        ] {
            assert_eq!(sign("test_auth_token", url, &[]), signature, "{url}");
        }
        let sid = "CA00000000000000000000000000000001";
        let forms = [
            (
                "https://calls.example.com/twilio/voice",
                params(&[
                    ("CallerName", "Zoë Müller"),
                    ("CallSid", sid),
                    ("From", "+14155550100"),
                ]),
                "hlNmLMZqB6vaQzQJeMfvpvbSoCw=",
            ),
            (
                "https://calls.example.com/twilio/status",
                params(&[
                    ("CallSid", sid),
                    ("CallStatus", "completed"),
                    ("ToZip", ""),
                    ("Timestamp", "Tue, 31 Aug 2010 20:36:44 +0000"),
                ]),
                "LqqhfPC4G5aRXuLHunz8gpSwJCQ=",
            ),
            (
                "https://calls.example.com/x",
                params(&[("b", "2"), ("B", "1"), ("a", "3"), ("A_", "4")]),
                "IvivRctXSp4Bl53coDoUJLud2sA=",
            ),
        ];
        for (url, form, signature) in forms {
            assert_eq!(sign("test_auth_token", url, &form), signature, "{url}");
        }
    }
}
