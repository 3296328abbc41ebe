//! The vendors through their HTTP interfaces, without a socket. Requests are signed by the functions that the vendors'
//! own examples have checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::Request;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::Offset;
use reqwest::Url;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt as _;

use crate::simulate::sender::SenderPlan;
use crate::simulate::sender::Senders;
use crate::simulate::sender::signature;
use crate::simulate::sender::signature::Scope;

/// Vendors whose clock the test moves.
struct Bench {
    router: Router,
    plan: SenderPlan,
    now: Arc<Mutex<Timestamp>>,
    /// Nonces that were used.
    n_nonces: std::sync::atomic::AtomicUsize,
}

fn bench() -> Bench {
    let now = Arc::new(Mutex::new(Timestamp::from_second(1_795_485_600).unwrap()));
    let shared = Arc::clone(&now);
    let plan = SenderPlan::demo();
    let router = Senders::new(plan.clone(), Arc::new(move || *shared.lock().unwrap())).router();
    Bench { router, plan, now, n_nonces: std::sync::atomic::AtomicUsize::new(0) }
}

impl Bench {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn later(&self, seconds: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn view(&self) -> Value {
        self.send(Request::get("/_sim/senders").body(Body::empty()).unwrap()).await.1
    }

    async fn broken(&self) -> Vec<String> {
        let view = self.view().await;
        let broken = view["broken"].as_array().unwrap().iter();
        broken.map(|one| one["rule"].as_str().unwrap().to_owned()).collect()
    }

    /// `errcode` and `errmsg` of DingTalk's robot.
    async fn robot(&self, pairs: &[(&str, &str)], body: &Value) -> (i64, String) {
        let url = Url::parse_with_params("http://oapi.dingtalk.com/dingtalk/robot/send", pairs).unwrap();
        let uri = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let request = Request::post(uri).header("content-type", "application/json; charset=utf-8");
        let (_, answer) = self.send(request.body(body.to_string().into()).unwrap()).await;
        (answer["errcode"].as_i64().unwrap(), answer["errmsg"].as_str().unwrap().to_owned())
    }

    /// A message under a sound signature.
    async fn says(&self, body: &Value) -> i64 {
        let timestamp = self.now().as_millisecond().to_string();
        let sign = signature::dingtalk(self.plan.robot_secret.expose(), &timestamp);
        let token = self.plan.robot_token.expose();
        self.robot(&[("access_token", token), ("timestamp", &timestamp), ("sign", &sign)], body).await.0
    }

    /// A request to Aliyun, sound but for the changes of its headers.
    async fn aliyun(&self, query: &[(&str, &str)], changes: &[(&str, &str)]) -> (u16, String) {
        let nonce = self.n_nonces.fetch_add(1, std::sync::atomic::Ordering::SeqCst).to_string();
        let date = self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let empty = signature::hash(b"");
        let mut headers = BTreeMap::from([
            ("host", "dysmsapi.aliyuncs.com"),
            ("x-acs-action", "SendSms"),
            ("x-acs-version", "2017-05-25"),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-content-sha256", &empty),
        ]);
        headers.extend(changes.iter().copied().filter(|(name, _)| name.starts_with("x-acs-")));
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let secret = self.plan.aliyun_secret.expose();
        let signature = signature::acs3(secret, &pairs, &headers, headers["x-acs-content-sha256"]);
        let names: Vec<&str> = headers.keys().copied().collect();
        let written = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={signature}",
            self.plan.aliyun_id,
            names.join(";")
        );
        let url = Url::parse_with_params("http://localhost/aliyun/", query).unwrap();
        let uri = format!("/aliyun/?{}", url.query().unwrap_or_default());
        let mut request = Request::post(uri).header("authorization", written);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        for (name, value) in changes.iter().filter(|(name, _)| !name.starts_with("x-acs-")) {
            let headers = request.headers_mut().unwrap();
            headers
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let (status, answer) = self.send(request.body(Body::empty()).unwrap()).await;
        (status, answer["Code"].as_str().unwrap().to_owned())
    }

    /// A request to Tencent Cloud, sound but for the changes of its headers.
    async fn tencent(&self, body: &Value, changes: &[(&str, &str)]) -> Value {
        let timestamp = self.now().as_second().to_string();
        let date = Offset::UTC.to_datetime(self.now()).date().to_string();
        let body = body.to_string();
        let mut headers = BTreeMap::from([
            ("content-type", "application/json; charset=utf-8"),
            ("host", "sms.tencentcloudapi.com"),
            ("x-tc-action", "SendSms"),
            ("x-tc-version", "2021-01-11"),
            ("x-tc-region", "ap-guangzhou"),
            ("x-tc-timestamp", &timestamp),
        ]);
        headers.extend(changes.iter().copied());
        let signed: BTreeMap<&str, &str> =
            ["content-type", "host", "x-tc-action"].into_iter().map(|name| (name, headers[name])).collect();
        let scope = Scope { service: "sms", timestamp: &timestamp, date: &date };
        let signature = signature::tc3(self.plan.tencent_key.expose(), &scope, &signed, body.as_bytes());
        let sound = format!(
            "TC3-HMAC-SHA256 Credential={}/{date}/sms/tc3_request, SignedHeaders=content-type;host;x-tc-action, \
             Signature={signature}",
            self.plan.tencent_id
        );
        headers.entry("authorization").or_insert(&sound);
        let mut request = Request::post("/tencent/");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let (status, answer) = self.send(request.body(body.into()).unwrap()).await;
        assert_eq!(status, 200);
        answer["Response"].clone()
    }
}

fn words(content: &str) -> Value {
    json!({ "msgtype": "text", "text": { "content": content } })
}

#[tokio::test]
async fn the_robot_of_dingtalk_checks_who_signed_and_when() {
    let bench = bench();
    assert_eq!(bench.says(&words("有客户在等")).await, 0);
    let (token, secret) = (bench.plan.robot_token.expose(), bench.plan.robot_secret.expose());
    let now = bench.now().as_millisecond();
    let check = async |token: &str, timestamp: i64, secret: &str, told: &str| {
        let timestamp = timestamp.to_string();
        let sign = signature::dingtalk(secret, &timestamp);
        let pairs = [("access_token", token), ("timestamp", timestamp.as_str()), ("sign", sign.as_str())];
        assert_eq!(bench.robot(&pairs, &words("您好")).await, (310_000, told.to_owned()));
    };
    check("other", now, secret, "token is not exist").await;
    check(token, now, "other", "sign not match").await;
    check(token, now - 3_600_001, secret, "invalid timestamp").await;
    check(token, now + 3_600_001, secret, "invalid timestamp").await;
    let bare = bench.robot(&[("access_token", token)], &words("您好")).await;
    assert_eq!(bare, (310_000, "invalid timestamp".to_owned()));
    let came = bench.view().await["came"].clone();
    assert_eq!(came.as_array().unwrap().len(), 1);
    assert_eq!(came[0]["what"]["text"]["content"], "有客户在等");
}

#[tokio::test]
async fn the_robot_of_dingtalk_is_silent_for_ten_minutes_after_the_twenty_first() {
    let bench = bench();
    for _ in 0..20 {
        assert_eq!(bench.says(&words("您好")).await, 0);
    }
    assert_eq!(bench.says(&words("您好")).await, 130_101);
    bench.later(599);
    assert_eq!(bench.says(&words("您好")).await, 130_101);
    bench.later(1);
    assert_eq!(bench.says(&words("您好")).await, 0);
}

#[tokio::test]
async fn the_robot_of_dingtalk_reads_five_types() {
    let bench = bench();
    let link = json!({ "title": "t", "text": "x", "messageUrl": "https://a" });
    let button = json!({ "title": "t", "actionURL": "https://a" });
    let news = json!({ "title": "t", "messageURL": "https://a", "picURL": "https://b" });
    let cases = [
        (json!({ "msgtype": "link", "link": link }), 0),
        (
            json!({ "msgtype": "link", "link": { "title": "t", "text": "x", "messageURL": "https://a" } }),
            40_035,
        ),
        (
            json!({ "msgtype": "actionCard", "actionCard": { "title": "t", "text": "x", "btns": [button] } }),
            0,
        ),
        (json!({ "msgtype": "actionCard", "actionCard": { "title": "t", "text": "x" } }), 40_035),
        (json!({ "msgtype": "feedCard", "feedCard": { "links": [news] } }), 0),
        (json!({ "msgtype": "feedCard", "feedCard": { "links": [link] } }), 40_035),
        (json!({ "msgtype": "image" }), 40_035),
        (words(""), 40_035),
    ];
    for (body, code) in cases {
        assert_eq!(bench.says(&body).await, code, "{body}");
    }
    assert_eq!(bench.broken().await, Vec::<String>::new());
    let unnamed = json!({ "msgtype": "markdown", "markdown": { "title": "t", "text": "请看" },
                          "at": { "atMobiles": ["13800000001"], "atAll": true } });
    assert_eq!(bench.says(&unnamed).await, 0);
    let broken = bench.broken().await;
    assert!(broken[0].contains("atAll") && broken[1].contains("@…0001"), "{broken:?}");
}

#[tokio::test]
async fn a_todo_is_made_once_by_who_has_a_token() {
    let bench = bench();
    let token = async |secret: &str| {
        let body = json!({ "appKey": bench.plan.app_key, "appSecret": secret }).to_string();
        bench.send(Request::post("/dingtalk/v1.0/oauth2/accessToken").body(body.into()).unwrap()).await
    };
    let (status, answer) = token("other").await;
    assert_eq!((status, &answer["code"]), (400, &json!("invalidClientIdOrSecret")));
    let (_, issued) = token(bench.plan.app_secret.expose()).await;
    assert_eq!(issued["expireIn"], 7_200);
    let issued = issued["accessToken"].as_str().unwrap();
    let make = async |token: &str, path: &str, body: &Value| {
        let uri = format!("/dingtalk/v1.0/todo/users/{path}");
        let request = Request::post(uri).header("x-acs-dingtalk-access-token", token);
        bench.send(request.body(body.to_string().into()).unwrap()).await
    };
    let path = "UNION1/tasks?operatorId=UNION1";
    let todo = json!({ "sourceId": "ticket-1001", "subject": "客户请求退货", "executorIds": ["UNION2"] });
    assert_eq!(make("other", path, &todo).await.0, 401);
    let with = |name: &str, value: Value| {
        let mut body = todo.clone();
        body[name] = value;
        body
    };
    for (path, body) in [
        ("other/tasks?operatorId=UNION1", todo.clone()),
        ("UNION1/tasks", todo.clone()),
        (path, with("subject", json!(""))),
        (path, with("subject", json!("长".repeat(1_025)))),
        (path, with("description", json!("长".repeat(4_097)))),
        (path, with("executorIds", json!(["lilei"]))),
    ] {
        let (status, answer) = make(issued, path, &body).await;
        assert_eq!((status, &answer["code"]), (400, &json!("invalidParameter")), "{path} {body}");
    }
    let (status, made) = make(issued, path, &todo).await;
    assert_eq!((status, &made["subject"], &made["done"]), (200, &json!("客户请求退货"), &json!(false)));
    assert_eq!(make(issued, path, &todo).await.1["id"], made["id"], "the same sourceId is the same todo");
    assert_eq!(bench.view().await["came"].as_array().unwrap().len(), 1);
    bench.later(7_200);
    assert_eq!(make(issued, path, &todo).await.0, 401);
}

#[tokio::test]
async fn aliyun_takes_what_is_signed_and_in_order() {
    let bench = bench();
    let sound = [
        ("PhoneNumbers", "13800000001"),
        ("SignName", "云朵小铺"),
        ("TemplateCode", "SMS_100000001"),
        ("TemplateParam", r#"{"code":"1 2*3"}"#),
    ];
    assert_eq!(bench.aliyun(&sound, &[]).await, (200, "OK".to_owned()));
    for (changes, status, code) in [
        (("x-acs-content-sha256", "0"), 400, "SignatureDoesNotMatch"),
        (("x-acs-signature-nonce", "0"), 400, "SignatureNonceUsed"),
        (("x-acs-date", "2020-01-01T00:00:00Z"), 400, "InvalidTimeStamp.Expired"),
        (("x-acs-version", "2018-01-01"), 400, "InvalidAction.NotFound"),
        (("host", "elsewhere"), 400, "SignatureDoesNotMatch"),
        (("authorization", "ACS3-HMAC-SHA256 Credential=x"), 400, "SignatureDoesNotMatch"),
        // A header that must be signed came beside the others.
        (("content-type", "application/json"), 400, "SignatureDoesNotMatch"),
    ] {
        assert_eq!(bench.aliyun(&sound, &[changes]).await, (status, code.to_owned()), "{changes:?}");
    }
    for (name, value, code) in [
        ("PhoneNumbers", "1380000000", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("PhoneNumbers", "13800000001,", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("PhoneNumbers", "+8613800000001,8613800000002", "OK"),
        ("SignName", "别人", "isv.SMS_SIGNATURE_ILLEGAL"),
        ("TemplateCode", "SMS_1", "isv.SMS_TEMPLATE_ILLEGAL"),
        ("TemplateParam", "code", "isv.INVALID_JSON_PARAM"),
        ("TemplateParam", r#"{"code":1}"#, "isv.INVALID_JSON_PARAM"),
        ("TemplateParam", "{}", "isv.TEMPLATE_MISSING_PARAMETERS"),
    ] {
        let query = sound.map(|(own, old)| if own == name { (own, value) } else { (own, old) });
        assert_eq!(bench.aliyun(&query, &[]).await, (200, code.to_owned()), "{name} {value}");
    }
    for _ in 0..39 {
        assert_eq!(bench.aliyun(&sound, &[]).await.1, "OK");
    }
    assert_eq!(bench.aliyun(&sound, &[]).await.1, "isv.BUSINESS_LIMIT_CONTROL");
    bench.later(86_400);
    assert_eq!(bench.aliyun(&sound, &[]).await.1, "OK");
    let came = bench.view().await["came"].clone();
    assert_eq!(came[0]["what"]["TemplateParam"], r#"{"code":"1 2*3"}"#);
}

#[tokio::test]
async fn tencent_takes_what_is_signed_and_in_order() {
    let bench = bench();
    let sound = json!({ "PhoneNumberSet": ["+8613800000001"], "SmsSdkAppId": "1400000001", "TemplateId": "1100001",
                        "SignName": "云朵小铺", "TemplateParamSet": ["1234"], "SessionContext": "ticket-1" });
    let taken = bench.tencent(&sound, &[]).await;
    assert_eq!(
        (&taken["SendStatusSet"][0]["Code"], &taken["SendStatusSet"][0]["SessionContext"]),
        (&json!("Ok"), &json!("ticket-1"))
    );
    for (changes, code) in [
        (("authorization", "TC3-HMAC-SHA256 Credential=x"), "AuthFailure.SignatureFailure"),
        (("x-tc-timestamp", "1795485299"), "AuthFailure.SignatureExpire"),
        (("x-tc-version", "2019-07-11"), "InvalidAction"),
        (("x-tc-region", ""), "MissingParameter"),
    ] {
        assert_eq!(bench.tencent(&sound, &[changes]).await["Error"]["Code"], code, "{changes:?}");
    }
    let with = |name: &str, value: Value| {
        let mut body = sound.clone();
        body["PhoneNumberSet"] = json!(["+8613800000002"]);
        body[name] = value;
        body
    };
    for (name, value) in [
        ("PhoneNumberSet", json!([])),
        ("PhoneNumberSet", json!(vec!["+8613800000002"; 201])),
        ("PhoneNumberSet", json!(["+8613800000002", "+12025550100"])),
        ("SmsSdkAppId", json!("1")),
        ("SessionContext", json!("x".repeat(512))),
    ] {
        assert_eq!(
            bench.tencent(&with(name, value), &[]).await["Error"]["Code"],
            "InvalidParameterValue",
            "{name}"
        );
    }
    for (name, value, code) in [
        ("SignName", json!("别人"), "FailedOperation.SignatureIncorrectOrUnapproved"),
        ("TemplateId", json!("1"), "FailedOperation.TemplateIncorrectOrUnapproved"),
        ("TemplateParamSet", json!([]), "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ("PhoneNumberSet", json!(["13800000002"]), "InvalidParameterValue.IncorrectPhoneNumber"),
    ] {
        let answer = bench.tencent(&with(name, value), &[]).await;
        assert_eq!(answer["SendStatusSet"][0]["Code"], code, "{name}");
    }
    bench.later(29);
    let code = async || bench.tencent(&sound, &[]).await["SendStatusSet"][0]["Code"].clone();
    assert_eq!(code().await, "LimitExceeded.PhoneNumberThirtySecondLimit");
    for _ in 0..9 {
        bench.later(30);
        assert_eq!(code().await, "Ok");
    }
    bench.later(30);
    assert_eq!(code().await, "LimitExceeded.PhoneNumberDailyLimit");
    assert_eq!(bench.view().await["came"].as_array().unwrap().len(), 10);
    assert_eq!(bench.broken().await, Vec::<String>::new());
}
