//! How words sound: pinyin without tones, as people type it, and what they mix up.
//!
//! It knows characters and letters, no vocabulary.

use std::collections::HashMap;
use std::sync::LazyLock;

use pinyin::ToPinyin;

/// Longest syllable: `zhuang`.
pub(crate) const SYLLABLE_LETTERS_MAX: usize = 6;

/// Longest run of letters that is tried as pinyin; nobody types more syllables without a break.
pub(crate) const RUN_LETTERS_MAX: usize = 48;

/// One way in which a character or a run of letters is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sound {
    /// The syllable itself.
    pub(crate) exact: u16,
    /// The syllables that are mixed up with it: z/zh, c/ch, s/sh, n/l, in/ing, en/eng, an/ang.
    pub(crate) class: u16,
}

/// All readings of a Chinese character that a writer may have in mind, the usual one first; empty for
/// anything else.
pub(crate) fn readings(character: char) -> &'static [Sound] {
    SOUNDS.characters.get(&character).map_or(&[], Vec::as_slice)
}

/// The usual reading of a Chinese character as people type it, `ü` as `v`; `None` for anything else.
pub(crate) fn usual(character: char) -> Option<&'static str> {
    let known = readings(character).first().map(|sound| letters(*sound));
    // Beyond the common characters, and for interjections without a vowel.
    known.or_else(|| character.to_pinyin().map(|sound| sound.plain()))
}

/// Whether a run of lower-case letters can be cut into syllables without a rest. So `weixinhao` can, and the
/// English `weight` cannot. The empty run can.
pub(crate) fn is_syllables(run: &str) -> bool {
    if run.len() > RUN_LETTERS_MAX || !run.is_ascii() {
        return false;
    }
    let mut reachable = vec![false; run.len() + 1];
    reachable[0] = true;
    for end in 1..=run.len() {
        let starts = end.saturating_sub(SYLLABLE_LETTERS_MAX)..end;
        reachable[end] =
            starts.into_iter().any(|start| reachable[start] && syllable(&run[start..end]).is_some());
    }
    reachable[run.len()]
}

/// The sound of one syllable in lower-case letters, `ü` as `v`.
pub(crate) fn syllable(letters: &str) -> Option<Sound> {
    SOUNDS.syllables.get(letters).copied()
}

/// The letters of a sound.
pub(crate) fn letters(sound: Sound) -> &'static str {
    SOUNDS.letters.get(usize::from(sound.exact)).map_or("", String::as_str)
}

/// Whether two syllables differ by one letter more or less: zi and zai.
pub(crate) fn is_near(one: Sound, other: Sound) -> bool {
    let (one, other) = (letters(one).as_bytes(), letters(other).as_bytes());
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.len() == short.len() + 1
        && (0..long.len()).any(|left_out| {
            long[..left_out] == short[..left_out] && long[left_out + 1..] == short[left_out..]
        })
}

struct Sounds {
    characters: HashMap<char, Vec<Sound>>,
    syllables: HashMap<String, Sound>,
    letters: Vec<String>,
}

static SOUNDS: LazyLock<Sounds> = LazyLock::new(|| {
    let mut sounds = Sounds { characters: HashMap::new(), syllables: HashMap::new(), letters: Vec::new() };
    let mut classes: HashMap<String, u16> = HashMap::new();
    for character in '\u{4E00}'..='\u{9FA5}' {
        let Some(usual) = character.to_pinyin().map(|sound| sound.plain().replace('ü', "v")) else {
            continue;
        };
        let others = OTHER_READINGS.iter().filter(|(written, _)| *written == character);
        let others = others.flat_map(|(_, others)| others.iter().map(|other| (*other).to_owned()));
        // Interjections without a vowel (`m`, `ng`) would make syllables of English words.
        for reading in std::iter::once(usual).chain(others).filter(|reading| {
            reading.len() <= SYLLABLE_LETTERS_MAX
                && reading.is_ascii()
                && reading.contains(['a', 'e', 'i', 'o', 'u', 'v'])
        }) {
            let n_classes = classes.len() as u16;
            let class = *classes.entry(mixed_up(&reading)).or_insert(n_classes);
            let exact = sounds.letters.len() as u16;
            let sound = *sounds.syllables.entry(reading.clone()).or_insert(Sound { exact, class });
            if sound.exact == exact {
                sounds.letters.push(reading);
            }
            let readings = sounds.characters.entry(character).or_default();
            if !readings.contains(&sound) {
                readings.push(sound);
            }
        }
    }
    sounds
});

/// The form that all syllables of one class share.
fn mixed_up(syllable: &str) -> String {
    let front = match syllable.as_bytes() {
        [b'z' | b'c' | b's', b'h', ..] => format!("{}{}", &syllable[..1], &syllable[2..]),
        [b'n', _, ..] => format!("l{}", &syllable[1..]),
        _ => syllable.to_owned(),
    };
    match front.strip_suffix("ng") {
        Some(stem) if stem.ends_with(['a', 'e', 'i']) => format!("{stem}n"),
        _ => front,
    }
}

/// Further readings of common characters; the pinyin crate's own table gives the first. Chosen by hand among
/// the characters of everyday, of shops, and of commonly forbidden words.
const OTHER_READINGS: &[(char, &[&str])] = &[
    ('仔', &["zi", "zai"]),
    ('行', &["hang", "xing"]),
    ('重', &["chong", "zhong"]),
    ('长', &["chang", "zhang"]),
    ('乐', &["yue", "le"]),
    ('还', &["huan", "hai"]),
    ('都', &["du", "dou"]),
    ('得', &["dei", "de"]),
    ('了', &["liao", "le"]),
    ('着', &["zhao", "zhuo", "zhe"]),
    ('传', &["zhuan", "chuan"]),
    ('藏', &["zang", "cang"]),
    ('弹', &["dan", "tan"]),
    ('调', &["diao", "tiao"]),
    ('朝', &["zhao", "chao"]),
    ('参', &["shen", "can"]),
    ('差', &["chai", "cha"]),
    ('单', &["shan", "dan"]),
    ('会', &["kuai", "hui"]),
    ('角', &["jue", "jiao"]),
    ('觉', &["jiao", "jue"]),
    ('率', &["lv", "shuai"]),
    ('绿', &["lv", "lu"]),
    ('便', &["pian", "bian"]),
    ('薄', &["bo", "bao"]),
    ('血', &["xie", "xue"]),
    ('色', &["se", "shai"]),
    ('校', &["jiao", "xiao"]),
    ('车', &["ju", "che"]),
    ('查', &["zha", "cha"]),
    ('强', &["jiang", "qiang"]),
    ('折', &["she", "zhe"]),
    ('露', &["lou", "lu"]),
    ('模', &["mu", "mo"]),
    ('卡', &["qia", "ka"]),
    ('扎', &["za", "zha"]),
    ('给', &["ji", "gei"]),
    ('系', &["ji", "xi"]),
    ('屏', &["bing", "ping"]),
    ('咖', &["ka", "ga"]),
    ('称', &["chen", "cheng"]),
    ('盛', &["cheng", "sheng"]),
    ('壳', &["ke", "qiao"]),
    ('大', &["dai", "da"]),
    ('降', &["xiang", "jiang"]),
    ('尺', &["chi", "che"]),
    ('和', &["huo", "he"]),
    ('巷', &["hang", "xiang"]),
    ('剥', &["bao", "bo"]),
    ('削', &["xue", "xiao"]),
    ('熟', &["shou", "shu"]),
    ('番', &["pan", "fan"]),
    ('茄', &["jia", "qie"]),
    ('杉', &["shan", "sha"]),
    ('钥', &["yao", "yue"]),
    ('粘', &["nian", "zhan"]),
    ('爪', &["zhua", "zhao"]),
    ('地', &["de"]),
    ('曾', &["zeng", "ceng"]),
    ('没', &["mo"]),
    ('什', &["shi"]),
    ('省', &["xing"]),
    ('石', &["dan"]),
    ('贾', &["gu"]),
    ('解', &["xie"]),
    ('仇', &["qiu"]),
    ('奇', &["ji"]),
    ('恶', &["wu"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(character: char) -> Vec<&'static str> {
        readings(character).iter().map(|sound| letters(*sound)).collect()
    }

    #[test]
    fn reads_characters_as_they_are_typed() {
        assert_eq!(spoken('微'), ["wei"]);
        assert_eq!(spoken('女'), ["nv"]);
        assert!(spoken('a').is_empty() && spoken('😀').is_empty());
        assert!(spoken('仔').contains(&"zi") && spoken('仔').contains(&"zai"));
        assert!(spoken('藏').contains(&"zang"));
        assert!(spoken('行').contains(&"hang") && spoken('行').contains(&"xing"));
        assert_eq!((usual('女'), usual('a')), (Some("nv"), None));
        assert!(usual('嗯').is_some() && usual('〇').is_some());
    }

    #[test]
    fn knows_what_is_mixed_up() {
        let class = |letters: &str| syllable(letters).map(|sound| sound.class);
        for (one, other) in [
            ("zhong", "zong"),
            ("chen", "cheng"),
            ("shan", "san"),
            ("lan", "nan"),
            ("xin", "xing"),
            ("nv", "lv"),
        ] {
            assert!(class(one).is_some() && class(one) == class(other), "{one} {other}");
        }
        for (one, other) in [("ku", "xie"), ("zi", "zai"), ("hong", "hon"), ("fu", "hu")] {
            assert_ne!(class(one), class(other), "{one} {other}");
        }
        assert!(syllable("weight").is_none() && syllable("m").is_none() && syllable("").is_none());
    }

    #[test]
    fn near_is_one_letter_more_or_less() {
        let near = |one: &str, other: &str| {
            syllable(one).zip(syllable(other)).is_some_and(|(one, other)| is_near(one, other))
        };
        assert!(near("zi", "zai") && near("zai", "zi") && near("qun", "qu"));
        assert!(!near("shai", "shui") && !near("ku", "ku") && !near("ku", "xie"));
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
