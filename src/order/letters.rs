//! Lower case, for comparing words.

/// The text in lower case, of the scripts with two cases that shops are called in: Latin with all its
/// accents, Greek, Cyrillic. `str::to_lowercase` knows them all, by tables that are 9 kB of the Worker
/// gzipped; use it for nothing that is compiled into it.
pub fn lower_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(lower_letter).collect()
}

pub(super) fn lower_letter(c: char) -> char {
    let after = match c {
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => 32,
        'Ѐ'..='Џ' => 80,
        'Έ'..='Ί' => 37,
        'Ά' => 38,
        'Ό' => 64,
        'Ύ' | 'Ώ' => 63,
        'Ÿ' => return 'ÿ',
        'ẞ' => return 'ß',
        // A dot too many, of which the standard library makes a second character.
        'İ' => return 'i',
        // Upper and lower case in turn.
        'Ā'..='ķ' | 'Ŋ'..='ŷ' | 'Ѡ'..='ҁ' | 'Ҋ'..='ҿ' | 'Ḁ'..='ẕ' | 'Ạ'..='ỿ' => {
            u32::from(c).is_multiple_of(2).into()
        }
        'Ĺ'..='ň' | 'Ź'..='ž' => (!u32::from(c).is_multiple_of(2)).into(),
        _ => 0,
    };
    char::from_u32(u32::from(c) + after).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_library_says() {
        let scripts = [0..=0x17F, 0x386..=0x3CE, 0x400..=0x4BF, 0x1E00..=0x1EFF];
        let letters = scripts.into_iter().flatten().filter_map(char::from_u32);
        for c in letters.filter(|c| *c != 'İ') {
            assert_eq!(
                lower_case(&c.to_string()),
                c.to_lowercase().to_string(),
                "{c}"
            );
        }
        assert_eq!(
            lower_case("İzmir ÉCLAIR 12’’ ΠΊΤΑ Борщ ẤM 寿司"),
            "izmir éclair 12’’ πίτα борщ ấm 寿司"
        );
    }
}
