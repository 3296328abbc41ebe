//! What is said, when, and the instants that it means.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

const SUNDAY: &str = "2026-11-22T10:00[Asia/Shanghai]";

#[track_caller]
fn check(now: &str, said: &str, from: &str, to: &str) {
    let now: Zoned = now.parse().unwrap();
    let at = |time: &str| -> Timestamp {
        time.parse::<DateTime>().unwrap().to_zoned(now.time_zone().clone()).unwrap().timestamp()
    };
    let found = period(said, &now).unwrap_or_else(|| panic!("{said} is read"));
    let local = |at: Timestamp| at.to_zoned(now.time_zone().clone()).to_string();
    assert_eq!(
        found,
        Period { from: at(from), to: at(to) },
        "{said}: {}, {}",
        local(found.from),
        local(found.to)
    );
}

#[track_caller]
fn check_day(now: &str, said: &str, day: &str) {
    let next = day.parse::<Date>().unwrap().tomorrow().unwrap();
    check(now, said, &format!("{day}T00:00"), &format!("{next}T00:00"));
}

#[track_caller]
fn check_none(said: &str) {
    assert_eq!(period(said, &SUNDAY.parse().unwrap()), None, "{said}");
}

#[test]
fn days_around_today() {
    check_day(SUNDAY, "今天", "2026-11-22");
    check_day(SUNDAY, "昨天", "2026-11-21");
    check_day(SUNDAY, "昨日", "2026-11-21");
    check_day(SUNDAY, "前天", "2026-11-20");
    check_day(SUNDAY, "大前天", "2026-11-19");
    check_day(SUNDAY, "明天", "2026-11-23");
    check_day(SUNDAY, "后天", "2026-11-24");
    check_day(SUNDAY, "大后天", "2026-11-25");
    check_day("2027-01-01T00:00[Asia/Shanghai]", "昨天", "2026-12-31");
    check_day("2026-12-31T23:59[Asia/Shanghai]", "明天", "2027-01-01");
    check_day("2028-02-28T12:00[Asia/Shanghai]", "明天", "2028-02-29");
}

#[test]
fn times_of_day() {
    check(SUNDAY, "今早", "2026-11-22T05:00", "2026-11-22T10:00");
    check(SUNDAY, "昨晚", "2026-11-21T18:00", "2026-11-22T00:00");
    check(SUNDAY, "前天晚上", "2026-11-20T18:00", "2026-11-21T00:00");
    check(SUNDAY, "今天上午", "2026-11-22T06:00", "2026-11-22T12:00");
    check(SUNDAY, "昨天下午三点", "2026-11-21T15:00", "2026-11-21T16:00");
    check(SUNDAY, "下午3点半", "2026-11-22T15:30", "2026-11-22T16:00");
    check(SUNDAY, "晚上8点", "2026-11-22T20:00", "2026-11-22T21:00");
    check(SUNDAY, "15:30", "2026-11-22T15:30", "2026-11-22T15:31");
    check(SUNDAY, "昨天 15:30", "2026-11-21T15:30", "2026-11-21T15:31");
    check(SUNDAY, "中午", "2026-11-22T11:00", "2026-11-22T14:00");
    check(SUNDAY, "中午一点", "2026-11-22T13:00", "2026-11-22T14:00");
    check(SUNDAY, "中午12点", "2026-11-22T12:00", "2026-11-22T13:00");
    check(SUNDAY, "凌晨", "2026-11-22T00:00", "2026-11-22T06:00");
    check(SUNDAY, "凌晨12点", "2026-11-22T00:00", "2026-11-22T01:00");
    check(SUNDAY, "昨天半夜", "2026-11-21T22:00", "2026-11-22T05:00");
    check(SUNDAY, "昨晚两点", "2026-11-22T02:00", "2026-11-22T03:00");
    check(SUNDAY, "昨晚十二点", "2026-11-22T00:00", "2026-11-22T01:00");
    check(SUNDAY, "十一点", "2026-11-22T11:00", "2026-11-22T12:00");
    check(SUNDAY, "昨天三点", "2026-11-21T15:00", "2026-11-21T16:00");
    check(SUNDAY, "明天早上六点四十", "2026-11-23T06:40", "2026-11-23T06:41");
    check(SUNDAY, "周三 上午 6点", "2026-11-18T06:00", "2026-11-18T07:00");
    check(SUNDAY, "明早八点一刻", "2026-11-23T08:15", "2026-11-23T08:30");
    check(SUNDAY, "下午三点左右", "2026-11-22T14:00", "2026-11-22T17:00");
    check(SUNDAY, "下午3点前", "2026-11-22T10:00", "2026-11-22T15:00");
}

#[test]
fn weeks() {
    check(SUNDAY, "上周", "2026-11-09T00:00", "2026-11-16T00:00");
    check(SUNDAY, "上上周", "2026-11-02T00:00", "2026-11-09T00:00");
    check(SUNDAY, "这个星期", "2026-11-16T00:00", "2026-11-23T00:00");
    check(SUNDAY, "下礼拜", "2026-11-23T00:00", "2026-11-30T00:00");
    check_day(SUNDAY, "上周五", "2026-11-13");
    check_day(SUNDAY, "这周三", "2026-11-18");
    check_day(SUNDAY, "下周一", "2026-11-23");
    check_day(SUNDAY, "上个礼拜天", "2026-11-15");
    check_day(SUNDAY, "周一", "2026-11-16");
    check_day("2026-11-19T10:00[Asia/Shanghai]", "周五", "2026-11-20");
    check_day("2026-11-16T10:00[Asia/Shanghai]", "周五", "2026-11-13");
    check("2026-11-16T10:00[Asia/Shanghai]", "周五前", "2026-11-16T10:00", "2026-11-20T00:00");
    check(SUNDAY, "周五之前", "2026-11-22T10:00", "2026-11-27T00:00");
    check(SUNDAY, "周末", "2026-11-21T00:00", "2026-11-23T00:00");
    check("2026-11-23T10:00[Asia/Shanghai]", "周末", "2026-11-21T00:00", "2026-11-23T00:00");
    check(SUNDAY, "上周末", "2026-11-14T00:00", "2026-11-16T00:00");
    check("2027-01-01T08:00[Asia/Shanghai]", "这周", "2026-12-28T00:00", "2027-01-04T00:00");
}

#[test]
fn months_and_their_days() {
    check(SUNDAY, "上个月", "2026-10-01T00:00", "2026-11-01T00:00");
    check(SUNDAY, "本月", "2026-11-01T00:00", "2026-12-01T00:00");
    check(SUNDAY, "下个月", "2026-12-01T00:00", "2027-01-01T00:00");
    check("2027-01-05T10:00[Asia/Shanghai]", "上个月", "2026-12-01T00:00", "2027-01-01T00:00");
    check(SUNDAY, "上月底", "2026-10-21T00:00", "2026-11-01T00:00");
    check(SUNDAY, "月初", "2026-11-01T00:00", "2026-11-11T00:00");
    check(SUNDAY, "月底", "2026-11-21T00:00", "2026-12-01T00:00");
    check("2026-11-05T10:00[Asia/Shanghai]", "月底", "2026-10-21T00:00", "2026-11-01T00:00");
    check("2026-11-05T10:00[Asia/Shanghai]", "月底前", "2026-11-05T10:00", "2026-11-21T00:00");
    check_day(SUNDAY, "上个月15号", "2026-10-15");
    check(SUNDAY, "三月", "2026-03-01T00:00", "2026-04-01T00:00");
    check(SUNDAY, "十二月份", "2026-12-01T00:00", "2027-01-01T00:00");
    check("2027-01-05T10:00[Asia/Shanghai]", "11月", "2026-11-01T00:00", "2026-12-01T00:00");
    check(SUNDAY, "3月初", "2026-03-01T00:00", "2026-03-11T00:00");
    check_day(SUNDAY, "11月5号", "2026-11-05");
    check(SUNDAY, "11月5日下午", "2026-11-05T12:00", "2026-11-05T18:00");
    check_day("2026-12-28T10:00[Asia/Shanghai]", "1月3号", "2027-01-03");
    check_day(SUNDAY, "12月25号", "2026-12-25");
    check_day(SUNDAY, "1月5号", "2027-01-05");
    check_day(SUNDAY, "2月5号", "2026-02-05");
    check(SUNDAY, "2月5号前", "2026-11-22T10:00", "2027-02-05T00:00");
    check_day(SUNDAY, "2月29号", "2024-02-29");
    check_day(SUNDAY, "5号", "2026-11-05");
    check_day(SUNDAY, "二十五号", "2026-11-25");
    check_day("2026-11-10T10:00[Asia/Shanghai]", "25号", "2026-10-25");
    check_day("2027-03-05T10:00[Asia/Shanghai]", "31号", "2027-01-31");
    check(SUNDAY, "5号前", "2026-11-22T10:00", "2026-12-05T00:00");
}

#[test]
fn years_and_full_dates() {
    check(SUNDAY, "去年", "2025-01-01T00:00", "2026-01-01T00:00");
    check(SUNDAY, "前年", "2024-01-01T00:00", "2025-01-01T00:00");
    check(SUNDAY, "去年冬天", "2025-12-01T00:00", "2026-03-01T00:00");
    check(SUNDAY, "夏天", "2026-06-01T00:00", "2026-09-01T00:00");
    check(SUNDAY, "今年年初", "2026-01-01T00:00", "2026-03-01T00:00");
    check(SUNDAY, "去年底", "2025-11-01T00:00", "2026-01-01T00:00");
    check(SUNDAY, "上半年", "2026-01-01T00:00", "2026-07-01T00:00");
    check(SUNDAY, "去年下半年", "2025-07-01T00:00", "2026-01-01T00:00");
    check(SUNDAY, "2026年3月", "2026-03-01T00:00", "2026-04-01T00:00");
    check(SUNDAY, "2026-03", "2026-03-01T00:00", "2026-04-01T00:00");
    check(SUNDAY, "二零二五年三月", "2025-03-01T00:00", "2025-04-01T00:00");
    check_day(SUNDAY, "25年11月3号", "2025-11-03");
    check_day(SUNDAY, "去年11月30号", "2025-11-30");
    check_day(SUNDAY, "2025-11-03", "2025-11-03");
    check_day(SUNDAY, "2025年11月3日", "2025-11-03");
    check_day(SUNDAY, "11/3", "2026-11-03");
    check_day(SUNDAY, "11.3", "2026-11-03");
    check(SUNDAY, "2025-11-03 15:30", "2025-11-03T15:30", "2025-11-03T15:31");
    check(SUNDAY, "去年这个时候", "2025-11-07T00:00", "2025-12-08T00:00");
    check(SUNDAY, "2025年前", "2024-12-02T00:00", "2025-01-01T00:00");
}

#[test]
fn distances() {
    check_day(SUNDAY, "三天前", "2026-11-19");
    check_day(SUNDAY, "3天以前", "2026-11-19");
    check_day(SUNDAY, "两天后", "2026-11-24");
    check(SUNDAY, "两三天前", "2026-11-19T00:00", "2026-11-21T00:00");
    check(SUNDAY, "3到5天内", "2026-11-17T00:00", "2026-11-22T10:00");
    check(SUNDAY, "十几天前", "2026-11-03T00:00", "2026-11-12T00:00");
    check(SUNDAY, "二十多天前", "2026-10-23T00:00", "2026-11-03T00:00");
    check(SUNDAY, "两周前", "2026-11-05T00:00", "2026-11-12T00:00");
    check(SUNDAY, "半个月前", "2026-11-04T00:00", "2026-11-11T00:00");
    check(SUNDAY, "一个多月前", "2026-09-22T00:00", "2026-10-23T00:00");
    check(SUNDAY, "一个半月前", "2026-10-04T00:00", "2026-10-11T00:00");
    check(SUNDAY, "两个月前", "2026-09-07T00:00", "2026-10-08T00:00");
    check(SUNDAY, "半年前", "2026-05-07T00:00", "2026-06-07T00:00");
    check(SUNDAY, "一年前", "2025-05-24T00:00", "2026-05-24T00:00");
    check(SUNDAY, "半小时前", "2026-11-22T09:22:30", "2026-11-22T09:37:30");
    check(SUNDAY, "3.5小时前", "2026-11-22T05:37:30", "2026-11-22T07:22:30");
    check(SUNDAY, "两个小时后", "2026-11-22T11:30", "2026-11-22T12:30");
    check(SUNDAY, "三天内", "2026-11-19T00:00", "2026-11-22T10:00");
    check(SUNDAY, "一周内", "2026-11-15T00:00", "2026-11-22T10:00");
    check(SUNDAY, "48小时内", "2026-11-20T10:00", "2026-11-22T10:00");
    check(SUNDAY, "三天", "2026-11-19T00:00", "2026-11-22T10:00");
    check(SUNDAY, "十分钟", "2026-11-22T09:50", "2026-11-22T10:00");
    check(SUNDAY, "近三个月", "2026-08-22T00:00", "2026-11-22T10:00");
    check(SUNDAY, "前三天", "2026-11-19T00:00", "2026-11-22T00:00");
    check(SUNDAY, "未来三天", "2026-11-22T10:00", "2026-11-26T00:00");
}

#[test]
fn vague_words() {
    check(SUNDAY, "几天前", "2026-11-13T00:00", "2026-11-21T00:00");
    check(SUNDAY, "前几天", "2026-11-13T00:00", "2026-11-21T00:00");
    check(SUNDAY, "前两天", "2026-11-18T00:00", "2026-11-22T00:00");
    check(SUNDAY, "前段时间", "2026-08-24T00:00", "2026-11-16T00:00");
    check(SUNDAY, "最近", "2026-10-23T00:00", "2026-11-22T10:00");
    check(SUNDAY, "最近这段时间", "2026-10-23T00:00", "2026-11-22T10:00");
    check(SUNDAY, "这几天", "2026-11-15T00:00", "2026-11-22T10:00");
    check(SUNDAY, "最近两天", "2026-11-20T00:00", "2026-11-22T10:00");
    check(SUNDAY, "刚才", "2026-11-22T09:00", "2026-11-22T10:00");
    check(SUNDAY, "刚刚", "2026-11-22T09:00", "2026-11-22T10:00");
    check(SUNDAY, "过两天", "2026-11-23T00:00", "2026-11-26T00:00");
}

#[test]
fn festivals() {
    check_day(SUNDAY, "双十一", "2026-11-11");
    check_day(SUNDAY, "双11那天", "2026-11-11");
    check_day(SUNDAY, "去年双十一", "2025-11-11");
    check_day("2026-11-09T10:00[Asia/Shanghai]", "双十一", "2026-11-11");
    check_day("2027-02-01T10:00[Asia/Shanghai]", "双十一", "2026-11-11");
    check(SUNDAY, "双十一期间", "2026-10-20T00:00", "2026-11-15T00:00");
    check(SUNDAY, "双十一前", "2026-10-12T00:00", "2026-11-11T00:00");
    check(SUNDAY, "双十一之后", "2026-11-12T00:00", "2026-11-22T10:00");
    check(SUNDAY, "双十一左右", "2026-11-09T00:00", "2026-11-14T00:00");
    check(SUNDAY, "双十一晚上八点", "2026-11-11T20:00", "2026-11-11T21:00");
    check_day(SUNDAY, "双十二", "2026-12-12");
    check(SUNDAY, "双12前", "2026-11-22T10:00", "2026-12-12T00:00");
    check_day(SUNDAY, "618", "2026-06-18");
    check_day(SUNDAY, "2024年618", "2024-06-18");
    check(SUNDAY, "国庆", "2026-10-01T00:00", "2026-10-08T00:00");
    check_day(SUNDAY, "国庆节当天", "2026-10-01");
    check(SUNDAY, "十一期间", "2026-10-01T00:00", "2026-10-08T00:00");
    check(SUNDAY, "春节", "2027-02-05T00:00", "2027-02-13T00:00");
    check(SUNDAY, "今年过年", "2026-02-16T00:00", "2026-02-24T00:00");
    check_day(SUNDAY, "去年春节当天", "2025-01-29");
    check(SUNDAY, "年前", "2026-11-22T10:00", "2027-02-05T00:00");
    check(SUNDAY, "过年后", "2027-02-13T00:00", "2027-03-15T00:00");
    check_day(SUNDAY, "除夕", "2027-02-05");
    check_day(SUNDAY, "元宵节", "2027-02-20");
    check_day(SUNDAY, "清明", "2026-04-05");
    check(SUNDAY, "五一", "2026-05-01T00:00", "2026-05-06T00:00");
    check_day(SUNDAY, "端午", "2026-06-19");
    check_day(SUNDAY, "七夕", "2026-08-19");
    check_day(SUNDAY, "中秋", "2026-09-25");
    check_day(SUNDAY, "去年中秋节", "2025-10-06");
    check_day(SUNDAY, "重阳", "2026-10-18");
    check_day(SUNDAY, "元旦", "2027-01-01");
    check_day(SUNDAY, "圣诞节", "2026-12-25");
    check_day("2027-01-03T10:00[Asia/Shanghai]", "圣诞", "2026-12-25");
    check_day(SUNDAY, "情人节", "2027-02-14");
    check_day(SUNDAY, "女神节", "2027-03-08");
    check_day(SUNDAY, "母亲节", "2026-05-10");
    check_day(SUNDAY, "父亲节", "2026-06-21");
    check_day(SUNDAY, "六一", "2026-06-01");
    check_day(SUNDAY, "教师节", "2026-09-10");
    check_day(SUNDAY, "黑五", "2026-11-27");
    check_day(SUNDAY, "去年黑五", "2025-11-28");
    check(SUNDAY, "年货节", "2027-01-07T00:00", "2027-01-31T00:00");
    check(SUNDAY, "开学季", "2026-08-15T00:00", "2026-09-16T00:00");
}

/// The dates are those of the published calendars.
#[test]
fn new_year_and_qingming_of_ten_years() {
    let published = [
        ("2018-02-16", "2018-04-05"),
        ("2019-02-05", "2019-04-05"),
        ("2020-01-25", "2020-04-04"),
        ("2021-02-12", "2021-04-04"),
        ("2022-02-01", "2022-04-05"),
        ("2023-01-22", "2023-04-05"),
        ("2024-02-10", "2024-04-04"),
        ("2025-01-29", "2025-04-04"),
        ("2026-02-17", "2026-04-05"),
        ("2027-02-06", "2027-04-05"),
    ];
    for (new_year, qingming) in published {
        let year = &new_year[..4];
        check_day(SUNDAY, &format!("{year}年大年初一"), new_year);
        check_day(SUNDAY, &format!("{year}年清明节"), qingming);
    }
}

#[test]
fn clocks_that_change() {
    // The night of 1 November 2026 has one hour twice, that of 8 March lacks one.
    let autumn = "2026-11-02T09:00[America/New_York]";
    check_day(autumn, "昨天", "2026-11-01");
    let yesterday = period("昨天", &autumn.parse().unwrap()).unwrap();
    assert_eq!(yesterday.to.duration_since(yesterday.from).as_hours(), 25);
    check(autumn, "48小时内", "2026-10-31T10:00", autumn.split_once('[').unwrap().0);
    check(autumn, "昨天下午三点", "2026-11-01T15:00", "2026-11-01T16:00");
    check_day(autumn, "感恩节", "2026-11-26");
    let spring = "2026-03-08T10:00[America/New_York]";
    check(spring, "凌晨", "2026-03-08T00:00", "2026-03-08T06:00");
    check(spring, "凌晨两点半", "2026-03-08T03:30", "2026-03-08T03:30");
    check(spring, "上周", "2026-02-23T00:00", "2026-03-02T00:00");
    // The same instant is another day elsewhere.
    check_day("2026-12-31T23:00[America/New_York]", "今天", "2026-12-31");
    check_day("2027-01-01T12:00[Asia/Shanghai]", "今天", "2027-01-01");
    check_day("2027-01-01T12:00[Asia/Shanghai]", "去年元旦", "2026-01-01");
}

#[test]
fn what_is_no_date() {
    for said in ["", "前", "底", "你好", "三", "一亿年前", "13月", "2月30号", "25点", "99:99", "32号"]
    {
        check_none(said);
    }
}

const PIECES: &[&str] = &[
    "今",
    "天",
    "昨",
    "前",
    "后",
    "上",
    "下",
    "个",
    "周",
    "月",
    "年",
    "五",
    "末",
    "底",
    "初",
    "晚上",
    "下午",
    "点",
    "半",
    "三",
    "15",
    ":",
    "30",
    "号",
    "去",
    "双十一",
    "春节",
    "期间",
    "内",
    "之",
    "几",
    "多",
    "最近",
    "过",
    "2025",
    "-",
    "/",
    ".",
    " ",
    "亿",
    "万",
    "十",
    "小时",
    "星期",
    "分钟",
    "9999",
    "0",
    "清明",
    "冬天",
    "左右",
    "那天",
    "两",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..8).prop_map(|pieces| pieces.concat())
}

fn moments() -> impl Strategy<Value = Zoned> {
    let zones = prop::sample::select(vec!["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"]);
    let seconds = prop_oneof![
        1_500_000_000i64..2_500_000_000,
        Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
        Just(Timestamp::MAX.as_second()),
        Just(Timestamp::MIN.as_second()),
    ];
    (zones, seconds).prop_map(|(zone, seconds)| {
        Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::get(zone).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn pieces_are_read_in_order_or_not_at_all(said in pieces(), now in moments()) {
        if let Some(found) = period(&said, &now) {
            prop_assert!(found.from <= found.to, "{said} at {now}");
        }
    }

    #[test]
    fn any_text_is_survived(said in any::<String>(), now in moments()) {
        if let Some(found) = period(&said, &now) {
            prop_assert!(found.from <= found.to, "{said} at {now}");
        }
    }
}
