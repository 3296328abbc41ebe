//! Festivals and shop days, in the Gregorian and in the Chinese calendar.

use std::sync::LazyLock;

use icu_calendar::Date as LunarDate;
use icu_calendar::Iso;
use icu_calendar::types::Month;
use jiff::civil::Date;
use jiff::civil::Weekday;
use regex::Regex;

use crate::nlu::date::Days;
use crate::nlu::date::days_ahead;
use crate::nlu::date::expression;
use crate::nlu::date::latest_and_next;
use crate::nlu::date::plus_days;

/// A festival, said with or without a word for which part of it.
pub(super) struct Said {
    on: On,
    from_days: i64,
    to_days: i64,
}

impl Said {
    /// Its days in the year said, or in the nearest one: the latest that has begun if that was within
    /// the past eight months, else the next.
    pub(super) fn days(&self, year: Option<i16>, today: Date) -> Option<Days> {
        const BEHIND_DAYS_MAX: i64 = 243;
        let in_year = |year| Days::around(self.on.day(year)?, self.from_days, self.to_days);
        let Some(year) = year else {
            let (latest, next) = latest_and_next(today, in_year);
            return latest.filter(|days| -days_ahead(days.from, today) <= BEHIND_DAYS_MAX).or(next);
        };
        in_year(year)
    }
}

/// The festivals that `said` may begin with, each with what stands behind it.
pub(super) fn all(said: &str) -> impl Iterator<Item = (Said, &str)> {
    FESTIVALS.iter().filter_map(move |(names, festival)| {
        let captures = names.captures(said)?;
        let (from_days, to_days) = match (captures.name("season"), captures.name("day")) {
            (Some(_), _) => festival.season,
            (None, Some(_)) if festival.plain.1 - festival.plain.0 > 1 => (0, 1),
            (None, _) => festival.plain,
        };
        Some((Said { on: festival.on, from_days, to_days }, &said[captures[0].len()..]))
    })
}

struct Festival {
    names: &'static str,
    on: On,
    /// What the bare name means, in days from the day of the festival, half-open.
    plain: (i64, i64),
    /// The same for `期间` and `假期`: the public holiday, or how long the big shops hold the sale.
    season: (i64, i64),
}

/// How the day is found in a year.
#[derive(Clone, Copy)]
enum On {
    /// Month and day.
    Solar(i8, i8),
    /// Month and day of the Chinese calendar, in the year that has its new year in the Gregorian one.
    Lunar(u8, u8),
    /// The fifth solar term.
    Qingming,
    /// Month, weekday, which of them, and how many days behind that.
    Weekday(i8, Weekday, i8, i64),
}

static FESTIVALS: LazyLock<Vec<(Regex, Festival)>> = LazyLock::new(|| {
    let row = |names, on, plain, season| Festival { names, on, plain, season };
    let table = [
        row("双十一|双11|双一一|11\\.11|光棍节", On::Solar(11, 11), (0, 1), (-22, 4)),
        row("双十二|双12|12\\.12", On::Solar(12, 12), (0, 1), (-4, 3)),
        row("618|6\\.18|六一八", On::Solar(6, 18), (0, 1), (-18, 3)),
        row("黑五|黑色星期五|黑色周五", On::Weekday(11, Weekday::Thursday, 4, 1), (0, 1), (0, 4)),
        row("年货节", On::Lunar(1, 1), (-30, -6), (-30, -6)),
        row("开学季?", On::Solar(9, 1), (-17, 15), (-17, 15)),
        row("520|5\\.20", On::Solar(5, 20), (0, 1), (-3, 1)),
        row("国庆节?|十一", On::Solar(10, 1), (0, 7), (0, 7)),
        row("春节|过年|新春|农历新年", On::Lunar(1, 1), (-1, 7), (-1, 7)),
        row("大年初一|正月初一|年初一", On::Lunar(1, 1), (0, 1), (0, 1)),
        row("除夕夜?|大?年三十", On::Lunar(1, 1), (-1, 0), (-1, 0)),
        row("元宵节?|正月十五", On::Lunar(1, 15), (0, 1), (0, 1)),
        row("清明节?", On::Qingming, (0, 1), (-1, 2)),
        row("五一节?|劳动节|5\\.1节", On::Solar(5, 1), (0, 5), (0, 5)),
        row("端午节?", On::Lunar(5, 5), (0, 1), (-1, 2)),
        row("七夕节?", On::Lunar(7, 7), (0, 1), (-3, 1)),
        row("中秋节?", On::Lunar(8, 15), (0, 1), (-1, 2)),
        row("重阳节?", On::Lunar(9, 9), (0, 1), (0, 1)),
        row("元旦节?", On::Solar(1, 1), (0, 1), (0, 3)),
        row("情人节", On::Solar(2, 14), (0, 1), (-3, 1)),
        row("妇女节|女神节|女王节|三八节?|38节?|3\\.8节", On::Solar(3, 8), (0, 1), (-4, 1)),
        row("母亲节", On::Weekday(5, Weekday::Sunday, 2, 0), (0, 1), (-3, 1)),
        row("儿童节|六一节?|61节", On::Solar(6, 1), (0, 1), (-3, 1)),
        row("父亲节", On::Weekday(6, Weekday::Sunday, 3, 0), (0, 1), (-3, 1)),
        row("教师节", On::Solar(9, 10), (0, 1), (-3, 1)),
        row("万圣节?", On::Solar(10, 31), (0, 1), (-3, 1)),
        row("感恩节", On::Weekday(11, Weekday::Thursday, 4, 0), (0, 1), (0, 4)),
        row("平安夜", On::Solar(12, 24), (0, 1), (0, 1)),
        row("圣诞节?", On::Solar(12, 25), (0, 1), (-1, 2)),
    ];
    let names = |festival: &Festival| {
        expression(&format!(
            "^(?:{})(?:(?P<season>期间|假期|放假|长假|小长假|黄金周|大促|活动|那几天|那段时间)|(?P<day>那一?天|当天|当日))?",
            festival.names
        ))
    };
    table.into_iter().map(|festival| (names(&festival), festival)).collect()
});

impl On {
    fn day(self, year: i16) -> Option<Date> {
        match self {
            Self::Solar(month, day) => Date::new(year, month, day).ok(),
            Self::Lunar(month, day) => lunar(year, month, day),
            Self::Qingming => qingming(year),
            Self::Weekday(month, weekday, nth, behind) => {
                let first = Date::new(year, month, 1).ok()?;
                plus_days(first.nth_weekday_of_month(nth, weekday).ok()?, behind)
            }
        }
    }
}

/// Only the years for which the calendar was published or reckoned; farther ones are none of a shop's.
fn lunar(year: i16, month: u8, day: u8) -> Option<Date> {
    if !(1900..=2100).contains(&year) {
        return None;
    }
    let lunar = LunarDate::try_new_chinese_traditional(i32::from(year), Month::new(month), day).ok()?;
    let solar = lunar.to_calendar(Iso);
    let year = i16::try_from(solar.year().extended_year()).ok()?;
    Date::new(year, i8::try_from(solar.month().ordinal).ok()?, i8::try_from(solar.day_of_month().0).ok()?)
        .ok()
}

/// 4, 5 or 6 April, by the usual formula of the 21st century: `[0.2422 y + 4.81] - [y / 4]`.
fn qingming(year: i16) -> Option<Date> {
    if !(2000..=2099).contains(&year) {
        return None;
    }
    let years = i32::from(year - 2000);
    let day = (2422 * years + 48_100) / 10_000 - years / 4;
    Date::new(year, 4, i8::try_from(day).ok()?).ok()
}
