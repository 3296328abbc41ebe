//! Text messages of Tencent Cloud: `SendSms` of 2021-01-11, signed by TC3-HMAC-SHA256. Source: cloud.tencent.com, 短信.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use crate::secret::same_bytes;
use crate::simulate::sender::Authorization;
use crate::simulate::sender::Kept;
use crate::simulate::sender::Senders;
use crate::simulate::sender::header;
use crate::simulate::sender::signature;
use crate::simulate::sender::signature::Scope;

const VENDOR: &str = "tencent";

const ALGORITHM: &str = "TC3-HMAC-SHA256 ";

const SERVICE: &str = "sms";

/// So far the sender's clock may be from ours, either way. The page's figure is not verified.
const APART: SignedDuration = SignedDuration::from_mins(5);

/// Between two messages to one number.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Messages to one number in a day. Chosen by hand: the page gives no figure.
const DAY_MAX: usize = 10;

/// Numbers of one request, and bytes of what is sent back with its report.
const NUMBERS_MAX: usize = 200;
const CONTEXT_BYTES_MAX: usize = 511;

/// What is wrong: the code, and words.
type Wrong = (&'static str, &'static str);

/// `POST /`.
pub(super) async fn send(State(senders): State<Senders>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let now = senders.now();
    let outcome =
        verified(&senders, &headers, &body, now).and_then(|()| taken(&senders, &headers, &body, now));
    let request_id = senders.kept().id("request");
    Json(match outcome {
        Ok(statuses) => json!({ "Response": { "SendStatusSet": statuses, "RequestId": request_id } }),
        Err((code, words)) => {
            json!({ "Response": { "Error": { "Code": code, "Message": words }, "RequestId": request_id } })
        }
    })
}

fn verified(senders: &Senders, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Wrong> {
    let wrong: Wrong = ("AuthFailure.SignatureFailure", "the signature does not match");
    let Authorization { credential, names, signature } =
        Authorization::read(headers, ALGORITHM).ok_or(wrong)?;
    let timestamp = header(headers, "x-tc-timestamp");
    let at = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.filter(|at| now.duration_since(*at).abs() <= APART);
    let at = at.ok_or(("AuthFailure.SignatureExpire", "the timestamp is too far from now"))?;
    let date = Offset::UTC.to_datetime(at).date().to_string();
    let is_ours = credential == format!("{}/{date}/{SERVICE}/tc3_request", senders.plan.tencent_id);
    if !is_ours || !["content-type", "host"].iter().all(|name| names.contains(name)) {
        return Err(wrong);
    }
    let signed: BTreeMap<&str, &str> = names.iter().map(|name| (*name, header(headers, name))).collect();
    let scope = Scope { service: SERVICE, timestamp, date: &date };
    let expected = signature::tc3(senders.plan.tencent_key.expose(), &scope, &signed, body);
    if same_bytes(expected.as_bytes(), signature.as_bytes()) { Ok(()) } else { Err(wrong) }
}

/// The standing of each number.
fn taken(senders: &Senders, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<Value>, Wrong> {
    if header(headers, "x-tc-action") != "SendSms" || header(headers, "x-tc-version") != "2021-01-11" {
        return Err(("InvalidAction", "no such action in this version"));
    }
    if header(headers, "x-tc-region").is_empty() {
        return Err(("MissingParameter", "X-TC-Region is missing"));
    }
    // What is no JSON names no numbers, and is refused for that.
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut kept = senders.kept();
    kept.known(
        VENDOR,
        &body,
        &[
            "PhoneNumberSet",
            "SmsSdkAppId",
            "TemplateId",
            "SignName",
            "TemplateParamSet",
            "ExtendCode",
            "SessionContext",
            "SenderId",
        ],
    );
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let numbers: Option<Vec<&str>> =
        body["PhoneNumberSet"].as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    let numbers = numbers.filter(|numbers| (1..=NUMBERS_MAX).contains(&numbers.len()));
    let numbers = numbers.ok_or(("InvalidParameterValue", "PhoneNumberSet has not 1 to 200 numbers"))?;
    let n_mainland = numbers.iter().filter(|number| number.starts_with("+86")).count();
    if n_mainland != 0 && n_mainland != numbers.len() {
        return Err(("InvalidParameterValue", "numbers of the mainland and of elsewhere"));
    }
    if text("SmsSdkAppId") != senders.plan.tencent_app {
        return Err(("InvalidParameterValue", "SmsSdkAppId is unknown"));
    }
    if text("SessionContext").len() > CONTEXT_BYTES_MAX {
        return Err(("InvalidParameterValue", "SessionContext has 512 bytes or more"));
    }
    let fault = fault(senders, &body);
    let statuses = numbers.iter().map(|number| {
        let code = fault.unwrap_or_else(|| allowance(&mut kept, number, now));
        let (serial, fee) = if code == "Ok" { (kept.id("serial"), 1) } else { (String::new(), 0) };
        json!({
            "SerialNo": serial, "PhoneNumber": number, "Fee": fee, "SessionContext": text("SessionContext"),
            "Code": code, "Message": if code == "Ok" { "send success" } else { code }, "IsoCode": "CN",
        })
    });
    let statuses: Vec<Value> = statuses.collect();
    if statuses.iter().any(|status| status["Code"] == "Ok") {
        kept.takes(now, VENDOR, body.clone());
    }
    Ok(statuses)
}

/// What is wrong with the message itself, and so with each of its numbers.
fn fault(senders: &Senders, body: &Value) -> Option<&'static str> {
    if body["SignName"] != senders.plan.sign_name.as_str() {
        return Some("FailedOperation.SignatureIncorrectOrUnapproved");
    }
    let template = senders.plan.tencent_templates.iter().find(|(id, _)| body["TemplateId"] == id.as_str());
    let Some((_, n_parameters)) = template else {
        return Some("FailedOperation.TemplateIncorrectOrUnapproved");
    };
    let parameters = body["TemplateParamSet"].as_array().map(Vec::as_slice).unwrap_or_default();
    if parameters.len() != *n_parameters || !parameters.iter().all(Value::is_string) {
        return Some("FailedOperation.TemplateParamSetNotMatchApprovedTemplate");
    }
    None
}

/// Whether a number may have one more.
fn allowance(kept: &mut Kept, number: &str, now: Timestamp) -> &'static str {
    let is_number = number.strip_prefix('+').is_some_and(|figures| {
        (8..=15).contains(&figures.len()) && figures.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !is_number {
        return "InvalidParameterValue.IncorrectPhoneNumber";
    }
    let sent = kept.numbers.entry((VENDOR, number.to_owned())).or_default();
    sent.retain(|at| now.duration_since(*at) < SignedDuration::from_hours(24));
    if sent.last().is_some_and(|at| now.duration_since(*at) < PAUSE) {
        return "LimitExceeded.PhoneNumberThirtySecondLimit";
    }
    if sent.len() >= DAY_MAX {
        return "LimitExceeded.PhoneNumberDailyLimit";
    }
    sent.push(now);
    "Ok"
}
