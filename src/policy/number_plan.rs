//! What the first digits of a number tell: whether it may never be dialled, which country it is in,
//! and which time zones that country has.

use crate::twilio::number::E164;

/// A kind of number that is never dialled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// The call would be charged at a special rate.
    PremiumRate,
    /// An emergency or service number.
    Emergency,
    /// Too short for a subscriber's number in its country.
    ShortNumber,
}

/// Prefixes of premium-rate, shared-cost and satellite services: national number plans, and the
/// ITU's international service codes.
const PREMIUM: [&str; 47] = [
    "979", "808", "870", "878", "881", "882", "883", "888", // North America; international
    "449", "44870", "44871", "44872", "44873", "4484", "44118", "4470", // United Kingdom
    "49900", "49137", "49118", "49180", // Germany
    "3389", "33118", "3381", "3382", // France
    "34803", "34806", "34807", "34905", "34907", "34118", // Spain
    "39892", "39894", "39895", "39899", "39144", "39166", // Italy
    "41900", "41901", "41906", "43900", "43930", "43939", // Switzerland, Austria
    "6119", "81990", "31900", "31906", "31909", // Australia, Netherlands
];

/// Country codes of two digits (ITU-T E.164.D); 1 and 7 have one, all others three.
const TWO_DIGITS: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 \
    57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

/// Area codes below +1 outside the United States' mainland, Alaska, Hawaii and Canada (NANPA): tariffs
/// and fraud there are another matter, so each is a country of its own.
const ISLANDS: &str = "242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 \
    787 809 829 849 868 869 876 939";

/// Country codes with the IANA time zones of the whole country. Zones that keep the time of
/// another in the list all year are left out.
const ZONES: &str = "\
1 America/St_Johns America/Halifax America/New_York America/Chicago America/Denver \
America/Los_Angeles America/Anchorage Pacific/Honolulu;\
27 Africa/Johannesburg;30 Europe/Athens;31 Europe/Amsterdam;32 Europe/Brussels;\
33 Europe/Paris;34 Europe/Madrid Atlantic/Canary;36 Europe/Budapest;39 Europe/Rome;\
40 Europe/Bucharest;41 Europe/Zurich;43 Europe/Vienna;44 Europe/London;45 Europe/Copenhagen;\
46 Europe/Stockholm;47 Europe/Oslo;48 Europe/Warsaw;49 Europe/Berlin;\
52 America/Cancun America/Mexico_City America/Hermosillo America/Tijuana;\
54 America/Buenos_Aires;55 America/Noronha America/Sao_Paulo America/Manaus America/Rio_Branco;\
56 America/Punta_Arenas America/Santiago Pacific/Easter;60 Asia/Kuala_Lumpur;\
61 Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth \
Indian/Cocos Indian/Christmas;63 Asia/Manila;64 Pacific/Auckland Pacific/Chatham;65 Asia/Singapore;\
81 Asia/Tokyo;82 Asia/Seoul;\
90 Europe/Istanbul;91 Asia/Kolkata;351 Europe/Lisbon Atlantic/Azores;352 Europe/Luxembourg;\
353 Europe/Dublin;354 Atlantic/Reykjavik;358 Europe/Helsinki;\
420 Europe/Prague;\
852 Asia/Hong_Kong;886 Asia/Taipei;971 Asia/Dubai;972 Asia/Jerusalem";

/// Whether the number must not be dialled, and why.
pub fn class(to: &E164) -> Option<Class> {
    let digits = to.digits();
    if let Some(national) = digits.strip_prefix('1') {
        if national.len() != 10 {
            return Some(Class::ShortNumber);
        }
        let (area, exchange) = (
            national.get(..3).unwrap_or_default(),
            national.get(3..6).unwrap_or_default(),
        );
        // 211 to 911 are service codes, not area codes.
        if area.ends_with("11") {
            return Some(Class::Emergency);
        }
        if area == "900" || area == "976" || exchange == "976" {
            return Some(Class::PremiumRate);
        }
    }
    PREMIUM
        .iter()
        .any(|prefix| digits.starts_with(prefix))
        .then_some(Class::PremiumRate)
}

/// The digits of a number that name its country: the country code, or +1 and the area code of an
/// island.
pub fn country(digits: &str) -> &str {
    let first = |n: usize| digits.get(..n).unwrap_or(digits);
    let area = digits.get(1..4).unwrap_or_default();
    match digits.as_bytes().first() {
        Some(b'1') if is_in(ISLANDS, area) => first(4),
        Some(b'1' | b'7') => first(1),
        _ if is_in(TWO_DIGITS, first(2)) => first(2),
        _ => first(3),
    }
}

/// Whether the digits are what [`country`] names countries by.
pub fn is_country(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
        && country(&format!("{digits}0000000")) == digits
}

/// The time zones that a number of this country may be in; none where that is not known here.
pub fn zones(country: &str) -> impl Iterator<Item = &'static str> {
    ZONES
        .split(';')
        .filter_map(|entry| entry.split_once(' '))
        .find(|(code, _)| *code == country)
        .into_iter()
        .flat_map(|(_, zones)| zones.split(' '))
}

fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|entry| entry == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shops_are_dialled_and_traps_are_not() {
        for (number, expected) in [
            ("+13105550123", None),
            ("+442079460000", None),
            ("+4930123456", None),
            ("+19005550123", Some(Class::PremiumRate)),
            ("+13109765550", Some(Class::PremiumRate)),
            ("+449098790000", Some(Class::PremiumRate)),
            ("+881612345678", Some(Class::PremiumRate)),
            ("+19115550123", Some(Class::Emergency)),
            ("+1310555012", Some(Class::ShortNumber)),
        ] {
            assert_eq!(class(&E164::parse(number).unwrap()), expected, "{number}");
        }
    }

    #[test]
    fn a_number_names_its_country_by_its_first_digits() {
        for (digits, expected) in [
            ("13105550123", "1"),
            ("14165550123", "1"),
            ("18765550123", "1876"),
            ("17875550123", "1787"),
            ("442079460000", "44"),
            ("4930123456", "49"),
            ("74951234567", "7"),
            ("35312345678", "353"),
            ("8521234567", "852"),
        ] {
            assert_eq!(country(digits), expected);
            assert!(is_country(expected), "{expected}");
        }
        for rubbish in ["", "0", "000", "13", "4", "444", "1310", "US", "+1", "１"] {
            assert!(!is_country(rubbish), "{rubbish}");
        }
    }

    #[test]
    fn a_wide_country_has_all_its_zones_and_an_unlisted_one_has_none() {
        assert_eq!(zones("1").count(), 8);
        assert_eq!(zones("44").collect::<Vec<_>>(), ["Europe/London"]);
        for unlisted in ["7", "1876", "999", ""] {
            assert_eq!(zones(unlisted).count(), 0, "{unlisted}");
        }
        for entry in ZONES.split(';') {
            let code = entry.split(' ').next().unwrap_or_default();
            assert!(is_country(code), "{entry}");
            let mut zones = zones(code);
            assert!(zones.all(|zone| zone.contains('/')), "{entry}");
        }
    }

    proptest! {
        #[test]
        fn every_number_has_a_country(digits in "[1-9][0-9]{7,14}") {
            let found = country(&digits);
            prop_assert!(digits.starts_with(found) && is_country(found), "{found}");
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            is_country(&text);
            country(&text);
        }
    }
}
