//! The orders every buyer starts with: one for each question a demo asks, dated from the day it is asked.
//!
//! Goods, colours, sizes and prices are those of `knowledge/shop/products.csv`.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::simulate::shop::order::BEIJING;
use crate::simulate::shop::order::Event;
use crate::simulate::shop::order::Goods;
use crate::simulate::shop::order::Line;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::order::Parcel;
use crate::simulate::shop::order::Receiver;
use crate::simulate::shop::order::Refund;
use crate::simulate::shop::order::Status;

const SHIRT: Goods =
    Goods {
        sku: "YR-C101", title: "云柔新疆长绒棉长袖衬衫", category: "衬衫", price_fen: 19_900
    };
const SOCKS: Goods =
    Goods { sku: "YR-Z101", title: "云柔纯棉中筒袜五双装", category: "袜子", price_fen: 3_900 };
const LINEN: Goods =
    Goods { sku: "YR-C104", title: "云柔亚麻立领衬衫", category: "衬衫", price_fen: 18_900 };
const DRESS: Goods =
    Goods { sku: "XH-D102", title: "星河赫本小黑裙", category: "连衣裙", price_fen: 32_900 };
const RUNNERS: Goods =
    Goods { sku: "MB-Y101", title: "漫步云感缓震跑鞋", category: "运动鞋", price_fen: 29_900 };
const HOODIE: Goods =
    Goods { sku: "YR-W101", title: "云柔加绒连帽卫衣", category: "卫衣", price_fen: 17_900 };
const HUMIDIFIER: Goods =
    Goods { sku: "NJ-J101", title: "暖居静音卧室加湿器", category: "加湿器", price_fen: 12_900 };
const SNEAKERS: Goods =
    Goods { sku: "MB-B101", title: "漫步头层牛皮小白鞋", category: "板鞋", price_fen: 23_900 };
const SCARF: Goods =
    Goods { sku: "QY-P101", title: "轻羽羊绒混纺围巾", category: "围巾", price_fen: 19_900 };
const SUITCASE: Goods =
    Goods {
        sku: "XN-L101", title: "行囊静音万向轮行李箱", category: "行李箱", price_fen: 29_900
    };
const TEE: Goods =
    Goods { sku: "YR-T101", title: "云柔220克重磅纯棉T恤", category: "T恤", price_fen: 6_900 };
const POLO: Goods =
    Goods { sku: "YR-T108", title: "云柔珠地POLO衫", category: "POLO衫", price_fen: 12_900 };

/// The seeded orders, as they stand at `now`; none has a time after it.
pub(super) fn orders(now: Timestamp) -> Vec<Order> {
    let calendar = Calendar { today: BEIJING.to_datetime(now).date(), now };
    vec![
        black_shirt_paid_last_month(&calendar),
        linen_shirt_too_long_ago(&calendar),
        dress_paid_yesterday(&calendar),
        runners_paid_just_now(&calendar),
        hoodie_on_its_way(&calendar),
        humidifier_that_is_stuck(&calendar),
        sneakers_signed_yesterday(&calendar),
        suitcase_of_long_ago(&calendar),
        tee_cancelled(&calendar),
        polo_going_back(&calendar),
    ]
}

/// Paid last month, late out of the weaving mill, signed four days ago: it can still go back.
fn black_shirt_paid_last_month(calendar: &Calendar) -> Order {
    let paid_at = calendar.last_month(18, 20, 41);
    let lines = [(&SHIRT, "黑色", "L"), (&SOCKS, "白色", "均码")];
    let (shipped_at, signed_at) = (calendar.ago(7, 16, 5), calendar.ago(4, 15, 12));
    order(0, paid_at, &lines).shipped("圆通", shipped_at).signed(signed_at)
}

fn linen_shirt_too_long_ago(calendar: &Calendar) -> Order {
    let paid_at = calendar.last_month(6, 12, 18);
    let (shipped_at, signed_at) = (calendar.last_month(7, 10, 30), calendar.last_month(8, 17, 40));
    order(1, paid_at, &[(&LINEN, "米白", "L")]).shipped("中通", shipped_at).signed(signed_at)
}

fn dress_paid_yesterday(calendar: &Calendar) -> Order {
    order(2, calendar.ago(1, 21, 5), &[(&DRESS, "黑色", "M")])
}

fn runners_paid_just_now(calendar: &Calendar) -> Order {
    let paid_at = calendar.now.saturating_sub(2.hours()).unwrap_or(calendar.now);
    order(3, paid_at, &[(&RUNNERS, "白色", "42")])
}

fn hoodie_on_its_way(calendar: &Calendar) -> Order {
    let mut order = order(4, calendar.ago(3, 22, 47), &[(&HOODIE, "焦糖", "XL")])
        .shipped("顺丰", calendar.ago(2, 16, 40));
    order.moved(calendar.ago(2, 22, 10), "已离开发货城市，运往上海", "杭州");
    order.moved(calendar.ago(1, 14, 25), "已到达转运中心，等待派送", "上海");
    order
}

/// Its last event is more than three days old at any time of the day.
fn humidifier_that_is_stuck(calendar: &Calendar) -> Order {
    let mut order = order(5, calendar.ago(7, 9, 33), &[(&HUMIDIFIER, "薄荷绿", "4L")])
        .shipped("中通", calendar.ago(6, 17, 30));
    order.moved(calendar.ago(5, 8, 15), "已离开发货城市，运往上海", "杭州");
    order.moved(calendar.ago(4, 23, 40), "已到达分拨中心", "嘉兴");
    order
}

fn sneakers_signed_yesterday(calendar: &Calendar) -> Order {
    let lines = [(&SNEAKERS, "白色", "40"), (&SCARF, "驼色", "180×65cm")];
    order(6, calendar.ago(5, 19, 20), &lines)
        .shipped("顺丰", calendar.ago(4, 11, 0))
        .signed(calendar.ago(1, 18, 32))
}

fn suitcase_of_long_ago(calendar: &Calendar) -> Order {
    order(7, calendar.ago(44, 13, 9), &[(&SUITCASE, "雾灰", "20寸")])
        .shipped("圆通", calendar.ago(43, 15, 45))
        .signed(calendar.ago(40, 10, 26))
}

fn tee_cancelled(calendar: &Calendar) -> Order {
    let mut order = order(8, calendar.ago(10, 11, 2), &[(&TEE, "白色", "L")]);
    order.status = Status::Cancelled;
    order.refund = Some(Refund {
        amount_fen: order.amount_fen(),
        state_text: "已原路退回",
        expected_at: calendar.ago(9, 11, 2),
    });
    order
}

/// The only one with a return under way; the money is due the day after tomorrow.
fn polo_going_back(calendar: &Calendar) -> Order {
    let mut order = order(9, calendar.ago(11, 20, 14), &[(&POLO, "藏青", "XL")])
        .shipped("中通", calendar.ago(10, 14, 50))
        .signed(calendar.ago(6, 12, 8));
    order.status = Status::Refunding;
    order.refund = Some(Refund {
        amount_fen: order.amount_fen(),
        state_text: "仓库已收到退货，验收中",
        expected_at: calendar.ago(-2, 18, 0),
    });
    for line in &mut order.lines {
        line.return_no = Some(format!("R{}", order.order_no));
    }
    order
}

/// Days counted from the one on which the buyer first asked, in Beijing.
struct Calendar {
    today: Date,
    now: Timestamp,
}

impl Calendar {
    /// * `days`: back from today; negative is ahead.
    fn ago(&self, days: i32, hour: i8, minute: i8) -> Timestamp {
        self.at(self.today.saturating_sub(days.days()), hour, minute)
    }

    /// * `day`: `1..=28`, of the calendar month before this one.
    fn last_month(&self, day: i32, hour: i8, minute: i8) -> Timestamp {
        let first = self.today.first_of_month().saturating_sub(1.month());
        self.at(first.saturating_add((day - 1).days()), hour, minute)
    }

    fn at(&self, date: Date, hour: i8, minute: i8) -> Timestamp {
        // Fails at the two ends of time only.
        BEIJING.to_timestamp(date.at(hour, minute, 0, 0)).unwrap_or(self.now)
    }
}

/// An order that is paid and no more.
///
/// * `place`: `0..=9`, its place in the seed; keeps numbers of one day apart.
fn order(place: u16, paid_at: Timestamp, goods: &[(&'static Goods, &'static str, &'static str)]) -> Order {
    let date = BEIJING.to_datetime(paid_at).date();
    // Some number below 1,000 that looks like a count of the day and is the same for all buyers.
    let count = date.day_of_year().unsigned_abs() * 7 % 1000;
    let order_no = format!("{}{count:03}{place}", date.strftime("%Y%m%d"));
    let line = |(idx, &(goods, color, size)): (usize, &(&'static Goods, &'static str, &'static str))| Line {
        line_id: format!("{order_no}-{}", idx + 1),
        goods,
        color,
        size,
        qty: 1,
        return_no: None,
    };
    Order {
        status: Status::Paid,
        paid_at,
        shipped_at: None,
        signed_at: None,
        receiver: Receiver {
            name: "林小云".to_owned(),
            mobile: "138****0017".to_owned(),
            address: "上海市徐汇区云朵路8号3幢502室".to_owned(),
        },
        lines: goods.iter().enumerate().map(line).collect(),
        parcel: None,
        invoice: None,
        refund: None,
        order_no,
    }
}

impl Order {
    fn shipped(mut self, carrier: &'static str, at: Timestamp) -> Self {
        let letters = match carrier {
            "顺丰" => "SF",
            "中通" => "ZT",
            _ => "YT",
        };
        self.status = Status::Shipped;
        self.shipped_at = Some(at);
        self.parcel = Some(Parcel {
            carrier,
            tracking_no: format!("{letters}9{}", self.order_no),
            events: vec![Event { at, text: "已揽收", place: "杭州" }],
        });
        self
    }

    fn signed(mut self, at: Timestamp) -> Self {
        self.moved(at.saturating_sub(5.hours()).unwrap_or(at), "快递员正在派送", "上海徐汇");
        self.moved(at, "已签收，签收人：本人", "上海徐汇");
        self.status = Status::Signed;
        self.signed_at = Some(at);
        self
    }

    /// Adds a newest event to the parcel.
    fn moved(&mut self, at: Timestamp, text: &'static str, place: &'static str) {
        if let Some(parcel) = &mut self.parcel {
            parcel.events.insert(0, Event { at, text, place });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;

    use super::*;

    /// The first and last of months, 29 February, the year's turn, each at both ends of the Beijing day, and
    /// every day of two years.
    fn moments() -> Vec<Timestamp> {
        let edges = [
            "2026-10-18T12:00:00+08:00",
            "2026-03-01T00:00:00+08:00",
            "2026-03-01T23:59:59+08:00",
            "2024-03-01T00:00:00+08:00",
            "2026-01-31T00:00:00+08:00",
            "2026-01-31T23:59:59+08:00",
            "2024-02-29T00:00:00+08:00",
            "2024-02-29T23:59:59+08:00",
            "2025-12-31T23:59:59+08:00",
            "2026-01-01T00:00:00+08:00",
            "2026-01-01T07:59:59+08:00",
        ];
        let mut moments: Vec<Timestamp> = edges.iter().map(|edge| edge.parse().unwrap()).collect();
        let mut moment: Timestamp = "2027-01-01T00:00:00+08:00".parse().unwrap();
        // Every 23 hours: every day, and every hour of the day in turn.
        while moment.as_second() < 1_861_920_000 {
            moments.push(moment);
            moment += SignedDuration::from_hours(23);
        }
        moments
    }

    fn find<'o>(orders: &'o [Order], sku: &str) -> &'o Order {
        let mut hits = orders.iter().filter(|order| order.lines.iter().any(|line| line.goods.sku == sku));
        let found = hits.next().unwrap_or_else(|| panic!("no order with {sku}"));
        assert!(hits.next().is_none(), "two orders with {sku}");
        found
    }

    fn days(from: Timestamp, to: Timestamp) -> f64 {
        to.duration_since(from).as_secs_f64() / 86_400.0
    }

    #[test]
    fn times_are_in_order_and_never_ahead() {
        for now in moments() {
            for order in orders(now) {
                let mut before = order.paid_at;
                for at in [order.shipped_at, order.signed_at].into_iter().flatten() {
                    assert!(before < at, "{now}: {order:?}");
                    before = at;
                }
                assert!(before <= now, "{now}: {order:?}");
                let events = order.parcel.iter().flat_map(|parcel| parcel.events.iter());
                let ats: Vec<_> = events.map(|event| event.at).collect();
                assert!(ats.is_sorted_by(|newer, older| newer > older), "{now}: {order:?}");
                assert_eq!(ats.last().copied(), order.shipped_at, "{now}");
                assert!(ats.first().is_none_or(|at| *at <= now), "{now}: {order:?}");
            }
        }
    }

    #[test]
    fn the_black_shirt_was_paid_last_month_and_can_still_go_back() {
        for now in moments() {
            let orders = orders(now);
            let order = find(&orders, "YR-C101");
            let (today, paid) = (BEIJING.to_datetime(now).date(), BEIJING.to_datetime(order.paid_at).date());
            let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
            assert_eq!(months(paid), months(today) - 1, "{now}");
            assert_eq!(paid.day(), 18, "{now}");
            assert_eq!((order.lines[0].color, order.lines[0].size), ("黑色", "L"));
            let signed = days(order.signed_at.unwrap(), now);
            assert!((3.0..5.0).contains(&signed), "{now}: signed {signed} days ago");
        }
    }

    #[test]
    fn every_other_order_is_as_old_as_its_dialogue_needs() {
        for now in moments() {
            let orders = orders(now);
            let signed = |sku| days(find(&orders, sku).signed_at.unwrap(), now);
            assert!(signed("YR-C104") > 20.0, "{now}");
            assert!((0.0..2.0).contains(&signed("MB-B101")), "{now}");
            assert!((39.0..41.0).contains(&signed("XN-L101")), "{now}");
            let yesterday = BEIJING.to_datetime(now).date().saturating_sub(1.day());
            assert_eq!(BEIJING.to_datetime(find(&orders, "XH-D102").paid_at).date(), yesterday, "{now}");
            assert!((days(find(&orders, "MB-Y101").paid_at, now) * 24.0 - 2.0).abs() < 1e-9, "{now}");
            let stuck = &find(&orders, "NJ-J101").parcel.as_ref().unwrap().events[0];
            assert!((3.0..4.1).contains(&days(stuck.at, now)), "{now}: {stuck:?}");
            let back = find(&orders, "YR-T108").refund.as_ref().unwrap();
            assert_eq!(back.amount_fen, 12_900);
            assert!(back.expected_at > now, "{now}: {back:?}");
        }
    }

    #[test]
    fn numbers_tell_the_orders_of_any_day_apart() {
        for now in moments() {
            let orders = orders(now);
            let numbers: BTreeSet<_> = orders.iter().map(|order| order.order_no.as_str()).collect();
            assert_eq!(numbers.len(), 10, "{now}: {numbers:?}");
            assert!(numbers.iter().all(|number| number.len() == 12), "{now}: {numbers:?}");
            let parcels: BTreeSet<_> =
                orders.iter().filter_map(|order| order.parcel.as_ref()).map(|it| &it.tracking_no).collect();
            assert_eq!(parcels.len(), 7, "{now}: {parcels:?}");
        }
    }

    #[test]
    fn the_number_of_an_order_begins_with_its_date() {
        let orders = orders("2026-11-02T09:00:00+08:00".parse().unwrap());
        assert_eq!(find(&orders, "YR-C101").order_no, "202610180370");
    }
}
