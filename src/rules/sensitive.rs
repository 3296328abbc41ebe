//! Words that must not pass, found through inserted symbols and through pinyin.
//!
//! A text is looked at twice, with everything but letters and digits left out: once as it is, once as it
//! sounds. A hit on the sound is then checked syllable by syllable against what was really typed.

use aho_corasick::AhoCorasick;

use crate::knowledge::sensitive::Direction;
use crate::knowledge::sensitive::SensitiveAction;
use crate::knowledge::sensitive::SensitiveSpec;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::sound;
use crate::text::span::ByteSpan;

/// Most symbols between two characters of a word, counted after normalisation. Chosen by hand: more stand
/// between two words than inside a disguised one.
const GAP_MAX: usize = 4;

/// Most ways of reading one word; a word with more ambiguous characters is found by the first ones only.
const READINGS_MAX: usize = 16;

/// All sensitive words of one bot, compiled.
#[derive(Debug)]
pub struct SensitiveSet {
    specs: Vec<Spec>,
    words: Vec<Word>,
    /// Pattern `i` is `words[i]` as written.
    by_letters: AhoCorasick,
    /// Pattern `i` is the sound of `spoken[i]`.
    by_sound: AhoCorasick,
    spoken: Vec<Spoken>,
}

#[derive(Debug)]
struct Spec {
    id: String,
    action: SensitiveAction,
    direction: Direction,
    homophones: bool,
}

#[derive(Debug)]
struct Word {
    spec_idx: usize,
    written: String,
    /// Letters and digits in normal form, never empty.
    units: Vec<char>,
}

/// One way of reading a word.
#[derive(Debug)]
struct Spoken {
    word_idx: usize,
    /// By unit of the word: a syllable for a Chinese character, anything else as it is.
    syllables: Vec<String>,
}

/// A sensitive word in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitiveHit {
    /// Position of the entry in `sensitive.toml`, from 0.
    pub spec: usize,
    /// Its id.
    pub id: String,
    /// What is to happen.
    pub action: SensitiveAction,
    /// The word as `sensitive.toml` has it.
    pub word: String,
    /// Where it stands in the original text, inserted symbols included.
    pub span: ByteSpan,
}

/// Why sensitive words cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum SensitiveError {
    /// Nothing is left of a word without its symbols.
    #[error("sensitive entry `{id}` in line {line}: the word `{value}` has no letter or digit")]
    EmptyWord {
        /// Id of the entry.
        id: String,
        /// Line in `sensitive.toml`.
        line: usize,
        /// As written.
        value: String,
    },
    /// Far more words than any bot has.
    #[error("the sensitive words do not fit one automaton")]
    Automaton(#[source] aho_corasick::BuildError),
}

impl SensitiveSet {
    /// Compiles all sensitive words of a bot.
    ///
    /// # Errors
    /// Names entry, line and word where a word has neither letter nor digit.
    pub fn compile(specs: &[SensitiveSpec]) -> Result<Self, SensitiveError> {
        let mut words = Vec::new();
        for (spec_idx, spec) in specs.iter().enumerate() {
            for written in &spec.words {
                let units = units(written);
                if units.is_empty() {
                    let (id, value) = (spec.id.clone(), written.clone());
                    return Err(SensitiveError::EmptyWord { id, line: spec.line, value });
                }
                words.push(Word { spec_idx, written: written.clone(), units });
            }
        }
        let spoken: Vec<Spoken> =
            words.iter().enumerate().flat_map(|(word_idx, word)| Spoken::of(word_idx, word)).collect();
        let by_letters = AhoCorasick::new(words.iter().map(|word| word.units.iter().collect::<String>()))
            .map_err(SensitiveError::Automaton)?;
        let by_sound = AhoCorasick::new(spoken.iter().map(|spoken| spoken.syllables.concat()))
            .map_err(SensitiveError::Automaton)?;
        let specs = specs
            .iter()
            .map(|spec| Spec {
                id: spec.id.clone(),
                action: spec.action,
                direction: spec.direction,
                homophones: spec.homophones,
            })
            .collect();
        Ok(Self { specs, words, by_letters, by_sound, spoken })
    }

    /// All sensitive words of a text that travels in a direction, by their place in the original; words inside
    /// words and overlapping ones too, each word once at a place.
    ///
    /// Chinese words are also found where characters are replaced by their typed pinyin (`wei信`), other
    /// characters of the same sound only where the entry says so. A run of letters counts as pinyin only when
    /// all of it can be cut into syllables. Words of letters or digits must stand alone among their like.
    #[must_use]
    pub fn find(&self, text: &Normalised, direction: Direction) -> Vec<SensitiveHit> {
        let letters = Letters::new(text);
        let mut hits = Vec::new();
        for found in self.by_letters.find_overlapping_iter(&letters.written) {
            let word_idx = found.pattern().as_usize();
            if let Some(part) = letters.written_part(found.start(), found.end())
                && letters.ends_well(part, Match::Same, Match::Same)
            {
                self.report(word_idx, part, &letters, direction, &mut hits);
            }
        }
        for found in self.by_sound.find_overlapping_iter(&letters.sound) {
            let spoken = &self.spoken[found.pattern().as_usize()];
            if let Some(part) = letters.sound_part(found.start(), found.end())
                && self.is_spoken(part, spoken, &letters)
            {
                self.report(spoken.word_idx, part, &letters, direction, &mut hits);
            }
        }
        hits.sort_by(|a, b| (a.span, a.spec, &a.word).cmp(&(b.span, b.spec, &b.word)));
        hits.dedup();
        hits
    }

    /// The original with every character that a hit covers turned into `*`.
    ///
    /// * `hits`: those of [`Self::find`] on the same original, all or some.
    #[must_use]
    pub fn mask(&self, original: &str, hits: &[SensitiveHit]) -> String {
        let covered = |at: usize| hits.iter().any(|hit| (hit.span.start..hit.span.end).contains(&at));
        original.char_indices().map(|(at, character)| if covered(at) { '*' } else { character }).collect()
    }

    fn report(
        &self,
        word_idx: usize,
        part: Part,
        letters: &Letters<'_>,
        direction: Direction,
        hits: &mut Vec<SensitiveHit>,
    ) {
        let word = &self.words[word_idx];
        let spec = &self.specs[word.spec_idx];
        if travels(spec.direction, direction) && letters.is_close(part) {
            hits.push(SensitiveHit {
                spec: word.spec_idx,
                id: spec.id.clone(),
                action: spec.action,
                word: word.written.clone(),
                span: letters.original_span(part),
            });
        }
    }

    /// Whether the typed letters of `part` really stand for the word, syllable by syllable.
    fn is_spoken(&self, part: Part, spoken: &Spoken, letters: &Letters<'_>) -> bool {
        let word = &self.words[spoken.word_idx];
        let homophones = self.specs[word.spec_idx].homophones;
        let mut rest = &letters.all[part.from..part.until];
        let mut units = Vec::with_capacity(word.units.len());
        for (unit, syllable) in word.units.iter().zip(&spoken.syllables) {
            let Some((match_, n_letters)) = Match::of(*unit, syllable, rest) else { return false };
            units.push(match_);
            rest = &rest[n_letters..];
        }
        let allowed = units.iter().all(|unit| homophones || *unit != Match::SameSound);
        let differs = units.iter().any(|unit| matches!(unit, Match::Typed | Match::SameSound));
        let ends_well = match (units.first(), units.last()) {
            (Some(first), Some(last)) => letters.ends_well(part, *first, *last),
            (None, _) | (_, None) => false,
        };
        rest.is_empty() && allowed && differs && ends_well
    }
}

/// How one character of a word stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// As itself.
    Same,
    /// As another character of the same sound.
    SameSound,
    /// As typed pinyin.
    Typed,
}

impl Match {
    /// * `unit`, `syllable`: the word's character and its sound.
    /// * `rest`: the letters of the text from here on.
    /// * Returns how it stands there, and how many letters it takes.
    fn of(unit: char, syllable: &str, rest: &[Letter]) -> Option<(Self, usize)> {
        let first = rest.first()?;
        if first.character == unit {
            return Some((Self::Same, 1));
        }
        // What is not Chinese has no sound of its own: `v` is only `v`.
        sound::usual(unit)?;
        if let Some(sound) = first.sound {
            return (sound == syllable).then_some((Self::SameSound, 1));
        }
        // Syllables are ASCII, so letters and bytes count alike.
        let typed = rest.get(..syllable.len())?;
        let spells = typed.iter().map(|letter| letter.character).eq(syllable.chars());
        spells.then_some((Self::Typed, syllable.len()))
    }
}

impl Spoken {
    /// All ways of reading a word; none for a word that pinyin cannot disguise: a single character, or no
    /// Chinese one.
    fn of(word_idx: usize, word: &Word) -> Vec<Self> {
        if word.units.len() < 2 || word.units.iter().all(|unit| sound::usual(*unit).is_none()) {
            return Vec::new();
        }
        let mut ways = vec![Vec::new()];
        for unit in &word.units {
            let mut sounds: Vec<String> =
                sound::readings(*unit).iter().map(|reading| sound::letters(*reading).to_owned()).collect();
            if sounds.is_empty() {
                sounds.push(unit.to_string());
            }
            // The first readings come first, so that a cut keeps the usual ones.
            ways = sounds
                .iter()
                .flat_map(|sound| {
                    ways.iter().map(move |way| [way.as_slice(), std::slice::from_ref(sound)].concat())
                })
                .take(READINGS_MAX)
                .collect();
        }
        ways.into_iter().map(|syllables| Self { word_idx, syllables }).collect()
    }
}

/// Letters and digits of a text, in two forms that can be searched.
struct Letters<'t> {
    text: &'t Normalised,
    all: Vec<Letter>,
    written: String,
    /// Chinese characters as their pinyin.
    sound: String,
}

struct Letter {
    character: char,
    /// Pinyin of a Chinese character.
    sound: Option<&'static str>,
    /// In the normal form.
    span: ByteSpan,
    /// Characters left out between the letter before and this one.
    gap: usize,
    written_start: usize,
    sound_start: usize,
}

/// Letters `from..until` of a text, at least one.
#[derive(Clone, Copy)]
struct Part {
    from: usize,
    until: usize,
}

impl<'t> Letters<'t> {
    fn new(text: &'t Normalised) -> Self {
        let (mut all, mut written, mut sounds) = (Vec::new(), String::new(), String::new());
        let mut gap = 0;
        for (start, character) in text.as_str().char_indices() {
            if !character.is_alphanumeric() {
                gap += 1;
                continue;
            }
            let (written_start, sound_start) = (written.len(), sounds.len());
            let sound = sound::usual(character);
            written.push(character);
            match sound {
                Some(sound) => sounds.push_str(sound),
                None => sounds.push(character),
            }
            let span = ByteSpan::new(start, start + character.len_utf8());
            all.push(Letter { character, sound, span, gap, written_start, sound_start });
            gap = 0;
        }
        Self { text, all, written, sound: sounds }
    }

    /// The letters at bytes `start..end` of `written`, where both fall on borders of letters.
    fn written_part(&self, start: usize, end: usize) -> Option<Part> {
        self.part(start, end, self.written.len(), |letter| letter.written_start)
    }

    /// The letters at bytes `start..end` of `sound`: never from within a character's syllable.
    fn sound_part(&self, start: usize, end: usize) -> Option<Part> {
        self.part(start, end, self.sound.len(), |letter| letter.sound_start)
    }

    fn part(&self, start: usize, end: usize, len: usize, key: impl Fn(&Letter) -> usize) -> Option<Part> {
        let at = |byte: usize| match self.all.binary_search_by_key(&byte, &key) {
            Ok(letter) => Some(letter),
            Err(_) => (byte == len).then_some(self.all.len()),
        };
        Some(Part { from: at(start)?, until: at(end)? })
    }

    /// Whether the symbols between the letters are few enough.
    fn is_close(&self, part: Part) -> bool {
        self.all[part.from + 1..part.until].iter().all(|letter| letter.gap <= GAP_MAX)
    }

    fn original_span(&self, part: Part) -> ByteSpan {
        let (first, last) = (&self.all[part.from], &self.all[part.until - 1]);
        self.text.to_original(ByteSpan::new(first.span.start, last.span.end))
    }

    /// Whether the runs of letters or digits into which the two ends cut may be cut there: pinyin where
    /// syllables remain outside, anything else nowhere (`qq` is not found in `qqq`).
    fn ends_well(&self, part: Part, first: Match, last: Match) -> bool {
        let cut = |rest: &str, end: Match| match end {
            Match::Typed => sound::is_syllables(rest),
            Match::Same | Match::SameSound => rest.is_empty(),
        };
        cut(&self.run_before(part.from), first) && cut(&self.run_after(part.until), last)
    }

    /// Letters of the same run before letter `from`; of an overlong run just too many to be pinyin.
    fn run_before(&self, from: usize) -> String {
        let reach = from.saturating_sub(sound::RUN_LETTERS_MAX + 1);
        let start = (reach + 1..=from).rev().find(|at| !self.continues_run(*at)).unwrap_or(reach);
        self.all[start..from].iter().map(|letter| letter.character).collect()
    }

    /// Letters of the same run from letter `until` on; of an overlong run just too many to be pinyin.
    fn run_after(&self, until: usize) -> String {
        let reach = self.all.len().min(until + sound::RUN_LETTERS_MAX + 1);
        let end = (until..reach).find(|at| !self.continues_run(*at)).unwrap_or(reach);
        self.all[until..end].iter().map(|letter| letter.character).collect()
    }

    /// Whether a letter belongs to one run with the letter before: both Latin or both digits, typed without
    /// anything between them, be it an emoji that the normal form no longer shows.
    fn continues_run(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        let (Some(before), Some(letter)) = (self.all.get(before), self.all.get(at)) else { return false };
        let alike = match (Script::of(before.character), Script::of(letter.character)) {
            (Script::Latin, Script::Latin) | (Script::Digit, Script::Digit) => true,
            (Script::Latin | Script::Digit | Script::Other, _) => false,
        };
        alike
            && letter.gap == 0
            && self.text.to_original(before.span).end >= self.text.to_original(letter.span).start
    }
}

enum Script {
    Latin,
    Digit,
    /// Mostly Chinese, where words have no borders to see.
    Other,
}

impl Script {
    fn of(character: char) -> Self {
        match character {
            '0'..='9' => Self::Digit,
            // Latin with all its accents ends before the Greek alphabet.
            'a'..='\u{24F}' => Self::Latin,
            _ => Self::Other,
        }
    }
}

/// Letters and digits of a word in normal form: the part of it that is compared.
pub(super) fn units(word: &str) -> Vec<char> {
    normalise(word).as_str().chars().filter(|character| character.is_alphanumeric()).collect()
}

fn travels(word: Direction, text: Direction) -> bool {
    match (word, text) {
        (Direction::Both, _) | (_, Direction::Both) => true,
        (Direction::In, Direction::In) | (Direction::Out, Direction::Out) => true,
        (Direction::In, Direction::Out) | (Direction::Out, Direction::In) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(id: &str, words: &[&str]) -> SensitiveSpec {
        SensitiveSpec {
            id: id.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            action: SensitiveAction::Mask,
            direction: Direction::Both,
            message: None,
            group: None,
            homophones: false,
            line: 3,
        }
    }

    fn set(words: &[&str]) -> SensitiveSet {
        SensitiveSet::compile(&[spec("联系方式", words)]).unwrap()
    }

    /// What is masked of a text when these are the words.
    #[track_caller]
    fn check(words: &[&str], text: &str, expected: &str) {
        let set = set(words);
        let hits = set.find(&normalise(text), Direction::In);
        assert_eq!(set.mask(text, &hits), expected, "{text}: {hits:?}");
    }

    #[test]
    fn sees_through_symbols_width_case_and_tradition() {
        for (text, masked) in [
            ("加我微信吧", "加我**吧"),
            ("加我微@信吧", "加我***吧"),
            ("微 信", "***"),
            ("微\u{200B}信", "***"),
            ("微😀😀信聊", "****聊"),
            ("微 .-信", "*****"),
            ("微，信", "***"),
            ("價格微信", "價格**"),
        ] {
            check(&["微信"], text, masked);
        }
        check(&["退款"], "我要退\u{3000}款", "我要***");
        check(&["vx"], "加ＶＸ：abc", "加**：abc");
        check(&["VX"], "加 V-x", "加 ***");
        check(&["电话"], "發我電話", "發我**");
    }

    #[test]
    fn too_many_symbols_part_the_characters() {
        check(&["微信"], "微.-_~信", "******");
        check(&["微信"], "微.-_~+信", "微.-_~+信");
    }

    #[test]
    fn sees_typed_pinyin() {
        for (text, masked) in [
            ("加weixin", "加******"),
            ("WeiXin号", "******号"),
            ("wei信", "****"),
            ("微xin吧", "****吧"),
            ("wei xin", "*******"),
            ("wei-信", "*****"),
            ("w e i x i n", "***********"),
            ("ｗｅｉxin", "******"),
            ("加我weixinhao", "加我******hao"),
            ("jiaweixin", "jia******"),
            ("weixin123", "******123"),
        ] {
            check(&["微信"], text, masked);
        }
        check(&["银行卡"], "我的yinhang卡", "我的********");
        check(&["女装"], "nvzhuang", "********");
        check(&["加v信"], "jia v 信", "*******");
    }

    #[test]
    fn other_words_stay() {
        for text in [
            "威信很高",
            "薇信",
            "威xin",
            "weight",
            "wei",
            "微信x",
            "weixinx",
            "xweixin",
            "weixi",
            "微型",
            "we i ght",
            "weixing",
        ] {
            let expected = text.replace("微信", "**");
            check(&["微信"], text, &expected);
        }
        // 先 is one syllable, not the two of 西安; and the letters of two characters do not mix.
        check(&["西安"], "先生", "先生");
        check(&["西安"], "xian", "****");
        check(&["发票"], "fapiaoyun", "******yun");
    }

    #[test]
    fn one_character_is_not_looked_for_by_sound() {
        check(&["赌"], "du", "du");
        check(&["赌"], "去赌吧", "去*吧");
    }

    #[test]
    fn homophones_only_where_asked_for() {
        let homophones = SensitiveSpec { homophones: true, ..spec("a", &["微信"]) };
        let set = SensitiveSet::compile(&[homophones]).unwrap();
        for (text, masked) in [
            ("薇信", "**"),
            ("威信", "**"),
            ("薇xin", "****"),
            ("薇@芯", "***"),
            ("先生", "先生"),
            ("weixing", "weixing"),
        ] {
            let hits = set.find(&normalise(text), Direction::In);
            assert_eq!(set.mask(text, &hits), masked, "{text}");
        }
    }

    #[test]
    fn words_of_letters_and_digits_stand_alone() {
        check(&["qq"], "加qq：12", "加**：12");
        check(&["qq"], "qq123", "**123");
        check(&["qq"], "qqq aqq qqmail", "qqq aqq qqmail");
        check(&["qq"], "q.q", "***");
        check(&["qq"], "a😀qq", "a😀**");
        check(&["vx"], "tvx", "tvx");
        check(&["911"], "订单19112", "订单19112");
        check(&["911"], "打911。", "打***。");
        check(&["加qq"], "加qq", "***");
        check(&["加qq"], "加qqq", "加qqq");
    }

    #[test]
    fn words_travel_in_their_direction() {
        let specs = [
            SensitiveSpec { direction: Direction::In, ..spec("in", &["甲乙"]) },
            SensitiveSpec { direction: Direction::Out, ..spec("out", &["甲乙"]) },
            spec("both", &["甲乙"]),
        ];
        let set = SensitiveSet::compile(&specs).unwrap();
        let ids = |direction| -> Vec<String> {
            set.find(&normalise("甲乙"), direction).into_iter().map(|hit| hit.id).collect()
        };
        assert_eq!(ids(Direction::In), ["in", "both"]);
        assert_eq!(ids(Direction::Out), ["out", "both"]);
        assert_eq!(ids(Direction::Both), ["in", "out", "both"]);
    }

    #[test]
    fn hits_tell_entry_word_and_place() {
        let specs = [
            SensitiveSpec { action: SensitiveAction::Handoff, ..spec("a", &["私下", "微信"]) },
            SensitiveSpec { action: SensitiveAction::Block, ..spec("b", &["加微信"]) },
        ];
        let set = SensitiveSet::compile(&specs).unwrap();
        let hits = set.find(&normalise("私下加微😀信"), Direction::In);
        let told: Vec<_> =
            hits.iter().map(|hit| (hit.spec, hit.id.as_str(), hit.action, hit.word.as_str())).collect();
        assert_eq!(
            told,
            [
                (0, "a", SensitiveAction::Handoff, "私下"),
                (1, "b", SensitiveAction::Block, "加微信"),
                (0, "a", SensitiveAction::Handoff, "微信"),
            ]
        );
        assert_eq!(hits[2].span.of("私下加微😀信"), "微😀信");
    }

    #[test]
    fn a_word_without_letters_is_refused() {
        let error = SensitiveSet::compile(&[spec("广告", &["微信", "@@"])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sensitive entry `广告` in line 3: the word `@@` has no letter or digit"
        );
        assert!(SensitiveSet::compile(&[]).unwrap().find(&normalise("微信"), Direction::In).is_empty());
    }

    proptest! {
        #[test]
        fn spans_lie_on_borders_of_any_text(text in "[微信威weixnvqｑQ1 @😀\u{200B}，]{0,24}") {
            let homophones = SensitiveSpec { homophones: true, ..spec("b", &["微信", "信"]) };
            let set = SensitiveSet::compile(&[spec("a", &["微信", "vx", "qq", "1"]), homophones]).unwrap();
            let hits = set.find(&normalise(&text), Direction::Out);
            for hit in &hits {
                prop_assert!(text.get(hit.span.start..hit.span.end).is_some_and(|found| !found.is_empty()));
            }
            prop_assert_eq!(set.mask(&text, &hits).chars().count(), text.chars().count());
        }
    }
}
