//! Comparing secrets without showing, by the time it takes, how much of one was right.

/// Whether two secrets are equal. The time depends on the lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |diff, (x, y)| diff | (x ^ y)) == 0
}

/// Whether an `Authorization` header carries one of the bearer tokens.
pub fn bearer_matches(header: Option<&str>, tokens: &[String]) -> bool {
    let Some((scheme, given)) = header.and_then(|h| h.split_once(' ')) else {
        return false;
    };
    // `|` and not `||`: which token matched must not show in the time.
    scheme.eq_ignore_ascii_case("bearer")
        && tokens.iter().fold(false, |found, token| {
            found | equal(token.as_bytes(), given.trim().as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_configured_token_matches() {
        let tokens = ["old-token".to_owned(), "new-token".to_owned()];
        for good in ["Bearer old-token", "bearer new-token"] {
            assert!(bearer_matches(Some(good), &tokens), "{good}");
        }
        for bad in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer old-toke"),
            Some("Basic old-token"),
            Some("old-token"),
        ] {
            assert!(!bearer_matches(bad, &tokens), "{bad:?}");
        }
        assert!(!bearer_matches(Some("Bearer x"), &[]));
    }
}
