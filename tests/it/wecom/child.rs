//! `yingda serve` as a process of its own, and WeCom in front of it.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use super::fixture::AES_KEY;
use super::fixture::FARM_AES_KEY;
use super::fixture::FARM_TOKEN;
use super::fixture::PATIENCE;
use super::fixture::TOKEN;
use super::fixture::Wecom;
use super::stand::SECRET;

/// A running `yingda serve`, which does not outlive the test.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// * `wecom_url`: where WeCom is played.
    pub(super) fn start(dir: &Path, wecom_url: &str) -> Self {
        // A file that may not grow is an error for the server to see, and no signal.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_yingda")])
            .current_dir(dir)
            .args(["serve", "--listen", "127.0.0.1:0", "--knowledge", "knowledge", "--data", "data"])
            .env("KF_TOKEN", TOKEN)
            .env("KF_AES_KEY", AES_KEY)
            .env("FARM_TOKEN", FARM_TOKEN)
            .env("FARM_AES_KEY", FARM_AES_KEY)
            .env("FARM_SECRET", SECRET)
            .env("YINGDA_WECOM_URL", wecom_url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut told = Vec::new();
        let address = lines.by_ref().find_map(|line| {
            let address = line.split_once("http://127.0.0.1:").and_then(|(_, rest)| rest.split('/').next());
            let port = address.and_then(|port| port.parse::<u16>().ok());
            told.push(line);
            port.map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        });
        // The rest is read to its end, so that the server never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(address) = address else {
            let status = child.wait();
            panic!("the server did not start: {status:?} {told:#?}");
        };
        Self { child, address }
    }

    /// No file of the server's grows beyond so many bytes; `None` sets it free again.
    #[cfg(target_os = "linux")]
    pub(super) fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::Pid;
        use rustix::process::Resource;
        use rustix::process::Rlimit;

        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let limit = Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(pid, Resource::Fsize, limit).unwrap();
    }

    /// Ends it by SIGKILL, which leaves it no time for anything.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What comes back to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// Nothing that is whole: WeCom delivers again.
    None,
    /// Another status than 200: WeCom delivers again.
    Refused(String),
    /// Taken, and nothing said.
    Acknowledged,
    /// Taken, with the inner XML of the reply.
    Reply(String),
}

/// Posts a callback of the app `kf`.
pub(super) fn deliver(address: SocketAddr, plaintext: &str) -> Response {
    let wecom = Wecom::kf();
    let (uri, body) = wecom.sealed(plaintext);
    let Ok(response) = exchange(address, &uri, &body) else { return Response::None };
    let Some((head, body)) = response.split_once("\r\n\r\n") else { return Response::None };
    let Some((status, fields)) = head.split_once("\r\n") else { return Response::None };
    let fields: BTreeMap<String, &str> = fields
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    if fields["content-length"].parse() != Ok(body.len()) {
        return Response::None;
    }
    match status {
        "HTTP/1.1 200 OK" if body.is_empty() => Response::Acknowledged,
        "HTTP/1.1 200 OK" => Response::Reply(wecom.open(body)),
        other => Response::Refused(other.to_owned()),
    }
}

pub(super) fn exchange(address: SocketAddr, uri: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {uri} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}
