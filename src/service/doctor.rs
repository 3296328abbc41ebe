//! Whether an app of WeCom's is set up so that everything will work, and for what is not: where to click.
//!
//! Sources: WeCom developer centre, error codes (path 90313), 企业可信IP, 获取应用 (90227), 微信客服 (94638).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;
use serde_json::json;

use crate::channel::http_client;
use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::crypto::CallbackKey;
use crate::service::aibot::AiBot;
use crate::service::app::Active;
use crate::service::app::App;
use crate::service::app::AppError;
use crate::service::callback::chain;

/// Clocks that differ by more confuse codes of twenty seconds and signatures.
const SKEW_SECONDS_MAX: i64 = 60;

/// So long WeCom waits for the check of an address; we are more patient with ourselves, on a slow way out and in again.
const CALLBACK: Duration = Duration::from_secs(5);

/// Where the console wants the address of an app, and of a bot.
const CONSOLE_OF_APP: &str = "应用管理 → 这个应用 → 接收消息";
const CONSOLE_OF_AIBOT: &str = "安全与管理 → 管理工具 → 智能机器人 → 这个机器人 → API 模式";

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub outcome: Outcome,
}

/// How something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Good(String),
    /// Not needed, or not to be known.
    Skipped(String),
    /// Not as it should be.
    Bad {
        /// What was found.
        found: String,
        /// What to do.
        advice: String,
    },
}

impl Check {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, outcome: Outcome::Good(found.into()) }
    }

    fn skipped(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, outcome: Outcome::Skipped(why.into()) }
    }

    fn bad(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what, outcome: Outcome::Bad { found: found.into(), advice: advice.into() } }
    }

    /// Whether something is to be done.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self.outcome, Outcome::Bad { .. })
    }
}

/// Why an app is off, and what to do.
#[must_use]
pub fn off(error: &AppError) -> Check {
    let advice = match error {
        AppError::NotSet { key, .. } => match *key {
            "corp_id" => "管理后台 → 我的企业 → 企业信息，最下面的企业ID，放进这个环境变量",
            "token" | "aes_key" => {
                "管理后台 → 应用管理 → 这个应用 → 接收消息 → 设置API接收，Token 和 EncodingAESKey 放进环境变量"
            }
            "secret" => "管理后台 → 应用管理 → 这个应用 → Secret → 查看，放进环境变量",
            _ => "管理后台 → 微信客服 → 客服账号，open_kfid（wk 开头）放进环境变量",
        },
        AppError::Literal { .. } => "bot.toml 里写 env:变量名，密钥放进环境变量",
        AppError::Key { .. } => "EncodingAESKey 是 43 位字母和数字，从管理后台整段复制，前后不要带空格",
        AppError::Client { .. } => "检查 yingda.toml 里的 [wecom] url",
        AppError::NoSecret { .. } => {
            "收发微信客服消息要用应用的 Secret：在 bot.toml 这个应用下写 secret = \"env:变量名\""
        }
        AppError::Twice { .. } => "一个应用只能归一个机器人：改掉其中一个 bot.toml 里的名字",
    };
    Check::bad("配置", chain(error), advice)
}

/// Looks at everything that an app needs.
///
/// * `wecom_url`: where WeCom's interface answers.
/// * `public_url`: where the world reaches this server; empty where nobody has said.
pub async fn examine(app: &App, wecom_url: &str, public_url: &str, now: Timestamp) -> Vec<Check> {
    let mut checks = vec![Check::good("配置", "环境变量都有，Token 和 EncodingAESKey 格式正确")];
    checks.push(clock(wecom_url, now).await);
    match &app.active {
        None => checks.push(Check::skipped("令牌", "没有配置 secret：只能被动回复，超过 5 秒的回答发不出去")),
        Some(active) => {
            let token = token(&active.client).await;
            let is_bad = token.is_bad();
            checks.push(token);
            if !is_bad {
                checks.push(agent(active).await);
                checks.extend(accounts(&active.client, &app.kf).await);
                if app.welcomes {
                    checks.push(contacts(&active.client).await);
                }
            }
        }
    }
    let path = format!("/wecom/{}/callback", app.name);
    checks.push(callback((&path, CONSOLE_OF_APP), &app.key, public_url, now).await);
    checks
}

/// What keeps a 智能机器人 off. One that nobody has set up is no mistake.
#[must_use]
pub fn off_aibot(error: &AppError) -> Check {
    match error {
        AppError::NotSet { variable, .. } => {
            Check::skipped("配置", format!("没有设置 {variable}，这个智能机器人没有启用"))
        }
        other => off(other),
    }
}

/// Looks at a 智能机器人, which only hears and answers.
pub async fn examine_aibot(aibot: &AiBot, public_url: &str, now: Timestamp) -> Vec<Check> {
    let path = format!("/wecom/{}/aibot", aibot.name);
    vec![
        Check::good("配置", "环境变量都有，Token 和 EncodingAESKey 格式正确"),
        callback((&path, CONSOLE_OF_AIBOT), &aibot.key, public_url, now).await,
    ]
}

/// Whether the app may welcome those who add members.
async fn contacts(client: &Client) -> Check {
    const WHAT: &str = "客户联系";
    const ADVICE: &str = "管理后台 → 客户联系 → API → 可调用接口的应用，加上这个应用；再到 客户联系 → 权限配置，加上要接待客户的成员";
    match client.fetch("externalcontact/get_follow_user_list", &[]).await {
        Ok(found) => match found["follow_user"].as_array().map_or(0, Vec::len) {
            0 => Check::bad(WHAT, "没有成员可以加客户，欢迎语没有人能发", ADVICE),
            n_members => Check::good(WHAT, format!("{n_members} 位成员可以加客户")),
        },
        Err(error) if error.code() == Some(48_002) => Check::bad(WHAT, chain(&error), ADVICE),
        Err(error) => Check::bad(WHAT, chain(&error), advice(&error)),
    }
}

async fn token(client: &Client) -> Check {
    match client.fetch("getcallbackip", &[]).await {
        Ok(_) => Check::good("令牌", "拿到了 access_token，接口可以调用"),
        Err(error) => Check::bad("令牌", chain(&error), advice(&error)),
    }
}

/// What helps against an error of any call.
fn advice(error: &ClientError) -> &'static str {
    match error.code() {
        Some(40_013) => "企业ID 不对：管理后台 → 我的企业 → 企业信息，最下面的企业ID",
        Some(40_001 | 40_091) => {
            "Secret 不对：管理后台 → 应用管理 → 这个应用 → Secret → 查看；不要用通讯录或别的应用的"
        }
        Some(60_020) => {
            "这台机器的出口 IP 不在白名单：管理后台 → 应用管理 → 这个应用 → 企业可信IP，加上报错里的 IP（先要设好可信域名或接收消息的 URL）"
        }
        Some(50_003) => "应用被停用了：管理后台 → 应用管理 → 这个应用 → 启用",
        Some(301_002) => "agent_id 和 secret 不是同一个应用的：两个都从同一个应用的页面复制",
        Some(48_002 | 48_007 | 60_030) => {
            "没有授权：管理后台 → 微信客服 → API → 可调用接口的应用，加上这个应用；客服账号在“通过API管理微信客服账号”里交给它"
        }
        Some(48_006 | 48_011) => "应用长期没用被暂停了：在管理后台打开应用，重新启用",
        Some(48_010) => "TLS 版本太旧：升级系统或代理，至少 TLS 1.2",
        Some(45_009) => "调用太频繁，过一分钟再试",
        Some(-1) => "企业微信繁忙，稍后再试",
        Some(_) => "按错误码查：https://developer.work.weixin.qq.com/devtool/query",
        None => {
            "连不上企业微信：检查出口网络和代理（yingda.toml 的 [wecom] url），能不能打开 https://qyapi.weixin.qq.com"
        }
    }
}

async fn agent(active: &Active) -> Check {
    const WHAT: &str = "应用";
    let Some(agent_id) = active.agent_id else {
        return Check::skipped(WHAT, "没有配置 agent_id：不能主动给成员发消息");
    };
    match active.client.fetch("agent/get", &[("agentid", &agent_id.to_string())]).await {
        Ok(found) => {
            let name = found["name"].as_str().unwrap_or_default();
            let count = |part: &str, list: &str| found[part][list].as_array().map_or(0, Vec::len);
            let seen = count("allow_userinfos", "user")
                + count("allow_partys", "partyid")
                + count("allow_tags", "tagid");
            if seen == 0 {
                let advice = "管理后台 → 应用管理 → 这个应用 → 可见范围，加上要用它的部门和成员";
                return Check::bad(WHAT, format!("“{name}”的可见范围是空的，谁也收不到消息"), advice);
            }
            Check::good(WHAT, format!("“{name}”，可见范围里有 {seen} 项"))
        }
        Err(error) => Check::bad(WHAT, chain(&error), advice(&error)),
    }
}

async fn accounts(client: &Client, wanted: &[String]) -> Vec<Check> {
    const WHAT: &str = "微信客服";
    if wanted.is_empty() {
        return vec![Check::skipped(WHAT, "没有配置客服账号")];
    }
    let listed = match client.call("kf/account/list", &json!({ "offset": 0, "limit": 100 })).await {
        Ok(listed) => listed,
        Err(error) => return vec![Check::bad(WHAT, chain(&error), advice(&error))],
    };
    let listed: Vec<Value> = listed["account_list"].as_array().cloned().unwrap_or_default();
    let check = |id: &String| {
        let Some(found) = listed.iter().find(|account| account["open_kfid"] == id.as_str()) else {
            let ids: Vec<&str> = listed.iter().filter_map(|account| account["open_kfid"].as_str()).collect();
            let found = format!("没有账号 {id}；看得到的有：{}", ids.join("、"));
            return Check::bad(WHAT, found, "从 管理后台 → 微信客服 → 客服账号 里复制 open_kfid");
        };
        let name = found["name"].as_str().unwrap_or_default();
        if found["manage_privilege"] == false {
            let advice =
                "管理后台 → 微信客服 → API → 通过API管理微信客服账号 → 企业内部开发，把这个账号交给这个应用";
            return Check::bad(WHAT, format!("“{name}”（{id}）没有交给这个应用管理"), advice);
        }
        Check::good(WHAT, format!("“{name}”（{id}）由这个应用管理"))
    };
    wanted.iter().map(check).collect()
}

async fn clock(wecom_url: &str, now: Timestamp) -> Check {
    const WHAT: &str = "时钟";
    let Ok(http) = http_client() else { return Check::skipped(WHAT, "没法建立连接") };
    let Ok(response) = http.get(wecom_url).send().await else {
        return Check::skipped(WHAT, "连不上企业微信，没法对时");
    };
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| rfc2822::parse(date).ok()) else {
        return Check::skipped(WHAT, "对方没有报时间");
    };
    let apart = now.duration_since(theirs.timestamp()).as_secs();
    if apart.abs() > SKEW_SECONDS_MAX {
        let found = format!("这台机器和企业微信差了 {apart} 秒");
        return Check::bad(WHAT, found, "打开自动对时（chrony 或 systemd-timesyncd）");
    }
    Check::good(WHAT, format!("和企业微信相差 {apart} 秒"))
}

/// Plays the console's check of the address.
///
/// * `path`, `console`: of the callback, and where in the console it is written.
async fn callback(
    (path, console): (&str, &str),
    key: &CallbackKey,
    public_url: &str,
    now: Timestamp,
) -> Check {
    const WHAT: &str = "回调";
    if public_url.is_empty() {
        let advice = "在 yingda.toml 里写 [serve] public_url = \"https://你的域名\"，或者给命令加 --url";
        return Check::bad(WHAT, "不知道这台服务器在公网的地址", advice);
    }
    let address = format!("{}{path}", public_url.trim_end_matches('/'));
    let advice = format!(
        "管理后台 → {console} → URL 填 {address}；yingda serve 要在运行，反向代理要把 /wecom/ 原样转过来"
    );
    let echo = format!("yingda-doctor-{}", now.as_millisecond());
    let sealed = key.seal(&echo, [b'd'; 16], &now.as_second().to_string(), "doctor");
    let (Ok(http), Ok(mut url)) = (http_client(), reqwest::Url::parse(&address)) else {
        return Check::bad(WHAT, format!("{address} 不是网址"), advice);
    };
    url.query_pairs_mut()
        .append_pair("msg_signature", &sealed.msg_signature)
        .append_pair("timestamp", &sealed.timestamp)
        .append_pair("nonce", &sealed.nonce)
        .append_pair("echostr", &sealed.encrypt);
    let response = match http.get(url).timeout(CALLBACK).send().await {
        Ok(response) => response,
        Err(_unreachable) => return Check::bad(WHAT, format!("{address} 没有回应"), advice),
    };
    let status = response.status().as_u16();
    let body = response.text().await.unwrap_or_default();
    if status == 200 && body == echo {
        return Check::good(WHAT, format!("{address} 通过了和管理后台一样的验证"));
    }
    Check::bad(WHAT, format!("{address} 回的是 {status}，不是验证要的内容"), advice)
}
