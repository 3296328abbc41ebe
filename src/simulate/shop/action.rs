//! What the shop can be asked to do, the forms for it, and its rules.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::ToSpan;
use serde::Deserialize;
use serde::Deserializer;
use serde_json::Value;
use serde_json::json;

use crate::simulate::shop::order::BEIJING;
use crate::simulate::shop::order::Invoice;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::order::Refund;
use crate::simulate::shop::order::Status;
use crate::simulate::shop::order::time;
use crate::simulate::shop::refusal::Refusal;

/// Longest text of a field, so that 10,000 kept requests stay small.
const TEXT_CHARS_MAX: usize = 300;

/// After this long nothing goes back, whatever the reason.
const RETURN_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

const CANCEL_REFUND_AFTER: SignedDuration = SignedDuration::from_hours(24);

const RETURN_REFUND_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One thing to do; the order number is that of the path where the form has none. A form that is only looked
/// at, never read again, ends where it is checked.
#[derive(Debug)]
pub(super) enum Action {
    Return(ReturnForm),
    Address(String, AddressForm),
    Cancel(String),
    Urge(String),
    Invoice(String, InvoiceForm),
    Repair(RepairForm),
    Lead,
}

/// A field that says something: no space around it, not empty, 300 characters at most.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(String);

#[derive(Debug, thiserror::Error)]
pub(super) enum TextError {
    #[error("不能为空")]
    Empty,
    #[error("{chars} 个字，超过 {TEXT_CHARS_MAX} 个字")]
    Long { chars: usize },
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(TextError::Empty),
            1..=TEXT_CHARS_MAX => Ok(Self(text.to_owned())),
            chars => Err(TextError::Long { chars }),
        }
    }
}

/// A field that may be missing, null or empty.
fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.trim().is_empty());
    text.map(Text::try_from).transpose().map_err(serde::de::Error::custom)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the words are checked here and shown from the body as it came")]
pub(super) struct ReturnForm {
    order_no: Text,
    line_id: Text,
    kind: ReturnKind,
    reason: Text,
    method: ReturnMethod,
    #[serde(default, deserialize_with = "optional")]
    new_size: Option<Text>,
    #[serde(default, deserialize_with = "optional")]
    new_color: Option<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum ReturnKind {
    #[serde(rename = "退货")]
    Return,
    #[serde(rename = "换货")]
    Exchange,
    #[serde(rename = "退款")]
    Refund,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum ReturnMethod {
    #[serde(rename = "上门取件")]
    Pickup,
    #[serde(rename = "自己寄回")]
    Sent,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressForm {
    #[serde(default, deserialize_with = "optional")]
    name: Option<Text>,
    #[serde(default, deserialize_with = "optional")]
    mobile: Option<Text>,
    address: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked here, shown from the body as it came")]
pub(super) struct CancelForm {
    reason: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UrgeForm {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InvoiceForm {
    title: Text,
    #[serde(default, deserialize_with = "optional")]
    tax_no: Option<Text>,
    email: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked here, shown from the body as it came")]
pub(super) struct RepairForm {
    #[serde(default, deserialize_with = "optional")]
    order_no: Option<Text>,
    goods: Text,
    fault: Text,
    day: Text,
    phone: Text,
    address: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked here, shown from the body as it came")]
pub(super) struct LeadForm {
    kind: LeadKind,
    #[serde(default, deserialize_with = "optional")]
    name: Option<Text>,
    phone: Text,
    need: Text,
    #[serde(default)]
    quantity: Option<Quantity>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeadKind {
    Trial,
    Quotation,
    Lead,
}

/// People write 50, and 五十来件.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "checked here, shown from the body as it came")]
enum Quantity {
    Number(u64),
    #[serde(deserialize_with = "optional")]
    Words(Option<Text>),
}

impl Action {
    /// Its name in the list of what was done.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Return(_) => "return",
            Self::Address(..) => "address",
            Self::Cancel(_) => "cancel",
            Self::Urge(_) => "urge",
            Self::Invoice(..) => "invoice",
            Self::Repair(_) => "repair",
            Self::Lead => "lead",
        }
    }

    /// The order it is about; empty where there is none.
    pub(super) fn order_no(&self) -> &str {
        match self {
            Self::Return(form) => &form.order_no.0,
            Self::Address(order_no, _)
            | Self::Cancel(order_no)
            | Self::Urge(order_no)
            | Self::Invoice(order_no, _) => order_no,
            Self::Repair(form) => form.order_no.as_ref().map_or("", |order_no| &order_no.0),
            Self::Lead => "",
        }
    }

    /// Does it to the buyer's orders, or leaves them as they were.
    ///
    /// * `serial`: a number never given before; new numbers are made of it.
    /// * Returns what the client is told.
    pub(super) fn carry_out(
        &self,
        orders: &mut [Order],
        serial: u64,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let order = orders.iter_mut().find(|order| order.order_no == self.order_no()).ok_or(Refusal::NoOrder);
        match self {
            Self::Return(form) => form.carry_out(order?, &number('R', serial, now), now),
            Self::Address(_, form) => form.carry_out(order?),
            Self::Cancel(_) => cancel(order?, now),
            Self::Urge(_) => urge(order?),
            Self::Invoice(_, form) => form.carry_out(order?, number('F', serial, now)),
            Self::Repair(form) => {
                if form.order_no.is_some() {
                    order?;
                }
                Ok(json!({ "repair_no": number('W', serial, now) }))
            }
            Self::Lead => Ok(json!({ "lead_no": number('L', serial, now) })),
        }
    }
}

fn number(letter: char, serial: u64, now: Timestamp) -> String {
    let date = BEIJING.to_datetime(now).date();
    format!("{letter}{}{serial:04}", date.strftime("%Y%m%d"))
}

impl ReturnForm {
    fn carry_out(&self, order: &mut Order, return_no: &str, now: Timestamp) -> Result<Value, Refusal> {
        let signed_at = order.signed_at;
        let line =
            order.lines.iter_mut().find(|line| line.line_id == self.line_id.0).ok_or(Refusal::NoLine)?;
        if line.return_no.is_some() {
            return Err(Refusal::AlreadyReturned);
        }
        if now.duration_since(signed_at.ok_or(Refusal::NotSigned)?) > RETURN_WITHIN {
            return Err(Refusal::TooLate);
        }
        line.return_no = Some(return_no.to_owned());
        let amount_fen = line.amount_fen();
        match self.kind {
            ReturnKind::Return => give_back(order, amount_fen, "等待商品寄回", now),
            ReturnKind::Refund => give_back(order, amount_fen, "退款审核中", now),
            ReturnKind::Exchange => {}
        }
        Ok(json!({
            "return_no": return_no,
            "label_url": format!("https://shop.yunduo.example/returns/{return_no}"),
            "pickup_at": match self.method {
                ReturnMethod::Pickup => Some(time(tomorrow_at_ten(now))),
                ReturnMethod::Sent => None,
            },
        }))
    }
}

/// Adds to what the buyer gets back; two lines of one order may go back one after the other.
fn give_back(order: &mut Order, amount_fen: u32, state_text: &'static str, now: Timestamp) {
    let before_fen = order.refund.as_ref().map_or(0, |refund| refund.amount_fen);
    order.status = Status::Refunding;
    order.refund = Some(Refund {
        amount_fen: before_fen + amount_fen,
        state_text,
        expected_at: now.saturating_add(RETURN_REFUND_AFTER).unwrap_or(now),
    });
}

fn tomorrow_at_ten(now: Timestamp) -> Timestamp {
    let tomorrow = BEIJING.to_datetime(now).date().saturating_add(1.day());
    // Fails in the year 9999 only.
    BEIJING.to_timestamp(tomorrow.at(10, 0, 0, 0)).unwrap_or(now)
}

impl AddressForm {
    fn carry_out(&self, order: &mut Order) -> Result<Value, Refusal> {
        if order.shipped_at.is_some() {
            return Err(Refusal::AddressAfterShipping);
        }
        if order.status == Status::Cancelled {
            return Err(Refusal::AddressOfCancelled);
        }
        if let Some(name) = &self.name {
            order.receiver.name.clone_from(&name.0);
        }
        if let Some(mobile) = &self.mobile {
            order.receiver.mobile.clone_from(&mobile.0);
        }
        order.receiver.address.clone_from(&self.address.0);
        Ok(json!({ "order_no": order.order_no, "address": order.receiver.address }))
    }
}

fn cancel(order: &mut Order, now: Timestamp) -> Result<Value, Refusal> {
    if order.shipped_at.is_some() {
        return Err(Refusal::CancelAfterShipping);
    }
    if order.status == Status::Cancelled {
        return Err(Refusal::CancelledBefore);
    }
    let refund_fen = order.amount_fen();
    order.status = Status::Cancelled;
    order.refund = Some(Refund {
        amount_fen: refund_fen,
        state_text: "原路退回中",
        expected_at: now.saturating_add(CANCEL_REFUND_AFTER).unwrap_or(now),
    });
    Ok(json!({ "order_no": order.order_no, "refund_fen": refund_fen }))
}

fn urge(order: &Order) -> Result<Value, Refusal> {
    if order.shipped_at.is_some() {
        return Err(Refusal::UrgeAfterShipping);
    }
    if order.status == Status::Cancelled {
        return Err(Refusal::UrgeOfCancelled);
    }
    Ok(json!({ "order_no": order.order_no, "promise": "今天24点前发出" }))
}

impl InvoiceForm {
    fn carry_out(&self, order: &mut Order, invoice_no: String) -> Result<Value, Refusal> {
        if order.status == Status::Cancelled {
            return Err(Refusal::InvoiceOfCancelled);
        }
        if order.invoice.is_some() {
            return Err(Refusal::InvoicedBefore);
        }
        let answer = json!({ "invoice_no": invoice_no, "email": self.email.0 });
        order.invoice = Some(Invoice {
            invoice_no,
            title: self.title.0.clone(),
            tax_no: self.tax_no.as_ref().map(|tax_no| tax_no.0.clone()),
            email: self.email.0.clone(),
        });
        Ok(answer)
    }
}
