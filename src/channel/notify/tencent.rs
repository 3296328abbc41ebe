//! SMS by Tencent Cloud (腾讯云短信): `SendSms`, signed with TC3-HMAC-SHA256.
//!
//! Sources: cloud.tencent.com, SendSms (2021-01-11), 签名方法 v3.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Url;
use serde_json::json;

use crate::channel::notify::Answer;
use crate::channel::notify::LimitError;
use crate::channel::notify::Request;
use crate::channel::notify::authority;
use crate::channel::notify::foreign;
use crate::channel::notify::hmac_sha256;
use crate::channel::notify::object;
use crate::channel::notify::sha256_hex;
use crate::channel::notify::within;
use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// Where Tencent takes messages.
pub const OFFICIAL_URL: &str = "https://sms.tencentcloudapi.com";

/// Numbers of one call.
pub const PHONES_MAX: usize = 200;

const ALGORITHM: &str = "TC3-HMAC-SHA256";

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

const SIGNED_HEADERS: &str = "content-type;host;x-tc-action";

/// Any region serves; one must be named.
const REGION: &str = "ap-guangzhou";

/// Most bytes of our own id of a message.
const SESSION_BYTES_MAX: usize = 511;

/// An API key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// SecretId.
    pub id: Secret,
    /// SecretKey.
    pub key: Secret,
}

/// A message; its words are a template that Tencent has approved.
#[derive(Clone, Debug)]
pub struct Sms<'s> {
    /// To whom, with `+86` in front, at least one.
    pub phones: &'s [Secret],
    /// Number of the SMS application, such as `1400006666`.
    pub app_id: &'s str,
    /// Number of the approved template.
    pub template: &'s str,
    /// The approved signature, such as `云朵小铺`.
    pub sign: &'s str,
    /// What the template's variables stand for, in their order.
    pub params: &'s [String],
    /// Our own id of it, which reports repeat; below 512 bytes.
    pub key: &'s str,
}

/// What is posted to send a message.
///
/// # Errors
/// For too many numbers, or none, and for an id that is too long.
pub fn send(
    base: &Url,
    credentials: &Credentials,
    sms: &Sms<'_>,
    at: Timestamp,
) -> Result<Request, LimitError> {
    within("message", (sms.phones.len(), "phone numbers"), 1..=PHONES_MAX)?;
    within("id of a message", (sms.key.len(), "bytes"), 0..=SESSION_BYTES_MAX)?;
    let body = json!({
        "PhoneNumberSet": sms.phones.iter().map(Secret::expose).collect::<Vec<_>>(),
        "SmsSdkAppId": sms.app_id,
        "TemplateId": sms.template,
        "SignName": sms.sign,
        "TemplateParamSet": sms.params,
        "SessionContext": sms.key,
    })
    .to_string();
    let host = authority(base);
    let call = Call { service: "sms", host: &host, action: "SendSms", body: &body, at };
    let headers = vec![
        ("content-type", Secret::new(CONTENT_TYPE)),
        ("x-tc-action", Secret::new("SendSms")),
        ("x-tc-version", Secret::new("2021-01-11")),
        ("x-tc-region", Secret::new(REGION)),
        ("x-tc-timestamp", Secret::new(at.as_second().to_string())),
        ("authorization", Secret::new(call.authorization(credentials))),
    ];
    // A proxy may stand below a path of its own; what is signed is the vendor's.
    let url = Secret::new(base.as_str().to_owned());
    Ok(Request { url, headers, body: body.into_bytes() })
}

/// A call with a JSON body.
struct Call<'c> {
    service: &'c str,
    host: &'c str,
    action: &'c str,
    body: &'c str,
    at: Timestamp,
}

impl Call<'_> {
    fn canonical(&self) -> String {
        format!(
            "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{}\nx-tc-action:{}\n\n{SIGNED_HEADERS}\n{}",
            self.host,
            self.action.to_lowercase(),
            sha256_hex(self.body.as_bytes())
        )
    }

    /// The day in UTC, wherever we are.
    fn date(&self) -> String {
        self.at.to_zoned(TimeZone::UTC).date().to_string()
    }

    fn scope(&self) -> String {
        format!("{}/{}/tc3_request", self.date(), self.service)
    }

    fn signed(&self) -> String {
        let canonical = sha256_hex(self.canonical().as_bytes());
        format!("{ALGORITHM}\n{}\n{}\n{canonical}", self.at.as_second(), self.scope())
    }

    fn signature(&self, key: &Secret) -> String {
        let day = hmac_sha256(format!("TC3{}", key.expose()).as_bytes(), &self.date());
        let service = hmac_sha256(&day, self.service);
        lower_hex(&hmac_sha256(&hmac_sha256(&service, "tc3_request"), &self.signed()))
    }

    fn authorization(&self, credentials: &Credentials) -> String {
        format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={SIGNED_HEADERS}, Signature={}",
            credentials.id.expose(),
            self.scope(),
            self.signature(&credentials.key)
        )
    }
}

/// What an answer means. Where some numbers were reached and others were not, nothing is sent again: who has it would get
/// it twice.
#[must_use]
pub fn sent(status: u16, body: &[u8]) -> Answer {
    let value = match object(status, body) {
        Ok(value) => value,
        Err(answer) => return answer,
    };
    let response = &value["Response"];
    if let Some(code) = response["Error"]["Code"].as_str() {
        return failed(code);
    }
    let Some(numbers) = response["SendStatusSet"].as_array().filter(|numbers| !numbers.is_empty()) else {
        return foreign(status);
    };
    let codes: Vec<&str> = numbers.iter().map(|number| number["Code"].as_str().unwrap_or_default()).collect();
    let n_reached = codes.iter().filter(|code| **code == "Ok").count();
    match codes.iter().find(|code| **code != "Ok") {
        None => Answer::Taken,
        Some(code) if n_reached == 0 => failed(code),
        Some(code) => {
            let n_numbers = codes.len();
            Answer::refused(format!("{n_reached} of {n_numbers} numbers reached: {}", shown(code)))
        }
    }
}

fn failed(code: &str) -> Answer {
    let reason = shown(code);
    match code {
        "LimitExceeded.PhoneNumberThirtySecondLimit" => Answer::next_window(reason),
        // The operator pays, or sets the clock.
        "FailedOperation.InsufficientBalanceInSmsPackage" | "AuthFailure.SignatureExpire" => {
            Answer::later(reason)
        }
        _ if code.starts_with("RequestLimitExceeded") => Answer::next_window(reason),
        _ if code.starts_with("InternalError") => Answer::later(reason),
        _ => Answer::refused(reason),
    }
}

fn shown(code: &str) -> String {
    code.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::notify::vectors;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors = vectors("tencent_tc3");
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let call = Call {
                service: text("service"),
                host: text("host"),
                action: text("action"),
                body: text("body"),
                at: Timestamp::from_second(vector["timestamp"].as_i64().unwrap()).unwrap(),
            };
            assert_eq!(sha256_hex(text("body").as_bytes()), text("hashed_payload"));
            assert_eq!(call.canonical(), text("canonical_request"));
            assert_eq!(call.date(), text("date"));
            assert_eq!(call.signed(), text("string_to_sign"));
            assert_eq!(call.signature(&Secret::new(text("secret_key"))), text("signature"));
            let credentials =
                Credentials { id: Secret::new(text("secret_id")), key: Secret::new(text("secret_key")) };
            let expected = format!(
                "TC3-HMAC-SHA256 Credential={}/{}/{}/tc3_request, SignedHeaders={}, Signature={}",
                text("secret_id"),
                text("date"),
                text("service"),
                text("signed_headers"),
                text("signature")
            );
            assert_eq!(call.authorization(&credentials), expected);
        }
    }

    fn request(n_phones: usize, key: &str) -> Result<Request, LimitError> {
        let phones = vec![Secret::new("+8613800000000"); n_phones];
        let params = ["1234".to_owned()];
        let sms =
            Sms { phones: &phones, app_id: "1400", template: "7", sign: "云朵", params: &params, key };
        let credentials = Credentials { id: Secret::new("id"), key: Secret::new("key") };
        let at = Timestamp::from_second(1_735_689_600).unwrap();
        send(&Url::parse("http://127.0.0.1:9").unwrap(), &credentials, &sms, at)
    }

    #[test]
    fn a_message_is_one_json_body() {
        let request = request(2, "n1").unwrap();
        assert_eq!(request.url.expose(), "http://127.0.0.1:9/");
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({
                "PhoneNumberSet": ["+8613800000000", "+8613800000000"],
                "SmsSdkAppId": "1400",
                "TemplateId": "7",
                "SignName": "云朵",
                "TemplateParamSet": ["1234"],
                "SessionContext": "n1",
            })
        );
        let header = |name: &str| {
            request.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.expose().to_owned())
        };
        assert_eq!(header("x-tc-timestamp").as_deref(), Some("1735689600"));
        let authorization = header("authorization").unwrap();
        assert!(authorization.starts_with("TC3-HMAC-SHA256 Credential=id/2025-01-01/sms/tc3_request, "));
    }

    #[test]
    fn numbers_and_ids_keep_within_their_limits() {
        assert!(request(200, &"n".repeat(511)).is_ok());
        assert!(matches!(request(0, "n"), Err(LimitError::TooLittle { len: 0, .. })));
        assert!(matches!(request(201, "n"), Err(LimitError::TooMuch { len: 201, limit: 200, .. })));
        assert!(matches!(
            request(1, &"n".repeat(512)),
            Err(LimitError::TooMuch { len: 512, limit: 511, .. })
        ));
    }

    #[test]
    fn answers_are_told_apart_by_their_codes() {
        let numbers = |codes: &[&str]| {
            let all: Vec<_> = codes.iter().map(|code| json!({ "Code": code })).collect();
            sent(200, json!({ "Response": { "SendStatusSet": all } }).to_string().as_bytes())
        };
        assert_eq!(numbers(&["Ok", "Ok"]), Answer::Taken);
        let daily = "LimitExceeded.PhoneNumberDailyLimit";
        assert_eq!(numbers(&[daily, daily]), Answer::refused(daily));
        assert_eq!(numbers(&["Ok", daily]), Answer::refused(format!("1 of 2 numbers reached: {daily}")));
        let soon = "LimitExceeded.PhoneNumberThirtySecondLimit";
        assert_eq!(numbers(&[soon]), Answer::next_window(soon));
        assert_eq!(numbers(&["OK"]), Answer::refused("OK"), "spelt otherwise, it is another code");
        assert_eq!(numbers(&[]), Answer::later("status 200"));
        let error = |code: &str| {
            sent(200, json!({ "Response": { "Error": { "Code": code } } }).to_string().as_bytes())
        };
        assert_eq!(error("AuthFailure.SignatureFailure"), Answer::refused("AuthFailure.SignatureFailure"));
        assert_eq!(error("AuthFailure.SignatureExpire"), Answer::later("AuthFailure.SignatureExpire"));
        assert_eq!(error("InternalError.Timeout"), Answer::later("InternalError.Timeout"));
        assert_eq!(error("RequestLimitExceeded"), Answer::next_window("RequestLimitExceeded"));
        let balance = "FailedOperation.InsufficientBalanceInSmsPackage";
        assert_eq!(error(balance), Answer::later(balance));
        assert_eq!(sent(502, b"<html>"), Answer::later("status 502"));
    }
}
