//! Signatures of three vendors, computed as their pages say: DingTalk's robots, ACS3-HMAC-SHA256, TC3-HMAC-SHA256.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Digest as _;
use sha2::Sha256;

use crate::text::hex::lower_hex;

/// DingTalk's sign: base64, not yet percent-encoded.
///
/// * `timestamp`: Unix milliseconds, decimal.
///
/// Source: DingTalk, 自定义机器人安全设置.
pub(super) fn dingtalk(secret: &str, timestamp: &str) -> String {
    STANDARD.encode(keyed(secret.as_bytes(), &format!("{timestamp}\n{secret}")))
}

/// Aliyun's signature of a `POST` to `/`, in hexadecimal.
///
/// * `signed`: names of headers, lower case, and their values.
/// * `body_hash`: of `x-acs-content-sha256`.
///
/// Source: Aliyun, V3 版本请求体和签名机制.
pub(super) fn acs3(
    secret: &str,
    query: &BTreeMap<String, String>,
    signed: &BTreeMap<&str, &str>,
    body_hash: &str,
) -> String {
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
    let (headers, names) = canonical(signed.iter().map(|(name, value)| (*name, value.trim().to_owned())));
    let request = format!("POST\n/\n{}\n{headers}\n{names}\n{body_hash}", query.join("&"));
    let text = format!("ACS3-HMAC-SHA256\n{}", hash(request.as_bytes()));
    lower_hex(&keyed(secret.as_bytes(), &text))
}

/// When and for what Tencent Cloud is asked.
pub(super) struct Scope<'s> {
    /// `sms`.
    pub(super) service: &'s str,
    /// Unix seconds, decimal.
    pub(super) timestamp: &'s str,
    /// The same day in UTC, `2025-01-01`.
    pub(super) date: &'s str,
}

/// Tencent Cloud's signature of a `POST` to `/`, in hexadecimal.
///
/// * `signed`: names of headers, lower case, and their values.
///
/// Source: Tencent Cloud, 签名方法 v3.
pub(super) fn tc3(key: &str, scope: &Scope<'_>, signed: &BTreeMap<&str, &str>, body: &[u8]) -> String {
    let Scope { service, timestamp, date } = scope;
    let (headers, names) = canonical(signed.iter().map(|(name, value)| (*name, value.trim().to_lowercase())));
    let request = format!("POST\n/\n\n{headers}\n{names}\n{}", hash(body));
    let text =
        format!("TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{}", hash(request.as_bytes()));
    let of_day = keyed(format!("TC3{key}").as_bytes(), date);
    let of_service = keyed(&of_day, service);
    lower_hex(&keyed(&keyed(&of_service, "tc3_request"), &text))
}

/// SHA-256 in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    lower_hex(&Sha256::digest(bytes))
}

/// Headers a line each, and their names in one.
fn canonical<'h>(signed: impl Iterator<Item = (&'h str, String)>) -> (String, String) {
    let (mut lines, mut names) = (String::new(), Vec::new());
    for (name, value) in signed {
        writeln!(lines, "{name}:{value}").expect("writing into a string cannot fail");
        names.push(name);
    }
    (lines, names.join(";"))
}

fn keyed(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// RFC 3986: all but letters, figures and `-_.~`.
fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing into a string cannot fail");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dingtalk_signs_as_its_page_does() {
        for (secret, timestamp, sign) in [
            ("this is secret", "1577262236757", "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="),
            ("SECf00dtestsecret", "1735689600000", "1nG9rYAAP1+iItm44Y/KH95f5Zg62l7fY+Nn6BwuL4g="),
        ] {
            assert_eq!(dingtalk(secret, timestamp), sign);
        }
    }

    #[test]
    fn aliyun_signs_as_its_page_does() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash(b""), empty);
        let check = |secret: &str,
                     query: &[(&str, &str)],
                     signed: &[(&'static str, &'static str)],
                     signature: &str| {
            let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let signed = signed.iter().copied().collect();
            assert_eq!(acs3(secret, &query, &signed, empty), signature);
        };
        check(
            "YourAccessKeySecret",
            &[
                ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
                ("RegionId", "cn-shanghai"),
            ],
            &[
                ("host", "ecs.cn-shanghai.aliyuncs.com"),
                ("x-acs-action", "RunInstances"),
                ("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                ("x-acs-date", "2023-10-26T10:22:32Z"),
                ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                ("x-acs-version", "2014-05-26"),
            ],
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
        );
        check(
            "testSecret",
            &[
                ("PhoneNumbers", "13800000000"),
                ("SignName", "测试签名"),
                ("TemplateCode", "SMS_000000001"),
                ("TemplateParam", "{\"code\":\"1234\"}"),
            ],
            &[
                ("host", "dysmsapi.aliyuncs.com"),
                ("x-acs-action", "SendSms"),
                ("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                ("x-acs-date", "2025-01-01T00:00:00Z"),
                ("x-acs-signature-nonce", "00000000000000000000000000000001"),
                ("x-acs-version", "2017-05-25"),
            ],
            "ddcab82071bb5bb67641099406c2e59475807f365b555860f47a1b1cdf9031b6",
        );
    }

    #[test]
    fn tencent_signs_as_its_page_does() {
        let stars = "*".repeat(32);
        let signed = |host: &'static str, action: &'static str| {
            BTreeMap::from([
                ("content-type", "application/json; charset=utf-8"),
                ("host", host),
                ("x-tc-action", action),
            ])
        };
        let body =
            r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let scope = Scope { service: "cvm", timestamp: "1551113065", date: "2019-02-25" };
        assert_eq!(
            tc3(&stars, &scope, &signed("cvm.tencentcloudapi.com", "DescribeInstances"), body.as_bytes()),
            "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
        );
        let body = "{\"PhoneNumberSet\":[\"+8613800000000\"],\"SmsSdkAppId\":\"1400000000\",\"TemplateId\":\"1110\",\
                    \"SignName\":\"测试\",\"TemplateParamSet\":[\"1234\"]}";
        let scope = Scope { service: "sms", timestamp: "1735689600", date: "2025-01-01" };
        assert_eq!(
            tc3("testSecretKey", &scope, &signed("sms.tencentcloudapi.com", "SendSms"), body.as_bytes()),
            "cf13dc3567950e078a6d169aef5f393bf54f88a0dc8786a4f4f034b9df5a10c4"
        );
    }
}
