//! Measures: the buyer's body, and the size, volume and power of goods.

use std::sync::LazyLock;

use regex::Captures;
use regex::Regex;

use crate::nlu::numeral;

/// Half a kilogram.
const JIN_KG: f64 = 0.5;

/// The Chinese foot.
const CHI_CM: f64 = 100.0 / 3.0;

/// The inch, which is what 寸 means for suitcases, screens and trousers.
const INCH_CM: f64 = 2.54;

/// A bare body weight from here on is in 斤, below it in kg. Chosen by hand: few adults weigh less than 40 kg
/// or say `85` and mean kg.
const BARE_JIN_MIN: f64 = 80.0;

/// What a measure is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MeasureKind {
    /// The buyer's height, in cm.
    Height,
    /// The buyer's weight, in kg.
    Weight,
    /// Waist, in cm.
    Waist,
    /// Chest or bust, in cm.
    Chest,
    /// Hip, in cm.
    Hip,
    /// Shoulder, in cm.
    Shoulder,
    /// Length of the foot, in cm.
    Foot,
    /// Length, width or height of goods, in cm.
    Length,
    /// Weight of goods, in kg.
    Mass,
    /// Volume, in ml.
    Volume,
    /// Electrical power, in w.
    Power,
    /// Charge of a battery, in mah.
    Charge,
}

/// A measure in the unit of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// What was measured.
    pub kind: MeasureKind,
    /// How much, in `unit`, above 0, to two decimals. Of a range the lower end.
    pub value: f64,
    /// `cm`, `kg`, `ml`, `w` or `mah`.
    pub unit: &'static str,
}

impl Measure {
    fn new(kind: MeasureKind, value: f64) -> Option<Self> {
        let unit = match kind {
            MeasureKind::Weight | MeasureKind::Mass => "kg",
            MeasureKind::Volume => "ml",
            MeasureKind::Power => "w",
            MeasureKind::Charge => "mah",
            MeasureKind::Height
            | MeasureKind::Waist
            | MeasureKind::Chest
            | MeasureKind::Hip
            | MeasureKind::Shoulder
            | MeasureKind::Foot
            | MeasureKind::Length => "cm",
        };
        let value = (value * 100.0).round() / 100.0;
        (value > 0.0 && value < 1e7).then_some(Self { kind, value, unit })
    }
}

/// The first measure in a text in normal form; see [`measures`].
#[must_use]
pub fn measure(said: &str) -> Option<Measure> {
    measures(said).into_iter().next()
}

/// All measures in a text in normal form, in order: 一米七, `1米68`, 身高168, `130斤`, 腰围2尺1, 脚长25.5,
/// `1.5升`, `20寸`, `175 130`.
///
/// Without a label, 140 to 210 cm are a height, 40 to 400 斤 and 25 to 200 kg a body weight, 尺 with a further
/// digit a waist; other lengths and weights are those of goods. A bare number is a height or a weight only
/// where nothing but such numbers is said, or behind the label.
#[must_use]
pub fn measures(said: &str) -> Vec<Measure> {
    if let Some(found) = bare(said) {
        return found;
    }
    let mut found = Vec::new();
    if let Some(three) = THREE.captures(said) {
        let kinds = [MeasureKind::Chest, MeasureKind::Waist, MeasureKind::Hip];
        let values =
            [1, 2, 3].map(|group| three.get(group).and_then(|value| value.as_str().parse::<f64>().ok()));
        found.extend(kinds.into_iter().zip(values).filter_map(|(kind, value)| Measure::new(kind, value?)));
    }
    // Of a label only the next figure is meant: in 身高175体重130 each has its own.
    found.extend(MEASURED.captures_iter(said).filter_map(|captures| {
        let whole = captures.get(0)?;
        let runs_on = |sign: Option<char>| {
            sign.is_some_and(|sign| sign != 'x' && sign.is_ascii_alphanumeric() || sign == '.')
        };
        let inside = captures.name("label").is_none() && runs_on(said[..whole.start()].chars().next_back());
        let behind = said[whole.end()..].chars().next().filter(|sign| sign.is_ascii_alphanumeric());
        // 10cmx20cm is two measures, 2000 led none.
        let cut = behind.is_some_and(|sign| {
            sign.is_ascii_digit()
                || sign != 'x' && whole.as_str().ends_with(|last: char| last.is_ascii_alphabetic())
        });
        if inside || cut {
            return None;
        }
        read(&captures, &said[whole.end()..])
    }));
    let weighed = found.iter().any(|one| one.kind == MeasureKind::Weight);
    for one in &mut found {
        // 1.8米 150斤 is a person, 1.8米 alone a bed.
        if weighed && one.kind == MeasureKind::Length && (140.0..=210.0).contains(&one.value) {
            one.kind = MeasureKind::Height;
        }
    }
    if weighed && found.iter().all(|one| one.kind != MeasureKind::Height) {
        let height = BEFORE_WEIGHT.captures(said).and_then(|captures| captures.get(1)?.as_str().parse().ok());
        found.splice(0..0, height.and_then(|height| Measure::new(MeasureKind::Height, height)));
    }
    found
}

/// `175`, `175 130`, `165/50`: nothing but a height and perhaps a weight.
fn bare(said: &str) -> Option<Vec<Measure>> {
    let captures = BARE.captures(said)?;
    let height: f64 = captures.get(1)?.as_str().parse().ok()?;
    let height =
        Measure::new(MeasureKind::Height, height).filter(|one| (140.0..=210.0).contains(&one.value))?;
    let Some(weight) = captures.get(2) else { return Some(vec![height]) };
    let weight: f64 = weight.as_str().parse().ok()?;
    Some(vec![height, Measure::new(MeasureKind::Weight, bare_weight_kg(weight))?])
}

fn bare_weight_kg(value: f64) -> f64 {
    if value >= BARE_JIN_MIN { value * JIN_KG } else { value }
}

fn read(captures: &Captures<'_>, behind: &str) -> Option<Measure> {
    let part = |name: &str| captures.name(name).map(|found| found.as_str());
    let figure = |name: &str| part(name).and_then(numeral::figure).map(|figure| figure.low);
    let label = part("label").and_then(labelled);
    if let Some(metres) = figure("metres") {
        let cm = metres * 100.0 + figure_below(part("cm").unwrap_or_default())?;
        let kind = label.unwrap_or(if (120.0..=220.0).contains(&cm) {
            MeasureKind::Height
        } else {
            MeasureKind::Length
        });
        return Measure::new(kind, cm);
    }
    if let Some(chi) = figure("chi") {
        let cun = figure("cun").filter(|cun| *cun < 10.0);
        let cm = (chi + cun.unwrap_or_default() / 10.0) * CHI_CM;
        let waist = cun.is_some() && (50.0..=125.0).contains(&cm);
        return Measure::new(
            label.unwrap_or(if waist { MeasureKind::Waist } else { MeasureKind::Length }),
            cm,
        );
    }
    let value = figure("value")?;
    let said_unit = part("unit");
    let (kind, canonical) = match said_unit {
        Some("cm" | "厘米" | "公分") => length(label, value, behind),
        Some("mm" | "毫米") => (label.unwrap_or(MeasureKind::Length), value / 10.0),
        Some("m" | "米") => metres(label, value, part("value")?),
        Some("寸" | "英寸") => (label.unwrap_or(MeasureKind::Length), value * INCH_CM),
        Some("kg" | "公斤" | "千克") => weight(label, value),
        Some("斤") => weight(label, value * JIN_KG),
        Some("g" | "克") => (MeasureKind::Mass, value / 1000.0),
        Some("ml" | "毫升" | "cc") => (MeasureKind::Volume, value),
        Some("l" | "升" | "公升") => (MeasureKind::Volume, value * 1000.0),
        Some("w" | "瓦") => (MeasureKind::Power, value),
        Some("kw" | "千瓦") => (MeasureKind::Power, value * 1000.0),
        Some("mah" | "毫安时" | "毫安") => (MeasureKind::Charge, value),
        // 最高300元 and 腰带2条 count something else.
        _ if behind.starts_with(NOT_MEASURED) => return None,
        _ => unlabelled_unit(label?, value)?,
    };
    Measure::new(kind, canonical)
}

/// The 七, 68 or 六五 behind 米: one digit counts tenths of a metre.
fn figure_below(said: &str) -> Option<f64> {
    let value = numeral::figure(said)?.low;
    Some(if said.chars().count() == 1 && value < 10.0 { value * 10.0 } else { value })
}

fn length(label: Option<MeasureKind>, cm: f64, behind: &str) -> (MeasureKind, f64) {
    let of_goods = behind.starts_with(['宽', '长', '深', '厚', '*', 'x']) || behind.starts_with("的");
    let tall = (140.0..=210.0).contains(&cm) && !of_goods;
    (label.unwrap_or(if tall { MeasureKind::Height } else { MeasureKind::Length }), cm)
}

/// `1.75米` is a person's height; `1.8米` may be a bed's width.
fn metres(label: Option<MeasureKind>, metres: f64, said: &str) -> (MeasureKind, f64) {
    let to_the_cm = said.split_once(['.', '点']).is_some_and(|(_, places)| places.chars().count() == 2);
    let tall = to_the_cm && (1.4..=2.1).contains(&metres);
    (label.unwrap_or(if tall { MeasureKind::Height } else { MeasureKind::Length }), metres * 100.0)
}

fn weight(label: Option<MeasureKind>, kg: f64) -> (MeasureKind, f64) {
    let human = (20.0..=200.0).contains(&kg);
    let kind = label.filter(|kind| matches!(kind, MeasureKind::Weight | MeasureKind::Mass));
    (kind.unwrap_or(if human { MeasureKind::Weight } else { MeasureKind::Mass }), kg)
}

/// A figure behind a label, without a unit; `None` where no such measure is that large or small.
fn unlabelled_unit(kind: MeasureKind, value: f64) -> Option<(MeasureKind, f64)> {
    let canonical = match kind {
        MeasureKind::Height if value < 3.0 => value * 100.0,
        MeasureKind::Weight => bare_weight_kg(value),
        // 255 is in mm.
        MeasureKind::Foot if value >= 100.0 => value / 10.0,
        // 32 is in inches.
        MeasureKind::Waist if value < 45.0 => value * INCH_CM,
        MeasureKind::Height
        | MeasureKind::Foot
        | MeasureKind::Waist
        | MeasureKind::Chest
        | MeasureKind::Hip
        | MeasureKind::Shoulder
        | MeasureKind::Length => value,
        MeasureKind::Mass | MeasureKind::Volume | MeasureKind::Power | MeasureKind::Charge => return None,
    };
    let likely = match kind {
        MeasureKind::Height => 40.0..=230.0,
        MeasureKind::Weight => 3.0..=250.0,
        MeasureKind::Foot => 8.0..=35.0,
        MeasureKind::Waist | MeasureKind::Chest | MeasureKind::Hip => 40.0..=180.0,
        MeasureKind::Shoulder => 20.0..=70.0,
        MeasureKind::Length => 5.0..=300.0,
        MeasureKind::Mass | MeasureKind::Volume | MeasureKind::Power | MeasureKind::Charge => return None,
    };
    likely.contains(&canonical).then_some((kind, canonical))
}

fn labelled(said: &str) -> Option<MeasureKind> {
    LABELS.iter().find(|(_, words)| words.contains(&said)).map(|(kind, _)| *kind)
}

/// What follows a figure without a unit that is no measure.
const NOT_MEASURED: &[char] =
    &['元', '块', '件', '条', '个', '套', '双', '只', '码', '号', '天', '月', '年', '点', '%', '折', '次'];

const LABELS: &[(MeasureKind, &[&str])] = &[
    (MeasureKind::Height, &["身高", "个子", "净身高", "本人高", "我高"]),
    (MeasureKind::Weight, &["体重", "重量是我", "我重", "人重"]),
    (MeasureKind::Waist, &["腰围", "腰"]),
    (MeasureKind::Chest, &["胸围", "上胸围", "胸"]),
    (MeasureKind::Hip, &["臀围", "臀"]),
    (MeasureKind::Shoulder, &["肩宽", "肩"]),
    (MeasureKind::Foot, &["脚长", "脚"]),
    (
        MeasureKind::Length,
        &["衣长", "裤长", "裙长", "袖长", "内长", "鞋内长", "长", "宽", "高", "厚", "深", "直径", "跟高"],
    ),
    (MeasureKind::Mass, &["净重", "毛重", "重量", "净含量"]),
];

static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(\d{3})(?:[\s/,，、-]+(\d{2,3}))?\s*(?:的|吧|穿.{0,6})?\s*[?？]?$")
        .expect("a fixed expression")
});

/// The bare height of 159,102斤.
static BEFORE_WEIGHT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^\d.])(1[4-9]\d|20\d)[\s/,，、]+\d{2,3}(?:\.\d)?\s?(?:斤|kg|公斤)")
        .expect("a fixed expression")
});

static THREE: LazyLock<Regex> = LazyLock::new(|| {
    let value = r"(\d{2,3}(?:\.\d)?)";
    Regex::new(&format!(r"三围\s?(?:是|:)?\s?{value}[\s,，/、-]+{value}[\s,，/、-]+{value}"))
        .expect("a fixed expression")
});

static MEASURED: LazyLock<Regex> = LazyLock::new(|| {
    let mut labels: Vec<&str> = LABELS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.len()));
    let labels = labels.join("|");
    let number = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百千半]+(?:点[零一二三四五六七八九]+)?)";
    let chinese = "零一二三四五六七八九";
    Regex::new(&format!(
        r"(?:(?P<label>{labels})(?:大概|大约|差不多|只有|才|约|有|是|在|:)?\s?)?(?:(?P<metres>\d|[一二两])\s?(?:米|m)(?P<cm>\d{{1,2}}|[{chinese}]?十[{chinese}]?|[{chinese}]{{1,2}})|(?P<chi>\d(?:\.\d+)?|[一二两三四五])尺(?:(?P<cun>\d|[{chinese}])寸?)?|(?P<value>{number})(?:[-~到至]{number})?(?:多|来|几)?\s?(?P<unit>cm|厘米|公分|mm|毫米|mah|毫安时|毫安|ml|毫升|cc|kg|公斤|千克|kw|千瓦|公升|英寸|m|米|寸|斤|g|克|l|升|w|瓦)?)"
    ))
    .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: &[(MeasureKind, f64)]) {
        let found: Vec<(MeasureKind, f64)> = measures(said).iter().map(|one| (one.kind, one.value)).collect();
        assert_eq!(found, expected, "{said}");
    }

    #[test]
    fn measures_of_the_buyer() {
        use MeasureKind::*;
        for (said, kind, value) in [
            ("一米七", Height, 170.0),
            ("一米六五", Height, 165.0),
            ("一米六十五", Height, 165.0),
            ("1米68", Height, 168.0),
            ("1米7", Height, 170.0),
            ("1m75", Height, 175.0),
            ("1.75米", Height, 175.0),
            ("1.75m", Height, 175.0),
            ("身高168", Height, 168.0),
            ("身高是1.8米", Height, 180.0),
            ("身高1.8", Height, 180.0),
            ("身高一百七", Height, 170.0),
            ("175", Height, 175.0),
            ("175cm", Height, 175.0),
            ("宝宝身高90", Height, 90.0),
            ("130斤", Weight, 65.0),
            ("一百三十斤", Weight, 65.0),
            ("130多斤", Weight, 65.0),
            ("65公斤", Weight, 65.0),
            ("65kg", Weight, 65.0),
            ("65 kg", Weight, 65.0),
            ("120-130斤", Weight, 60.0),
            ("体重120", Weight, 60.0),
            ("体重一百二", Weight, 60.0),
            ("体重50", Weight, 50.0),
            ("体重是35斤", Weight, 17.5),
            ("腰围2尺1", Waist, 70.0),
            ("腰围2尺1寸", Waist, 70.0),
            ("二尺一的腰", Waist, 70.0),
            ("2尺1", Waist, 70.0),
            ("腰围70", Waist, 70.0),
            ("腰围72cm", Waist, 72.0),
            ("腰围2.1尺", Waist, 70.0),
            ("腰围30", Waist, 76.2),
            ("胸围90", Chest, 90.0),
            ("臀围95", Hip, 95.0),
            ("肩宽40", Shoulder, 40.0),
            ("脚长25.5", Foot, 25.5),
            ("脚长25.5cm", Foot, 25.5),
            ("脚长255", Foot, 25.5),
            ("脚长255mm", Foot, 25.5),
        ] {
            check(said, &[(kind, value)]);
        }
    }

    #[test]
    fn measures_of_goods() {
        use MeasureKind::*;
        for (said, kind, value) in [
            ("500ml", Volume, 500.0),
            ("500毫升", Volume, 500.0),
            ("1.5升", Volume, 1500.0),
            ("一升", Volume, 1000.0),
            ("两升半", Volume, 2000.0),
            ("1.5l", Volume, 1500.0),
            ("20寸", Length, 50.8),
            ("二十寸的箱子", Length, 50.8),
            ("1.8米的床", Length, 180.0),
            ("裤长100cm", Length, 100.0),
            ("裤长100", Length, 100.0),
            ("200cm宽", Length, 200.0),
            ("三尺", Length, 100.0),
            ("1500w", Power, 1500.0),
            ("两千瓦", Power, 2000.0),
            ("2千瓦", Power, 2000.0),
            ("1.8kw", Power, 1800.0),
            ("5斤", Mass, 2.5),
            ("半斤", Mass, 0.25),
            ("500g", Mass, 0.5),
            ("净重65kg", Mass, 65.0),
            ("10000mah", Charge, 10_000.0),
        ] {
            check(said, &[(kind, value)]);
        }
    }

    #[test]
    fn several_at_once() {
        use MeasureKind::*;
        check("一米七 130斤穿多大", &[(Height, 170.0), (Weight, 65.0)]);
        check("175 130", &[(Height, 175.0), (Weight, 65.0)]);
        check("165/50", &[(Height, 165.0), (Weight, 50.0)]);
        check("身高175体重130", &[(Height, 175.0), (Weight, 65.0)]);
        check("身高175cm,体重65kg", &[(Height, 175.0), (Weight, 65.0)]);
        check("1.8米 150斤", &[(Height, 180.0), (Weight, 75.0)]);
        check("三围90-65-92", &[(Chest, 90.0), (Waist, 65.0), (Hip, 92.0)]);
        check("159,102斤", &[(Height, 159.0), (Weight, 51.0)]);
        check("我175 65kg穿什么码", &[(Height, 175.0), (Weight, 65.0)]);
        check("10cmx20cm", &[(Length, 10.0), (Length, 20.0)]);
        assert_eq!(measure("1米68 55公斤").map(|one| one.unit), Some("cm"));
    }

    #[test]
    fn other_figures_are_no_measures() {
        for said in [
            "",
            "两件",
            "38码",
            "299",
            "200元",
            "12",
            "13800000000",
            "三点",
            "身高",
            "最高300元",
            "体重秤",
            "尺码",
            "8848175",
            "cr2000 led",
            "b365m-a",
        ] {
            check(said, &[]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(said in ".*", signs in "[一二两三七半十百千点多身高体重腰围脚长米尺寸斤0-9. cmkglw/-]{0,14}") {
            for said in [said, signs] {
                for found in measures(&said) {
                    proptest::prop_assert!(found.value > 0.0 && found.value.is_finite());
                }
            }
        }
    }
}
