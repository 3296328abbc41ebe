//! The shop's page: a buyer's orders and everything that was done to them, without a script.
//!
//! Much of it was typed by strangers; nothing reaches the page but through [`escaped`].

use std::fmt::Write as _;

use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::simulate::shop::Done;
use crate::simulate::shop::Shop;
use crate::simulate::shop::api::bad_query;
use crate::simulate::shop::api::buyer;
use crate::simulate::shop::order::BEIJING;
use crate::simulate::shop::order::Line;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::refusal::Refusal;

const PAGE: &str = include_str!("page.html");

/// Whose orders are shown to somebody who names no buyer.
const BUYER: &str = "visitor";

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

#[derive(Deserialize)]
pub(super) struct Who {
    #[serde(default)]
    buyer: String,
}

pub(super) async fn page(
    State(shop): State<Shop>,
    who: Result<Query<Who>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(who) = who.map_err(|rejection| bad_query(&rejection))?;
    let buyer = if who.buyer.trim().is_empty() { BUYER.to_owned() } else { buyer(&who.buyer)? };
    let orders = shop.read(&buyer, |orders| {
        let mut orders: Vec<&Order> = orders.iter().collect();
        orders.sort_by_key(|order| std::cmp::Reverse(order.paid_at));
        orders.into_iter().map(order_card).collect::<String>()
    });
    let done: String = shop.done_for(&buyer).iter().map(|(at, done)| done_card(*at, done)).collect();
    let done = if done.is_empty() { "<p>还没有。</p>".to_owned() } else { done };
    // Braces are escaped, so that nothing typed can pass for a place of the page.
    let html =
        PAGE.replace("{{buyer}}", &escaped(&buyer)).replace("{{orders}}", &orders).replace("{{done}}", &done);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, html).into_response())
}

fn order_card(order: &Order) -> String {
    let title = format!("{} · {} · {}", order.order_no, order.status.text(), yuan(order.amount_fen()));
    let mut rows: Vec<String> = order.lines.iter().map(line_row).collect();
    let moments = [("付款", Some(order.paid_at)), ("发货", order.shipped_at), ("签收", order.signed_at)];
    let moments = moments.into_iter().filter_map(|(name, at)| Some(format!("{name} {}", minute(at?))));
    rows.push(moments.collect::<Vec<_>>().join("，"));
    let receiver = &order.receiver;
    rows.push(format!("收货：{} {} {}", receiver.name, receiver.mobile, receiver.address));
    if let Some(parcel) = &order.parcel {
        let last = parcel.events.first().map(|event| format!("：{} {}", minute(event.at), event.text));
        rows.push(format!("{} {}{}", parcel.carrier, parcel.tracking_no, last.unwrap_or_default()));
    }
    if let Some(refund) = &order.refund {
        let amount = yuan(refund.amount_fen);
        rows.push(format!("退款 {amount}：{}，{}", refund.state_text, minute(refund.expected_at)));
    }
    if let Some(invoice) = &order.invoice {
        rows.push(format!("发票 {}：{}，发到 {}", invoice.invoice_no, invoice.title, invoice.email));
    }
    card(&title, &rows)
}

fn line_row(line: &Line) -> String {
    let returned = line.return_no.as_ref().map(|number| format!("（售后 {number}）"));
    let Line { goods, color, size, qty, .. } = line;
    format!("{} {color} {size} × {qty}{}", goods.title, returned.unwrap_or_default())
}

fn done_card(at: Timestamp, done: &Done) -> String {
    let name = match done.kind {
        "return" => "申请退换",
        "address" => "改地址",
        "cancel" => "取消订单",
        "urge" => "催发货",
        "invoice" => "开发票",
        "repair" => "报修",
        "lead" => "留资",
        other => other,
    };
    let title = format!("{name} {} · {}", done.order_no, minute(at));
    let fields = done.body.as_object().into_iter().flatten();
    let mut rows: Vec<String> = fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}：{text}"),
            other => format!("{name}：{other}"),
        })
        .collect();
    rows.push(format!("webhook-id：{}", done.key));
    card(&title, &rows)
}

fn card(title: &str, rows: &[String]) -> String {
    let mut html = format!("<article>\n<h3>{}</h3>\n", escaped(title));
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(html, "<p>{}</p>", escaped(row));
    }
    html + "</article>\n"
}

fn yuan(fen: u32) -> String {
    format!("¥{}.{:02}", fen / 100, fen % 100)
}

fn minute(at: Timestamp) -> String {
    BEIJING.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Text that is only text wherever it stands: in an element, in a quoted attribute, in our own template.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '{' => safe.push_str("&#123;"),
            '}' => safe.push_str("&#125;"),
            other => safe.push(other),
        }
    }
    safe
}
