//! The parts of an absolute URL, cut out and not checked.
//!
//! A whole URL parser knows international host names, whose tables are a tenth of the Worker; the
//! URLs that are cut here are ours or come from the runtime, which has parsed them.

/// `scheme://host:port` and what follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parts<'a> {
    /// What is before `://`, as it is written.
    pub scheme: &'a str,
    /// Name or address, an IPv6 address in its brackets; credentials would be in front.
    pub host: &'a str,
    /// What is behind the host's colon.
    pub port: Option<&'a str>,
    /// Path and query, from the first `/`, `?` or `#`; may be empty.
    pub tail: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts, or nothing if there is no `://`.
    pub fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        Some(Self {
            scheme,
            host,
            port,
            tail,
        })
    }

    /// Whether the host is a name or an address in plain letters, and the port one. No credentials:
    /// `@` is in no host.
    pub fn has_plain_host(&self) -> bool {
        let is_name = |host: &str| {
            host.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let is_ipv6 = |host: &str| {
            host.strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
                .is_some_and(|ip| ip.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'))
        };
        // `u16` alone would take a sign.
        let is_port = |port: &str| {
            port.starts_with(|c: char| c.is_ascii_digit()) && port.parse::<u16>().is_ok()
        };
        !self.host.is_empty()
            && (is_name(self.host) || is_ipv6(self.host))
            && self.port.is_none_or(is_port)
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::Ipv4Addr>();
        matches!(self.host, "localhost" | "[::1]") || address.is_ok_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_host_may_be_an_address_with_colons() {
        for (url, host, port) in [
            ("http://[::1]", "[::1]", None),
            ("http://[::1]:9/x:1", "[::1]", Some("9")),
            ("https://h?a=b:c", "h", None),
        ] {
            let parts = Parts::of(url).unwrap();
            assert_eq!((parts.host, parts.port), (host, port), "{url}");
        }
    }

    #[test]
    fn what_is_not_absolute_has_no_parts() {
        for url in ["", "calls.example.com", "/path", "mailto:a@b"] {
            assert_eq!(Parts::of(url), None, "{url}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_are_those_of_a_whole_parser(
            url in "(https?|wss?)://([a-z][a-z0-9.-]{0,8}[a-z]|127\\.0\\.0\\.1|\\[::1\\])(:[1-9][0-9]{3})?/[a-z/:@]{0,8}([?][a-z:/?=]{0,8})?"
        ) {
            // Names such as `xn--` need not parse.
            if let Ok(whole) = ::url::Url::parse(&url) {
                let parts = Parts::of(&url).unwrap();
                prop_assert_eq!(parts.scheme, whole.scheme());
                prop_assert_eq!(Some(parts.host), whole.host_str());
                prop_assert_eq!(parts.port.map(|p| p.parse().unwrap()), whole.port());
                prop_assert_eq!(parts.tail, &whole[::url::Position::BeforePath..]);
            }
        }

        #[test]
        fn nothing_is_lost(url in ".{0,20}(://)?.{0,20}") {
            if let Some(Parts { scheme, host, port, tail }) = Parts::of(&url) {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                prop_assert_eq!(format!("{scheme}://{host}{port}{tail}"), url);
            }
        }
    }
}
