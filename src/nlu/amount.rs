//! How many: a count with its measure word.

use std::sync::LazyLock;

use regex::Regex;

use crate::nlu::numeral;

/// A count of goods.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// How many of the unit; above 0. Of a loose figure the lower end: 一两百 is 100, 三百多 300, 十来 10.
    pub count: f64,
    /// The measure word as said; 个 where none is (俩). 打 stays 打, it is not made 12.
    pub unit: String,
}

/// The first count in a text in normal form: 两件, 五十套, `3双`, 半斤, 十来双, 俩.
///
/// `None` for 几件, which names no figure, for 第一件, for goods with a number in their name (四件套) and for
/// time (一个月).
#[must_use]
pub fn amount(said: &str) -> Option<Amount> {
    COUNTED.captures_iter(said).find_map(|captures| {
        let whole = captures.get(0)?;
        let before = said[..whole.start()].chars().next_back();
        if before.is_some_and(|sign| sign == '第' || sign == '.' || sign.is_ascii_alphanumeric()) {
            return None;
        }
        if captures.name("unit").is_none() && before.is_some_and(|sign| "咱我你他她它们哥姐".contains(sign))
        {
            return None;
        }
        let unit = captures.name("unit").map_or("个", |found| found.as_str());
        let behind = &said[whole.end()..];
        if OTHER_WORDS
            .iter()
            .any(|(start, rest)| unit == *start && rest.iter().any(|rest| behind.starts_with(rest)))
        {
            return None;
        }
        let first = captures.name("first").or_else(|| captures.name("pair"))?.as_str();
        let count = match captures.name("second") {
            Some(second) => numeral::between(first, second.as_str())?.low,
            None => numeral::figure(first)?.low,
        };
        let half = captures.name("half").is_some();
        let count = if half { count + 0.5 } else { count };
        (count > 0.0).then(|| Amount { count, unit: unit.to_owned() })
    })
}

/// Measure words that open another word, with what then follows.
const OTHER_WORDS: &[(&str, &[&str])] = &[
    ("件", &["套"]),
    (
        "个",
        &["月", "多月", "半月", "星期", "礼拜", "小时", "多小时", "半小时", "钟头", "码", "尺码", "工作日"],
    ),
    ("包", &["邮", "退", "换", "运费", "裹", "赔"]),
    ("打", &["折", "完折", "算", "开", "电话"]),
    ("对", &["一", "吗", "不", "吧", "么", "应", "面"]),
    ("只", &["要", "能", "有", "想", "退", "换", "剩", "是", "需", "卖"]),
    ("支", &["付", "持"]),
    ("部", &["分", "门"]),
    ("条", &["龙", "件"]),
    ("双", &["十", "1", "旦", "人", "层", "肩", "面"]),
    ("本", &["命", "月", "店", "周", "人", "来"]),
    ("套", &["头", "装"]),
    (
        "米",
        &[
            "一", "二", "三", "四", "五", "六", "七", "八", "九", "色", "白", "0", "1", "2", "3", "4", "5",
            "6", "7", "8", "9",
        ],
    ),
    ("台", &["湾"]),
    ("单", &["号", "件", "人", "肩"]),
    ("张", &["三"]),
];

static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    let (number, loose, range) = (numeral::NUMBER, numeral::LOOSE, numeral::RANGE);
    let unit = "公斤|千克|平方|件|套|双|条|个|只|顶|箱|包|打|对|把|盒|份|张|瓶|袋|桶|卷|片|支|枝|本|台|部|组|捆|扎|串|匹|斤|克|吨|床|副|幅|根|粒|颗|罐|板|排|批|单|筐|车|米|尺|枚|款|樽|听|筒|壶|盆|株|棵";
    let expression = format!(
        r"(?:(?P<first>{number}{loose}?)(?:(?:{range}|、)(?P<second>{number}{loose}?))?\s?(?:大|小|整)?(?P<unit>{unit})(?P<half>半$)?)|(?P<pair>[俩仨])"
    );
    Regex::new(&expression).expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: Option<(f64, &str)>) {
        let found = amount(said);
        let found = found.as_ref().map(|amount| (amount.count, amount.unit.as_str()));
        assert_eq!(found, expected, "{said}");
    }

    #[test]
    fn counts_with_their_measure_word() {
        for (said, count, unit) in [
            ("两件", 2.0, "件"),
            ("五十套", 50.0, "套"),
            ("3双", 3.0, "双"),
            ("3 双", 3.0, "双"),
            ("一打", 1.0, "打"),
            ("半打", 0.5, "打"),
            ("半斤", 0.5, "斤"),
            ("一斤半", 1.5, "斤"),
            ("我要20条毛巾", 20.0, "条"),
            ("买38件", 38.0, "件"),
            ("一件儿", 1.0, "件"),
            ("两大箱", 2.0, "箱"),
            ("1,200个", 1200.0, "个"),
            ("1万2个", 12_000.0, "个"),
            ("两个半袖", 2.0, "个"),
            ("两套四件套", 2.0, "套"),
            ("99元2件", 2.0, "件"),
            ("一百零五个", 105.0, "个"),
            ("俩件", 2.0, "件"),
        ] {
            check(said, Some((count, unit)));
        }
    }

    #[test]
    fn of_a_loose_count_the_lower_end() {
        for (said, count, unit) in [
            ("三百多个", 300.0, "个"),
            ("一两百件", 100.0, "件"),
            ("两三件", 2.0, "件"),
            ("十来双", 10.0, "双"),
            ("十几个", 10.0, "个"),
            ("几十件", 20.0, "件"),
            ("5-6件", 5.0, "件"),
            ("5、6件", 5.0, "件"),
            ("一到两百件", 100.0, "件"),
            ("俩", 2.0, "个"),
            ("要仨", 3.0, "个"),
        ] {
            check(said, Some((count, unit)));
        }
    }

    #[test]
    fn other_words_are_no_counts() {
        for said in [
            "",
            "几件",
            "好几件",
            "第一件",
            "四件套",
            "三件套多少钱",
            "一个月",
            "三个工作日",
            "99包邮",
            "300只要",
            "9打折",
            "一对一",
            "一米七",
            "咱俩",
            "件",
            "38码",
            "一部分",
            "大一个码",
            "双十一",
            "今年双11",
            "0件",
            "yr101件",
        ] {
            check(said, None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(said in ".*", signs in "[一两三半百千万几俩仨多来第0-9., 个件双月-]{0,12}") {
            for said in [said, signs] {
                if let Some(found) = amount(&said) {
                    proptest::prop_assert!(found.count > 0.0 && found.count.is_finite());
                }
            }
        }
    }
}
