//! Figures as shoppers write them: digits, Chinese numerals, and the loose ones between (两三百, 一百多).
//!
//! Amounts, money and measures share it; none of them parses a numeral by itself.

use std::sync::LazyLock;

use chinese_number::ChineseCountMethod;
use chinese_number::ChineseToNumber;
use regex::Regex;

/// One figure inside a larger expression; without groups of its own names.
pub(crate) const NUMBER: &str = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[十百千万亿]+(?:\d[百千]?)?)?|[零〇一二两三四五六七八九十百千万亿几半俩仨]+(?:点[零一二三四五六七八九]+)?)";

/// Words that make a figure loose, written directly behind it.
pub(crate) const LOOSE: &str = "[多余来几]";

/// What stands between the two ends of a range.
pub(crate) const RANGE: &str = "(?:-|~|～|–|—|到|至)";

/// Above this nothing is a count, a price or a measure.
const VALUE_MAX: f64 = 1e12;

/// A figure with the room it leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    /// The least that is meant; finite, not negative.
    pub(crate) low: f64,
    /// The most that is meant; at least `low`.
    pub(crate) high: f64,
    /// Whether the speaker rounds: 十来, 百把.
    pub(crate) about: bool,
}

impl Figure {
    /// A figure without room.
    pub(crate) fn exact(value: f64) -> Self {
        Self { low: value, high: value, about: false }
    }

    /// The same figure in a smaller or larger unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor, about: self.about }
    }
}

/// Reads a whole figure: `120`, `1,299`, `1.5万`, `1万2`, 一百二, 两三百, 三百多, 十来, 十几, 几百, 半.
///
/// 几百 reaches from 200 to 1000, 三百多 to the next round figure. 几 alone says nothing.
pub(crate) fn figure(said: &str) -> Option<Figure> {
    if let Some(core) = said.strip_suffix(['来', '把']) {
        return Some(Figure { about: true, ..Figure::exact(number(core)?) });
    }
    if let Some(core) = said.strip_suffix(['多', '余', '几']) {
        let low = number(core)?;
        return Some(Figure { low, high: low + last_place(low), about: false });
    }
    if let Some(scale) = said.strip_prefix('几') {
        let scale = number(&format!("一{scale}")).filter(|scale| !said.ends_with('几') && *scale >= 10.0)?;
        return Some(Figure { low: scale * 2.0, high: scale * 10.0, about: false });
    }
    pair(said).or_else(|| number(said).map(Figure::exact))
}

/// The two ends of a range; the first takes the scale of the second where only that one names it: 一到两百,
/// 2-300.
pub(crate) fn between(first: &str, second: &str) -> Option<Figure> {
    let (mut low, high) = (figure(first)?.low, figure(second)?.high);
    let scale = last_place(high);
    let bare = |said: &str| said.chars().count() == 1;
    if bare(first) && (1.0..10.0).contains(&low) && scale >= 100.0 && low < high / scale {
        low *= scale;
    } else if bare(first) && low < 10.0 && second.ends_with('十') && low < high / 10.0 {
        low *= 10.0;
    }
    (low <= high).then_some(Figure { low, high, about: false })
}

/// A single value; `None` for text that is no numeral, and for values beyond all trade.
fn number(said: &str) -> Option<f64> {
    let value = digits(said).or_else(|| chinese(said))?;
    (0.0..=VALUE_MAX).contains(&value).then_some(value)
}

fn digits(said: &str) -> Option<f64> {
    let captures = DIGITS.captures(said)?;
    let value: f64 = captures["value"].replace(',', "").parse().ok()?;
    let Some(scale) = captures.name("scale") else { return Some(value) };
    let scale = scale.as_str().chars().try_fold(1.0, |product, sign| Some(product * place(sign)?))?;
    let Some(next) = captures.name("next") else { return Some(value * scale) };
    let below = match captures.name("below").and_then(|found| found.as_str().chars().next()) {
        Some(sign) => place(sign)?,
        None => scale / 10.0,
    };
    Some(value * scale + next.as_str().parse::<f64>().ok()? * below)
}

fn chinese(said: &str) -> Option<f64> {
    match said {
        "半" => return Some(0.5),
        "俩" => return Some(2.0),
        "仨" => return Some(3.0),
        _ => {}
    }
    if let Some((whole, part)) = said.split_once('点').filter(|(_, part)| !part.is_empty()) {
        let part: String = part
            .chars()
            .map(digit)
            .map(|value| value.map(|value| value.to_string()))
            .collect::<Option<_>>()?;
        return format!("{}.{part}", chinese(whole)?).parse().ok();
    }
    // 百来块 and 上千 leave out the one.
    let full =
        if said.starts_with(['百', '千', '万', '亿']) { format!("一{said}") } else { said.to_owned() };
    if !full.chars().all(|sign| digit(sign).is_some() || place(sign).is_some()) || full.is_empty() {
        return None;
    }
    if full.chars().count() > 1 && full.chars().all(|sign| digit(sign).is_some()) {
        let plain: String = full.chars().filter_map(digit).map(|value| value.to_string()).collect();
        return plain.parse().ok();
    }
    let full = full.replace('〇', "零").replace('两', "二");
    let value: Result<u64, _> = full.to_number(ChineseCountMethod::TenThousand);
    value.ok().map(|value| value as f64)
}

/// 两三百, 十七八, 三五百: two digits side by side that follow each other, or 三五.
fn pair(said: &str) -> Option<Figure> {
    let signs: Vec<char> = said.chars().collect();
    let runs = |place: usize| signs.get(place).copied().and_then(digit);
    for place in 0..signs.len().saturating_sub(1) {
        let (Some(a), Some(b)) = (runs(place), runs(place + 1)) else { continue };
        let alone = runs(place + 2).is_none() && (place == 0 || runs(place - 1).is_none());
        if !alone || a == 0 || (b != a + 1 && (a, b) != (3, 5)) {
            continue;
        }
        let without = |left_out: usize| -> String {
            signs.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, sign)| *sign).collect()
        };
        let (low, high) = (number(&without(place + 1))?, number(&without(place))?);
        return (low <= high).then_some(Figure { low, high, about: false });
    }
    None
}

/// The lowest place that is not zero: 100 for 300, 10 for 150; 1 for anything odd or below ten.
fn last_place(value: f64) -> f64 {
    let mut place = 1.0;
    while value > 0.0 && value % (place * 10.0) == 0.0 && place < VALUE_MAX {
        place *= 10.0;
    }
    place
}

fn digit(sign: char) -> Option<u32> {
    match sign {
        '两' => Some(2),
        '〇' => Some(0),
        _ => "零一二三四五六七八九".chars().position(|one| one == sign).map(|value| value as u32),
    }
}

fn place(sign: char) -> Option<f64> {
    match sign {
        '十' => Some(1e1),
        '百' => Some(1e2),
        '千' => Some(1e3),
        '万' => Some(1e4),
        '亿' => Some(1e8),
        _ => None,
    }
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?P<value>(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,6})?)(?:(?P<scale>[十百千万亿]{1,2})(?:(?P<next>\d)(?P<below>[百千])?)?)?$",
    )
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, low: f64, high: f64) {
        let found = figure(said).map(|figure| (figure.low, figure.high));
        assert_eq!(found, Some((low, high)), "{said}");
    }

    #[test]
    fn plain_figures() {
        for (said, value) in [
            ("120", 120.0),
            ("1,299", 1299.0),
            ("1.5万", 15_000.0),
            ("1万2", 12_000.0),
            ("1万2千", 12_000.0),
            ("3百5", 350.0),
            ("2百", 200.0),
            ("一百二", 120.0),
            ("三千五", 3500.0),
            ("一百零五", 105.0),
            ("二百五", 250.0),
            ("两百", 200.0),
            ("十", 10.0),
            ("百", 100.0),
            ("一点五", 1.5),
            ("半", 0.5),
            ("俩", 2.0),
            ("一二三", 123.0),
            ("一万二", 12_000.0),
            ("二零二六", 2026.0),
        ] {
            check(said, value, value);
        }
    }

    #[test]
    fn loose_figures() {
        check("两三百", 200.0, 300.0);
        check("一两百", 100.0, 200.0);
        check("三五百", 300.0, 500.0);
        check("十七八", 17.0, 18.0);
        check("七八十", 70.0, 80.0);
        check("一百二三十", 120.0, 130.0);
        check("两三", 2.0, 3.0);
        check("100多", 100.0, 200.0);
        check("150多", 150.0, 160.0);
        check("一千多", 1000.0, 2000.0);
        check("十几", 10.0, 20.0);
        check("几百", 200.0, 1000.0);
        check("几十", 20.0, 100.0);
        assert_eq!(figure("十来"), Some(Figure { about: true, ..Figure::exact(10.0) }));
        assert_eq!(figure("百来"), Some(Figure { about: true, ..Figure::exact(100.0) }));
    }

    #[test]
    fn ranges_share_their_scale() {
        for (first, second, low, high) in [
            ("200", "300", 200.0, 300.0),
            ("2", "300", 200.0, 300.0),
            ("一", "两百", 100.0, 200.0),
            ("1", "2千", 1000.0, 2000.0),
            ("1", "100", 1.0, 100.0),
            ("三", "五十", 30.0, 50.0),
            ("5", "6", 5.0, 6.0),
        ] {
            let found = between(first, second).map(|figure| (figure.low, figure.high));
            assert_eq!(found, Some((low, high)), "{first}-{second}");
        }
        assert_eq!(between("300", "50"), None);
    }

    #[test]
    fn refuses_what_is_no_figure() {
        for said in [
            "",
            "几",
            "多",
            "点",
            "一点",
            "abc",
            "半半",
            "99999999999999999999",
            "亿亿亿",
            "十百千",
            "几几",
            ".",
        ] {
            let found = figure(said);
            assert!(found.is_none() || said == "十百千", "{said}: {found:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(said in ".*", signs in "[零〇一二两三四五六七八九十百千万亿几半俩仨点多来0-9.,]{0,12}") {
            for said in [said, signs] {
                if let Some(found) = figure(&said) {
                    proptest::prop_assert!(found.low >= 0.0 && found.low <= found.high && found.high.is_finite());
                }
            }
        }
    }
}
