//! Text messages of Aliyun: `SendSms` of 2017-05-25, signed by ACS3-HMAC-SHA256. Source: help.aliyun.com, 短信服务.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;
use serde_json::json;

use crate::secret::same_bytes;
use crate::simulate::sender::Authorization;
use crate::simulate::sender::Senders;
use crate::simulate::sender::header;
use crate::simulate::sender::signature;

const VENDOR: &str = "aliyun";

const ALGORITHM: &str = "ACS3-HMAC-SHA256 ";

/// So far the sender's clock may be from ours, either way. Chosen by hand: the page gives no figure.
const APART: SignedDuration = SignedDuration::from_mins(15);

/// Numbers of one request.
const NUMBERS_MAX: usize = 1_000;

/// Messages to one number in a day.
const DAY_MAX: usize = 40;

/// `POST /`.
pub(super) async fn send(
    State(senders): State<Senders>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = senders.now();
    let query = pairs(query.as_deref().unwrap_or_default());
    let outcome = verified(&senders, &query, &headers, &body, now)
        .map_err(|code| (StatusCode::BAD_REQUEST, code))
        .and_then(|()| {
            let mut all = query.clone();
            if header(&headers, "content-type").starts_with("application/x-www-form-urlencoded") {
                all.extend(pairs(&String::from_utf8_lossy(&body)));
            }
            taken(&senders, all, now).map_err(|code| (StatusCode::OK, code))
        });
    let request_id = senders.kept().id("REQUEST");
    match outcome {
        Ok(biz_id) => {
            Json(json!({ "Message": "OK", "RequestId": request_id, "Code": "OK", "BizId": biz_id }))
                .into_response()
        }
        Err((status, code)) => {
            (status, Json(json!({ "Message": code, "RequestId": request_id, "Code": code }))).into_response()
        }
    }
}

/// Names and values of a query or of a form.
fn pairs(encoded: &str) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://localhost/?{encoded}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// Whether somebody signed this who may; else the code of what is wrong.
fn verified(
    senders: &Senders,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), &'static str> {
    const WRONG: &str = "SignatureDoesNotMatch";
    let Authorization { credential, names, signature } =
        Authorization::read(headers, ALGORITHM).ok_or(WRONG)?;
    let must = |name: &str| name == "host" || name == "content-type" || name.starts_with("x-acs-");
    let is_whole =
        headers.keys().filter(|name| must(name.as_str())).all(|name| names.contains(&name.as_str()));
    let hash = header(headers, "x-acs-content-sha256");
    if credential != senders.plan.aliyun_id || !is_whole || hash != signature::hash(body) {
        return Err(WRONG);
    }
    let signed: BTreeMap<&str, &str> = names.iter().map(|name| (*name, header(headers, name))).collect();
    let expected = signature::acs3(senders.plan.aliyun_secret.expose(), query, &signed, hash);
    if !same_bytes(expected.as_bytes(), signature.as_bytes()) {
        return Err(WRONG);
    }
    let at: Option<Timestamp> = header(headers, "x-acs-date").parse().ok();
    if at.is_none_or(|at| now.duration_since(at).abs() > APART) {
        return Err("InvalidTimeStamp.Expired");
    }
    let nonce = header(headers, "x-acs-signature-nonce");
    if nonce.is_empty() || !senders.kept().nonces.insert(nonce.to_owned()) {
        return Err("SignatureNonceUsed");
    }
    let asked = [header(headers, "x-acs-action"), header(headers, "x-acs-version")];
    if asked == ["SendSms", "2017-05-25"] { Ok(()) } else { Err("InvalidAction.NotFound") }
}

/// Takes a message, and gives its `BizId`; else the code of what is wrong with it.
fn taken(senders: &Senders, all: BTreeMap<String, String>, now: Timestamp) -> Result<String, &'static str> {
    let text = |name: &str| all.get(name).map(String::as_str).unwrap_or_default();
    let numbers: Vec<&str> = text("PhoneNumbers").split(',').collect();
    if numbers.len() > NUMBERS_MAX || !numbers.iter().all(|number| is_mobile(number)) {
        return Err("isv.MOBILE_NUMBER_ILLEGAL");
    }
    if text("SignName") != senders.plan.sign_name {
        return Err("isv.SMS_SIGNATURE_ILLEGAL");
    }
    let code = text("TemplateCode");
    let template = senders.plan.aliyun_templates.iter().find(|(own, _)| own == code);
    let (_, needed) = template.ok_or("isv.SMS_TEMPLATE_ILLEGAL")?;
    let parameters = match text("TemplateParam") {
        "" => json!({}),
        written => serde_json::from_str::<Value>(written).map_err(|_| "isv.INVALID_JSON_PARAM")?,
    };
    let fields = parameters.as_object().ok_or("isv.INVALID_JSON_PARAM")?;
    if !fields.values().all(Value::is_string) {
        return Err("isv.INVALID_JSON_PARAM");
    }
    if needed.iter().any(|name| !fields.contains_key(name)) {
        return Err("isv.TEMPLATE_MISSING_PARAMETERS");
    }
    let mut kept = senders.kept();
    for number in &numbers {
        let sent = kept.numbers.entry((VENDOR, (*number).to_owned())).or_default();
        sent.retain(|at| now.duration_since(*at) < SignedDuration::from_hours(24));
        if sent.len() >= DAY_MAX {
            return Err("isv.BUSINESS_LIMIT_CONTROL");
        }
        sent.push(now);
    }
    let known =
        ["PhoneNumbers", "SignName", "TemplateCode", "TemplateParam", "SmsUpExtendCode", "OutId", "RegionId"];
    let what = json!(all);
    kept.known(VENDOR, &what, &known);
    kept.takes(now, VENDOR, what);
    Ok(kept.id("BIZ"))
}

/// A number of the mainland, with or without the country's.
fn is_mobile(number: &str) -> bool {
    let own = ["+86", "0086"].iter().find_map(|prefix| number.strip_prefix(prefix)).unwrap_or(number);
    // What begins with 86 and has two figures more is the same with the country's.
    let own = own.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(own);
    own.len() == 11 && own.starts_with('1') && own.bytes().all(|byte| byte.is_ascii_digit())
}
