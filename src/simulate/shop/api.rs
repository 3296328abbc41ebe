//! The shop's HTTP interface: what comes in is checked here, and answered as `{"code": 0, "data": ...}`.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::FromRequest;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::Request;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;

use crate::simulate::shop::Shop;
use crate::simulate::shop::action::Action;
use crate::simulate::shop::action::CancelForm;
use crate::simulate::shop::action::LeadForm;
use crate::simulate::shop::action::UrgeForm;
use crate::simulate::shop::filter::Filter;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::order::Status;
use crate::simulate::shop::page;
use crate::simulate::shop::refusal::Refusal;
use crate::simulate::shop::signature;

const BODY_BYTES_MAX: usize = 64 * 1024;

const BUYER_BYTES_MAX: usize = 128;

const KEY_BYTES_MAX: usize = 256;

const ORDERS_MAX: usize = 20;

type Answer = Result<Json<Value>, Refusal>;

type OrderNo = Result<Path<String>, PathRejection>;

pub(super) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/api/orders", get(orders))
        .route("/api/parcels/{tracking_no}", get(parcel))
        .route("/api/returns", post(returns))
        .route("/api/orders/{order_no}/address", post(address))
        .route("/api/orders/{order_no}/cancel", post(cancel))
        .route("/api/orders/{order_no}/urge", post(urge))
        .route("/api/orders/{order_no}/invoice", post(invoice))
        .route("/api/repairs", post(repairs))
        .route("/api/leads", post(leads))
        .fallback(|| async { Refusal::NoSuchPath })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shop)
}

/// A keyed request that is signed where it must be.
pub(super) struct Posted {
    /// `webhook-id`: a repetition does nothing again.
    pub(super) key: String,
    pub(super) path: String,
    pub(super) buyer: String,
    /// As it came, the buyer included.
    pub(super) body: Value,
}

impl FromRequest<Shop> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, shop: &Shop) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        let path = request.uri().path().to_owned();
        let key = key(&headers)?;
        let bytes =
            Bytes::from_request(request, shop).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
                _ => Refusal::Malformed(rejection.body_text()),
            })?;
        if let Some(secret) = &shop.secret {
            signature::check(secret, &headers, &key, &bytes, shop.now())?;
        }
        let body: Value =
            serde_json::from_slice(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let named = body.get("buyer").and_then(Value::as_str).unwrap_or_default();
        Ok(Self { key, path, buyer: buyer(named)?, body })
    }
}

fn key(headers: &HeaderMap) -> Result<String, Refusal> {
    let key = headers.get("webhook-id").and_then(|key| key.to_str().ok()).unwrap_or_default();
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        Ok(key.to_owned())
    } else {
        Err(Refusal::Malformed(format!("webhook-id 要有 1 到 {KEY_BYTES_MAX} 个字节")))
    }
}

/// A buyer's name that can be kept.
///
/// # Errors
/// `Malformed` for one that is empty, longer than 128 bytes, or holds control characters.
pub(super) fn buyer(named: &str) -> Result<String, Refusal> {
    let buyer = named.trim();
    if (1..=BUYER_BYTES_MAX).contains(&buyer.len()) && !buyer.contains(char::is_control) {
        Ok(buyer.to_owned())
    } else {
        Err(Refusal::Malformed(format!("buyer 要有 1 到 {BUYER_BYTES_MAX} 个字节，不含控制字符")))
    }
}

pub(super) fn bad_query(rejection: &QueryRejection) -> Refusal {
    Refusal::Malformed(rejection.body_text())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    buyer: String,
    #[serde(default)]
    order_no: String,
    #[serde(default)]
    goods: String,
    #[serde(default)]
    color: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    status: String,
}

impl Asked {
    fn filter(self) -> Result<Filter, Refusal> {
        let status = filled(&self.status).map(|word| {
            Status::parse(&word).ok_or_else(|| Refusal::Malformed(format!("没有 {word} 这种状态")))
        });
        Ok(Filter {
            order_no: filled(&self.order_no),
            goods: filled(&self.goods),
            color: filled(&self.color),
            from: moment(&self.from)?,
            until: moment(&self.until)?,
            status: status.transpose()?,
        })
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn moment(text: &str) -> Result<Option<Timestamp>, Refusal> {
    let parsed = filled(text).map(|text| text.parse());
    parsed.transpose().map_err(|error: jiff::Error| Refusal::Malformed(error.to_string()))
}

async fn orders(State(shop): State<Shop>, asked: Result<Query<Asked>, QueryRejection>) -> Answer {
    let Query(asked) = asked.map_err(|rejection| bad_query(&rejection))?;
    let buyer = buyer(&asked.buyer)?;
    let filter = asked.filter()?;
    let found = shop.read(&buyer, |orders| {
        let mut found: Vec<_> = orders.iter().filter_map(|order| Some((order, filter.hit(order)?))).collect();
        found.sort_by_key(|(order, _)| std::cmp::Reverse(order.paid_at));
        found.iter().take(ORDERS_MAX).map(|(order, hit)| order.view(hit)).collect::<Vec<_>>()
    });
    Ok(success(found.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    buyer: String,
}

async fn parcel(
    State(shop): State<Shop>,
    tracking_no: Result<Path<String>, PathRejection>,
    who: Result<Query<Who>, QueryRejection>,
) -> Answer {
    let tracking_no = segment(tracking_no)?;
    let Query(who) = who.map_err(|rejection| bad_query(&rejection))?;
    let found = shop.read(&buyer(&who.buyer)?, |orders: &[Order]| {
        let mut parcels = orders.iter().filter_map(|order| order.parcel.as_ref());
        parcels.find(|parcel| parcel.tracking_no == tracking_no).map(|parcel| parcel.view())
    });
    found.map(success).ok_or(Refusal::NoParcel)
}

async fn returns(State(shop): State<Shop>, posted: Posted) -> Answer {
    act(&shop, posted, Action::Return)
}

async fn address(State(shop): State<Shop>, order_no: OrderNo, posted: Posted) -> Answer {
    let order_no = segment(order_no)?;
    act(&shop, posted, |form| Action::Address(order_no, form))
}

async fn cancel(State(shop): State<Shop>, order_no: OrderNo, posted: Posted) -> Answer {
    let order_no = segment(order_no)?;
    act(&shop, posted, |_: CancelForm| Action::Cancel(order_no))
}

async fn urge(State(shop): State<Shop>, order_no: OrderNo, posted: Posted) -> Answer {
    let order_no = segment(order_no)?;
    act(&shop, posted, |_: UrgeForm| Action::Urge(order_no))
}

async fn invoice(State(shop): State<Shop>, order_no: OrderNo, posted: Posted) -> Answer {
    let order_no = segment(order_no)?;
    act(&shop, posted, |form| Action::Invoice(order_no, form))
}

async fn repairs(State(shop): State<Shop>, posted: Posted) -> Answer {
    act(&shop, posted, Action::Repair)
}

async fn leads(State(shop): State<Shop>, posted: Posted) -> Answer {
    act(&shop, posted, |_: LeadForm| Action::Lead)
}

fn segment(path: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    let Path(segment) = path.map_err(|rejection| Refusal::Malformed(rejection.body_text()))?;
    Ok(segment)
}

/// Reads the form out of the body and does what it asks for.
fn act<F: DeserializeOwned>(shop: &Shop, posted: Posted, action: impl FnOnce(F) -> Action) -> Answer {
    let mut form = posted.body.clone();
    if let Value::Object(fields) = &mut form {
        // It is in every form; `Posted` has read it already.
        fields.remove("buyer");
    }
    let form = serde_json::from_value(form).map_err(|error| Refusal::Malformed(error.to_string()))?;
    shop.act(posted, &action(form)).map(success)
}

fn success(data: Value) -> Json<Value> {
    Json(json!({ "code": 0, "data": data }))
}
