//! Money: exact amounts, bounds and ranges, in fen.

use std::sync::LazyLock;

use regex::Regex;

use crate::nlu::numeral;
use crate::nlu::numeral::Figure;

/// How far 左右 reaches to both sides. Chosen by hand.
const ABOUT: f64 = 0.3;

/// Above this many fen nothing is a price; a hundred million yuan.
const FEN_MAX: f64 = 1e10;

/// A price or a room for one. At least one end is set, and `fen_min <= fen_max` where both are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// At least this many fen (1/100 yuan); `None` without a lower bound.
    pub fen_min: Option<u64>,
    /// At most this many fen; equal to `fen_min` for an exact amount, `None` without an upper bound.
    pub fen_max: Option<u64>,
}

/// The first sum of money in a text in normal form: `199元`, `99块9`, 一百二, `1k`, 一千以内, `200-300`.
///
/// A number counts with a currency, with a bound (以内, 不超过, 满, 左右) or as a range; without any of them
/// only when nothing else is said. `左右` leaves 30 % to both sides; 一百多 reaches to 200. A reduction
/// (`满300减50`) is read as its condition.
#[must_use]
pub fn money(said: &str) -> Option<Money> {
    FIGURE.find_iter(said).find_map(|found| money_at(said, found.start()))
}

/// A sum without its bounds.
struct Sum {
    figure: Figure,
    /// With a currency before or behind it.
    marked: bool,
    /// The numeral as written, without currency.
    numeral: String,
    /// One past its last byte.
    end: usize,
}

fn money_at(said: &str, start: usize) -> Option<Money> {
    let before = said[..start].trim_end();
    if before.ends_with(['第', '.', '-', '/', ':', '#'])
        || before.ends_with(|sign: char| sign.is_ascii_digit())
    {
        return None;
    }
    let sign = CURRENCY_SIGNS.iter().find(|sign| before.ends_with(**sign));
    let before = sign.map_or(before, |sign| before[..before.len() - sign.len()].trim_end());
    if sign.is_none() && said[..start].ends_with(|sign: char| sign.is_ascii_alphabetic()) {
        return None;
    }
    let mut sum = sum_at(said, start)?;
    sum.marked |= sign.is_some();
    let threshold = before.ends_with('满');
    let ranged = if threshold { None } else { range(said, &sum) };
    let is_range = ranged.is_some();
    let sum = ranged.unwrap_or(sum);
    let behind = said[sum.end..].trim_start();
    if !sum.marked && starts_other_unit(behind) {
        return None;
    }
    let bound = bound_before(before, &sum.numeral).or_else(|| bound_behind(behind));
    let bound = if sum.figure.about { bound.or(Some(Bound::About)) } else { bound };
    let only = before.is_empty() && behind.trim_matches(|sign: char| FILLERS.contains(sign)).is_empty();
    // 一起 and 满四免二 bound something else.
    let bounded_money = bound.is_some() && sum.figure.high >= 10.0;
    // 28-82 in an address is no price; 200-300的 is one.
    let priced =
        behind.starts_with(['的', '之', '价']) || before.ends_with(['价', '算', '在', '买', '要', '格']);
    let figure_says_money = sum.marked || bounded_money || (is_range && priced && sum.figure.low >= 10.0);
    (figure_says_money || only).then(|| bounded(sum.figure, bound))?
}

/// What a word beside a sum makes of it.
#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    AtLeast,
    About,
    /// A little more.
    Over,
}

fn bounded(figure: Figure, bound: Option<Bound>) -> Option<Money> {
    let (min, max) = match bound {
        None => (Some(figure.low), Some(figure.high)),
        Some(Bound::AtMost) => (None, Some(figure.high)),
        Some(Bound::AtLeast) => (Some(figure.low), None),
        Some(Bound::About) => (Some(figure.low * (1.0 - ABOUT)), Some(figure.high * (1.0 + ABOUT))),
        Some(Bound::Over) => (Some(figure.low), Some(figure.high * (1.0 + ABOUT))),
    };
    let fen = |yuan: f64| (yuan * 100.0).round();
    if min.or(max).is_none_or(|yuan| fen(yuan) > FEN_MAX) || max.is_some_and(|yuan| fen(yuan) > FEN_MAX) {
        return None;
    }
    Some(Money { fen_min: min.map(|yuan| fen(yuan) as u64), fen_max: max.map(|yuan| fen(yuan) as u64) })
}

/// 不超过, 满, 上(千), 大概: the words directly before a sum, particles between them left out.
fn bound_before(before: &str, numeral: &str) -> Option<Bound> {
    let before = before.trim_end_matches(['了', '过', '是', '在', ':', ' ']).trim_end();
    let spoken = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    // The final 过 of 不超过 was cut off above; 不低于 holds 低于 and 不超过 holds 超过, so the denied ones come first.
    if spoken(&["不低于", "不少于", "不小于", "别低于"]) {
        return Some(Bound::AtLeast);
    }
    if spoken(&[
        "不超",
        "别超",
        "不要超",
        "不能超",
        "不高于",
        "不大于",
        "不到",
        "低于",
        "少于",
        "小于",
        "便宜于",
    ]) || spoken(&["最多", "最高", "顶多", "至多", "控制", "预算", "上限", "<", "<=", "≤"])
    {
        return Some(Bound::AtMost);
    }
    if spoken(&["至少", "最少", "最低", "起码", "超", "高于", "大于", "多于", "满", ">", ">=", "≥"])
        || (spoken(&["上", "破", "成"]) && numeral.starts_with(['百', '千', '万']))
    {
        return Some(Bound::AtLeast);
    }
    spoken(&["大概", "大约", "约", "差不多", "将近", "接近"]).then_some(Bound::About)
}

fn bound_behind(behind: &str) -> Option<Bound> {
    let spoken = |words: &[&str]| words.iter().any(|word| behind.starts_with(word));
    if spoken(&["以内", "以下", "之内", "之下", "以里", "内", "封顶", "往下", "为限"]) {
        return Some(Bound::AtMost);
    }
    if spoken(&["以上", "之上", "往上", "朝上", "开外", "起", "打底"]) {
        return Some(Bound::AtLeast);
    }
    if spoken(&["出头"]) {
        return Some(Bound::Over);
    }
    spoken(&["左右", "上下", "附近", "前后", "样子", "差不多"]).then_some(Bound::About)
}

/// The sum together with a second one behind a dash; `None` where there is none, or where the second is lower
/// and so a reduction.
fn range(said: &str, first: &Sum) -> Option<Sum> {
    let rest = &said[first.end..];
    let dash = DASH.find(rest)?;
    let start = first.end + dash.end();
    let second = sum_at(said, start)?;
    // A third part makes it a date or a telephone number.
    let third = said[second.end..].starts_with(['-', '/', '.']);
    let leading_zero = first.numeral.len() > 1 && first.numeral.starts_with('0');
    if third || leading_zero {
        return None;
    }
    let scaled = numeral::between(&first.numeral, &second.numeral).filter(|_| !first.marked);
    let low = scaled.map_or(first.figure.low, |figure| figure.low);
    // 1-2k names the scale once.
    let (value, whole) = (numeral::figure(&second.numeral)?.low, second.figure.high);
    let low = if !first.marked && second.lettered(value) && low < 10.0 { low * whole / value } else { low };
    (low <= whole).then(|| Sum {
        figure: Figure { low, high: whole, about: false },
        marked: first.marked || second.marked,
        numeral: first.numeral.clone(),
        end: second.end,
    })
}

impl Sum {
    /// Whether a letter (`k`, `w`) multiplied the numeral.
    fn lettered(&self, value: f64) -> bool {
        value > 0.0 && self.figure.high >= value * 1000.0
    }
}

/// Reads one sum from `start` on: numeral, `k` or `w`, currency, and the small change behind it.
fn sum_at(said: &str, start: usize) -> Option<Sum> {
    let captures = SUM.captures(&said[start..])?;
    let part = |name: &str| captures.name(name).map(|found| found.as_str());
    let numeral = part("numeral")?.to_owned();
    let loose = part("loose").or_else(|| part("looser")).unwrap_or_default();
    let mut figure = numeral::figure(&format!("{numeral}{loose}")).or_else(|| numeral::figure(&numeral))?;
    let mut end = start + captures.get(0)?.end();
    if let Some(letter) = captures.name("letter") {
        let scale = if letter.as_str() == "k" { 1e3 } else { 1e4 };
        // 3kg is a weight.
        if said[start + letter.end()..].starts_with(|sign: char| sign.is_ascii_alphabetic())
            && part("unit").is_none()
        {
            return None;
        }
        let below = part("sub").and_then(|sub| sub.parse::<f64>().ok()).unwrap_or_default();
        let loose_room = if loose.is_empty() { 0.0 } else { scale };
        let low = figure.low * scale + below * scale / 10.0;
        figure = Figure {
            low,
            high: (figure.high * scale + below * scale / 10.0).max(low + loose_room),
            about: figure.about,
        };
    }
    let unit = part("unit");
    if !is_currency(&numeral, unit, loose, &said[end..]) {
        return None;
    }
    match unit {
        Some("毛" | "角") => {
            figure = figure.times(0.1);
            if let Some((change, length)) =
                CENTS.captures(&said[end..]).and_then(|cents| change(&cents, &said[end..]))
            {
                figure = plus(figure, change);
                end += length;
            }
        }
        Some("分钱") => figure = figure.times(0.01),
        Some(unit) if unit.starts_with(['块', '元', '圆']) && loose.is_empty() && unit != "块钱" => {
            if let Some((change, length)) =
                CHANGE.captures(&said[end..]).and_then(|found| change(&found, &said[end..]))
            {
                figure = plus(figure, change);
                end += length;
                end += if said[end..].starts_with('钱') { '钱'.len_utf8() } else { 0 };
            }
        }
        _ => {}
    }
    Some(Sum { figure, marked: unit.is_some(), numeral: format!("{numeral}{loose}"), end })
}

/// Whether what stands behind the numeral is what it looks like, and not a part of another word: 灰色三角, 三毛衣,
/// 一块吃, 退40来着, 送一把.
fn is_currency(numeral: &str, unit: Option<&str>, loose: &str, behind: &str) -> bool {
    match unit {
        Some("角") => {
            behind.is_empty()
                || behind
                    .starts_with(|sign: char| !sign.is_alphabetic() || "钱一二三四五六七八九".contains(sign))
        }
        Some("毛") => {
            !behind.starts_with(['线', '衣', '巾', '毯', '绒', '笔', '孩', '呢', '领', '衫', '裤', '球'])
        }
        Some("块") if numeral == "一" => !behind.starts_with([
            '吃', '寄', '发', '退', '儿', '买', '用', '去', '来', '走', '下', '给', '拍', '换', '送', '洗',
        ]),
        None if loose == "来" => !behind.starts_with('着'),
        None if loose == "把" => false,
        _ => true,
    }
}

fn plus(figure: Figure, yuan: f64) -> Figure {
    Figure { low: figure.low + yuan, high: figure.high + yuan, about: figure.about }
}

/// Small change behind 块 (9, `95`, 5毛, 5角2分) or behind 毛, in yuan, with its length in bytes; `None` where
/// the figure counts something else: 99元2件.
fn change(captures: &regex::Captures<'_>, text: &str) -> Option<(f64, usize)> {
    let digits = |name: &str| captures.name(name).map(|found| found.as_str());
    let figure = digits("first")?;
    let length = captures.get(0)?.end();
    if figure == "半" {
        return settled(&text[length..], false).then_some((0.5, length));
    }
    let plain: String = figure.chars().map(arabic).collect::<Option<_>>()?;
    let value: f64 = plain.parse().ok()?;
    let fen = digits("fen").map(|fen| fen.chars().filter_map(arabic).collect::<String>());
    let fen = fen.and_then(|fen| fen.parse::<f64>().ok()).unwrap_or_default();
    if digits("jiao").is_some() {
        return Some((value / 10.0 + fen / 100.0, length));
    }
    let named = digits("named").is_some();
    let arabic_digits = figure.starts_with(|sign: char| sign.is_ascii_digit());
    if !named && !settled(&text[length..], arabic_digits) {
        return None;
    }
    let yuan =
        if captures.name("cents").is_some() || plain.len() == 2 { value / 100.0 } else { value / 10.0 };
    Some((yuan, length))
}

/// Whether a figure behind 块 is small change by what follows. Behind digits nearly everything may follow but
/// a measure word; behind a Chinese numeral (两百块一共) only what ends a price.
fn settled(behind: &str, arabic_digits: bool) -> bool {
    let Some(next) = behind.chars().next() else { return true };
    if !next.is_alphanumeric() || behind.starts_with("包邮") {
        return true;
    }
    if arabic_digits {
        return !next.is_ascii_alphanumeric() && !COUNTED.contains(next) && !"十百千万".contains(next);
    }
    "的吗呢了吧啊钱左以之内起能是可太有贵便".contains(next)
}

fn arabic(sign: char) -> Option<char> {
    match sign {
        '0'..='9' => Some(sign),
        _ => "零一二三四五六七八九"
            .chars()
            .position(|one| one == sign)
            .and_then(|value| char::from_digit(value as u32, 10)),
    }
}

/// Whether a bare number is followed by what it counts, so that it is no money.
fn starts_other_unit(behind: &str) -> bool {
    behind.chars().next().is_some_and(|next| {
        next.is_ascii_alphanumeric() || next == '%' || next == ':' || COUNTED.contains(next)
    }) && !behind.starts_with("上下")
        && !behind.starts_with("包邮")
}

/// What follows a number that is not money.
const COUNTED: &str = "件套双条个只顶箱包打对把盒份张瓶袋桶卷片支本台部组斤公克千米寸尺码号天年月日周小分秒点次人岁折倍升毫厘瓦度层楼平多工";

const CURRENCY_SIGNS: &[&str] = &["¥", "￥", "$", "rmb"];

/// Particles that may stand behind a number that is all that was said.
const FILLERS: &str = "的吗呢吧啊了钱,.。?? !!~";

static FIGURE: LazyLock<Regex> = LazyLock::new(|| Regex::new(numeral::NUMBER).expect("a fixed expression"));

static DASH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"^\s?{}\s?[¥￥$]?\s?", numeral::RANGE)).expect("a fixed expression")
});

static SUM: LazyLock<Regex> = LazyLock::new(|| {
    let (number, loose) = (numeral::NUMBER, "[多余来把]");
    let unit = "块钱|元钱|块|元|圆|人民币|rmb|大洋|毛|角|分钱";
    let expression = format!(
        r"^(?P<numeral>{number})(?:(?P<letter>[kw])(?P<sub>\d)?)?(?P<loose>{loose})?\s?(?P<unit>{unit})?(?P<looser>[多])?"
    );
    Regex::new(&expression).expect("a fixed expression")
});

static CHANGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:零(?P<cents>))?(?P<first>\d{1,2}|[一二三四五六七八九]{1,2}|半)(?:(?P<jiao>[毛角])(?:(?P<fen>[\d一二三四五六七八九])分?)?|(?P<named>分))?",
    )
    .expect("a fixed expression")
});

static CENTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?P<cents>)(?P<first>[\d一二三四五六七八九])(?P<named>分)?").expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, min: Option<u64>, max: Option<u64>) {
        let found = money(said).map(|money| (money.fen_min, money.fen_max));
        assert_eq!(found, Some((min, max)), "{said}");
    }

    #[test]
    fn exact_sums() {
        for (said, fen) in [
            ("199元", 19_900),
            ("199", 19_900),
            ("199.5块", 19_950),
            ("99块9", 9_990),
            ("99块9包邮", 9_990),
            ("99块9一件", 9_990),
            ("99块95", 9_995),
            ("9块05", 905),
            ("9块零5分", 905),
            ("99元2件", 9_900),
            ("两百块", 20_000),
            ("两百块一件", 20_000),
            ("两百块一共", 20_000),
            ("两百块钱", 20_000),
            ("一百二", 12_000),
            ("一百二的", 12_000),
            ("三千五", 350_000),
            ("1k", 100_000),
            ("1k5", 150_000),
            ("2w", 2_000_000),
            ("1.5万", 1_500_000),
            ("1万2", 1_200_000),
            ("¥59.9", 5_990),
            ("¥ 59.9", 5_990),
            ("rmb199", 19_900),
            ("1,299元", 129_900),
            ("五毛", 50),
            ("5毛5", 55),
            ("3块5毛", 350),
            ("三块五", 350),
            ("三块五毛钱", 350),
            ("三块半", 350),
            ("3元5角2分", 352),
            ("多少钱?199块吗", 19_900),
            ("0元", 0),
            ("五块九毛九", 599),
            ("二百五十块", 25_000),
        ] {
            check(said, Some(fen), Some(fen));
        }
    }

    #[test]
    fn bounds() {
        for (said, min, max) in [
            ("一千以内", None, Some(100_000)),
            ("200 以内", None, Some(20_000)),
            ("200块钱以内", None, Some(20_000)),
            ("两百块以下", None, Some(20_000)),
            ("300内", None, Some(30_000)),
            ("不超过500", None, Some(50_000)),
            ("价格不要超过500块", None, Some(50_000)),
            ("最多三百", None, Some(30_000)),
            ("预算300", None, Some(30_000)),
            ("预算在500", None, Some(50_000)),
            ("低于1k", None, Some(100_000)),
            ("不到300", None, Some(30_000)),
            ("50以上", Some(5_000), None),
            ("99.9元以上", Some(9_990), None),
            ("超过500", Some(50_000), None),
            ("不低于200", Some(20_000), None),
            ("满300", Some(30_000), None),
            ("满300减50", Some(30_000), None),
            ("满300-50", Some(30_000), None),
            ("满了199元", Some(19_900), None),
            ("上千块", Some(100_000), None),
            ("199起", Some(19_900), None),
            ("300左右", Some(21_000), Some(39_000)),
            ("100块上下", Some(7_000), Some(13_000)),
            ("大概200块", Some(14_000), Some(26_000)),
            ("百来块", Some(7_000), Some(13_000)),
            ("千把块", Some(70_000), Some(130_000)),
        ] {
            check(said, min, max);
        }
    }

    #[test]
    fn ranges() {
        for (said, min, max) in [
            ("200-300", 20_000, 30_000),
            ("200 - 300", 20_000, 30_000),
            ("200到300之间的衬衫", 20_000, 30_000),
            ("200块到300块", 20_000, 30_000),
            ("¥200-¥300", 20_000, 30_000),
            ("两三百", 20_000, 30_000),
            ("两三百块", 20_000, 30_000),
            ("一到两百", 10_000, 20_000),
            ("1-2k", 100_000, 200_000),
            ("2-300块", 20_000, 30_000),
            ("100多", 10_000, 20_000),
            ("一百多块", 10_000, 20_000),
            ("100块多", 10_000, 20_000),
            ("十几块", 1_000, 2_000),
            ("几百块", 20_000, 100_000),
            ("三五百", 30_000, 50_000),
            ("一千出头", 100_000, 130_000),
        ] {
            check(said, Some(min), Some(max));
        }
    }

    #[test]
    fn other_figures_are_no_money() {
        for said in [
            "",
            "50件",
            "3天以内",
            "不超过3天",
            "身高175",
            "7天左右",
            "3kg以内",
            "2026-11-22",
            "0571-88888888",
            "第3",
            "第200",
            "几",
            "38码",
            "三点以上",
            "满3件",
            "衬衫300",
            "99999999999以内",
            "50%以上",
            "xl1",
            "5分",
            "一个",
            "买一送一",
            "发票一起寄",
            "满四免二",
            "送一把",
            "海濂路28-82金鹰",
            "灰色三角形",
            "一块吃",
            "退40来着",
        ] {
            assert_eq!(money(said), None, "{said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(said in ".*", signs in "[一两三五半百千万几多来满不超过块元毛角分钱以内上左右0-9.,kw¥ -]{0,14}") {
            for said in [said, signs] {
                if let Some(found) = money(&said) {
                    proptest::prop_assert!(found.fen_min.is_some() || found.fen_max.is_some());
                    if let (Some(min), Some(max)) = (found.fen_min, found.fen_max) {
                        proptest::prop_assert!(min <= max, "{said}");
                    }
                }
            }
        }
    }
}
