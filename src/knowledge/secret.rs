//! Secrets do not belong in a bot's folder: they are named there and kept in the environment.

use crate::knowledge::Source;
use crate::knowledge::document::Document;
use crate::knowledge::finding::Finding;

/// The environment variable that a value names, where it names one.
///
/// * `value`: what the file says, such as `env:SHOP_TOKEN`.
/// * Returns the name: letters, digits and `_`, not starting with a digit. The environment is not read.
///
/// ```
/// use yingda::knowledge::secret_name;
/// assert_eq!(secret_name("env:SHOP_TOKEN"), Some("SHOP_TOKEN"));
/// assert_eq!(secret_name("jQ3f9c"), None);
/// ```
#[must_use]
pub fn secret_name(value: &str) -> Option<&str> {
    let name = value.strip_prefix("env:")?;
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts_well = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    (letters && starts_well).then_some(name)
}

/// Findings about keys of `bot.toml` that must name a secret and hold one.
pub(super) fn literal_keys(document: &Document<'_>) -> Vec<Finding> {
    let literal = |(path, line, value): (String, usize, &str)| {
        if !is_secret_key(&path) || secret_name(value).is_some() {
            return None;
        }
        Some(finding("bot.toml", line, &format!("“{path}”的值是明文（或者不是 env:变量名 的写法）。")))
    };
    document.strings().into_iter().filter_map(literal).collect()
}

/// Findings about anything in a text that looks like a secret, comments included.
pub(super) fn literal_text(file: &str, text: &str) -> Vec<Finding> {
    let suspicious = |(index, line): (usize, &str)| {
        let what = looks_like(line)?;
        Some(finding(file, index + 1, &format!("这一行写着{what}（注释里也不行）。")))
    };
    text.lines().enumerate().filter_map(suspicious).collect()
}

/// Length of an EncodingAESKey. Source: WeCom developer centre, 加解密方案说明 (path 90968).
const AES_KEY_CHARS: usize = 43;

fn is_secret_key(path: &str) -> bool {
    let wecom = (path.starts_with("wecom.") || path.starts_with("aibot."))
        && [".token", ".aes_key", ".secret"].iter().any(|key| path.ends_with(key));
    let notify =
        path.starts_with("notify[") && path.split_once(".to.").is_some_and(|(_, key)| is_notify_key(key));
    wecom
        || notify
        || matches!(path, "handoff.webhook" | "handoff.webhook_secret" | "catalogue.authorization")
}

/// * `key`: below `to`, such as `aliyun_sms.phones[0]`.
fn is_notify_key(key: &str) -> bool {
    const KEYS: [&str; 8] = [
        "url",
        "secret",
        "app_key",
        "app_secret",
        "access_key_id",
        "access_key_secret",
        "secret_id",
        "secret_key",
    ];
    let Some((_, field)) = key.split_once('.') else { return false };
    KEYS.contains(&field) || field.starts_with("phones[")
}

fn looks_like(line: &str) -> Option<&'static str> {
    let lower = line.to_ascii_lowercase();
    let run_after = |mark: &str, alphabet: fn(char) -> bool| {
        lower.match_indices(mark).any(|(at, _mark)| {
            let rest = &lower[at + mark.len()..];
            rest.split(|c: char| !alphabet(c)).next().is_some_and(|run| run.len() >= 8)
        })
    };
    let aes_key =
        ["aes_key", "aeskey"].iter().find_map(|mark| Some(&lower[lower.find(mark)? + mark.len()..]));
    let key_run =
        |rest: &str| rest.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() == AES_KEY_CHARS);
    if aes_key.is_some_and(key_run) {
        Some("像是 EncodingAESKey 的 43 位密钥")
    } else if run_after("whsec_", |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')) {
        Some("像是 webhook 签名密钥的 whsec_ 值")
    } else if run_after("webhook/send?key=", |c| c.is_ascii_alphanumeric() || c == '-') {
        Some("带密钥的企业微信群机器人地址")
    } else if run_after("robot/send?access_token=", |c| c.is_ascii_alphanumeric()) {
        Some("带密钥的钉钉群机器人地址")
    } else if lower.contains("-----begin") && lower.contains("private key") {
        Some("私钥")
    } else {
        None
    }
}

/// The value itself is never part of it.
fn finding(file: &str, line: usize, message: &str) -> Finding {
    let source = Source { file: file.to_owned(), line };
    let remedy = "改成 env:变量名，把值放进环境变量；已经泄露的值请到企业微信后台更换。";
    Finding::error("literal-secret", source, message.to_owned(), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_names_are_names() {
        assert_eq!(secret_name("env:SHOP_AES_KEY_2"), Some("SHOP_AES_KEY_2"));
        for bad in ["", "env:", "env:2X", "env:A B", "env:A-B", "ENV:A", " env:A", "env:密钥"] {
            assert_eq!(secret_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_seen_wherever_they_stand_and_never_repeated() {
        let key = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
        assert_eq!(key.len(), AES_KEY_CHARS);
        let text = format!(
            "a = 1\n# EncodingAESKey={key}\nb = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
             c = \"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa\"\n\
             d = \"https://oapi.dingtalk.com/robot/send?access_token=c0ffee5566778899\"\n"
        );
        let findings = literal_text("rules.toml", &text);
        assert_eq!(findings.iter().map(|f| f.source.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
        let told = format!("{findings:?}");
        assert!(!told.contains("MfKQ9r8G") && !told.contains(key) && !told.contains("693axxx6"));
        assert!(!told.contains("c0ffee"));
    }

    #[test]
    fn names_of_secrets_and_common_words_pass() {
        let text = "aes_key = \"env:SHOP_AES_KEY\"\nwebhook_secret = \"env:WHSEC\" # whsec_...\n";
        assert_eq!(literal_text("bot.toml", text), []);
    }
}
