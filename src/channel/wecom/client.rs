//! Calls to WeCom's interface: a token for each app, errors told apart by what helps against them.
//!
//! Source: WeCom developer centre, gettoken (path 91039), global error codes (90313).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use reqwest::Url;
use reqwest::header::CONTENT_DISPOSITION;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::Form;
use reqwest::multipart::Part;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;
use tokio::sync::Mutex;

use crate::channel::http_client;
use crate::channel::wecom::token::TokenShelf;
use crate::message::Media;
use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// Where WeCom answers.
pub const OFFICIAL_URL: &str = "https://qyapi.weixin.qq.com";

const GETTOKEN: &str = "gettoken";

/// A token is fetched anew this long before it ends, or after three quarters of a shorter life.
const EARLY: Duration = Duration::from_secs(300);

/// Seconds that a token lives at most, whatever an answer says.
const LIFE_MAX: u64 = 7_200;

/// Time for a file of 20 MB, either way.
const TRANSFER: Duration = Duration::from_secs(120);

/// Most bytes of an answer: a file of 20 MB is the largest.
const ANSWER_BYTES_MAX: usize = 21 << 20;

/// Characters of a foreign answer that an error shows.
const SHOWN_CHARS: usize = 60;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer came, or half of one.
    #[error("{path}: no answer: {detail}")]
    Network {
        /// What was called.
        path: String,
        /// What happened; no address is in it, because addresses carry tokens.
        detail: String,
    },
    /// The answer is not WeCom's: a proxy's page, an overloaded gateway.
    #[error("{path}: status {status}, and no answer of WeCom: {begins:?}")]
    Foreign {
        /// What was called.
        path: String,
        /// HTTP status.
        status: u16,
        /// The beginning of what came.
        begins: String,
    },
    /// WeCom said no.
    #[error("{path}: errcode {code}: {message}")]
    Refused {
        /// What was called.
        path: String,
        /// `errcode`.
        code: i64,
        /// `errmsg`, up to where it begins to tell of addresses.
        message: String,
    },
}

/// A file that somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// What its sender called it; may be empty.
    pub name: String,
    /// As WeCom names it, in lower case.
    pub content_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What helps against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same call a little later.
    Later,
    /// The same call when the minute's window is over.
    NextWindow,
    /// Nothing: it was done before, under the same id.
    Done,
    /// Nothing that a program can do.
    None,
}

impl ClientError {
    /// What helps.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Network { .. } => Remedy::Later,
            Self::Foreign { status, .. } if *status >= 500 || *status == 429 || *status == 200 => {
                Remedy::Later
            }
            Self::Foreign { .. } => Remedy::None,
            // The app's own fault, which its operator mends: the message is as good as before.
            Self::Refused { path, .. } if path == GETTOKEN => Remedy::Later,
            Self::Refused { code, .. } => match code {
                48002 | 50003 | 60020 => Remedy::Later,
                // Busy, or two calls in one another's way; a token that failed twice may be a server behind the others.
                -1 | 45033 | 45035 | 40014 | 42001 => Remedy::Later,
                // Another app is welcoming the customer just now; if it does not, we do.
                41096 => Remedy::Later,
                45009 => Remedy::NextWindow,
                // A repeated id of 微信客服; a customer who was welcomed already.
                95033 | 41051 => Remedy::Done,
                _ => Remedy::None,
            },
        }
    }

    /// Whether WeCom does not have a file that it was to send: it never had it, or its days are over.
    #[must_use]
    pub fn is_media_gone(&self) -> bool {
        matches!(self.code(), Some(40007 | 40145))
    }

    /// Whether a talk of 微信客服 is with somebody else: a servicer, the pool of the client, nobody any more.
    #[must_use]
    pub fn is_not_ours(&self) -> bool {
        self.code() == Some(95018)
    }

    /// `errcode`, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Network { .. } | Self::Foreign { .. } => None,
        }
    }
}

/// One app's way to WeCom.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    corp_id: String,
    secret: Secret,
    /// Held while a token is fetched, so that many callers fetch one.
    token: Mutex<Option<Token>>,
    /// Where other processes have theirs.
    shelf: Option<Arc<dyn TokenShelf>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("corp_id", &self.corp_id).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
struct Token {
    value: Secret,
    good_until: Instant,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The address is none.
    #[error("{0:?} is not an http(s) address")]
    Address(String),
    /// The system's HTTP could not be set up.
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// * `base_url`: [`OFFICIAL_URL`], or what stands for it.
    /// * `corp_id`, `secret`: of the company, and of its app.
    ///
    /// # Errors
    /// See [`SetUpError`].
    pub fn new(base_url: &str, corp_id: &str, secret: Secret) -> Result<Self, SetUpError> {
        let base = Url::parse(base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.ok_or_else(|| SetUpError::Address(base_url.to_owned()))?;
        let http = http_client()?;
        Ok(Self { http, base, corp_id: corp_id.to_owned(), secret, token: Mutex::new(None), shelf: None })
    }

    /// Uses the token that other processes use.
    pub fn share(&mut self, shelf: Arc<dyn TokenShelf>) {
        self.shelf = Some(shelf);
    }

    /// Calls an interface with the app's token. A token that WeCom no longer knows is fetched anew, once.
    ///
    /// * `path`: below `/cgi-bin/`, such as `message/send`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn call(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request =
            |url| self.http.post(url).header("content-type", "application/json").body(body.to_string());
        self.with_token(path, &[], &request).await
    }

    /// Like [`Self::call`], for what is asked by GET.
    ///
    /// * `query`: beside the token.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn fetch(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.with_token(path, query, &|url| self.http.get(url)).await
    }

    /// Hands WeCom a file to keep; returns its id, which all apps of the company may use until the file's
    /// [`LIFE`](crate::channel::wecom::media::LIFE) is over.
    ///
    /// * `name`: what the receiver sees of a file, its ending included.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn upload(&self, kind: Media, name: &str, bytes: &[u8]) -> Result<String, ClientError> {
        const PATH: &str = "media/upload";
        let request = |url| {
            let file = Part::bytes(bytes.to_vec()).file_name(name.to_owned());
            let file = file.mime_str("application/octet-stream").expect("a fixed type");
            // WeCom reads the name as it stands, and not the escaped form of RFC 5987.
            let form = Form::new().percent_encode_noop().part("media", file);
            self.http.post(url).timeout(TRANSFER).multipart(form)
        };
        let answer = self.with_token(PATH, &[("type", kind.as_str())], &request).await?;
        match answer["media_id"].as_str() {
            Some(id) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(ClientError::Foreign {
                path: PATH.to_owned(),
                status: 200,
                begins: "no media_id".to_owned(),
            }),
        }
    }

    /// Fetches a file that somebody sent.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::is_media_gone`] after three days.
    pub async fn download(&self, media_id: &str) -> Result<Downloaded, ClientError> {
        let request = |url| self.http.get(url).timeout(TRANSFER);
        self.with_token_as("media/get", &[("media_id", media_id)], &request, downloaded).await
    }

    async fn with_token(
        &self,
        path: &str,
        query: &[(&str, &str)],
        request: &(dyn Fn(Url) -> reqwest::RequestBuilder + Sync),
    ) -> Result<Value, ClientError> {
        self.with_token_as(path, query, request, answer).await
    }

    /// * `read`: makes the request and reads its answer.
    async fn with_token_as<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        request: &(dyn Fn(Url) -> reqwest::RequestBuilder + Sync),
        read: impl AsyncFn(&str, reqwest::RequestBuilder) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let url = |token: &Secret| {
            let mut url = self.url(path);
            url.query_pairs_mut().append_pair("access_token", token.expose()).extend_pairs(query);
            url
        };
        let token = self.token(None).await?;
        match read(path, request(url(&token))).await {
            Err(ClientError::Refused { code: 40014 | 42001, .. }) => {
                let token = self.token(Some(&token)).await?;
                read(path, request(url(&token))).await
            }
            result => result,
        }
    }

    /// The token; the one that failed is thrown away, unless somebody has done so already.
    async fn token(&self, failed: Option<&Secret>) -> Result<Secret, ClientError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Some(&token.value) != failed)
            && Instant::now() < token.good_until
        {
            return Ok(token.value.clone());
        }
        let (value, life) = match &self.shelf {
            Some(shelf) => self.shared(shelf.as_ref(), failed).await?,
            None => self.fetched().await?,
        };
        *held = Some(Token { value: value.clone(), good_until: Instant::now() + life });
        Ok(value)
    }

    /// The token that other processes use, or a new one for all of them.
    async fn shared(
        &self,
        shelf: &dyn TokenShelf,
        failed: Option<&Secret>,
    ) -> Result<(Secret, Duration), ClientError> {
        // Another secret is another app, or the same one whose tokens are worth nothing any more.
        let secret = lower_hex(&Sha256::digest(self.secret.expose())[..8]);
        let name = format!("wecom:{}:{secret}", self.corp_id);
        let found = async || shelf.find(&name).await.filter(|(token, _)| Some(token) != failed);
        if let Some(found) = found().await {
            return Ok(found);
        }
        let _alone = shelf.alone(&name).await;
        if let Some(found) = found().await {
            return Ok(found);
        }
        let (value, life) = self.fetched().await?;
        shelf.keep(&name, &value, life).await;
        Ok((value, life))
    }

    /// A new token, and how long it is used.
    async fn fetched(&self) -> Result<(Secret, Duration), ClientError> {
        let mut url = self.url(GETTOKEN);
        url.query_pairs_mut()
            .append_pair("corpid", &self.corp_id)
            .append_pair("corpsecret", self.secret.expose());
        let answer = answer(GETTOKEN, self.http.get(url)).await?;
        let value = Secret::new(answer["access_token"].as_str().unwrap_or_default());
        let life = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or(LIFE_MAX).min(LIFE_MAX));
        Ok((value, life.saturating_sub(EARLY.min(life / 4))))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/cgi-bin/{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

async fn answer(path: &str, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
    let came = came(path, request).await?;
    told(path, &came)
}

/// A file; WeCom answers with a document where it has none, and with the same status.
async fn downloaded(path: &str, request: reqwest::RequestBuilder) -> Result<Downloaded, ClientError> {
    let came = came(path, request).await?;
    let Some(name) = came.file_name.as_deref().filter(|_| came.status == 200) else {
        told(path, &came)?;
        return Err(came.foreign(path));
    };
    Ok(Downloaded { name: name.to_owned(), content_type: came.content_type, bytes: came.bytes })
}

/// What came back, whatever it is.
struct Came {
    status: u16,
    content_type: String,
    /// Of a file; absent where it is none.
    file_name: Option<String>,
    bytes: Vec<u8>,
}

impl Came {
    fn foreign(&self, path: &str) -> ClientError {
        let begins = String::from_utf8_lossy(&self.bytes).chars().take(SHOWN_CHARS).collect();
        ClientError::Foreign { path: path.to_owned(), status: self.status, begins }
    }
}

async fn came(path: &str, request: reqwest::RequestBuilder) -> Result<Came, ClientError> {
    let network = |error: reqwest::Error| {
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        ClientError::Network { path: path.to_owned(), detail: format!("{error}{cause}") }
    };
    let mut response = request.send().await.map_err(network)?;
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let file_name = response.headers().get(CONTENT_DISPOSITION).map(|told| file_name(told.as_bytes()));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            let detail = format!("more than {ANSWER_BYTES_MAX} bytes");
            return Err(ClientError::Network { path: path.to_owned(), detail });
        }
    }
    Ok(Came { status, content_type, file_name, bytes })
}

/// The name in `attachment; filename="报价.pdf"`, which WeCom writes as it is; empty where there is none.
fn file_name(disposition: &[u8]) -> String {
    let text = String::from_utf8_lossy(disposition);
    let name = text.split_once("filename=\"").and_then(|(_, rest)| rest.split('"').next());
    name.unwrap_or_default().to_owned()
}

/// What WeCom says.
fn told(path: &str, came: &Came) -> Result<Value, ClientError> {
    let value: Option<Value> = serde_json::from_slice(&came.bytes).ok();
    let Some((value, code)) = value.and_then(|value| {
        let code = value.get("errcode")?.as_i64()?;
        Some((value, code))
    }) else {
        return Err(came.foreign(path));
    };
    if code == 0 {
        return Ok(value);
    }
    // Behind the first comma stand hints that change from call to call, and our own address, which helps where it is the
    // mistake.
    let words = value["errmsg"].as_str().unwrap_or_default();
    let mut message = words.split(',').next().unwrap_or_default().to_owned();
    if code == 60020
        && let Some(from) = words.split(',').find(|part| part.trim_start().starts_with("from ip"))
    {
        message.push_str(from);
    }
    Err(ClientError::Refused { path: path.to_owned(), code, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_helps() {
        let refused =
            |code| ClientError::Refused { path: String::new(), code, message: String::new() }.remedy();
        let found = [-1, 45033, 42001, 45009, 95033, 81013, 95018].map(refused);
        let (later, none) = (Remedy::Later, Remedy::None);
        assert_eq!(found, [later, later, later, Remedy::NextWindow, Remedy::Done, none, none]);
        // Welcomes: the code was used, somebody has said it, somebody is saying it.
        assert_eq!([41050, 41051, 41096].map(refused), [none, Remedy::Done, later]);
        // Mended by the operator, while the message waits.
        assert_eq!([60020, 50003, 48002].map(refused), [later; 3]);
        let path = GETTOKEN.to_owned();
        assert_eq!(ClientError::Refused { path, code: 40001, message: String::new() }.remedy(), later);
        let foreign =
            |status| ClientError::Foreign { path: String::new(), status, begins: String::new() }.remedy();
        assert_eq!([502, 404, 200].map(foreign), [later, none, later]);
    }

    #[test]
    fn a_file_is_called_as_its_sender_called_it() {
        assert_eq!(file_name("attachment; filename=\"报价 单.pdf\"".as_bytes()), "报价 单.pdf");
        assert_eq!(file_name(b"attachment"), "");
    }

    #[test]
    fn an_address_is_checked_when_it_is_given() {
        for bad in ["", "qyapi.weixin.qq.com", "ftp://x"] {
            assert!(
                matches!(Client::new(bad, "ww1", Secret::new("s")), Err(SetUpError::Address(_))),
                "{bad}"
            );
        }
        let behind_proxy = Client::new("http://127.0.0.1:1/wx/", "ww1", Secret::new("s")).unwrap();
        assert_eq!(behind_proxy.url("message/send").as_str(), "http://127.0.0.1:1/wx/cgi-bin/message/send");
    }
}
