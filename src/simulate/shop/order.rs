//! An order as the shop keeps it, and as it writes it down for others.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

/// The shop's time: Beijing, all year.
pub(super) const BEIJING: Offset = jiff::tz::offset(8);

/// Categories that cannot go back once unpacked.
const INTIMATE: [&str; 3] = ["内衣", "内裤", "袜子"];

const NO_RETURN_REASON: &str = "贴身商品拆封后不支持无理由退换";

/// Something the shop sells.
#[derive(Debug)]
pub(super) struct Goods {
    pub(super) sku: &'static str,
    pub(super) title: &'static str,
    pub(super) category: &'static str,
    pub(super) price_fen: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Unpaid,
    Paid,
    Shipped,
    Signed,
    Cancelled,
    Refunding,
}

impl Status {
    const ALL: [Self; 6] =
        [Self::Unpaid, Self::Paid, Self::Shipped, Self::Signed, Self::Cancelled, Self::Refunding];

    /// The status a wire word stands for.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Signed => "signed",
            Self::Cancelled => "cancelled",
            Self::Refunding => "refunding",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unpaid => "待付款",
            Self::Paid => "待发货",
            Self::Shipped => "已发货",
            Self::Signed => "已签收",
            Self::Cancelled => "已取消",
            Self::Refunding => "退款中",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) order_no: String,
    pub(super) status: Status,
    pub(super) paid_at: Timestamp,
    pub(super) shipped_at: Option<Timestamp>,
    pub(super) signed_at: Option<Timestamp>,
    pub(super) receiver: Receiver,
    /// Never empty.
    pub(super) lines: Vec<Line>,
    pub(super) parcel: Option<Parcel>,
    pub(super) invoice: Option<Invoice>,
    pub(super) refund: Option<Refund>,
}

#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) mobile: String,
    pub(super) address: String,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) line_id: String,
    pub(super) goods: &'static Goods,
    pub(super) color: &'static str,
    pub(super) size: &'static str,
    pub(super) qty: u32,
    /// Number of the return or exchange it is part of.
    pub(super) return_no: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) carrier: &'static str,
    pub(super) tracking_no: String,
    /// Newest first, never empty.
    pub(super) events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) text: &'static str,
    pub(super) place: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Invoice {
    pub(super) invoice_no: String,
    pub(super) title: String,
    pub(super) tax_no: Option<String>,
    pub(super) email: String,
}

#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub(super) amount_fen: u32,
    pub(super) state_text: &'static str,
    pub(super) expected_at: Timestamp,
}

impl Line {
    pub(super) fn amount_fen(&self) -> u32 {
        self.goods.price_fen * self.qty
    }

    fn returnable(&self) -> bool {
        !INTIMATE.iter().any(|intimate| self.goods.category.contains(intimate))
    }

    fn view(&self) -> Value {
        json!({
            "line_id": self.line_id,
            "sku": self.goods.sku,
            "title": self.goods.title,
            "category": self.goods.category,
            "color": self.color,
            "size": self.size,
            "qty": self.qty,
            "price_fen": self.goods.price_fen,
            "returnable": self.returnable(),
            "no_return_reason": (!self.returnable()).then_some(NO_RETURN_REASON),
        })
    }
}

impl Order {
    pub(super) fn amount_fen(&self) -> u32 {
        self.lines.iter().map(Line::amount_fen).sum()
    }

    /// The order on the wire.
    ///
    /// * `hit`: the line that whoever asked was after.
    pub(super) fn view(&self, hit: &Line) -> Value {
        json!({
            "order_no": self.order_no,
            "status": self.status.word(),
            "status_text": self.status.text(),
            "paid_at": time(self.paid_at),
            "shipped_at": self.shipped_at.map(time),
            "signed_at": self.signed_at.map(time),
            "amount_fen": self.amount_fen(),
            "receiver": {
                "name": self.receiver.name,
                "mobile": self.receiver.mobile,
                "address": self.receiver.address,
            },
            "lines": self.lines.iter().map(Line::view).collect::<Vec<_>>(),
            "hit": hit.view(),
            "parcel": self.parcel.as_ref().map(Parcel::summary),
            "invoice": self.invoice.as_ref().map(|invoice| json!({
                "invoice_no": invoice.invoice_no,
                "title": invoice.title,
                "tax_no": invoice.tax_no,
                "email": invoice.email,
            })),
            "refund": self.refund.as_ref().map(|refund| json!({
                "amount_fen": refund.amount_fen,
                "state_text": refund.state_text,
                "expected_at": time(refund.expected_at),
            })),
        })
    }
}

impl Parcel {
    /// The parcel on the wire, with its whole way.
    pub(super) fn view(&self) -> Value {
        let events = self.events.iter();
        let events: Vec<Value> = events
            .map(|event| json!({ "at": time(event.at), "text": event.text, "place": event.place }))
            .collect();
        json!({ "carrier": self.carrier, "tracking_no": self.tracking_no, "events": events })
    }

    fn summary(&self) -> Value {
        let last = self.events.first();
        json!({
            "carrier": self.carrier,
            "tracking_no": self.tracking_no,
            "last_event": last.map(|event| event.text),
            "last_event_at": last.map(|event| time(event.at)),
        })
    }
}

/// RFC 3339 with the shop's offset.
pub(super) fn time(at: Timestamp) -> String {
    at.display_with_offset(BEIJING).to_string()
}
