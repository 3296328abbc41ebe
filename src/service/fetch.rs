//! Files from addresses that a maintainer names. Nothing of the own network is asked unless it is named, whatever a name
//! resolves to and wherever a page redirects.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Url;
use reqwest::header;
use reqwest::redirect;

use crate::secret::Secret;
use crate::service::callback::chain;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 5;

/// Time for one address, from asking to the last byte.
const TIME_MAX: Duration = Duration::from_secs(30);

/// A file as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// A name with an ending that says what it is.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Why an address gave no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is no address, or not of the web.
    #[error("{url}：不是 http 或 https 的网址")]
    Address {
        /// What was given.
        url: String,
    },
    /// It leads into the own network.
    #[error(
        "{url}：{address} 是内网地址，不访问；确实要读，用 --allow-host 或者 serve.allow_hosts 写明主机和端口"
    )]
    Private {
        /// The address.
        url: Url,
        /// What its name resolves to.
        address: IpAddr,
    },
    /// The secret cannot stand in a header.
    #[error("{url}：Authorization 的值里有不能放进请求头的字符")]
    Authorization {
        /// The address.
        url: Url,
    },
    /// Nobody knows its host.
    #[error("{url}：找不到主机：{detail}")]
    Host {
        /// The address.
        url: Url,
        /// What the system said.
        detail: String,
    },
    /// It leads on and on.
    #[error("{url}：跳转超过 {REDIRECTS_MAX} 次")]
    Redirects {
        /// The address that was given.
        url: Url,
    },
    /// It answered, but with no file.
    #[error("{url}：对方返回 {status}")]
    Status {
        /// The address.
        url: Url,
        /// The status.
        status: u16,
    },
    /// It is too large.
    #[error("{url}：超过上限 {limit} 字节")]
    Size {
        /// The address.
        url: Url,
        /// The limit.
        limit: usize,
    },
    /// It did not answer, or stopped in the middle.
    #[error("{url}：没有读到：{detail}")]
    Network {
        /// The address.
        url: Url,
        /// What happened.
        detail: String,
    },
}

/// A wish for a file.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// Its address.
    pub url: &'w str,
    /// Hosts with their ports (`10.0.0.5:8080`) that may lie in the own network.
    pub allowed: &'w BTreeSet<String>,
    /// Most bytes of the file.
    pub bytes_max: usize,
    /// Value of the header `Authorization`; nobody but the host of `url` gets it.
    pub authorization: Option<&'w Secret>,
}

/// Reads a file from the web.
///
/// # Errors
/// See [`FetchError`].
pub async fn fetch(wish: Wish<'_>) -> Result<Fetched, FetchError> {
    let Wish { url, allowed, bytes_max, authorization } = wish;
    let given = Url::parse(url).map_err(|_error| FetchError::Address { url: url.to_owned() })?;
    let mut at = given.clone();
    for _hop in 0..=REDIRECTS_MAX {
        let mut response = ask(&at, allowed, authorization.filter(|_| at.origin() == given.origin())).await?;
        if let Some(next) =
            response.headers().get(header::LOCATION).filter(|_| response.status().is_redirection())
        {
            let next = next.to_str().ok().and_then(|next| at.join(next).ok());
            at = next.ok_or_else(|| FetchError::Address { url: at.to_string() })?;
            continue;
        }
        if !response.status().is_success() {
            return Err(FetchError::Status { status: response.status().as_u16(), url: at });
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let name = name(&at, kind.unwrap_or_default());
        let mut bytes = Vec::new();
        let broken = |error: reqwest::Error| FetchError::Network { url: at.clone(), detail: chain(&error) };
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > bytes_max {
                return Err(FetchError::Size { url: at, limit: bytes_max });
            }
        }
        return Ok(Fetched { name, bytes });
    }
    Err(FetchError::Redirects { url: given })
}

/// A client that reaches the host of an address, and it alone, of which was looked up and looked at where that is.
///
/// * `allowed`: hosts with their ports that may lie in the own network.
/// * `timeout`: for one request, from asking to the last byte.
pub(super) async fn client(
    url: &Url,
    allowed: &BTreeSet<String>,
    timeout: Duration,
) -> Result<reqwest::Client, FetchError> {
    let (true, Some(host), Some(port)) =
        (matches!(url.scheme(), "http" | "https"), url.host_str(), url.port_or_known_default())
    else {
        return Err(FetchError::Address { url: url.to_string() });
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let unknown = |detail: String| FetchError::Host { url: url.clone(), detail };
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((bare, port)).await.map_err(|error| unknown(error.to_string()))?.collect();
    if !allowed.contains(&format!("{host}:{port}"))
        && let Some(private) = found.iter().find(|found| !is_public(found.ip()))
    {
        return Err(FetchError::Private { url: url.clone(), address: private.ip() });
    }
    if found.is_empty() {
        return Err(unknown("没有地址".to_owned()));
    }
    let failed = |error: reqwest::Error| FetchError::Network { url: url.clone(), detail: chain(&error) };
    // The first caller sets it for the process.
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .no_proxy()
        // What was looked at is what is asked: a name may resolve to something else a moment later.
        .resolve_to_addrs(bare, &found)
        .user_agent(concat!("yingda/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(failed)
}

async fn ask(
    url: &Url,
    allowed: &BTreeSet<String>,
    authorization: Option<&Secret>,
) -> Result<reqwest::Response, FetchError> {
    let client = client(url, allowed, TIME_MAX).await?;
    let failed = |error: reqwest::Error| FetchError::Network { url: url.clone(), detail: chain(&error) };
    let mut request = client.get(url.clone());
    if let Some(secret) = authorization {
        let mut value = header::HeaderValue::from_str(secret.expose())
            .map_err(|_error| FetchError::Authorization { url: url.clone() })?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    request.send().await.map_err(failed)
}

/// The last part of the path, with an ending that says what the server says.
fn name(url: &Url, kind: &str) -> String {
    const ENDINGS: [&str; 12] =
        ["csv", "xlsx", "xls", "ods", "json", "jsonl", "md", "txt", "html", "htm", "docx", "pdf"];
    let last =
        url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty())).unwrap_or_default();
    let stem = if last.is_empty() { url.host_str().unwrap_or("page") } else { last };
    let has_ending =
        last.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending.to_lowercase().as_str()));
    if has_ending {
        return stem.to_owned();
    }
    let ending = match kind.split(';').next().unwrap_or_default().trim() {
        "application/pdf" => "pdf",
        "application/json" => "json",
        "text/csv" => "csv",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => "html",
    };
    format!("{stem}.{ending}")
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_special =
                a == 0 || a >= 224 || (a == 192 && b == 0 && c == 0) || (a == 198 && (18..20).contains(&b));
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || is_shared
                || is_special)
        }
        IpAddr::V6(v6) => match inside(v6) {
            Some(v4) => is_public(v4),
            None => {
                !(v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local())
            }
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, of 6to4 or NAT64.
fn inside(v6: Ipv6Addr) -> Option<IpAddr> {
    let s = v6.segments();
    let of = |high: u16, low: u16| IpAddr::from([(high >> 8) as u8, high as u8, (low >> 8) as u8, low as u8]);
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_own_network_are_known_in_every_dress() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2400:3200::1", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_page_gets_a_name_that_says_what_it_is() {
        let name = |url: &str, kind| name(&Url::parse(url).unwrap(), kind);
        assert_eq!(name("https://a.example/help/returns", "text/html; charset=utf-8"), "returns.html");
        assert_eq!(
            name("https://a.example/x/%E4%BB%B7.xlsx?v=2", "application/octet-stream"),
            "%E4%BB%B7.xlsx"
        );
        assert_eq!(name("https://a.example/", "application/pdf"), "a.example.pdf");
    }

    fn wish<'w>(url: &'w str, allowed: &'w BTreeSet<String>) -> Wish<'w> {
        Wish { url, allowed, bytes_max: 10, authorization: None }
    }

    #[tokio::test]
    async fn what_is_no_page_of_the_web_is_refused() {
        let allowed = BTreeSet::new();
        for url in ["file:///etc/passwd", "ftp://a.example/x", "x", "http://"] {
            let error = fetch(wish(url, &allowed)).await.unwrap_err();
            assert!(matches!(error, FetchError::Address { .. }), "{url}: {error}");
        }
        for url in ["http://127.0.0.1:9/", "http://[::1]:9/", "http://2130706433/", "http://localhost:9/"] {
            let error = fetch(wish(url, &allowed)).await.unwrap_err();
            assert!(matches!(error, FetchError::Private { .. }), "{url}: {error}");
        }
    }
}
