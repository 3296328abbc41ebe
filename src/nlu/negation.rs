//! Denial: whether a message speaks of something only to refuse it.
//!
//! 不是要退 是要换 asks for an exchange and for no refund. Questions (能不能退), complaints (怎么不给退) and conditions
//! (不退就投诉) deny nothing. The rules see one clause; they know no intents and no entities.

/// More characters than this between a denying word and the mention, and it speaks of something else.
const GAP_CHARS_MAX: usize = 8;

/// Whether the mention at a span of a message is denied.
///
/// * `text`: normal form.
/// * `span`: first byte of the mention and one past its last; a span outside of the text or across a character
///   is never denied.
#[must_use]
pub fn negated(text: &str, span: (usize, usize)) -> bool {
    let (Some(mention), Some(before), Some(behind)) =
        (text.get(span.0..span.1), text.get(..span.0), text.get(span.1..))
    else {
        return false;
    };
    if mention.is_empty() {
        return false;
    }
    let clause = Clause::around(before, mention, behind);
    clause.is_excepted() || clause.is_denied_behind() || clause.is_denied_before()
}

/// The part of a message in which a denying word can reach the mention.
struct Clause<'t> {
    before: &'t str,
    mention: &'t str,
    behind: &'t str,
    /// What follows the clause.
    beyond: &'t str,
    /// Whether a question mark ends it.
    asked: bool,
}

impl<'t> Clause<'t> {
    fn around(before: &'t str, mention: &'t str, behind: &'t str) -> Self {
        let start = before.char_indices().rev().find(|(at, sign)| is_border(before, *at, *sign));
        let mut start = start.map_or(0, |(at, sign)| at + sign.len_utf8());
        let own = &before[start..];
        // 不要 黑色: the blank ends a thought (不要 退款) only before something to be done.
        if own.trim().is_empty() && !is_action(mention) && before[..start].ends_with(' ') {
            let rest = before[..start].trim_end();
            if let Some(word) = SOLID.iter().find(|word| rest.ends_with(**word)) {
                start = rest.len() - word.len();
            }
        }
        let end = behind.char_indices().find(|(at, sign)| is_border(behind, *at, *sign));
        let asked = end.is_some_and(|(at, _)| behind[at..].trim_start().starts_with(['?', '？']));
        let end = end.map_or(behind.len(), |(at, _)| at);
        Self { before: &before[start..], mention, behind: &behind[..end], beyond: &behind[end..], asked }
    }

    /// 除了黑色还有吗, 黑色除外.
    fn is_excepted(&self) -> bool {
        let front = self.before.rfind('除').map(|at| &self.before[at..]).and_then(|rest| {
            rest.strip_prefix("除了")
                .or_else(|| rest.strip_prefix("除去"))
                .or_else(|| rest.strip_prefix("除开"))
                .or_else(|| {
                    let outside = ["外", "以外", "之外"].iter().any(|end| self.behind.starts_with(end));
                    rest.strip_prefix('除').filter(|_| outside)
                })
        });
        front.is_some_and(|gap| !gap.contains(EXCEPTION_ENDS) && gap.chars().count() <= GAP_CHARS_MAX)
            || self.behind.trim_start_matches(['的', '色']).starts_with("除外")
    }

    /// 退货不用了, 黑色就不要了.
    fn is_denied_behind(&self) -> bool {
        let rest = self
            .behind
            .trim_start_matches(['的', '话', '就', '都', '也', '我', '们', '先', '货', '款', '色']);
        // 退货不要了 sends the goods back; 黑色不要了 refuses the black.
        let words = BEHIND.iter().filter(|word| !(is_action(self.mention) && GOODS_ONLY.contains(word)));
        let Some(rest) = words.into_iter().find_map(|word| rest.strip_prefix(word)) else { return false };
        let rest = rest.trim_start_matches(['了', '啊', '吧', '哦', '的', '哈', '呀', '啦']);
        // 换货不用寄回吗 denies the sending back, 白色不要黑色 the black; 发票不用开了 the invoice.
        let rest = if is_action(self.mention) {
            rest
        } else {
            rest.trim_start_matches(GIVING).trim_start_matches(['了', '吧'])
        };
        rest.is_empty() && !self.asked
    }

    fn is_denied_before(&self) -> bool {
        let words = self.denials();
        let Some(last) = words.last() else { return false };
        let gap = &self.before[last.end..];
        // 不能不退 must be; 能不能不退 is asked for.
        let ahead = &self.before[..last.start];
        let compelled = ["不能", "不得", "不可", "不可以", "不会"].iter().any(|word| ahead.ends_with(word))
            && !["能不能", "可不可以", "可以不可以"].iter().any(|word| ahead.ends_with(word));
        if compelled || !self.reaches(gap, last.strength) || self.is_question(last) || self.is_complaint(last)
        {
            return false;
        }
        // 不是不想退: two denials cancel out when nothing stands between them.
        let mut n_denials = 1;
        for pair in words.windows(2).rev() {
            let between = &self.before[pair[0].end..pair[1].start];
            if !between.chars().all(|sign| "我要想说是".contains(sign)) {
                break;
            }
            n_denials += 1;
        }
        n_denials % 2 == 1
    }

    /// The denying words before the mention, in order.
    fn denials(&self) -> Vec<Denial> {
        let text = self.before;
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            if let Some(length) = self.harmless(at) {
                at += length;
            } else if let Some((length, strength)) = denial(rest) {
                found.push(Denial { start: at, end: at + length, strength });
                at += length;
            } else {
                at += first;
            }
        }
        found
    }

    /// The length of a word at `at` that holds 不, 没 or 别 and denies nothing: 特别, 能不能, 不好意思.
    fn harmless(&self, at: usize) -> Option<usize> {
        let text = self.before;
        let rest = &text[at..];
        // 不太想退 is no 不太 but a refusal.
        let wish = DENIALS.iter().flat_map(|(_, words)| words.iter()).filter(|word| rest.starts_with(**word));
        let wish = wish.map(|word| word.len()).max().unwrap_or_default();
        if let Some(word) = HARMLESS.iter().find(|word| rest.starts_with(**word) && word.len() > wish) {
            return Some(word.len());
        }
        // 能不能, 退不退: the same character on both sides, the second of which may be the mention's.
        let sign = rest.chars().next().filter(|sign| "不没".contains(*sign))?;
        let previous = text[..at].chars().next_back()?;
        let next = rest[sign.len_utf8()..].chars().chain(self.mention.chars()).next()?;
        (previous == next).then_some(sign.len_utf8())
    }

    /// Whether a denial still holds at the end of `gap`, the text between its word and the mention.
    fn reaches(&self, gap: &str, strength: Strength) -> bool {
        let chars_max = if strength == Strength::Bare { 3 } else { GAP_CHARS_MAX };
        if gap.chars().count() > chars_max || SCOPE_ENDS.iter().any(|word| gap.contains(word)) {
            return false;
        }
        if strength == Strength::Absent {
            let rest = self.behind.trim_start_matches(['过', '了', '啊', '呀', '的', '货', '款', '吧', '哦']);
            return rest.is_empty()
                || ["意思", "打算", "想法", "申请"].iter().any(|word| rest.starts_with(word));
        }
        // 不喜欢退了吧 refuses the goods.
        if strength == Strength::Taste && is_action(self.mention) {
            return false;
        }
        if strength == Strength::Bare && is_action(self.mention) {
            return ["", "再", "去", "办", "申请", "做", "走"].contains(&gap);
        }
        if is_action(self.mention) && gap.contains(ACTIONS) {
            // 不用退和换 lists; in 不用换退就行 the second is what is wanted.
            return gap.contains(['和', '或', '跟', '、', '也']);
        }
        let settled = ["就行", "就好", "就可以", "就成", "也行", "也可以", "就够"];
        let wanted =
            settled.iter().any(|word| self.behind.trim_start_matches(['的', '了']).starts_with(word));
        gap.is_empty() || !wanted
    }

    /// Whether the clause asks whether the denied thing holds: 不退吗, 不是纯棉的吗. A request stays a denial:
    /// 可以不退吗, 不要黑色可以吗.
    fn is_question(&self, word: &Denial) -> bool {
        // 不掉色吧 wants to be told so; 不退了吧 does not.
        let unsure = self.behind.trim_end().ends_with('吧')
            && !is_action(self.mention)
            && !self.behind.starts_with('了');
        let particle =
            unsure || ["吗", "么", "嘛", "没"].iter().any(|end| self.behind.trim_end().ends_with(end));
        if !particle && !self.asked {
            return false;
        }
        let requested = ["能", "可以", "可不可以", "能不能", "麻烦", "请"]
            .iter()
            .any(|start| self.before[..word.start].ends_with(start));
        let goes_on =
            ["可以", "行", "好", "有", "能", "要", "换", "还"].iter().any(|more| self.behind.contains(more));
        let behind_is_action = ACTIONS.iter().any(|action| self.behind.starts_with(*action));
        word.strength != Strength::Forbidding && !requested && (!goes_on || behind_is_action)
    }

    /// Whether somebody else refuses, or the refusal is only a condition: 为什么不给退, 商家不退, 不退就投诉.
    fn is_complaint(&self, word: &Denial) -> bool {
        let before = &self.before[..word.start];
        if WHY.iter().any(|why| before.contains(why)) {
            return true;
        }
        // 是退还是不退 leaves the choice open; 还是不退了 has chosen.
        if before.strip_suffix("还是").is_some_and(|rest| rest.contains(self.mention)) {
            return true;
        }
        // 你不是说换货 reminds the shop of its word.
        let reminded = self.before[word.start..].starts_with("不是说");
        if reminded && ["你", "客服", "商家", "卖家", "店家"].iter().any(|other| before.contains(other))
        {
            return true;
        }
        if !matches!(word.strength, Strength::Bare | Strength::Wish) {
            return false;
        }
        if OTHERS.iter().any(|other| before.contains(other))
            || (!self.behind.starts_with(['了', '啦']) && STILL.iter().any(|still| before.ends_with(still)))
        {
            return true;
        }
        let conditional =
            ["如果", "要是", "假如", "万一", "若", "再"].iter().any(|word| before.contains(word));
        let threat = !self.behind.starts_with('了')
            && ["就", "的话", "投诉", "差评", "举报", "起诉", "12315", "怎么办", "咋办", "不行", "不可"]
                .iter()
                .any(|word| self.behind.contains(word));
        let ahead: String = self.behind.chars().chain(self.beyond.chars().take(GAP_CHARS_MAX)).collect();
        let threat = threat
            || (self.mention.starts_with(SHOPS_DUTY)
                && ["退", "投诉"].iter().any(|word| ahead.contains(word)));
        word.strength == Strength::Bare && (conditional || threat || self.behind.starts_with("给我"))
    }
}

/// A denying word of the clause.
struct Denial {
    start: usize,
    end: usize,
    strength: Strength,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// 别, 千万不要: an order even in a question.
    Forbidding,
    /// 不要, 不是, 没说, 不用: refuses up to the next wish.
    Refusing,
    /// 不想, 不愿意: as good as 不要, but others may be the ones who do not wish.
    Wish,
    /// 不喜欢: refuses goods, never an action.
    Taste,
    /// 我没有: refuses an action (我没有退货), and says nothing of things (我没有退货按钮).
    Absent,
    /// 不 before a verb or the mention itself; reaches only a few characters.
    Bare,
}

/// The denying word that a text starts with, with its length in bytes. The longest comes first.
fn denial(text: &str) -> Option<(usize, Strength)> {
    let words = DENIALS.iter().flat_map(|(strength, words)| words.iter().map(|word| (*word, *strength)));
    let (word, strength) =
        words.filter(|(word, _)| text.starts_with(word)).max_by_key(|(word, _)| word.len())?;
    let verb = own_verb(&text[word.len()..]);
    // 我没说要退 refuses what was not said, whatever follows.
    let strength = if strength == Strength::Absent && verb > 0 { Strength::Refusing } else { strength };
    Some((word.len() + verb, strength))
}

/// The length of the 我要, 说想, 让你 that belongs to the denying word: 没说要退, 又不是我要换.
fn own_verb(text: &str) -> usize {
    let mut rest = text;
    for words in [
        &["过"][..],
        &["我们", "我", "你们", "你", "他"],
        &["说过", "说", "让", "叫", "提"],
        &["我", "你们", "你"],
        &["帮我", "帮忙", "给我", "替我"],
        &["想要", "需要", "要", "想", "打算", "申请"],
    ] {
        rest = words.iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
    }
    text.len() - rest.len()
}

/// Something that is done with an order, rather than goods or a property of theirs.
fn is_action(mention: &str) -> bool {
    mention.starts_with(ACTIONS) || mention.starts_with("返修") || mention.starts_with("取消")
}

/// How words begin for what the shop has to do.
const SHOPS_DUTY: &[char] = &['发', '寄', '补', '处', '送', '赔'];

const ACTIONS: &[char] = &['退', '换', '修'];

/// Whether a clause ends at a sign; the point of 12.5 ends none.
fn is_border(text: &str, at: usize, sign: char) -> bool {
    BORDERS.contains(sign) && !(sign == '.' && text[at + 1..].starts_with(|next: char| next.is_ascii_digit()))
}

/// A clause ends here. 、 is left out: it lists.
const BORDERS: &str = ",，.。!！?？;；:：~…\n\t ";

/// Those of them that speak of goods and not of what is done with them.
const GOODS_ONLY: &[&str] = &["不要", "不想要", "不喜欢", "不想"];

/// What is done with the goods that are not wanted: 发票不用开了.
const GIVING: &[char] = &['开', '寄', '发', '送', '给', '放', '带', '装', '写', '买', '拿'];

const EXCEPTION_ENDS: &[char] = &['外', '还', '都', '就', '只', '能', '可', '有', '要', '想', '其', '别'];

/// Denying words that reach over a blank to the goods behind it.
const SOLID: &[&str] = &["不要", "不想要", "不是", "别", "除了", "不喜欢", "不用", "不需要"];

const BEHIND: &[&str] =
    &["不用", "不要", "不想要", "不需要", "不必", "算了", "免了", "不考虑", "不喜欢", "不想", "没必要"];

const DENIALS: &[(Strength, &[&str])] = &[
    (Strength::Forbidding, &["千万别", "千万不要", "请勿", "切勿", "勿", "别"]),
    (
        Strength::Refusing,
        &[
            "不想要",
            "不需要",
            "不准备",
            "不打算",
            "不考虑",
            "不接受",
            "不至于",
            "不是",
            "不要",
            "不用",
            "不必",
            "并非",
            "没有说",
            "没有想",
            "没有要",
            "没有让",
            "没有打算",
            "没有申请",
            "没有点",
            "没说",
            "没想",
            "没要",
            "没让",
            "没打算",
            "没申请",
            "没点",
            "没提",
            "没必要",
            "没准备",
            "没叫",
            "未申请",
            "无需",
            "用不着",
            "犯不着",
            "懒得",
            "拒绝",
            "谢绝",
            "取消",
            "撤销",
            "撤回",
            "放弃",
            "谁说要",
            "谁说我要",
            "谁要",
            "不是很想",
            "只要不是",
            "没想过",
            "没让过",
        ],
    ),
    (Strength::Absent, &["我可没", "我又没", "我根本没", "我并没", "我没有", "我没"]),
    (Strength::Wish, &["不太想", "不怎么想", "不大想", "不是太想", "不同意", "不愿意", "不愿", "不想"]),
    (
        Strength::Taste,
        &["不太喜欢", "不怎么喜欢", "不是很喜欢", "不大喜欢", "不喜欢", "不爱", "讨厌", "不中意"],
    ),
    (Strength::Bare, &["不"]),
];

/// Words with 不, 没 or 别 in them that refuse nothing; what cannot be done (不能退, 不给退) is asked or complained
/// about, not refused. The longer come first.
const HARMLESS: &[&str] = &[
    "没收到",
    "没有撤销",
    "没撤销",
    "没有取消",
    "没取消",
    "没看到",
    "没见",
    "没找到",
    "没显示",
    "我没看到",
    "我没有看到",
    "我没见",
    "我没找到",
    "不要紧",
    "不用担心",
    "没问题",
    "没关系",
    "没办法",
    "没法",
    "没用",
    "没事",
    "没穿",
    "没到",
    "没货",
    "没有货",
    "我没收到",
    "我没有收到",
    "我没穿",
    "我没用",
    "别的",
    "别人",
    "别家",
    "别处",
    "别扭",
    "特别",
    "区别",
    "级别",
    "性别",
    "分别",
    "个别",
    "类别",
    "识别",
    "鉴别",
    "告别",
    "不好意思",
    "不得不",
    "不一样",
    "不知道",
    "不清楚",
    "不确定",
    "不合适",
    "不合身",
    "不合脚",
    "不满意",
    "不小心",
    "不明白",
    "不舒服",
    "不好看",
    "不好",
    "不错",
    "不对",
    "不但",
    "不仅",
    "不光",
    "不止",
    "不只",
    "不管",
    "不论",
    "不过",
    "不然",
    "不如",
    "不妨",
    "不够",
    "不太",
    "不懂",
    "不久",
    "不同",
    "不足",
    "不行",
    "不符",
    "不到",
    "不见",
    "不得",
    "不敢",
    "不怎么",
    "不肯",
    "不许",
    "不准",
    "不会",
    "不能",
    "不可以",
    "不可",
    "不让",
    "不给",
    "不支持",
    "不答应",
    "不承认",
    "差不多",
    "要不",
    "再不",
    "拒不",
    "来不及",
    "受不了",
    "无不",
    "不大",
    "不小",
    "不长",
    "不值",
    "不一定",
    "不应该",
    "不该",
    "不晓得",
    "不少",
    "不多",
    "不就",
    "不都",
    "不理",
    "不处理",
    "不发货",
];

/// Words behind a denial with which something else begins.
const SCOPE_ENDS: &[&str] = &[
    "要", "想", "是", "但", "而", "只", "就", "改", "换成", "能", "可以", "请", "麻烦", "帮", "有", "吧",
    "了", "直接", "还", "求", "选", "喜欢", "的话", "因为", "所以", "然后", "再",
];

const WHY: &[&str] = &[
    "为什么",
    "为啥",
    "为何",
    "怎么",
    "凭什么",
    "凭啥",
    "干嘛",
    "干吗",
    "咋",
    "哪里",
    "哪有",
    "难道",
    "谁说不",
    "是不是",
    "会不会",
    "有没有",
];

/// Whose refusal is a complaint of the customer.
const OTHERS: &[&str] = &[
    "你们", "你家", "商家", "卖家", "店家", "客服", "店铺", "他们", "平台", "你说", "定金", "押金", "钱",
    "老板", "快递", "对方", "仓库",
];

/// Words before 不 with which a customer waits.
const STILL: &[&str] =
    &["还", "都", "迟迟", "一直", "就是", "死活", "总", "总是", "老", "老是", "仍", "拒", "又"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The mention stands in brackets, once.
    #[track_caller]
    fn check(marked: &str, expected: bool) {
        let start = marked.find('[').unwrap();
        let end = marked.find(']').unwrap() - 1;
        let text = marked.replace(['[', ']'], "");
        assert_eq!(negated(&text, (start, end)), expected, "{marked}");
    }

    #[test]
    fn refused() {
        for marked in [
            "不是要[退] 是要换",
            "不是要[退]是要换",
            "我说的不是[退货]是换货",
            "不要[黑色]要白色",
            "不要[黑色]的要白色的",
            "不要 [黑色] 要白色",
            "别发[顺丰]",
            "别给我发[顺丰]",
            "千万别发[顺丰]",
            "能别发[顺丰]吗",
            "不要发[顺丰]可以吗",
            "不想[退]了",
            "我不[退]了",
            "不[退货]了",
            "先不[退]了",
            "我不[换]",
            "只换不[退]",
            "要换不[退]",
            "我要退不要[换]",
            "没说要[退货]",
            "我没说[退货]",
            "又不是我要[换]",
            "我又没要[退款]",
            "我没有申请[退款]",
            "我没[退]啊",
            "不用[退款]",
            "不用[退款],补发就行",
            "不需要[退货]",
            "无需[退款]",
            "没打算[退]",
            "没必要[退]",
            "懒得[退]了",
            "除了[黑色]还有吗",
            "除了[黑色],还有别的吗",
            "除[黑色]以外还有什么颜色",
            "[黑色]除外",
            "除了[退货]还能换吗",
            "[退货]不用了",
            "[退款]就算了",
            "[黑色]不要",
            "[黑色]的我不要了",
            "[退货]就算了吧",
            "[退货]的话就不用了吧",
            "不太喜欢[红色]",
            "不用帮我[退]",
            "不带[吊牌]能退吗",
            "除开[黑色]都行",
            "只要不是[黑色]就行",
            "别弄成[黑色]",
            "[换货]不需要了",
            "不喜欢[黑色]",
            "不要[黑色]和白色",
            "不要黑色和[白色]",
            "不要黑色、[白色]",
            "不要[黑色]有白色吗",
            "可以不[退货]吗",
            "取消[退款]",
            "[黑色]我不要了",
            "我不要[黑色]的我要白色",
            "不要给我[换]",
            "你们别给我[退款]",
            "不需要你们[退货]",
            "我不同意[换货]",
            "不[换货] 退款",
            "请不要[退款]",
            "不打算[退货]了",
            "我不是要[退货] 我是问尺码",
            "不是[黑色]是白色",
            "别用[圆通]",
            "不想用[圆通]发",
            "不走[圆通]",
            "可不可以不发[顺丰]",
            "能不能别发[圆通]",
            "能不能不发[圆通]",
            "不要[退]我钱,我要货",
            "我不太想[退]",
            "不是很想[退]",
            "不怎么想[换]",
            "不[退]也不换",
            "不退也不[换]",
            "从来没说过要[退]",
            "我没有说过要[退]",
            "我不是来[退货]的",
            "谁要[退]啊",
            "先别[退]",
            "别[发货]了 直接退",
            "不是让你[退]",
            "不是叫你们[换货]",
            "仅退款不[退货]",
            "不[退]可以吗",
            "[发票]不用开了",
            "[发票]不用开",
            "[赠品]就不用寄了",
            "我没有[退货]的意思",
            "撤销[退货]申请",
            "别[退]了给我换",
            "不[退]了换一件",
            "不是[退款]的问题",
            "不考虑[黑色]",
            "谁说要[退]了",
            "不发[顺丰]",
        ] {
            check(marked, true);
        }
    }

    #[test]
    fn wanted_though_something_is_refused() {
        for marked in [
            "不是要退 是要[换]",
            "不是要退是要[换]",
            "不是退是[换]",
            "不要黑色要[白色]",
            "不要黑色的换成[白色]",
            "我要[退]不要换",
            "要[换]不退",
            "不用换[退]就行",
            "别换了直接[退]",
            "别退了给我[换]",
            "不退了[换]吧",
            "不想要了[退款]吧",
            "不要了,[退款]",
            "不要 [退款]",
            "不喜欢[退]了吧",
            "不合适想[退]",
            "不是黑色是[白色]",
            "不换货[退款]",
            "不要紧[退]了吧",
            "没有[退货]按钮",
            "我没有[退货]按钮",
            "我没看到[退款]",
            "不退货只[退款]",
            "仅[退款]不退货",
            "衬衫不要了[退货]",
            "不满意,要[退]",
            "[白色]不要黑色",
            "除了退货能[换]吗",
            "除了黑色,[白色]有吗",
            "不仅要[退]还要赔",
            "不退只[换]",
            "不好意思我要[退货]",
            "不小心拍错了要[换]",
            "特别想[退]",
            "还有别的[黑色]吗",
            "别的不要,就要[黑色]",
            "不行就[退]",
            "要不[换]一件",
            "不得不[退]",
            "今天不发[退]吧",
            "我[退货]不要了",
            "没收到货要[退款]",
            "没问题[退]吧",
            "我没收到[退款]",
            "[黑色]的有吗",
            "我要[退货]",
            "[退]",
        ] {
            check(marked, false);
        }
    }

    #[test]
    fn questions_refuse_nothing() {
        for marked in [
            "不[退]吗",
            "能不能[退]",
            "[退]不退",
            "退不[退]",
            "[换]不换",
            "可不可以[换]",
            "可以不可以[换]",
            "是不是[纯棉]",
            "不是[纯棉]吗",
            "不是[纯棉]的吗",
            "不能[退]吗",
            "不可以[退]吗",
            "不给[退]吗",
            "要不要[退]",
            "会不会[掉色]",
            "不[掉色]吗",
            "不[掉色]吧",
            "这个不是[真皮]的吧",
            "不退[运费]吗",
            "不[包邮]吗",
            "不能只[退]一件吗",
            "[衬衫]不用熨烫吗",
            "有没有[黑色]",
            "没有[黑色]吗",
            "不支持[退货]吗",
            "不用[退款]吗",
            "不[退]?",
            "不是可以[退]吗",
            "不是说可以[退]吗",
            "[换货]不用寄回吗",
            "不知道能不能[退]",
            "不要[黑色]吗",
            "喜不喜欢[黑色]",
            "是退还是不[退]",
        ] {
            check(marked, false);
        }
    }

    #[test]
    fn complaints_and_conditions_refuse_nothing() {
        for marked in [
            "为什么不给[退]",
            "为什么不[退]",
            "怎么不能[退]",
            "凭什么不[退款]",
            "[退]不了",
            "不能[退]",
            "不给[退]",
            "不让[退]",
            "没法[退]",
            "还不[退款]",
            "怎么还没[退款]",
            "还没[退款]",
            "[退款]还没到",
            "商家不[退]",
            "你们不[退款]",
            "不[退款]我就投诉",
            "不[退]就差评",
            "如果不[退]",
            "再不[退款]我投诉",
            "一直不[退款]",
            "不发货就[退款]",
            "钱不[退]给我",
            "客服不同意[退]怎么办",
            "不[退]不行",
            "不[退]怎么办",
            "今天不[发货]我退了",
            "明天不[发货],我要退货",
            "过了今天不[发货],我得投诉",
            "你说不[退],补偿5元是吗",
            "定金不[退],这是骗人",
            "那你刚刚不是说[换货] 运费自理吗",
            "你们不是[退]12.55元吗?",
            "没有撤销[退货]的申请",
            "你不[退]我投诉",
            "要是不[退]呢",
            "不是我不想[退]",
            "不[退款]的话我就找平台",
            "不能不[退]",
            "不是不想[退]",
            "没说不[退]",
        ] {
            check(marked, false);
        }
    }

    #[test]
    fn a_span_outside_of_the_text_is_not_denied() {
        assert!(
            !negated("不退", (0, 100))
                && !negated("不退", (4, 5))
                && !negated("不退", (6, 3))
                && !negated("", (0, 0))
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in ".*", signs in "[不没别是要想退换黑色吗了除还能可以,? 我有]{0,14}", start in 0usize..30, length in 0usize..10) {
            for text in [text, signs] {
                let _ = negated(&text, (start, start + length));
                let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let from = borders[start % borders.len()];
                let to = borders[(start + length) % borders.len()];
                let _ = negated(&text, (from, to));
            }
        }
    }
}
