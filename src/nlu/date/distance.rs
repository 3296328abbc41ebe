//! Time counted from now: `三天前`, `半小时后`, `最近`, and a duration alone.

use std::sync::LazyLock;

use jiff::Span;
use jiff::Zoned;
use jiff::civil::Date;
use regex::Captures;
use regex::Regex;

use crate::nlu::date::Days;
use crate::nlu::date::Period;
use crate::nlu::date::Table;
use crate::nlu::date::expression;
use crate::nlu::date::instants;
use crate::nlu::date::named;
use crate::nlu::date::named_number;

/// The period that all of `said` means, if it is counted from now.
///
/// * `三天前`, `三天后`: that day. Weeks, months and years have 3, 15 and 182 days to each side, half
///   months and half years 3 and 15; hours and less a quarter of the distance, at least one minute.
/// * `几` is 2 to 9, `十几` 11 to 19, `两三` 2 to 3, and `多` up to one more of the last digit's worth:
///   the period holds all of them.
/// * `三天`, `三天内`, `最近三天`: till now; `未来三天`: from now; `前三天`: the three days before today.
pub(super) fn period(said: &str, now: &Zoned) -> Option<Period> {
    if let Some((_, vague)) = VAGUE.iter().find(|(names, _)| names.is_match(said)) {
        return vague.period(now);
    }
    let captures = DISTANCE.captures(said)?;
    let distance = Distance::said(&captures)?;
    match (named(&captures, "lead"), named(&captures, "side").and_then(|side| side.chars().next_back())) {
        (None, Some('前')) => distance.around(Direction::Back, now),
        (None | Some("过" | "再过"), Some('后')) | (Some("过" | "再过"), None) => {
            distance.around(Direction::Forth, now)
        }
        (Some("前" | "头"), None) if distance.low < distance.high => distance.around(Direction::Back, now),
        (Some("前" | "头"), None) => {
            let from = distance.at(distance.high, Direction::Back, now)?;
            Days { from: from.date(), to: now.date() }.period(now)
        }
        (Some("未来" | "接下来" | "今后" | "往后"), None | Some('内' | '里')) => {
            distance.until(Direction::Forth, now)
        }
        (None | Some("最近" | "近" | "过去" | "这"), None | Some('内' | '里')) => {
            distance.until(Direction::Back, now)
        }
        _ => None,
    }
}

/// Words without a number.
#[derive(Clone, Copy)]
enum Vague {
    /// So many minutes till now.
    Minutes(i64),
    /// From the day so many days ago till now.
    TillNow(i64),
    /// Whole days, counted from today.
    Between(i64, i64),
}

static VAGUE: Table<Vague> = LazyLock::new(|| {
    let row = |names: &str, vague| (expression(&format!("^(?:{names})$")), vague);
    vec![
        row("刚刚?才?|方才|刚不久", Vague::Minutes(60)),
        row("最近|近期|近来|近日|(?:最近|近|这|最近这|最近一)(?:段时间|阵子?|段日子)", Vague::TillNow(30)),
        row("(?:最近|近)?(?:这|近)[几些][天日]|最近几[天日]", Vague::TillNow(7)),
        row("(?:最近|近)?(?:这|近)[两2][天日]|最近[两2][天日]", Vague::TillNow(2)),
        row("[前头]一?[两2][天日]", Vague::Between(-4, 0)),
        row("[前头早][几些][天日]|前些日子", Vague::Between(-9, -1)),
        row("[前早]一?(?:段时间|阵子?|些时候|段日子)|早前|前些时候|早些时候", Vague::Between(-90, -6)),
        row("不久前|前不久", Vague::Between(-30, 0)),
        row("过一?[两2][天日]", Vague::Between(1, 4)),
        row("过几[天日]|过些[天日]|改天", Vague::Between(2, 10)),
        row("过一?(?:段时间|阵子?)", Vague::Between(7, 91)),
    ]
});

impl Vague {
    fn period(self, now: &Zoned) -> Option<Period> {
        match self {
            Self::Minutes(minutes) => {
                let from = now.checked_sub(Span::new().try_minutes(minutes).ok()?).ok()?;
                Some(Period { from: from.timestamp(), to: now.timestamp() })
            }
            Self::TillNow(days) => {
                let from = Days::around(now.date(), -days, 0)?.period(now)?.from;
                Some(Period { from, to: now.timestamp() })
            }
            Self::Between(from, to) => Days::around(now.date(), from, to)?.period(now),
        }
    }
}

impl Days {
    fn period(self, now: &Zoned) -> Option<Period> {
        instants(self.from.into(), self.to.into(), now)
    }
}

static DISTANCE: LazyLock<Regex> = LazyLock::new(|| {
    expression(concat!(
        r"^(?:大概|大约|差不多)?(?P<lead>最近|过去|近|这|前|头|未来|接下来|今后|往后|再过|过)?(?:大概|大约)?",
        r"(?:(?P<half>半)|(?P<few>好?几|数)|(?P<low>[一二两三四五六七八])(?P<high>[二两三四五六七八九])",
        r"|(?P<first>NUM)[-~到至](?P<last>NUM)",
        r"|(?P<count>NUM)(?:(?P<point>\.5)|(?P<teens>几))?)(?P<over>[多来])?(?P<measure>个)?(?P<measure_over>多)?",
        r"(?P<and_half>半)?(?P<unit>秒钟?|分钟|刻钟|小时|钟头?|天|日|周|星期|礼拜|月|年)",
        r"(?P<behind>[多半])?(?:左右)?(?P<side>[之以]?[前后内]|里)?$",
    ))
});

/// What is farther away is a slip or a joke.
const YEARS_MAX: u16 = 100;

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Back,
    Forth,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Second,
    Minute,
    Quarter,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// From `low` to `high` halves of a unit, both at least 1.
struct Distance {
    low: i64,
    high: i64,
    unit: Unit,
}

impl Distance {
    fn said(said: &Captures) -> Option<Self> {
        let has = |name| said.name(name).is_some();
        let side = named(said, "side");
        let unit = match named(said, "unit")? {
            "秒" | "秒钟" => Unit::Second,
            "分钟" => Unit::Minute,
            "刻钟" => Unit::Quarter,
            "小时" | "钟头" => Unit::Hour,
            "天" => Unit::Day,
            // `5日` is a day of the month.
            "日" if side.is_some_and(|side| side.ends_with('内')) => Unit::Day,
            "周" | "星期" | "礼拜" => Unit::Week,
            // `三月` is March.
            "月" if has("measure") || has("half") || named(said, "count") == Some("两") => Unit::Month,
            "年" => Unit::Year,
            _ => return None,
        };
        let (mut low, mut high, step) = if has("half") {
            (1, 1, 1)
        } else if has("few") {
            (4, 18, 0)
        } else if let Some(low) = named_number(said, "low").or_else(|| named_number(said, "first")) {
            let high = named_number(said, "high").or_else(|| named_number(said, "last"))?;
            (2 * low, 2 * high, 0)
        } else {
            let count = named_number(said, "count")?;
            if unit == Unit::Year && is_calendar_year(count, said) {
                return None;
            }
            let round = std::iter::successors(Some(1), |step| Some(step * 10))
                .take_while(|step| count % step == 0 && *step <= count)
                .last()?;
            (2 * count, 2 * count, 2 * round)
        };
        if has("teens") {
            (low, high) = (low + 2, high + step - 2);
        }
        if has("over") || has("measure_over") || named(said, "behind") == Some("多") {
            high += step;
        }
        if has("point") || has("and_half") || named(said, "behind") == Some("半") {
            (low, high) = (low + 1, high + 1);
        }
        (0 < low && low <= high).then_some(Self { low, high, unit })
    }

    /// Whether less than days are counted.
    fn is_short(&self) -> bool {
        match self.unit {
            Unit::Second | Unit::Minute | Unit::Quarter | Unit::Hour => true,
            Unit::Day => self.high % 2 == 1,
            Unit::Week | Unit::Month | Unit::Year => false,
        }
    }

    /// The instant so many halves of the unit from now, unless no customer speaks of it.
    fn at(&self, halves: i64, direction: Direction, now: &Zoned) -> Option<Zoned> {
        let (whole, half) = (halves / 2, halves % 2);
        let span = match self.unit {
            Unit::Second => Span::new().try_seconds(whole),
            Unit::Minute => Span::new().try_seconds(30 * halves),
            Unit::Quarter => Span::new().try_seconds(450 * halves),
            Unit::Hour => Span::new().try_minutes(30 * halves),
            Unit::Day => Span::new().try_days(whole).and_then(|span| span.try_hours(12 * half)),
            Unit::Week => Span::new().try_days(7 * halves / 2),
            Unit::Month => Span::new().try_months(whole).and_then(|span| span.try_days(15 * half)),
            Unit::Year => Span::new().try_months(6 * halves),
        };
        let there = match direction {
            Direction::Back => now.checked_sub(span.ok()?).ok()?,
            Direction::Forth => now.checked_add(span.ok()?).ok()?,
        };
        (there.year().abs_diff(now.year()) <= YEARS_MAX).then_some(there)
    }

    /// The time at this distance.
    fn around(&self, direction: Direction, now: &Zoned) -> Option<Period> {
        let (near, far) = (self.at(self.low, direction, now)?, self.at(self.high, direction, now)?);
        let (first, last) = match direction {
            Direction::Back => (far, near),
            Direction::Forth => (near, far),
        };
        if self.is_short() {
            let quarter_s =
                if self.low == self.high { now.duration_until(&first).as_secs().abs() / 4 } else { 0 };
            let slack = Span::new().try_seconds(quarter_s.max(60)).ok()?;
            let from = first.checked_sub(slack).ok()?.timestamp();
            return Some(Period { from, to: last.checked_add(slack).ok()?.timestamp() });
        }
        let slack_days = if self.low == self.high { self.slack_days() } else { 0 };
        let from = Days::around(first.date(), -slack_days, 0)?.from;
        let to = Days::around(last.date(), 0, slack_days + 1)?.to;
        Days { from, to }.period(now)
    }

    /// How far to each side a number of these is meant.
    fn slack_days(&self) -> i64 {
        match (self.unit, self.low % 2 == 0) {
            (Unit::Week, _) | (Unit::Month, false) => 3,
            (Unit::Month, true) | (Unit::Year, false) => 15,
            (Unit::Year, true) => 182,
            (Unit::Second | Unit::Minute | Unit::Quarter | Unit::Hour | Unit::Day, _) => 0,
        }
    }

    /// All the time from now to this distance; days count whole.
    fn until(&self, direction: Direction, now: &Zoned) -> Option<Period> {
        let end = self.at(self.high, direction, now)?;
        let end_day = || -> Option<Period> { Days { from: end.date(), to: next(end.date())? }.period(now) };
        let now = now.timestamp();
        Some(match direction {
            Direction::Back if self.is_short() => Period { from: end.timestamp(), to: now },
            Direction::Back => Period { from: end_day()?.from, to: now },
            Direction::Forth if self.is_short() => Period { from: now, to: end.timestamp() },
            Direction::Forth => Period { from: now, to: end_day()?.to },
        })
    }
}

fn next(day: Date) -> Option<Date> {
    day.tomorrow().ok()
}

/// `2025年前` is before that year, and `25年` alone is 2025; `25年前` and `3年` are distances.
fn is_calendar_year(count: i64, said: &Captures) -> bool {
    let alone = said.name("side").is_none() && said.name("lead").is_none() && said.name("behind").is_none();
    count >= 1000 || (alone && (15..100).contains(&count))
}
