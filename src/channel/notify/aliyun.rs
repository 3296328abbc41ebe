//! SMS by Aliyun (阿里云短信): `SendSms`, signed with ACS3-HMAC-SHA256.
//!
//! The older signature with SHA-1 is left out: Aliyun takes the newer one for every call.
//!
//! Sources: help.aliyun.com, SendSms (2017-05-25), V3 版本请求体&签名机制.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Url;

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
use crate::text::percent::percent_encoded;

/// Where Aliyun takes messages.
pub const OFFICIAL_URL: &str = "https://dysmsapi.aliyuncs.com";

/// Numbers of one call.
pub const PHONES_MAX: usize = 1_000;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// An access key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// AccessKeyId.
    pub id: Secret,
    /// AccessKeySecret.
    pub secret: Secret,
}

/// A message; its words are a template that Aliyun has approved.
#[derive(Clone, Debug)]
pub struct Sms<'s> {
    /// To whom, at least one.
    pub phones: &'s [Secret],
    /// The approved signature, such as `云朵小铺`.
    pub sign: &'s str,
    /// Code of the approved template, such as `SMS_154950909`.
    pub template: &'s str,
    /// What the template's variables stand for.
    pub params: &'s BTreeMap<String, String>,
    /// Our own id of it, which reports repeat.
    pub key: &'s str,
}

/// What is posted to send a message.
///
/// * `nonce`: never used before.
///
/// # Errors
/// For too many numbers, or none.
pub fn send(
    base: &Url,
    credentials: &Credentials,
    sms: &Sms<'_>,
    at: Timestamp,
    nonce: &str,
) -> Result<Request, LimitError> {
    within("message", (sms.phones.len(), "phone numbers"), 1..=PHONES_MAX)?;
    let phones: Vec<&str> = sms.phones.iter().map(Secret::expose).collect();
    let mut query = BTreeMap::from([
        ("PhoneNumbers", phones.join(",")),
        ("SignName", sms.sign.to_owned()),
        ("TemplateCode", sms.template.to_owned()),
        ("OutId", sms.key.to_owned()),
    ]);
    if !sms.params.is_empty() {
        let params: serde_json::Map<_, _> =
            sms.params.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        query.insert("TemplateParam", serde_json::Value::Object(params).to_string());
    }
    let host = authority(base);
    let call = Call { host: &host, action: "SendSms", version: "2017-05-25", query: &query, at, nonce };
    // A proxy may stand below a path of its own; what is signed is the vendor's.
    let url = format!("{}?{}", base.as_str(), call.query());
    let authorization = Secret::new(call.authorization(credentials));
    let mut headers: Vec<(&'static str, Secret)> = call
        .headers()
        .into_iter()
        // The client writes its own, and the same.
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| (name, Secret::new(value)))
        .collect();
    headers.push(("authorization", authorization));
    Ok(Request { url: Secret::new(url), headers, body: Vec::new() })
}

/// A call whose parameters all stand in the query.
struct Call<'c> {
    host: &'c str,
    action: &'c str,
    version: &'c str,
    query: &'c BTreeMap<&'c str, String>,
    at: Timestamp,
    nonce: &'c str,
}

impl Call<'_> {
    fn query(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
            .collect();
        pairs.join("&")
    }

    /// What is signed of the headers, in the order of their names.
    fn headers(&self) -> [(&'static str, String); 6] {
        let second = Timestamp::from_second(self.at.as_second()).expect("the second of a time is one");
        [
            ("host", self.host.to_owned()),
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", sha256_hex(b"")),
            ("x-acs-date", second.to_string()),
            ("x-acs-signature-nonce", self.nonce.to_owned()),
            ("x-acs-version", self.version.to_owned()),
        ]
    }

    fn signed_headers(&self) -> String {
        self.headers().map(|(name, _)| name).join(";")
    }

    fn canonical(&self) -> String {
        let headers: String =
            self.headers().iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        format!("POST\n/\n{}\n{headers}\n{}\n{}", self.query(), self.signed_headers(), sha256_hex(b""))
    }

    fn signature(&self, secret: &Secret) -> String {
        let signed = format!("{ALGORITHM}\n{}", sha256_hex(self.canonical().as_bytes()));
        lower_hex(&hmac_sha256(secret.expose().as_bytes(), &signed))
    }

    fn authorization(&self, credentials: &Credentials) -> String {
        format!(
            "{ALGORITHM} Credential={},SignedHeaders={},Signature={}",
            credentials.id.expose(),
            self.signed_headers(),
            self.signature(&credentials.secret)
        )
    }
}

/// What an answer means. The code decides, whatever the status.
#[must_use]
pub fn sent(status: u16, body: &[u8]) -> Answer {
    let value = match object(status, body) {
        Ok(value) => value,
        Err(answer) => return answer,
    };
    let Some(code) = value["Code"].as_str() else { return foreign(status) };
    let reason: String = code.chars().take(80).collect();
    match code {
        "OK" => Answer::Taken,
        // So many to one number; their windows are an hour and a day.
        "isv.BUSINESS_LIMIT_CONTROL" => Answer::later(reason),
        "isp.SYSTEM_ERROR" | "SignatureNonceUsed" | "ServiceUnavailable" | "InternalError" => {
            Answer::later(reason)
        }
        // The operator pays, and the message is as good as before.
        "isv.OUT_OF_SERVICE" | "isv.AMOUNT_NOT_ENOUGH" => Answer::later(reason),
        _ if code.starts_with("Throttling") => Answer::next_window(reason),
        _ => Answer::refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::notify::vectors;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors = vectors("aliyun_acs3");
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let header = |name: &str| vector["headers"][name].as_str().unwrap();
            let query = vector["query"].as_object().unwrap();
            let query: BTreeMap<&str, String> = query
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned()))
                .collect();
            let call = Call {
                host: header("host"),
                action: header("x-acs-action"),
                version: header("x-acs-version"),
                query: &query,
                at: header("x-acs-date").parse().unwrap(),
                nonce: header("x-acs-signature-nonce"),
            };
            assert_eq!(call.canonical(), text("canonical_request"));
            assert_eq!(sha256_hex(call.canonical().as_bytes()), text("hashed_canonical_request"));
            assert_eq!(call.signature(&Secret::new(text("access_key_secret"))), text("signature"));
            let credentials = Credentials {
                id: Secret::new(text("access_key_id")),
                secret: Secret::new(text("access_key_secret")),
            };
            let expected = format!(
                "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}",
                text("access_key_id"),
                text("signed_headers"),
                text("signature")
            );
            assert_eq!(call.authorization(&credentials), expected);
        }
    }

    fn request(n_phones: usize, params: &[(&str, &str)]) -> Result<Request, LimitError> {
        let phones: Vec<Secret> =
            (0..n_phones).map(|number| Secret::new(format!("1380000{number:04}"))).collect();
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sms = Sms { phones: &phones, sign: "云朵", template: "SMS_1", params: &params, key: "n1" };
        let credentials = Credentials { id: Secret::new("id"), secret: Secret::new("secret") };
        let at = "2025-01-01T00:00:00.75Z".parse().unwrap();
        send(&Url::parse("http://127.0.0.1:9/").unwrap(), &credentials, &sms, at, "00")
    }

    #[test]
    fn a_message_goes_to_all_numbers_at_once() {
        let request = request(2, &[("code", "12")]).unwrap();
        assert_eq!(
            request.url.expose(),
            "http://127.0.0.1:9/?OutId=n1&PhoneNumbers=13800000000%2C13800000001&\
             SignName=%E4%BA%91%E6%9C%B5&TemplateCode=SMS_1&TemplateParam=%7B%22code%22%3A%2212%22%7D"
        );
        let header = |name: &str| {
            request.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.expose().to_owned())
        };
        assert_eq!(header("x-acs-date").as_deref(), Some("2025-01-01T00:00:00Z"), "whole seconds");
        assert_eq!(header("host"), None, "the client writes it");
        let authorization = header("authorization").unwrap();
        assert!(authorization.starts_with("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host;x-acs-action;"));
        assert!(!format!("{request:?}").contains("1380000"), "numbers are not shown");
    }

    #[test]
    fn a_template_without_variables_is_given_none() {
        assert!(!request(1, &[]).unwrap().url.expose().contains("TemplateParam"));
    }

    #[test]
    fn numbers_keep_within_their_limit() {
        assert!(request(1_000, &[]).is_ok());
        assert!(matches!(request(0, &[]), Err(LimitError::TooLittle { len: 0, .. })));
        assert!(matches!(request(1_001, &[]), Err(LimitError::TooMuch { len: 1_001, limit: 1_000, .. })));
    }

    #[test]
    fn answers_are_told_apart_by_their_code() {
        let answer =
            |status, code: &str| sent(status, format!(r#"{{"Code":"{code}","Message":"m"}}"#).as_bytes());
        assert_eq!(answer(200, "OK"), Answer::Taken);
        for later in ["isv.BUSINESS_LIMIT_CONTROL", "isp.SYSTEM_ERROR", "isv.AMOUNT_NOT_ENOUGH"] {
            assert_eq!(answer(200, later), Answer::later(later));
        }
        assert_eq!(answer(400, "SignatureNonceUsed"), Answer::later("SignatureNonceUsed"));
        assert_eq!(answer(400, "Throttling.User"), Answer::next_window("Throttling.User"));
        for refused in ["isv.MOBILE_NUMBER_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL", "SignatureDoesNotMatch"] {
            assert_eq!(answer(200, refused), Answer::refused(refused));
        }
        assert_eq!(sent(503, b"busy"), Answer::later("status 503"));
        assert_eq!(sent(200, b"{}"), Answer::later("status 200"));
    }
}
