//! What WeCom says no with. Source: developer centre, global error codes (path 90313), 微信客服 (94638 ff.).

use axum::Json;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

/// A refusal: HTTP 200 with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// `errcode`.
    pub(super) code: i64,
    /// What `errmsg` begins with.
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn new(code: i64, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // As the real one does, with hints that change from call to call.
        let message = format!(
            "{}, hint: [simulator], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={}",
            self.words, self.code
        );
        Json(json!({ "errcode": self.code, "errmsg": message })).into_response()
    }
}
