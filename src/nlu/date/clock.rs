//! The time of day: `晚上`, `下午三点半`, `15:30`.

use std::sync::LazyLock;

use jiff::Span;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::civil::Time;
use regex::Captures;
use regex::Regex;

use crate::nlu::date::Period;
use crate::nlu::date::expression;
use crate::nlu::date::instants;
use crate::nlu::date::named;
use crate::nlu::date::named_number;

/// Minutes of the wall clock since midnight, half-open; a night goes on past 1440.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hours {
    from_min: i64,
    to_min: i64,
}

impl Hours {
    /// These hours of a day.
    pub(super) fn on(self, day: Date, now: &Zoned) -> Option<Period> {
        let midnight = day.to_datetime(Time::midnight());
        let at = |minutes| midnight.checked_add(Span::new().try_minutes(minutes).ok()?).ok();
        instants(at(self.from_min)?, at(self.to_min)?, now)
    }
}

/// The time of day at the beginning of `said`, and the rest.
///
/// An hour is that of the part of the day it is said with: `晚上8点` is 20:00, `昨晚两点` is two o'clock
/// after that midnight. Without one, `三点` is 15:00 and `八点` is 08:00; `3:30` is as it stands.
pub(super) fn read(said: &str) -> Option<(Hours, &str)> {
    let part = PARTS.iter().find_map(|part| Some((part, part.names.find(said)?.end())));
    let rest = &said[part.map_or(0, |(_, end)| end)..];
    let part = part.map(|(part, _)| part);
    let rest = rest.trim_start();
    if let Some(captures) = CLOCK.captures(rest).or_else(|| DIGITAL.captures(rest)) {
        return Some((clock(&captures, part)?, &rest[captures[0].len()..]));
    }
    part.map(|part| (Hours { from_min: part.from_hour * 60, to_min: part.to_hour * 60 }, rest))
}

struct Part {
    names: Regex,
    from_hour: i64,
    to_hour: i64,
    /// What to add to the hours `0..=12` of the dial, so that they fall into this part.
    moves: fn(i64) -> i64,
}

/// The longer name stands before the one that it begins with.
static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let part = |names: &str, from_hour, to_hour, moves| {
        let names = expression(&format!("^(?:{names})"));
        Part { names, from_hour, to_hour, moves }
    };
    let morning = |hour| if hour == 12 { -12 } else { 0 };
    let afternoon = |hour| if hour < 12 { 12 } else { 0 };
    let noon = |hour| if hour < 6 { 12 } else { 0 };
    // The small hours of a night belong to the next day.
    let night = |hour| match hour {
        12 => 12,
        0..=4 => 24,
        _ => 12,
    };
    vec![
        part("凌晨", 0, 6, morning),
        part("大?清早|清晨", 5, 8, |_| 0),
        part("一?大早上?|一早|早上|早晨|早间|早|晨", 5, 10, |_| 0),
        part("上午", 6, 12, |_| 0),
        part("中午|正午|午间", 11, 14, noon),
        part("下午|午后", 12, 18, afternoon),
        part("傍晚", 17, 20, afternoon),
        part("大?半夜|深夜|午夜", 22, 29, night),
        part("大?晚上|夜里|夜间|夜晚|晚间|晚|夜", 18, 24, night),
    ]
});

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    expression(r"^(?P<hour>NUM)(?:点钟?|时)(?:整|(?P<half>半)|(?P<quarters>[一三13])刻|(?P<minute>NUM)分?)?")
});
static DIGITAL: LazyLock<Regex> =
    LazyLock::new(|| expression(r"^(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::[0-9]{2})?"));

fn clock(said: &Captures, part: Option<&Part>) -> Option<Hours> {
    let hour = named_number(said, "hour").filter(|hour| (0..=24).contains(hour))?;
    let (minute, length_min) = if said.name("half").is_some() {
        (30, 30)
    } else if let Some(quarters) = named_number(said, "quarters") {
        (15 * quarters, 15)
    } else if named(said, "minute").is_some() {
        (named_number(said, "minute")?, 1)
    } else {
        (0, 60)
    };
    if !(0..60).contains(&minute) {
        return None;
    }
    let spoken = said[0].contains(['点', '时']);
    let moves = match part {
        Some(part) if hour <= 12 => (part.moves)(hour),
        None if spoken && (1..=6).contains(&hour) => 12,
        Some(_) | None => 0,
    };
    let from_min = (hour + moves) * 60 + minute;
    Some(Hours { from_min, to_min: from_min + length_min })
}
