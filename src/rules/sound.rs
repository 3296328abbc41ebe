//! How a word sounds: pinyin without tones, and what a run of Latin letters may be cut into.

use std::collections::HashSet;
use std::sync::LazyLock;

use pinyin::ToPinyin;

/// Longest run of letters that is tried as pinyin; nobody types more syllables without a break.
pub(super) const RUN_LETTERS_MAX: usize = 48;

/// Longest syllable: `zhuang`.
const SYLLABLE_LETTERS_MAX: usize = 6;

/// The usual reading of a Chinese character as people type it, `ü` as `v`; `None` for anything else.
pub(super) fn reading(character: char) -> Option<String> {
    character.to_pinyin().map(|sound| typed(sound.plain()))
}

/// All readings of a character that a writer may have in mind, the usual one first.
pub(super) fn readings(character: char) -> Vec<String> {
    let Some(usual) = reading(character) else { return Vec::new() };
    let mut readings = vec![usual];
    let others = OTHER_READINGS.iter().filter(|(written, _)| *written == character);
    for other in others.flat_map(|(_, others)| others.iter()) {
        if readings[0] != *other {
            readings.push((*other).to_owned());
        }
    }
    readings
}

/// Whether a run of lower-case letters can be cut into syllables without a rest. So `weixinhao` can, and the
/// English `weight` cannot. The empty run can.
pub(super) fn is_syllables(run: &str) -> bool {
    if run.len() > RUN_LETTERS_MAX || !run.is_ascii() {
        return false;
    }
    let mut reachable = vec![false; run.len() + 1];
    reachable[0] = true;
    for end in 1..=run.len() {
        let starts = end.saturating_sub(SYLLABLE_LETTERS_MAX)..end;
        reachable[end] =
            starts.into_iter().any(|start| reachable[start] && SYLLABLES.contains(&run[start..end]));
    }
    reachable[run.len()]
}

fn typed(plain: &str) -> String {
    plain.replace('ü', "v")
}

/// Every syllable that some character has. Interjections without a vowel (`m`, `ng`) are left out: they would
/// make syllables of English words.
static SYLLABLES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    ('\u{4E00}'..='\u{9FA5}')
        .filter_map(reading)
        .filter(|sound| sound.is_ascii() && sound.contains(['a', 'e', 'i', 'o', 'u', 'v']))
        .collect()
});

/// Second readings of common characters; the pinyin crate's own table gives the first. Chosen by hand among
/// the characters of everyday and of commonly forbidden words.
const OTHER_READINGS: &[(char, &[&str])] = &[
    ('行', &["hang"]),
    ('重', &["chong"]),
    ('长', &["chang", "zhang"]),
    ('乐', &["yue"]),
    ('还', &["huan"]),
    ('都', &["du"]),
    ('地', &["de"]),
    ('得', &["dei"]),
    ('了', &["liao"]),
    ('着', &["zhao", "zhuo"]),
    ('传', &["zhuan"]),
    ('藏', &["zang"]),
    ('弹', &["dan", "tan"]),
    ('调', &["diao", "tiao"]),
    ('曾', &["zeng", "ceng"]),
    ('朝', &["zhao", "chao"]),
    ('参', &["shen"]),
    ('差', &["chai"]),
    ('单', &["shan"]),
    ('会', &["kuai"]),
    ('角', &["jue"]),
    ('觉', &["jiao"]),
    ('率', &["lv", "shuai"]),
    ('没', &["mo"]),
    ('便', &["pian"]),
    ('薄', &["bo", "bao"]),
    ('血', &["xie"]),
    ('色', &["shai"]),
    ('什', &["shi"]),
    ('校', &["jiao"]),
    ('省', &["xing"]),
    ('车', &["ju"]),
    ('石', &["dan"]),
    ('贾', &["gu"]),
    ('解', &["xie"]),
    ('查', &["zha"]),
    ('仇', &["qiu"]),
    ('奇', &["ji"]),
    ('巷', &["hang"]),
    ('强', &["jiang"]),
    ('恶', &["wu"]),
    ('折', &["she"]),
    ('露', &["lou"]),
    ('模', &["mu"]),
    ('卡', &["qia"]),
    ('扎', &["za"]),
    ('给', &["ji"]),
    ('系', &["ji"]),
    ('屏', &["bing"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_characters_as_they_are_typed() {
        assert_eq!(reading('微').as_deref(), Some("wei"));
        assert_eq!(reading('女').as_deref(), Some("nv"));
        assert_eq!(reading('a'), None);
        assert_eq!(readings('信'), ["xin"]);
        let bank = readings('行');
        assert!(bank.contains(&"hang".to_owned()) && bank.contains(&"xing".to_owned()), "{bank:?}");
    }

    #[test]
    fn cuts_pinyin_and_refuses_english() {
        for run in ["", "wei", "weixin", "weixinhao", "xian", "zhuangxiu", "nvren"] {
            assert!(is_syllables(run), "{run}");
        }
        for run in ["weight", "ght", "vx", "qq", "wechat", "m", "xi4", "weix"] {
            assert!(!is_syllables(run), "{run}");
        }
        assert!(
            is_syllables(&"wei".repeat(16)) && !is_syllables(&"wei".repeat(17)),
            "48 letters and no more"
        );
    }
}
