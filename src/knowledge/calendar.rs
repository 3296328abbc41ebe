//! When people are there: the week's hours, holidays and swapped work days, in the bot's time zone.
//!
//! Pure: the moment always comes in as a value; no clock is read here.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::knowledge::profile::Holiday;
use crate::knowledge::profile::Hours;

/// A minute of the day, `0..=1440`; 1440 is midnight at the day's end.
pub type Minute = u16;

/// Minutes of a whole day.
pub const DAY_MINUTES: Minute = 24 * 60;

/// How far ahead an opening is looked for, in days. Chosen by hand: longer than any holiday.
const LOOK_AHEAD_DAYS: usize = 60;

/// The hours of one bot, ready to be asked.
///
/// Invariant: the spans of one day are sorted, not empty and do not overlap; no swapped work day is a day off.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// Monday first.
    week: [Vec<OpenSpan>; 7],
    days_off: Vec<DaysOff>,
    work_days: Vec<Date>,
}

/// Minutes `start..end` of one day, during which somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OpenSpan {
    start: Minute,
    end: Minute,
}

#[derive(Clone, Debug)]
struct DaysOff {
    name: String,
    from: Date,
    until: Date,
    hours: Vec<OpenSpan>,
}

/// Why hours or holidays make no calendar.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// Not an IANA zone.
    #[error("`timezone` holds `{value}`, which is no zone of the IANA database")]
    Zone {
        /// As written.
        value: String,
        /// What the zone database said.
        #[source]
        source: jiff::Error,
    },
    /// Not of the form `HH:MM-HH:MM`.
    #[error("`{key}` holds `{value}`, which is not a span like `09:00-21:00` between 00:00 and 24:00")]
    Span {
        /// Where in `bot.toml`.
        key: String,
        /// As written.
        value: String,
    },
    /// Ends at or before its start.
    #[error("`{key}` holds `{value}`, which must end after it starts, at 24:00 at the latest")]
    Backwards {
        /// Where in `bot.toml`.
        key: String,
        /// As written.
        value: String,
    },
    /// Two spans of one day share time.
    #[error("`{key}` holds `{first}` and `{second}`, which overlap")]
    Overlap {
        /// Where in `bot.toml`.
        key: String,
        /// The span that starts first.
        first: String,
        /// The span that starts inside it.
        second: String,
    },
    /// A holiday ends before it begins.
    #[error("`holidays.{name}` runs from {from} until {until}, which is backwards")]
    Holiday {
        /// Name of the holiday.
        name: String,
        /// First day off.
        from: Date,
        /// Last day off.
        until: Date,
    },
    /// A day is worked in exchange and off at once.
    #[error("`holidays.{name}.work_days` holds {day}, which is a day off of `{other}`")]
    WorkDayOff {
        /// Name of the holiday that is worked for.
        name: String,
        /// The day.
        day: Date,
        /// Name of the holiday whose day off it is.
        other: String,
    },
}

impl Calendar {
    /// Reads hours and holidays.
    ///
    /// * `hours`: spans `HH:MM-HH:MM` by weekday, in any order.
    /// * `holidays`: where two share a day, the first one gives name and hours.
    /// * `timezone`: IANA name, such as `Asia/Shanghai`.
    ///
    /// # Errors
    /// Names key and value of the first thing that is wrong.
    pub fn new(hours: &Hours, holidays: &[Holiday], timezone: &str) -> Result<Self, CalendarError> {
        let zone = TimeZone::get(timezone)
            .map_err(|source| CalendarError::Zone { value: timezone.to_owned(), source })?;
        let week = [
            open_spans("hours.mon", &hours.mon)?,
            open_spans("hours.tue", &hours.tue)?,
            open_spans("hours.wed", &hours.wed)?,
            open_spans("hours.thu", &hours.thu)?,
            open_spans("hours.fri", &hours.fri)?,
            open_spans("hours.sat", &hours.sat)?,
            open_spans("hours.sun", &hours.sun)?,
        ];
        let days_off = holidays.iter().map(DaysOff::new).collect::<Result<Vec<_>, _>>()?;
        for holiday in holidays {
            for day in &holiday.work_days {
                if let Some(off) = days_off.iter().find(|off| off.contains(*day)) {
                    return Err(CalendarError::WorkDayOff {
                        name: holiday.name.clone(),
                        day: *day,
                        other: off.name.clone(),
                    });
                }
            }
        }
        let work_days = holidays.iter().flat_map(|holiday| holiday.work_days.iter().copied()).collect();
        Ok(Self { zone, week, days_off, work_days })
    }

    /// The moment as a wall clock in the bot's zone shows it.
    #[must_use]
    pub fn zoned(&self, now: Timestamp) -> Zoned {
        now.to_zoned(self.zone.clone())
    }

    /// The day in the bot's zone.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        self.zoned(now).date()
    }

    /// Whether somebody is there: a span's first minute counts, its last one no more.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let local = self.zoned(now);
        let minute = minute_of(&local);
        self.spans(local.date()).iter().any(|span| (span.start..span.end).contains(&minute))
    }

    /// Name of the holiday on which `now` falls; a day that is worked in exchange is none.
    #[must_use]
    pub fn holiday(&self, now: Timestamp) -> Option<&str> {
        self.days_off(self.today(now)).map(|off| off.name.as_str())
    }

    /// The next moment after `now` at which the closed doors open.
    ///
    /// Today's later spans count, also while one is open. `None` when nothing opens within 60 days, as for
    /// hours without a break or no hours at all.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Zoned> {
        let mut day = self.today(now);
        for _day_ahead in 0..=LOOK_AHEAD_DAYS {
            for span in self.spans(day) {
                let opening = self.at(day, span.start)?;
                if opening.timestamp() > now && !self.is_open_before(opening.timestamp()) {
                    return Some(opening);
                }
            }
            // Behind the last day of the calendar (9999-12-31) nothing opens.
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The week's hours in words: `周一至周五 09:00-21:00，周末 10:00-18:00`.
    ///
    /// Days of equal hours stand together; days off are left out. Never empty: `暂无固定时间`.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut groups: Vec<(&[OpenSpan], Vec<usize>)> = Vec::new();
        for (day, spans) in self.week.iter().enumerate().filter(|(_, spans)| !spans.is_empty()) {
            match groups.iter_mut().find(|(hours, _)| *hours == spans.as_slice()) {
                Some((_, days)) => days.push(day),
                None => groups.push((spans, vec![day])),
            }
        }
        if groups.is_empty() {
            return "暂无固定时间".to_owned();
        }
        let words = |(spans, days): &(&[OpenSpan], Vec<usize>)| {
            let spans: Vec<String> = spans.iter().map(|span| span.to_words()).collect();
            format!("{} {}", day_words(days), spans.join("、"))
        };
        groups.iter().map(words).collect::<Vec<_>>().join("，")
    }

    fn spans(&self, day: Date) -> &[OpenSpan] {
        match self.days_off(day) {
            Some(off) => &off.hours,
            None if self.work_days.contains(&day) => self.on_weekday(Weekday::Monday),
            None => self.on_weekday(day.weekday()),
        }
    }

    fn days_off(&self, day: Date) -> Option<&DaysOff> {
        self.days_off.iter().find(|off| off.contains(day))
    }

    fn on_weekday(&self, weekday: Weekday) -> &[OpenSpan] {
        &self.week[usize::from(weekday.to_monday_zero_offset().unsigned_abs())]
    }

    /// `None` for a time that the calendar cannot hold, in the year 9999.
    fn at(&self, day: Date, minute: Minute) -> Option<Zoned> {
        let hour = i8::try_from(minute / 60).ok()?;
        let minute = i8::try_from(minute % 60).ok()?;
        day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).ok()
    }

    /// Whether it was open just before: a span that follows another one without a break opens nothing.
    fn is_open_before(&self, moment: Timestamp) -> bool {
        moment.checked_sub(SignedDuration::from_nanos(1)).is_ok_and(|before| self.is_open(before))
    }
}

impl DaysOff {
    fn new(holiday: &Holiday) -> Result<Self, CalendarError> {
        let Holiday { name, from, until, work_days: _, hours } = holiday;
        if until < from {
            return Err(CalendarError::Holiday { name: name.clone(), from: *from, until: *until });
        }
        let hours = open_spans(&format!("holidays.{name}.hours"), hours)?;
        Ok(Self { name: name.clone(), from: *from, until: *until, hours })
    }

    fn contains(&self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

impl OpenSpan {
    fn to_words(self) -> String {
        let clock = |minute: Minute| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{}-{}", clock(self.start), clock(self.end))
    }
}

/// The minute of the day that a wall clock shows, `0..1440`.
#[must_use]
pub fn minute_of(local: &Zoned) -> Minute {
    Minute::from(local.hour().unsigned_abs()) * 60 + Minute::from(local.minute().unsigned_abs())
}

/// Reads `"HH:MM-HH:MM"` into its two minutes, in the order in which they are written.
///
/// Each is `0..=1440`, the first below 1440. Whether the second may come before the first is for the caller
/// to say: business hours end on their day, a rule's time of day may pass midnight.
#[must_use]
pub fn parse_span(value: &str) -> Option<(Minute, Minute)> {
    let (start, end) = value.split_once('-')?;
    let (start, end) = (parse_clock(start)?, parse_clock(end)?);
    (start < DAY_MINUTES).then_some((start, end))
}

fn parse_clock(value: &str) -> Option<Minute> {
    let (hour, minute) = value.trim().split_once(':')?;
    // `parse` would take a sign as well, `+9:00`.
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (Minute, Minute) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

fn open_spans(key: &str, values: &[String]) -> Result<Vec<OpenSpan>, CalendarError> {
    let mut spans = Vec::with_capacity(values.len());
    for value in values {
        let named = || (key.to_owned(), value.clone());
        let Some((start, end)) = parse_span(value) else {
            let (key, value) = named();
            return Err(CalendarError::Span { key, value });
        };
        if end <= start {
            let (key, value) = named();
            return Err(CalendarError::Backwards { key, value });
        }
        spans.push(OpenSpan { start, end });
    }
    spans.sort_unstable();
    match spans.windows(2).find(|pair| pair[1].start < pair[0].end) {
        Some(pair) => Err(CalendarError::Overlap {
            key: key.to_owned(),
            first: pair[0].to_words(),
            second: pair[1].to_words(),
        }),
        None => Ok(spans),
    }
}

/// Names of weekdays, Monday first.
const DAY_NAMES: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

/// Ascending days, 0 for Monday, in words: `周一至周五`, `周末`, `周一、周三`, `每天`.
fn day_words(days: &[usize]) -> String {
    if days.len() == DAY_NAMES.len() {
        return "每天".to_owned();
    }
    let runs = days.chunk_by(|day, next| day + 1 == *next);
    let words = runs.map(|run| match run {
        [5, 6] => "周末".to_owned(),
        [first, _, .., last] if run.len() > 2 => format!("{}至{}", DAY_NAMES[*first], DAY_NAMES[*last]),
        _ => run.iter().map(|day| DAY_NAMES[*day]).collect::<Vec<_>>().join("、"),
    });
    words.collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    /// The demo shop: 9 to 21 on week days, 10 to 18 at the weekend.
    fn shop_hours() -> Hours {
        let (work, weekend) = (spans(&["09:00-21:00"]), spans(&["10:00-18:00"]));
        Hours {
            mon: work.clone(),
            tue: work.clone(),
            wed: work.clone(),
            thu: work.clone(),
            fri: work,
            sat: weekend.clone(),
            sun: weekend,
        }
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// 2026-10-01 is a Thursday, 2026-10-10 a Saturday.
    fn national_day() -> Holiday {
        Holiday {
            name: "国庆节".to_owned(),
            from: day("2026-10-01"),
            until: day("2026-10-07"),
            work_days: vec![day("2026-10-10")],
            hours: spans(&["10:00-17:00"]),
        }
    }

    fn shop() -> Calendar {
        Calendar::new(&shop_hours(), &[national_day()], "Asia/Shanghai").unwrap()
    }

    /// A wall clock in Shanghai, `2026-11-23T09:00`.
    fn at(local: &str) -> Timestamp {
        format!("{local}:00+08:00").parse().unwrap()
    }

    #[track_caller]
    fn check_error(hours: Hours, holidays: &[Holiday], zone: &str, expected: &str) {
        assert_eq!(Calendar::new(&hours, holidays, zone).unwrap_err().to_string(), expected);
    }

    #[test]
    fn is_open_from_the_first_minute_to_before_the_last() {
        let cases = [
            ("2026-11-23T08:59", false),
            ("2026-11-23T09:00", true),
            ("2026-11-23T20:59", true),
            ("2026-11-23T21:00", false),
            ("2026-11-22T09:30", false),
            ("2026-11-22T17:59", true),
        ];
        for (moment, open) in cases {
            assert_eq!(shop().is_open(at(moment)), open, "{moment}");
        }
    }

    #[test]
    fn holidays_have_their_own_hours_and_swapped_days_have_mondays() {
        let shop = shop();
        assert_eq!(shop.holiday(at("2026-10-01T00:00")), Some("国庆节"));
        assert_eq!(shop.holiday(at("2026-10-07T23:59")), Some("国庆节"));
        assert_eq!(shop.holiday(at("2026-09-30T23:59")), None);
        assert_eq!(shop.holiday(at("2026-10-08T00:00")), None);
        assert_eq!(shop.holiday(at("2026-10-10T12:00")), None);
        assert!(!shop.is_open(at("2026-10-01T09:30")));
        assert!(shop.is_open(at("2026-10-01T16:59")));
        assert!(!shop.is_open(at("2026-10-01T17:00")));
        // A Saturday that is worked: Monday's 9 to 21, not the weekend's 10 to 18.
        assert!(shop.is_open(at("2026-10-10T09:00")));
        assert!(shop.is_open(at("2026-10-10T20:00")));
        assert!(!shop.is_open(at("2026-10-17T09:00")));
    }

    #[test]
    fn a_holiday_without_hours_is_closed_all_day() {
        let holiday = Holiday { hours: Vec::new(), ..national_day() };
        let shop = Calendar::new(&shop_hours(), &[holiday], "Asia/Shanghai").unwrap();
        assert!(!shop.is_open(at("2026-10-02T12:00")));
        assert_eq!(shop.next_opening(at("2026-09-30T22:00")).unwrap().timestamp(), at("2026-10-08T09:00"));
    }

    #[test]
    fn next_opening_is_the_next_start_after_a_closed_time() {
        let cases = [
            ("2026-11-23T03:00", "2026-11-23T09:00"),
            ("2026-11-23T09:00", "2026-11-24T09:00"),
            ("2026-11-23T12:00", "2026-11-24T09:00"),
            ("2026-11-27T21:00", "2026-11-28T10:00"),
            ("2026-09-30T21:00", "2026-10-01T10:00"),
            ("2026-10-09T22:00", "2026-10-10T09:00"),
        ];
        for (now, opening) in cases {
            assert_eq!(shop().next_opening(at(now)).unwrap().timestamp(), at(opening), "{now}");
        }
        let zoned = shop().next_opening(at("2026-11-23T03:00")).unwrap();
        assert_eq!((zoned.hour(), zoned.minute()), (9, 0), "in the bot's zone");
    }

    #[test]
    fn hours_without_a_break_never_open_and_no_hours_neither() {
        let all_day = spans(&["00:00-24:00"]);
        let week = [(); 7].map(|()| all_day.clone());
        let [mon, tue, wed, thu, fri, sat, sun] = week;
        let always = Hours { mon, tue, wed, thu, fri, sat, sun };
        let always = Calendar::new(&always, &[], "Asia/Shanghai").unwrap();
        assert!(always.is_open(at("2026-11-23T23:59")));
        assert_eq!(always.next_opening(at("2026-11-23T12:00")), None);
        assert_eq!(always.describe(), "每天 00:00-24:00");
        let never = Calendar::new(&Hours::default(), &[], "Asia/Shanghai").unwrap();
        assert!(!never.is_open(at("2026-11-23T12:00")));
        assert_eq!(never.next_opening(at("2026-11-23T12:00")), None);
        assert_eq!(never.describe(), "暂无固定时间");
    }

    #[test]
    fn an_opening_is_looked_for_within_sixty_days() {
        let closed = |until: &str| Holiday {
            name: "停业".to_owned(),
            from: day("2026-01-01"),
            until: day(until),
            work_days: Vec::new(),
            hours: Vec::new(),
        };
        // 60 days after 2026-01-01 is 2026-03-02.
        let opens = |until| {
            let calendar = Calendar::new(&shop_hours(), &[closed(until)], "Asia/Shanghai").unwrap();
            calendar.next_opening(at("2026-01-01T12:00")).is_some()
        };
        assert!(opens("2026-03-01"));
        assert!(!opens("2026-03-02"));
    }

    #[test]
    fn describes_the_week_in_groups() {
        assert_eq!(shop().describe(), "周一至周五 09:00-21:00，周末 10:00-18:00");
        let hours = Hours {
            mon: spans(&["13:00-18:00", "09:00-12:00"]),
            wed: spans(&["09:00-12:00", "13:00-18:00"]),
            sat: spans(&["20:00-24:00"]),
            ..Hours::default()
        };
        let calendar = Calendar::new(&hours, &[], "Asia/Shanghai").unwrap();
        assert_eq!(calendar.describe(), "周一、周三 09:00-12:00、13:00-18:00，周六 20:00-24:00");
    }

    #[test]
    fn the_zone_decides_what_day_it_is() {
        let urumqi_noon = at("2026-11-23T00:30");
        assert_eq!(shop().today(urumqi_noon), day("2026-11-23"));
        let london = Calendar::new(&shop_hours(), &[], "Europe/London").unwrap();
        assert_eq!(london.today(urumqi_noon), day("2026-11-22"));
        assert_eq!(london.zoned(urumqi_noon).hour(), 16);
        assert!(london.is_open(urumqi_noon));
    }

    #[test]
    fn errors_name_key_and_value() {
        let monday = |values: &[&str]| Hours { mon: spans(values), ..Hours::default() };
        let zone = "Asia/Shanghai";
        for value in
            ["9-21", "09:00", "09:60-10:00", "09:00-24:01", "24:00-24:00", "+9:00-10:00", "09:0-10:00"]
        {
            let expected = format!(
                "`hours.mon` holds `{value}`, which is not a span like `09:00-21:00` between 00:00 and 24:00"
            );
            check_error(monday(&[value]), &[], zone, &expected);
        }
        for value in ["21:00-09:00", "09:00-09:00"] {
            let expected = format!(
                "`hours.mon` holds `{value}`, which must end after it starts, at 24:00 at the latest"
            );
            check_error(monday(&[value]), &[], zone, &expected);
        }
        check_error(
            monday(&["12:00-18:00", "09:00-12:01"]),
            &[],
            zone,
            "`hours.mon` holds `09:00-12:01` and `12:00-18:00`, which overlap",
        );
        let holiday = Holiday { hours: spans(&["x"]), ..national_day() };
        check_error(
            Hours::default(),
            &[holiday],
            zone,
            "`holidays.国庆节.hours` holds `x`, which is not a span like `09:00-21:00` between 00:00 and 24:00",
        );
        let holiday = Holiday { until: day("2026-09-30"), ..national_day() };
        check_error(
            Hours::default(),
            &[holiday],
            zone,
            "`holidays.国庆节` runs from 2026-10-01 until 2026-09-30, which is backwards",
        );
        let holiday = Holiday { work_days: vec![day("2026-10-07")], ..national_day() };
        check_error(
            Hours::default(),
            &[holiday],
            zone,
            "`holidays.国庆节.work_days` holds 2026-10-07, which is a day off of `国庆节`",
        );
        check_error(
            Hours::default(),
            &[],
            "Asia/Peking",
            "`timezone` holds `Asia/Peking`, which is no zone of the IANA database",
        );
    }

    #[test]
    fn spans_that_touch_do_not_overlap() {
        let hours = Hours { mon: spans(&["12:00-18:00", "9:00-12:00"]), ..Hours::default() };
        let calendar = Calendar::new(&hours, &[], "Asia/Shanghai").unwrap();
        assert!(calendar.is_open(at("2026-11-23T12:00")));
        // 2026-11-23 is a Monday: the afternoon continues the morning, the next opening is a week later.
        assert_eq!(
            calendar.next_opening(at("2026-11-23T10:00")).unwrap().timestamp(),
            at("2026-11-30T09:00")
        );
    }
}
