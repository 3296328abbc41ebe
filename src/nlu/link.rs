//! Words that are meant though not written so: typing errors, homophones and pinyin.
//!
//! It would rather find nothing than the wrong word: 裤子 is no 鞋子, 运动裤 no 运动鞋, 唯一 no 卫衣.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::text::sound;
use crate::text::sound::Sound;

/// Longest word that is linked; product names beyond it are looked up by search.
const WORD_CHARS_MAX: usize = 12;

/// Longest text of one link; longer ones are sentences.
const SAID_CHARS_MAX: usize = 48;

/// Ways to read one word that are kept.
const READINGS_MAX: usize = 16;

/// Paths followed from one place of a text; only letters without breaks come near it.
const STEPS_MAX: usize = 512;

/// Fewest letters that stand for a word by themselves.
const LETTERS_MIN: usize = 4;

/// A word of the vocabulary and why it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The word as the vocabulary writes it.
    pub word: String,
    /// What the text has in common with it.
    pub how: How,
}

/// What a text and the word it stands for have in common; the surer first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Written the same.
    Exact,
    /// Sounds the same, or nearly: z/zh, c/ch, s/sh, n/l, in/ing, en/eng, an/ang.
    Pinyin,
    /// One character is wrong, missing, doubled or has changed places with its neighbour.
    Edit,
}

/// A vocabulary by sound.
#[derive(Debug, Default)]
pub struct Linker {
    words: Vec<Entry>,
    written: HashMap<String, usize>,
    /// Words that are never taken for another; see [`Linker::sparing`].
    ordinary: HashSet<String>,
    /// Tree over the classes of sounds: node and token to node. Node 0 is the root.
    branches: HashMap<(u32, Token), u32>,
    /// The words that end at a node.
    ends: HashMap<u32, Vec<usize>>,
    n_nodes: u32,
    /// Words of three characters and more by their first and by their last character.
    by_border: HashMap<(Border, char), Vec<usize>>,
}

#[derive(Debug)]
struct Entry {
    text: String,
    chars: Vec<char>,
}

/// One step in the tree: a class of syllables, or a character that has no sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Token {
    Class(u16),
    Literal(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Border {
    First,
    Last,
}

/// One character, or one syllable in letters, of a text.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Written(char),
    Letters(Sound, usize),
}

/// A word that a stretch of text may stand for; the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    n_mixed_up: usize,
    n_different: usize,
}

impl Linker {
    /// Takes words in normal form. Words of one character, and of more than 12, are only found as written.
    #[must_use]
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut linker = Self { n_nodes: 1, ..Self::default() };
        linker.ordinary.extend(ORDINARY.split_whitespace().map(str::to_owned));
        for word in words {
            linker.learn(word);
        }
        linker
    }

    /// Adds ordinary words of the language that are never taken for a word of the vocabulary, beside the
    /// built-in ones. A dictionary makes the linker more careful.
    #[must_use]
    pub fn sparing(mut self, ordinary: impl IntoIterator<Item = String>) -> Self {
        self.ordinary.extend(ordinary);
        self
    }

    /// The word that a short text in normal form stands for: 衬杉, `tui货`, `weiyi`, 牛子裤.
    ///
    /// `None` for one character, and where two words are equally likely.
    #[must_use]
    pub fn link(&self, said: &str) -> Option<Link> {
        let said = said.trim();
        let n_chars = said.chars().take(SAID_CHARS_MAX + 1).count();
        if !(2..=SAID_CHARS_MAX).contains(&n_chars) {
            return None;
        }
        let link = |word: usize, how| Link { word: self.words[word].text.clone(), how };
        if let Some(word) = self.written.get(said) {
            return Some(link(*word, How::Exact));
        }
        if self.ordinary.contains(said) {
            return None;
        }
        let compact: String = said.chars().filter(|sign| !sign.is_whitespace()).collect();
        let whole = self.sounding_at(&compact, 0).into_iter().filter(|(end, ..)| *end == compact.len());
        let whole: Vec<(Cost, usize)> = whole.map(|(_, cost, word)| (cost, word)).collect();
        if !whole.is_empty() {
            return best(&whole).map(|word| link(word, How::Pinyin));
        }
        let chars: Vec<char> = compact.chars().collect();
        self.edited(&chars).map(|word| link(word, How::Edit))
    }

    /// The stretches of a text in normal form that sound like a word of the vocabulary though not written so,
    /// in order, never overlapping each other nor a word that is written; of two the longer.
    ///
    /// * Returns the first byte and one past the last of each, with the word.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<((usize, usize), String)> {
        let signs: Vec<(usize, char)> = text.char_indices().collect();
        let written = self.written_in(text, &signs);
        let mut found: Vec<((usize, usize), usize)> = Vec::new();
        for (at, _) in &signs {
            let mut here: HashMap<usize, Vec<(Cost, usize)>> = HashMap::new();
            for (end, cost, word) in self.sounding_at(text, *at) {
                here.entry(end).or_default().push((cost, word));
            }
            found.extend(here.into_iter().filter_map(|(end, words)| Some(((*at, end), best(&words)?))));
        }
        found.retain(|((start, end), _)| {
            written.iter().all(|(from, to)| end <= from || to <= start) && stands_alone(text, *start, *end)
        });
        found.sort_by_key(|((start, end), _)| (std::cmp::Reverse(end - start), *start));
        let mut kept: Vec<((usize, usize), usize)> = Vec::new();
        for one in found {
            if kept.iter().all(|((from, to), _)| one.0.1 <= *from || *to <= one.0.0) {
                kept.push(one);
            }
        }
        kept.sort_unstable();
        kept.into_iter().map(|(span, word)| (span, self.words[word].text.clone())).collect()
    }

    fn learn(&mut self, text: String) {
        if text.is_empty() || self.written.contains_key(&text) {
            return;
        }
        let chars: Vec<char> = text.chars().collect();
        let word = self.words.len();
        self.written.insert(text.clone(), word);
        if (2..=WORD_CHARS_MAX).contains(&chars.len())
            && chars.iter().any(|sign| !sound::readings(*sign).is_empty())
        {
            let mut nodes = vec![0];
            for sign in &chars {
                let mut next: Vec<u32> = Vec::new();
                for token in tokens(*sign) {
                    next.extend(nodes.iter().map(|node| {
                        *self.branches.entry((*node, token)).or_insert_with(|| {
                            self.n_nodes += 1;
                            self.n_nodes - 1
                        })
                    }));
                }
                next.truncate(READINGS_MAX);
                nodes = next;
            }
            nodes.sort_unstable();
            nodes.dedup();
            for node in nodes {
                self.ends.entry(node).or_default().push(word);
            }
        }
        if chars.len() >= 3 && chars.len() <= SAID_CHARS_MAX {
            if let Some(first) = chars.first() {
                self.by_border.entry((Border::First, *first)).or_default().push(word);
            }
            if let Some(last) = chars.last() {
                self.by_border.entry((Border::Last, *last)).or_default().push(word);
            }
        }
        self.words.push(Entry { text, chars });
    }

    /// Every believable word that the text from byte `start` on sounds like: its end, its cost, the word.
    fn sounding_at(&self, text: &str, start: usize) -> Vec<(usize, Cost, usize)> {
        let mut found = Vec::new();
        let mut steps = 0;
        let mut open: Vec<(usize, u32, Vec<Piece>)> = vec![(start, 0, Vec::new())];
        while let Some((at, node, path)) = open.pop() {
            steps += 1;
            if steps > STEPS_MAX {
                break;
            }
            for word in self.ends.get(&node).into_iter().flatten() {
                let said = &text[start..at];
                if let Some(cost) = self.believable(&path, said, *word) {
                    found.push((at, cost, *word));
                }
            }
            let mut step = |token: Token, piece: Piece, end: usize| {
                if let Some(next) = self.branches.get(&(node, token)) {
                    let mut longer = path.clone();
                    longer.push(piece);
                    open.push((end, *next, longer));
                }
            };
            let Some(sign) = text[at..].chars().next() else { continue };
            for token in tokens(sign) {
                step(token, Piece::Written(sign), at + sign.len_utf8());
            }
            if sign.is_ascii_lowercase() {
                for (letters, syllable) in syllables_at(text, at) {
                    step(Token::Class(syllable.class), Piece::Letters(syllable, letters), at + letters);
                }
            }
        }
        // Two ways to read one stretch as one word are one.
        found.sort_unstable_by_key(|(end, cost, word)| (*end, *word, *cost));
        found.dedup_by_key(|(end, _, word)| (*end, *word));
        found
    }

    /// What it costs to take what was said for a word that it sounds like; `None` where nobody meant it.
    fn believable(&self, path: &[Piece], said: &str, word: usize) -> Option<Cost> {
        let chars = &self.words[word].chars;
        if path.len() != chars.len() || self.written.contains_key(said) || self.ordinary.contains(said) {
            return None;
        }
        let mut letters = 0;
        let (mut n_same, mut n_syllables, mut n_function) = (0, 0, 0);
        let mut cost = Cost { n_mixed_up: 0, n_different: 0 };
        for (piece, meant) in path.iter().zip(chars) {
            let sounds = sound::readings(*meant);
            match piece {
                Piece::Written(sign) if sign == meant => n_same += 1,
                Piece::Written(sign) => {
                    if MEANINGFUL.contains(*sign) {
                        return None;
                    }
                    cost.n_different += 1;
                    n_function += usize::from(FUNCTION.contains(*sign));
                    let own = sound::readings(*sign);
                    let same = own.iter().any(|one| sounds.iter().any(|other| one.exact == other.exact));
                    cost.n_mixed_up += usize::from(!same);
                }
                Piece::Letters(syllable, length) => {
                    n_syllables += 1;
                    letters += length;
                    cost.n_mixed_up += usize::from(sounds.iter().all(|other| other.exact != syllable.exact));
                }
            }
        }
        let short = chars.len() == 2;
        let sure = if short {
            // Of two characters one must be right, or typed in letters.
            cost.n_different <= 1 && n_function == 0 && cost.n_mixed_up <= 1
        } else {
            let anchored = n_same + n_syllables >= 2;
            (n_function == 0 || anchored)
                && cost.n_mixed_up <= 2
                && (cost.n_mixed_up == 0 || n_same + n_syllables > 0)
        };
        let all_letters = n_same == 0 && cost.n_different == 0;
        (sure && n_same < chars.len() && (!all_letters || letters >= LETTERS_MIN)).then_some(cost)
    }

    /// The only word of three characters or more that is one slip away.
    fn edited(&self, said: &[char]) -> Option<usize> {
        let (first, last) = (*said.first()?, *said.last()?);
        if said.len() < 3 || PARTICLES.contains(last) {
            return None;
        }
        let near = |border, sign| self.by_border.get(&(border, sign)).into_iter().flatten().copied();
        let mut found: Vec<usize> = near(Border::First, first)
            .chain(near(Border::Last, last))
            .filter(|word| is_slip(said, &self.words[*word].chars))
            .collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [word] => Some(word),
            _ => None,
        }
    }

    /// Where words of the vocabulary, of two characters or more, stand in a text as they are written.
    fn written_in(&self, text: &str, signs: &[(usize, char)]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (index, (start, _)) in signs.iter().enumerate() {
            for length in 2..=WORD_CHARS_MAX.min(signs.len() - index) {
                let end = signs.get(index + length).map_or(text.len(), |(at, _)| *at);
                let word = &text[*start..end];
                if self.written.contains_key(word) || self.ordinary.contains(word) {
                    found.push((*start, end));
                }
            }
        }
        found
    }
}

/// The cheapest word, if no other is as cheap.
fn best(words: &[(Cost, usize)]) -> Option<usize> {
    let least = words.iter().map(|(cost, _)| *cost).min()?;
    let mut cheapest = words.iter().filter(|(cost, _)| *cost == least).map(|(_, word)| *word);
    let word = cheapest.next()?;
    cheapest.all(|other| other == word).then_some(word)
}

fn tokens(sign: char) -> Vec<Token> {
    let readings = sound::readings(sign);
    if readings.is_empty() {
        return vec![Token::Literal(sign)];
    }
    let mut tokens: Vec<Token> = Vec::with_capacity(readings.len());
    for reading in readings {
        let token = Token::Class(reading.class);
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

/// The syllables that the letters from byte `at` on may begin with, with their length.
fn syllables_at(text: &str, at: usize) -> impl Iterator<Item = (usize, Sound)> {
    (1..=sound::SYLLABLE_LETTERS_MAX)
        .filter_map(move |length| Some((length, sound::syllable(text.get(at..at + length)?)?)))
}

/// Whether a stretch that begins or ends inside a run of letters leaves syllables on both sides: in `maiweiyi`
/// there is a `weiyi`, in `weights` no `wei`.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let letter = |sign: &char| sign.is_ascii_lowercase();
    let before: String = text[..start].chars().rev().take_while(letter).take(SAID_CHARS_MAX).collect();
    let before: String = before.chars().rev().collect();
    let behind: String = text[end..].chars().take_while(letter).take(SAID_CHARS_MAX).collect();
    let inside = &text[start..end];
    let cut_before = inside.starts_with(|sign: char| letter(&sign)) && !is_syllables(&before);
    let cut_behind = inside.ends_with(|sign: char| letter(&sign)) && !is_syllables(&behind);
    !cut_before && !cut_behind
}

/// Whether a run of letters can be cut into syllables without a rest; the empty run can.
fn is_syllables(run: &str) -> bool {
    let mut reachable = vec![false; run.len() + 1];
    reachable[0] = true;
    for start in 0..run.len() {
        if reachable[start] {
            syllables_at(run, start).for_each(|(length, _)| reachable[start + length] = true);
        }
    }
    reachable[run.len()]
}

/// Whether what was said differs from a word by one slip of the fingers.
fn is_slip(said: &[char], word: &[char]) -> bool {
    let same_front = said.iter().zip(word).take_while(|(a, b)| a == b).count();
    let same_back = said.iter().rev().zip(word.iter().rev()).take_while(|(a, b)| a == b).count();
    let latin = word.iter().all(char::is_ascii_lowercase);
    if word.iter().any(char::is_ascii_digit) || (latin && word.len() < 5) {
        return false;
    }
    if said.len() == word.len() {
        let wrong = said.len() - (same_front + same_back).min(said.len());
        return match wrong {
            1 => latin || is_mistaken(said[same_front], word[same_front], same_front + 1 == word.len()),
            2 => {
                let (said, word) = (&said[same_front..same_front + 2], &word[same_front..same_front + 2]);
                said[0] == word[1] && said[1] == word[0]
            }
            _ => false,
        };
    }
    let (short, long) = if said.len() < word.len() { (said, word) } else { (word, said) };
    if long.len() != short.len() + 1 || same_front + same_back < short.len() {
        return false;
    }
    if latin {
        return true;
    }
    let extra = long[same_front.min(short.len())];
    if said.len() > word.len() {
        // 牛牛仔裤; any other character more makes another word: 长羽绒服.
        return same_front > 0 && long[same_front - 1] == extra;
    }
    // One character of five may be left out, yet not the first nor the last.
    word.len() >= 5 && same_front > 0 && same_back > 0 && !MEANINGFUL.contains(extra)
}

/// Whether a character was written for another by mistake: it looks alike, or sounds nearly alike. The last
/// character says what kind of goods it is, so there only looks count.
fn is_mistaken(said: char, meant: char, last: bool) -> bool {
    let alike = LOOK_ALIKE.iter().any(|group| group.contains(said) && group.contains(meant));
    if alike {
        return true;
    }
    if last || MEANINGFUL.contains(said) || FUNCTION.contains(said) {
        return false;
    }
    let (said, meant) = (sound::readings(said), sound::readings(meant));
    said.iter().any(|one| meant.iter().any(|other| sound::is_near(*one, *other)))
}

/// Characters that end a sentence and belong to no word of goods.
const PARTICLES: &str = "吗呢吧了的啊么嘛哦哈呀啦哟呗喽";

/// Characters that are nearly always meant as written: they carry the grammar of a sentence. In words of two
/// characters they are never a slip.
const FUNCTION: &str = "是我你您他她它们这那哪不没有在就都也很太还再又和与或要想能会可给把被让到从对向多少什怎谁自以已于因为用来去说看买穿请问及只真先后前做写字打开个家时间今天明一次快点加下里边过得地着好";

/// Characters that mean something of their own in a shop: final particles, numerals, colours, sizes, sexes and
/// kinds of goods. None is ever a slip for another.
const MEANINGFUL: &str = "吗呢吧了的啊么嘛哦哈呀啦一二两三四五六七八九十百千万零几半黑白灰红橙黄绿蓝紫粉棕金银男女老童大小中长短上下左右高低厚薄春夏秋冬单双前后新旧衣裤裙鞋靴帽袜伞衫服杯箱被毯枕巾壶瓶灯床席表盒垫退换修";

/// Groups of characters that look alike. Chosen by hand.
const LOOK_ALIKE: &[&str] = &[
    "衫杉彬",
    "裙群",
    "裤库",
    "袜抹",
    "鞋鞍",
    "帽冒",
    "仔仟籽",
    "午牛",
    "绒戎绂",
    "棉绵锦",
    "己已巳",
    "土士",
    "未末",
    "日曰",
    "毛手",
    "拖托",
    "抱枪",
    "皮披",
    "风凤",
    "针计",
    "纱沙",
    "丝线",
    "套奎",
    "防访仿",
    "晒洒",
    "温湿",
    "换涣唤",
    "货贷",
    "退腿",
    "款欸",
    "尺尸",
    "码玛妈",
    "雪雷",
    "连莲",
    "身射",
    "休体",
    "闲闭间",
    "羽翔",
    "冲种",
    "锋峰",
    "运远",
    "保堡",
    "睡垂",
    "床庆",
    "围国",
    "腰要",
    "包句勺",
    "券卷眷",
];

/// Ordinary words that sound like words of shops. Chosen by hand; a dictionary given to `sparing` knows more.
const ORDINARY: &str = "唯一 贸易 宝宝 抱抱 写字 协助 大意 大姨 大妈 大马 大麻 好吗 几分 加个 五六 一副 一幅 制服 地质 抵制 低质 克服 \
     发火 退火 退伙 退还 上午 外逃 记分 计分 调色 气球 地支 护手 意义 兑换 推荐 蓝款 男款 蓝色 蓝装 男装 蓝裤 男裤 蓝鞋 男鞋 蓝包 男包 上衣 雨衣 语义 语意 现货 鲜货 鲜活 \
     活动 顺风 会员 汇源 汇款 回款 会馆 云动 同款 童款 定金 订金 支付 致富 依附 义父 重量 面聊 房子 被子 杯子 蝎子 哭子 学子 首套 皮袋 短袖 \
     长袖 男士 男式 女士 女式 睡衣 内衣 睡裙 防水 报过 保暖 保修 报修 保佑 报错 收货 收获 售货 补货 捕获 到货 缺货 现在 先在 幽会 颜色 眼色 \
     尺寸 遮阳伞 遮阳衫 防晒伞 防晒衫 牛皮鞋 羊皮鞋 童鞋 同学 小码 小马 均码 军马 加码 换码 退码 保温 包装 童装 同装 女装 套装 逃装 西服 \
     喜服 征服 校服 工服 功夫 丝袜 水杯 睡杯 背包 悲报 情报 书包 香包 向导 想到 相连 截止 收集 首饰 收拾 手势 收视 眼睛 面筋 床单";

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = "衬衫 衬衣 卫衣 毛衣 大衣 风衣 外套 西装 羽绒服 牛仔裤 休闲裤 裤子 裙子 连衣裙 半身裙 鞋子 运动鞋 帆布鞋 凉鞋 \
         靴子 袜子 帽子 围巾 手套 睡衣 内衣 t恤 冲锋衣 防晒衣 双肩包 单肩包 行李箱 保温杯 退货 换货 退款 退换 发货 维修 发票 \
         运费 快递 物流 地址 尺码 号码 价格 面料 纯棉 长袖 短袖 男士 女士 优惠券 客服 订单 包邮 会员 积分 顺丰 黑色 白色 包包 \
         云柔纯棉长袖衬衫 yr-c101 uniqlo";

    fn linker() -> Linker {
        Linker::new(VOCABULARY.split_whitespace().map(str::to_owned))
    }

    #[track_caller]
    fn check(said: &str, expected: Option<(&str, How)>) {
        let found = linker().link(said);
        let found = found.as_ref().map(|link| (link.word.as_str(), link.how));
        assert_eq!(found, expected, "{said}");
    }

    #[test]
    fn words_as_written() {
        for word in VOCABULARY.split_whitespace() {
            check(word, Some((word, How::Exact)));
        }
    }

    #[test]
    fn homophones_and_pinyin() {
        for (said, word) in [
            ("衬杉", "衬衫"),
            ("趁衫", "衬衫"),
            ("chenshan", "衬衫"),
            ("chen衫", "衬衫"),
            ("衬san", "衬衫"),
            ("tui货", "退货"),
            ("tuihuo", "退货"),
            ("tui huo", "退货"),
            ("退获", "退货"),
            ("腿货", "退货"),
            ("退宽", "退款"),
            ("牛子裤", "牛仔裤"),
            ("牛崽裤", "牛仔裤"),
            ("niuzaiku", "牛仔裤"),
            ("niuzai裤", "牛仔裤"),
            ("weiyi", "卫衣"),
            ("喂衣", "卫衣"),
            ("连衣群", "连衣裙"),
            ("lianyiqun", "连衣裙"),
            ("年衣裙", "连衣裙"),
            ("羽绒付", "羽绒服"),
            ("羽荣服", "羽绒服"),
            ("雨绒服", "羽绒服"),
            ("运动协", "运动鞋"),
            ("冲风衣", "冲锋衣"),
            ("txu", "t恤"),
            ("t续", "t恤"),
            ("kuaidi", "快递"),
            ("快第", "快递"),
            ("发漂", "发票"),
            ("顺锋", "顺丰"),
            ("换huo", "换货"),
            ("双间包", "双肩包"),
            ("帆步鞋", "帆布鞋"),
        ] {
            check(said, Some((word, How::Pinyin)));
        }
    }

    #[test]
    fn one_slip() {
        for (said, word) in [
            ("牛牛仔裤", "牛仔裤"),
            ("牛裤仔", "牛仔裤"),
            ("午仔裤", "牛仔裤"),
            ("优惠卷", "优惠券"),
            ("云纯棉长袖衬衫", "云柔纯棉长袖衬衫"),
            ("uniqo", "uniqlo"),
            ("uniqlu", "uniqlo"),
        ] {
            check(said, Some((word, How::Edit)));
        }
        // The 长 left out may have been a 短.
        check("云柔纯棉袖衬衫", None);
        check("cenzan", None);
    }

    #[test]
    fn other_words_stay_what_they_are() {
        for said in [
            "",
            "衫",
            "t",
            "wei",
            "裤",
            "解",
            "唯一",
            "贸易",
            "宝宝",
            "好吗",
            "吃吗",
            "写字",
            "大意",
            "上午",
            "制服",
            "运动裤",
            "运动衣",
            "休闲鞋",
            "帆布包",
            "保温壶",
            "羽绒被",
            "长羽绒服",
            "斜肩包",
            "防水衣",
            "yr-c102",
            "wight",
            "什么",
            "多少钱",
            "退还",
            "退伙",
            "裤自",
            "包有",
            "退了",
            "换吗",
            "款式",
            "蓝士",
            "连身裤",
            "皮带",
            "裙裤",
            "鞋码",
            "我要退",
            "白天",
            "黑夜",
            "男生",
            "女生",
            "今天发",
            "weight",
            "hello",
            "uni",
            "123",
            ",,",
            "😀😀",
        ] {
            check(said, None);
        }
    }

    #[test]
    fn of_two_equal_words_neither() {
        let linker =
            Linker::new(["衬衫".to_owned(), "衬衫衣".to_owned(), "织物".to_owned(), "植物".to_owned()]);
        assert_eq!(linker.link("zhiwu"), None);
        assert_eq!(linker.link("职物"), None);
    }

    #[track_caller]
    fn check_find(text: &str, expected: &[(&str, &str)]) {
        let found = linker().find(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|((start, end), word)| (&text[*start..*end], word.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_what_sounds_like_a_word() {
        check_find("这件衬杉能tui货吗", &[("衬杉", "衬衫"), ("tui货", "退货")]);
        check_find("有没有牛子裤和连衣群", &[("牛子裤", "牛仔裤"), ("连衣群", "连衣裙")]);
        check_find("我想买weiyi", &[("weiyi", "卫衣")]);
        check_find("wo xiang mai weiyi", &[("weiyi", "卫衣")]);
        check_find("maiweiyi", &[("weiyi", "卫衣")]);
        check_find("羽绒付多少钱", &[("羽绒付", "羽绒服")]);
        check_find("黑色羽绒付多少钱", &[("羽绒付", "羽绒服")]);
    }

    #[test]
    fn finds_nothing_in_plain_sentences() {
        for text in [
            "",
            "衬衫可以退货吗",
            "这裤自带腰带吗",
            "你好在吗我想问一下",
            "唯一的问题是什么时候发",
            "这个包有白的吗",
            "我穿大一号可以吗",
            "五六天能到吗",
            "今天上午下的单",
            "这条裤子是什么料子的",
            "可以便宜一点吗",
            "我身高一米七体重一百三",
            "不是要退是要换",
            "请问有没有实体店可以试穿",
            "到了给我打电话放门口",
            "weight is 50kg",
            "http://example.com/item?id=1",
            "收到的东西坏了怎么处理",
            "宝宝穿的话会不会过敏",
            "几分钟能回复",
        ] {
            check_find(text, &[]);
        }
    }

    #[test]
    fn ordinary_words_are_spared() {
        let linker = linker().sparing(["趁衫".to_owned()]);
        assert_eq!(linker.link("趁衫"), None);
        assert!(linker.link("衬杉").is_some());
    }

    #[test]
    fn a_large_vocabulary_keeps_its_words_apart() {
        let signs: Vec<char> =
            "衣裤鞋棉长短纯羽绒连裙袖衫牛仔运动休闲男女黑白红云柔春夏秋冬风".chars().collect();
        let mut vocabulary = Vec::new();
        for first in &signs {
            for second in &signs {
                vocabulary.extend(signs.iter().map(|third| format!("{first}{second}{third}")));
            }
        }
        let linker = Linker::new(vocabulary);
        let word = |said: &str| linker.link(said).map(|link| link.word);
        assert_eq!(word("羽荣衣").as_deref(), Some("羽绒衣"));
        // 闲 and 仙 sound alike, and so do no two others here; 夏 and 下 do, but 下 means something.
        assert_eq!(word("休仙裤").as_deref(), Some("休闲裤"));
        assert_eq!(word("下棉裤"), None);
        let text = "羽荣衣".repeat(40);
        assert_eq!(linker.find(&text).len(), 40);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in ".*", signs in "[衬衫杉牛子仔裤退货tuihoweyniang t恤,0-9]{0,24}") {
            static LINKER: std::sync::LazyLock<Linker> = std::sync::LazyLock::new(linker);
            for text in [text, signs] {
                if let Some(link) = LINKER.link(&text) {
                    proptest::prop_assert!(LINKER.written.contains_key(&link.word));
                }
                let mut end_before = 0;
                for ((start, end), word) in LINKER.find(&text) {
                    proptest::prop_assert!(end_before <= start && start < end && text.get(start..end).is_some());
                    proptest::prop_assert!(text[start..end] != word);
                    end_before = end;
                }
            }
        }
    }
}
