//! What a customer's date means: `上个月`, said on 22 November, is the whole of October.
//!
//! A calculation over the words, the time and the zone of the message: it reads no clock and knows
//! nothing of orders. It reads one expression, not a sentence, and it would rather answer nothing than
//! guess at a rest that it cannot read.

mod clock;
mod distance;
mod festival;

use std::sync::LazyLock;

use chinese_number::ChineseCountMethod;
use chinese_number::ChineseToNumber;
use jiff::Span;
use jiff::Timestamp;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::civil::DateTime;
use regex::Captures;
use regex::Regex;

/// The instants that a customer speaks of, half-open: `from` belongs to it, `to` no longer does.
///
/// As [`period`] makes it, `from` is never after `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that is too late.
    pub to: Timestamp,
}

/// The period that an expression means, in a message of the time and the zone of `now`.
///
/// * `said`: the expression alone, in normal form (simplified, lower case, half-width).
/// * Returns `None` for what is no date, what does not exist (`2月30号`) and what no calendar reaches.
///
/// How the open cases are read (all widths and limits chosen by hand):
///
/// * Without a year or a month, the past is meant, unless the next time is close: `25号` within
///   10 days, `11月`, `11月5日`, `冬天` and `年底` within 60 days. A bare `周五` or `周末` is this week's,
///   or last week's if it is more than 2 days ahead. With `前` they are deadlines: `周五前` and `5号前`
///   are the coming ones, and 60 days become 120. A clock time alone is today's,
///   `上半年` and `下半年` are this year's.
/// * Festivals: the latest one, if it began in the past 8 months, else the next; see `festival`.
/// * Weeks begin on Monday. `初`, `中` and `底` of a month are its days 1 to 10, 11 to 20 and the rest;
///   of a year, January and February, June and July, November and December. Winter begins in December
///   of the year it is called after.
/// * `三点` is one hour long, and in the afternoon if no part of the day is named (1 to 6 only); `三点半`
///   is half an hour long, `15:30` a minute. The parts of a day overlap; see `clock`.
/// * `前` and `后` of a calendar word: `双十一前` is from now to then if it is to come, else the 30 days
///   before it; `双十一后` is from then till now if it is over, else the 30 days after it.
/// * `三天`, `三天内` and `最近三天` end now and begin with the day three days ago; `未来三天` starts now.
///   `三天前` is that day, `两周前` the 7 days and `两个月前` the 31 days around it; see `distance`, also
///   for `最近`, `前几天`, `刚才` and other vague words.
#[must_use]
pub fn period(said: &str, now: &Zoned) -> Option<Period> {
    if said.len() > SAID_BYTES_MAX {
        return None;
    }
    let said = tidy(said);
    distance::period(&said, now).or_else(|| {
        let dated = readings(&said, now.date()).into_iter().find_map(|(days, rest)| close(days, rest, now));
        dated.or_else(|| close_clock(&said, now))
    })
}

/// Longer than any date that a person says.
const SAID_BYTES_MAX: usize = 96;

/// A count as typed: digits, or Chinese numerals.
const NUMBER: &str = r"(?:[0-9]{1,6}|[零一二两三四五六七八九十百千万亿]{1,7})";

/// Whole days, half-open.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Days {
    from: Date,
    to: Date,
}

impl Days {
    fn one(day: Date) -> Option<Self> {
        Self::around(day, 0, 1)
    }

    /// From `from` days after `day` to `to` days after it.
    fn around(day: Date, from: i64, to: i64) -> Option<Self> {
        Some(Self { from: plus_days(day, from)?, to: plus_days(day, to)? })
    }

    /// `length` months from the first of one.
    fn months(year: i16, month: i64, length: i64) -> Option<Self> {
        let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
        Some(Self { from: first, to: plus_months(first, length)? })
    }

    fn year(year: i16) -> Option<Self> {
        Self::months(year, 1, 12)
    }

    /// The named tens of days of the month that begins on `first`; all of it if none is named.
    fn tens(first: Date, part: Option<&str>) -> Option<Self> {
        let next = plus_months(first, 1)?;
        match part {
            None => Some(Self { from: first, to: next }),
            Some("初" | "头" | "上旬") => Self::around(first, 0, 10),
            Some("中" | "中旬") => Self::around(first, 10, 20),
            Some(_) => Some(Self { from: plus_days(first, 20)?, to: next }),
        }
    }
}

fn plus_days(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn plus_months(day: Date, months: i64) -> Option<Date> {
    day.checked_add(Span::new().try_months(months).ok()?).ok()
}

/// How many days `day` is ahead of `today`; negative if it is past.
fn days_ahead(day: Date, today: Date) -> i64 {
    day.duration_since(today).as_hours() / 24
}

/// What the wall clock of the message's zone means by two times, the second not before the first.
fn instants(from: DateTime, to: DateTime, now: &Zoned) -> Option<Period> {
    let at = |moment| now.time_zone().to_ambiguous_timestamp(moment).compatible().ok();
    let from: Timestamp = at(from)?;
    // An hour that the clocks skip is moved behind it, which may be past the end.
    Some(Period { from, to: at(to)?.max(from) })
}

/// Digits or Chinese numerals, not negative.
fn number(said: &str) -> Option<i64> {
    said.parse().ok().or_else(|| {
        let count: Result<u32, _> = said.to_number(ChineseCountMethod::TenThousand);
        count.ok().map(i64::from)
    })
}

fn named<'t>(captures: &Captures<'t>, name: &str) -> Option<&'t str> {
    captures.name(name).map(|found| found.as_str())
}

fn named_number(captures: &Captures, name: &str) -> Option<i64> {
    number(named(captures, name)?)
}

/// Compiles one of our own patterns, in which `NUM` and `WHICH` stand for [`NUMBER`] and [`WHICH`].
fn expression(pattern: &str) -> Regex {
    let pattern = pattern.replace("NUM", NUMBER).replace("WHICH", WHICH);
    Regex::new(&pattern).expect("a fixed expression")
}

/// Without blanks, except between digits, and with `今早`, `去年底` and `年前` spelt out.
fn tidy(said: &str) -> String {
    let said = BLANK.replace_all(said.trim(), "$before$after");
    let said = SHORT_DAY.replace(&said, "${1}天$2");
    let said = SHORT_NEW_YEAR.replace(&said, "过年$1");
    SHORT_YEAR.replace(&said, "${1}年$2").into_owned()
}

static BLANK: LazyLock<Regex> =
    LazyLock::new(|| expression(r"(?P<before>[^0-9\s])\s+|\s+(?P<after>[^0-9\s])"));
static SHORT_DAY: LazyLock<Regex> = LazyLock::new(|| expression("^([前昨今明])([早晨晚夜])"));
static SHORT_NEW_YEAR: LazyLock<Regex> = LazyLock::new(|| expression("^年([前后])"));
static SHORT_YEAR: LazyLock<Regex> = LazyLock::new(|| expression("^([^年]{1,4}年)([初底末])"));

/// The day of the message, and whether the expression is one that looks ahead.
#[derive(Clone, Copy)]
struct View {
    today: Date,
    lean: Lean,
}

#[derive(Clone, Copy, PartialEq)]
enum Lean {
    Past,
    /// `周五前`: the coming Friday.
    Deadline,
}

/// Everything that the beginning of `said` may mean, with the rest of it, the likeliest first.
fn readings(said: &str, today: Date) -> Vec<(Days, &str)> {
    let view = View { today, lean: if said.ends_with('前') { Lean::Deadline } else { Lean::Past } };
    let mut found = Vec::new();
    for (start, read) in DAILY.iter() {
        let Some(captures) = start.captures(said) else { continue };
        found.extend(read(&captures, view).map(|days| (days, &said[captures[0].len()..])));
    }
    let (year, rest) = year(said, today).map_or((None, said), |(year, rest)| (Some(year), rest));
    for (festival, behind) in festival::all(rest) {
        found.extend(festival.days(year, today).map(|days| (days, behind)));
    }
    for (start, read) in YEARLY.iter() {
        let Some(captures) = start.captures(rest) else { continue };
        let days = match year {
            Some(year) => read(&captures, year),
            None => nearest(view, |year| read(&captures, year)),
        };
        found.extend(days.map(|days| (days, &rest[captures[0].len()..])));
    }
    found.extend(year.and_then(Days::year).map(|days| (days, rest)));
    found
}

/// The year at the beginning of `said`, and the rest.
fn year(said: &str, today: Date) -> Option<(i16, &str)> {
    let captures = YEAR.captures(said)?;
    let year = match captures.name("relative") {
        Some(word) => {
            let (_, years) = YEARS.iter().find(|(name, _)| *name == word.as_str())?;
            today.year().checked_add(*years)?
        }
        None => {
            let digit = |c| "0123456789零一二三四五六七八九〇".chars().position(|name| name == c);
            let said = captures[0].chars().map_while(digit).fold(0, |year, digit| year * 10 + digit % 10);
            i16::try_from(if said < 100 { 2000 + said } else { said }).ok()?
        }
    };
    Some((year, &said[captures[0].len()..]))
}

static YEAR: LazyLock<Regex> = LazyLock::new(|| {
    expression(
        r"^(?:(?P<relative>大前年|前年|去年|上年|今年|本年|明年|后年)|(?:[0-9]{4}|[0-9]{2}|[零〇一二三四五六七八九]{4})年)",
    )
});

const YEARS: [(&str, i16); 8] = [
    ("大前年", -3),
    ("前年", -2),
    ("去年", -1),
    ("上年", -1),
    ("今年", 0),
    ("本年", 0),
    ("明年", 1),
    ("后年", 2),
];

/// The latest of a yearly recurrence, or the next one if it is near.
fn nearest(view: View, on: impl Fn(i16) -> Option<Days>) -> Option<Days> {
    let ahead_days_max = match view.lean {
        Lean::Past => 60,
        Lean::Deadline => 120,
    };
    let (latest, next) = latest_and_next(view.today, on);
    next.filter(|next| days_ahead(next.from, view.today) <= ahead_days_max).or(latest)
}

/// The recurrences around today; the latest one has begun.
fn latest_and_next(today: Date, on: impl Fn(i16) -> Option<Days>) -> (Option<Days>, Option<Days>) {
    let year = today.year();
    // Eight years, because 29 February may be absent for as long.
    let around = || (year.saturating_sub(8)..=year.saturating_add(8)).filter_map(&on);
    (around().rfind(|days| days.from <= today), around().find(|days| days.from > today))
}

type Table<Read> = LazyLock<Vec<(Regex, Read)>>;

/// What recurs every year: the days of it in the given one.
static YEARLY: Table<fn(&Captures, i16) -> Option<Days>> = LazyLock::new(|| {
    vec![
        (expression(r"^(?P<month>NUM)月(?P<day>NUM)[号日]?"), month_and_day),
        (expression(r"^(?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})[号日]?"), month_and_day),
        (
            expression(r"^(?P<month>NUM)月份?(?P<part>上旬|中旬|下旬|[初中底末])?"),
            |said, year| {
                let month = Days::months(year, named_number(said, "month")?, 1)?;
                Days::tens(month.from, named(said, "part"))
            },
        ),
        (expression(r"^年(?:初|头)"), |_, year| Days::months(year, 1, 2)),
        (expression(r"^年中"), |_, year| Days::months(year, 6, 2)),
        (expression(r"^年[底末]"), |_, year| Days::months(year, 11, 2)),
        (expression(r"^(?P<half>[上下])半年"), half_year),
        (expression(r"^春[天季]"), |_, year| Days::months(year, 3, 3)),
        (expression(r"^夏[天季]"), |_, year| Days::months(year, 6, 3)),
        (expression(r"^秋[天季]"), |_, year| Days::months(year, 9, 3)),
        (expression(r"^冬[天季]"), |_, year| Days::months(year, 12, 3)),
    ]
});

fn month_and_day(said: &Captures, year: i16) -> Option<Days> {
    let month = i8::try_from(named_number(said, "month")?).ok()?;
    let day = i8::try_from(named_number(said, "day")?).ok()?;
    Days::one(Date::new(year, month, day).ok()?)
}

fn half_year(said: &Captures, year: i16) -> Option<Days> {
    Days::months(year, if &said["half"] == "上" { 1 } else { 7 }, 6)
}

/// What is counted from today or names its own year.
static DAILY: Table<fn(&Captures, View) -> Option<Days>> = LazyLock::new(|| {
    vec![
        (expression(r"^(?P<day>大前|前|昨|今|明|大后|后)[天日儿]个?"), |said, view| {
            let (_, ahead) = DAYS.iter().find(|(name, _)| *name == &said["day"])?;
            Days::around(view.today, *ahead, *ahead + 1)
        }),
        (expression(r"^(?P<which>WHICH)?(?:一?个)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末])?"), week),
        (
            expression(
                r"^(?P<which>WHICH)(?:一?个)?月份?(?:(?P<day>NUM)[号日]|(?P<part>上旬|中旬|下旬|[初中底末]))?",
            ),
            |said, view| {
                let first = plus_months(view.today.first_of_month(), which(said)?)?;
                match named(said, "day") {
                    Some(day) => day_of_month(first, number(day)?),
                    None => Days::tens(first, named(said, "part")),
                }
            },
        ),
        (expression(r"^(?P<half>[上下])半年"), |said, view| half_year(said, view.today.year())),
        (expression(r"^(?P<day>NUM)[号日]"), |said, view| {
            let day = named_number(said, "day")?;
            nearest_month(view, |first| day_of_month(first, day))
        }),
        (expression(r"^月(?P<part>上旬|中旬|下旬|[初头中底末])"), |said, view| {
            nearest_month(view, |first| Days::tens(first, named(said, "part")))
        }),
        (
            expression(r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})[号日]?"),
            |said, _| month_and_day(said, said["year"].parse().ok()?),
        ),
        (expression(r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})"), |said, _| {
            Days::months(said["year"].parse().ok()?, named_number(said, "month")?, 1)
        }),
        (expression(r"^(?P<year>去年|前年)(?:这个?时候|这会儿|同期|此时)"), |said, view| {
            let years = if &said["year"] == "去年" { 1 } else { 2 };
            Days::around(plus_months(view.today, -12 * years)?, -15, 16)
        }),
    ]
});

const DAYS: [(&str, i64); 7] =
    [("大前", -3), ("前", -2), ("昨", -1), ("今", 0), ("明", 1), ("后", 2), ("大后", 3)];

const WHICH: &str = "上上|上|这|本|当|下下|下";

/// How many weeks or months ahead.
fn which(said: &Captures) -> Option<i64> {
    match named(said, "which")? {
        "上上" => Some(-2),
        "上" => Some(-1),
        "下" => Some(1),
        "下下" => Some(2),
        _ => Some(0),
    }
}

/// `上周`, `上周五`, `周末`; a bare day is this week's, unless that is too far ahead.
fn week(said: &Captures, view: View) -> Option<Days> {
    const AHEAD_DAYS_MAX: i64 = 2;
    let monday = plus_days(view.today, -i64::from(view.today.weekday().to_monday_zero_offset()))?;
    let (from, to) = match named(said, "day") {
        None => (0, 7),
        Some("末") => (5, 7),
        Some(day) => {
            let at = "一二三四五六日".chars().position(|name| day.starts_with(name)).unwrap_or(6) as i64;
            (at, at + 1)
        }
    };
    if let Some(weeks) = which(said) {
        return Days::around(monday, from + 7 * weeks, to + 7 * weeks);
    }
    named(said, "day")?;
    let this = Days::around(monday, from, to)?;
    let ahead = days_ahead(this.from, view.today);
    match view.lean {
        Lean::Deadline if ahead < 0 => Days::around(monday, from + 7, to + 7),
        Lean::Past if ahead > AHEAD_DAYS_MAX => Days::around(monday, from - 7, to - 7),
        Lean::Deadline | Lean::Past => Some(this),
    }
}

fn day_of_month(first: Date, day: i64) -> Option<Days> {
    Days::one(Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()?)
}

/// This month's, or that of the latest month that had one if it is too far ahead.
fn nearest_month(view: View, on: impl Fn(Date) -> Option<Days>) -> Option<Days> {
    const AHEAD_DAYS_MAX: i64 = 10;
    let in_month = |months| on(plus_months(view.today.first_of_month(), months)?);
    let ahead = |days: &Days| days_ahead(days.from, view.today);
    match view.lean {
        Lean::Deadline => (0..=2).filter_map(in_month).find(|days| ahead(days) >= 0),
        Lean::Past => (-2..=0).rev().filter_map(in_month).find(|days| ahead(days) <= AHEAD_DAYS_MAX),
    }
}

/// The days, narrowed by a time of day and moved by what stands last; `None` if a rest remains.
fn close(days: Days, rest: &str, now: &Zoned) -> Option<Period> {
    let rest = rest.trim_start();
    let whole = instants(days.from.into(), days.to.into(), now)?;
    let Some((hours, behind)) = clock::read(rest) else { return ending(whole, rest, now) };
    if plus_days(days.from, 1)? != days.to {
        return None;
    }
    ending(hours.on(days.from, now)?, behind, now)
}

/// A time of day alone.
fn close_clock(said: &str, now: &Zoned) -> Option<Period> {
    let (hours, behind) = clock::read(said)?;
    ending(hours.on(now.date(), now)?, behind, now)
}

/// What a last word does to a period.
#[derive(Clone, Copy)]
enum Ending {
    Same,
    Around,
    Before,
    After,
    Since,
}

static ENDINGS: Table<Ending> = LazyLock::new(|| {
    vec![
        (
            expression(
                r"^(?:那一?天|当天|当日|那个?时候|那会儿?|时|的时候|期间|之?内|以内|里|全天|一整天|这天|整)?$",
            ),
            Ending::Same,
        ),
        (expression(r"^(?:左右|前后|附近|上下|那几天|那两天|那阵子?|那段时间|多)$"), Ending::Around),
        (expression(r"^(?:[之以]?前|截止|截至)$"), Ending::Before),
        (expression(r"^[之以]?后$"), Ending::After),
        (expression(r"^(?:以来|至今|到现在|到今天|开始|起)$"), Ending::Since),
    ]
});

fn ending(period: Period, rest: &str, now: &Zoned) -> Option<Period> {
    let (_, ending) = ENDINGS.iter().find(|(expression, _)| expression.is_match(rest))?;
    let moved = |at: Timestamp, hours: i64| at.checked_add(Span::new().hours(hours)).ok();
    let now = now.timestamp();
    let (from, to) = match ending {
        Ending::Same => (period.from, period.to),
        Ending::Around => {
            let long = period.to.duration_since(period.from).as_hours() >= 20;
            let hours = if long { AROUND_DAY_HOURS } else { AROUND_CLOCK_HOURS };
            (moved(period.from, -hours)?, moved(period.to, hours)?)
        }
        Ending::Before if period.from > now => (now, period.from),
        Ending::Before => (moved(period.from, -BESIDE_HOURS)?, period.from),
        Ending::After if period.to <= now => (period.to, now),
        Ending::After => (period.to, moved(period.to, BESIDE_HOURS)?),
        Ending::Since if period.from <= now => (period.from, now),
        Ending::Since => (period.from, moved(period.from, BESIDE_HOURS)?),
    };
    Some(Period { from, to })
}

/// How far `左右` reaches to each side of a day, and of a time of day; and how far `前` and `后` reach.
const AROUND_DAY_HOURS: i64 = 2 * 24;
const AROUND_CLOCK_HOURS: i64 = 1;
const BESIDE_HOURS: i64 = 30 * 24;

#[cfg(test)]
mod tests;
