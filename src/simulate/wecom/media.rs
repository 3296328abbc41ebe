//! Pictures, voices, films and files: taken in, kept for three days, handed out again.
//!
//! Sources: WeCom developer centre, 上传临时素材 (path 90253), 获取临时素材 (90254), 上传图片 (90256).

use axum::body::Body;
use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Multipart;
use axum::extract::Request;
use axum::extract::multipart::MultipartError;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use futures_util::stream;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

pub(super) const UPLOAD: &str = "media/upload";
pub(super) const UPLOAD_PICTURE: &str = "media/uploadimg";
pub(super) const GET: &str = "media/get";

/// Most bytes of a request: a file of the largest size, and enough more to be refused for its size with a code.
pub(super) const REQUEST_BYTES_MAX: usize = 32 * MB;

const MB: usize = 1 << 20;

/// A medium has more bytes than this.
const BYTES_MIN: usize = 5;

/// Most bytes of a permanent picture.
const PICTURE_BYTES_MAX: usize = 2 * MB;

/// Permanent pictures in so long.
const PICTURES_MAX: [(SignedDuration, usize); 2] =
    [(SignedDuration::from_hours(24), 1_000), (SignedDuration::from_hours(30 * 24), 3_000)];

/// For so long a media_id is good.
const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// Longest voice.
const VOICE_SECONDS_MAX: usize = 60;

/// Frames of AMR in a second, and bytes of one by its type, header included. Source: RFC 4867, sections 4.3 and 5.3.
const FRAMES_A_SECOND: usize = 50;
const FRAME_BYTES: [usize; 9] = [13, 14, 16, 18, 20, 21, 27, 32, 6];

/// Frame type of a silence that takes its header alone.
const NO_DATA: u8 = 15;

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Voice,
    Video,
    File,
}

/// A medium as it was brought.
pub(super) struct Medium {
    pub(super) kind: Kind,
    /// As users see it.
    pub(super) filename: String,
    /// Empty where it has expired.
    bytes: Bytes,
    made_at: Timestamp,
}

/// One part of a form.
pub(super) struct Part {
    name: String,
    filename: Option<String>,
    /// What the sender says of its bytes.
    length: Option<String>,
    has_type: bool,
    pub(super) bytes: Bytes,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Image, Self::Voice, Self::Video, Self::File];

    /// The kind of a `type` or a `msgtype`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }

    /// Most bytes from an app.
    fn bytes_max(self) -> usize {
        match self {
            Self::Image | Self::Video => 10 * MB,
            Self::Voice => 2 * MB,
            Self::File => 20 * MB,
        }
    }

    /// Most bytes from a customer of 微信客服; what is larger reaches no app (path 94670).
    fn customers_bytes_max(self) -> usize {
        match self {
            Self::Image | Self::Voice => 2 * MB,
            Self::Video => 10 * MB,
            Self::File => 20 * MB,
        }
    }

    fn accept(self, bytes: &[u8]) -> Result<(), Refusal> {
        if bytes.len() <= BYTES_MIN && !bytes.is_empty() {
            return Err(Refusal::new(40_006, format!("{} bytes are not more than {BYTES_MIN}", bytes.len())));
        }
        accept_size(bytes, self.bytes_max())?;
        let fits = match self {
            Self::Image => is_picture(bytes),
            Self::Voice => bytes.starts_with(b"#!AMR") && !bytes.starts_with(b"#!AMR-WB"),
            Self::Video => bytes.get(4..8) == Some(b"ftyp"),
            Self::File => true,
        };
        if !fits {
            return Err(Refusal::new(
                40_004,
                format!("the bytes are no {} of the formats allowed", self.name()),
            ));
        }
        let n_frames = if self == Self::Voice { frames(bytes) } else { 0 };
        if n_frames > VOICE_SECONDS_MAX * FRAMES_A_SECOND {
            let words = format!("a voice of {} s, at most {VOICE_SECONDS_MAX} s", n_frames / FRAMES_A_SECOND);
            return Err(Refusal::new(45_007, words));
        }
        Ok(())
    }
}

fn accept_size(bytes: &[u8], bytes_max: usize) -> Result<(), Refusal> {
    match bytes.len() {
        0 => Err(Refusal::new(44_001, "empty media data")),
        n_bytes if n_bytes > bytes_max => {
            Err(Refusal::new(45_001, format!("media of {n_bytes} bytes, at most {bytes_max}")))
        }
        _ => Ok(()),
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(PNG)
}

/// Frames of an AMR file, up to the first whose type nobody knows the size of.
fn frames(bytes: &[u8]) -> usize {
    let (mut at, mut n_frames) = (b"#!AMR\n".len(), 0);
    while let Some(head) = bytes.get(at) {
        at += match head >> 3 & 15 {
            NO_DATA => 1,
            kind => match FRAME_BYTES.get(usize::from(kind)) {
                Some(n_bytes) => *n_bytes,
                None => break,
            },
        };
        n_frames += 1;
    }
    n_frames
}

/// The parts of a form. What is no form is refused as one that brings nothing.
pub(super) async fn parts(request: Request) -> Result<Vec<Part>, Refusal> {
    let unreadable = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(45_001, "the request is too large"),
        _ => Refusal::new(44_001, format!("empty media data: {}", error.body_text())),
    };
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| Refusal::new(44_001, format!("empty media data: {}", error.body_text())))?;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        let written = field.headers().get(header::CONTENT_DISPOSITION);
        let written = written.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let of = |name: &str| parameter(written.as_deref()?, name);
        parts.push(Part {
            name: of("name").unwrap_or_default(),
            filename: of("filename").filter(|name| !name.is_empty()),
            length: of("filelength"),
            has_type: field.content_type().is_some(),
            bytes: field.bytes().await.map_err(unreadable)?,
        });
    }
    Ok(parts)
}

/// A parameter of `Content-Disposition`, bare or in quotes.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let mut rest = disposition;
    while let Some((_, after)) = rest.split_once(';') {
        let (key, value) = after.split_once('=')?;
        let (value, left) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, left) = value.split_at(value.find(';').unwrap_or(value.len()));
                (value.trim().to_owned(), left)
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = left;
    }
    None
}

/// What stands before the closing quote, and what after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, sign) in text.char_indices() {
        match sign {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return Some((value, &text[at + 1..])),
            _ => {
                value.push(sign);
                is_escaped = false;
            }
        }
    }
    None
}

impl Part {
    /// The part as the ledger has it: its bytes are counted only.
    pub(super) fn written(&self) -> Value {
        json!({ "name": self.name, "filename": self.filename, "bytes": self.bytes.len() })
    }
}

/// The part called `media`, with its filename.
pub(super) fn file(parts: &[Part]) -> Result<(&Part, &str), Refusal> {
    let part = parts.iter().find(|part| part.name == "media");
    let part = part.ok_or_else(|| Refusal::new(44_001, "empty media data: no part is called media"))?;
    let filename = part.filename.as_deref();
    let filename =
        filename.ok_or_else(|| Refusal::new(44_001, "empty media data: the part has no filename"))?;
    Ok((part, filename))
}

pub(super) fn upload(
    world: &mut World,
    kind: Option<&str>,
    parts: &[Part],
    now: Timestamp,
) -> Result<Value, Refusal> {
    let kind = kind.and_then(Kind::named);
    let kind = kind.ok_or_else(|| Refusal::new(40_005, "type is none of image, voice, video and file"))?;
    let (part, filename) = file(parts)?;
    let n_bytes = part.bytes.len();
    if let Some(length) = part.length.as_ref().filter(|length| length.parse() != Ok(n_bytes)) {
        return Err(Refusal::new(40_006, format!("filelength is {length}, the part has {n_bytes} bytes")));
    }
    if !part.has_type {
        world.ledger.breaks(UPLOAD, "the part has no Content-Type");
    }
    kind.accept(&part.bytes)?;
    let id = world.keep(Medium::new(kind, filename, part.bytes.clone(), now));
    // `created_at` is a text there, and `errmsg` empty.
    let created_at = now.as_second().to_string();
    Ok(json!({ "errmsg": "", "type": kind.name(), "media_id": id, "created_at": created_at }))
}

/// * `host`: under which the sender reached this server.
pub(super) fn upload_picture(
    world: &mut World,
    host: &str,
    parts: &[Part],
    now: Timestamp,
) -> Result<Value, Refusal> {
    let part = parts.first().ok_or_else(|| Refusal::new(44_001, "empty media data: the form has no part"))?;
    if (1..BYTES_MIN).contains(&part.bytes.len()) {
        let words = format!("{} bytes are fewer than {BYTES_MIN}", part.bytes.len());
        return Err(Refusal::new(40_006, words));
    }
    accept_size(&part.bytes, PICTURE_BYTES_MAX)?;
    if !is_picture(&part.bytes) {
        return Err(Refusal::new(40_123, "the bytes are neither JPEG nor PNG"));
    }
    for (within, pictures_max) in PICTURES_MAX {
        let lately = world.pictures.values().filter(|one| now.duration_since(one.made_at) < within);
        if lately.count() >= pictures_max {
            return Err(Refusal::new(
                45_009,
                format!("{pictures_max} pictures in {} hours", within.as_hours()),
            ));
        }
    }
    let id = world.id("picture");
    let filename = part.filename.as_deref().unwrap_or("picture");
    world.pictures.insert(id.clone(), Medium::new(Kind::Image, filename, part.bytes.clone(), now));
    Ok(json!({ "errmsg": "", "url": format!("http://{host}/_sim/pictures/{id}") }))
}

pub(super) fn get(
    world: &World,
    id: Option<&str>,
    range: Option<&str>,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Refusal::new(41_006, "missing media_id"))?;
    Ok(world.medium(id, now)?.part(range))
}

impl World {
    /// Keeps a medium, and gives it an id.
    fn keep(&mut self, medium: Medium) -> String {
        // Of what has expired the ids are remembered, not the bytes: a long run must not fill the memory.
        for old in self.media.values_mut().filter(|old| old.is_expired(medium.made_at)) {
            old.bytes = Bytes::new();
        }
        let id = self.id("media");
        self.media.insert(id.clone(), medium);
        id
    }

    /// Something that a customer has on their phone, in whatever format it is.
    pub(super) fn bring(
        &mut self,
        kind: &str,
        filename: &str,
        bytes: Bytes,
        now: Timestamp,
    ) -> Result<String, String> {
        let kind =
            Kind::named(kind).ok_or_else(|| format!("type {kind} is none of image, voice, video, file"))?;
        accept_size(&bytes, kind.customers_bytes_max()).map_err(|refusal| refusal.words)?;
        Ok(self.keep(Medium::new(kind, filename, bytes, now)))
    }

    /// What a media_id stands for.
    pub(super) fn medium(&self, id: &str, now: Timestamp) -> Result<&Medium, Refusal> {
        match self.media.get(id) {
            None => Err(Refusal::new(40_007, "invalid media_id")),
            Some(medium) if medium.is_expired(now) => Err(Refusal::new(40_145, "media_id expired")),
            Some(medium) => Ok(medium),
        }
    }
}

impl Medium {
    fn new(kind: Kind, filename: &str, bytes: Bytes, made_at: Timestamp) -> Self {
        Self { kind, filename: filename.to_owned(), bytes, made_at }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.made_at) > LIFE
    }

    /// All of it, for a page.
    pub(super) fn whole(&self) -> Response {
        if self.bytes.is_empty() { StatusCode::NOT_FOUND.into_response() } else { self.part(None) }
    }

    /// All of it, or the bytes that a `Range` asks for. One that is written otherwise is overlooked, as RFC 9110 has it.
    fn part(&self, range: Option<&str>) -> Response {
        let n_bytes = self.bytes.len();
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.content_type())),
            (header::CONTENT_DISPOSITION, self.disposition()),
        ];
        let of = |what: String| [(header::CONTENT_RANGE, format!("bytes {what}/{n_bytes}"))];
        match range.and_then(span) {
            None => (head, self.bytes.clone()).into_response(),
            Some((first, _)) if first >= n_bytes => {
                (StatusCode::RANGE_NOT_SATISFIABLE, of("*".to_owned())).into_response()
            }
            Some((first, last)) => {
                let last = last.min(n_bytes - 1);
                let bytes = self.bytes.slice(first..=last);
                (StatusCode::PARTIAL_CONTENT, head, of(format!("{first}-{last}")), bytes).into_response()
            }
        }
    }

    fn content_type(&self) -> &'static str {
        match self.kind {
            Kind::Image if self.bytes.starts_with(PNG) => "image/png",
            Kind::Image => "image/jpeg",
            Kind::Voice => "audio/amr",
            Kind::Video => "video/mp4",
            Kind::File => "application/octet-stream",
        }
    }

    fn disposition(&self) -> HeaderValue {
        let plain = self.filename.chars().filter(|sign| !sign.is_control()).collect::<String>();
        let name = plain.replace('\\', "\\\\").replace('"', "\\\"");
        HeaderValue::from_bytes(format!("attachment; filename=\"{name}\"").as_bytes())
            .expect("control characters are the only ones that a header cannot have")
    }
}

/// First and last byte of a range; the last may be past the end.
fn span(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
    (first <= last).then_some((first, last))
}

/// An answer of which the connection breaks off in the middle.
pub(super) async fn broken_off(response: Response) -> Response {
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.unwrap_or_default();
    let half = bytes.slice(..bytes.len() / 2);
    let pieces = [Ok(half), Err(std::io::Error::other("broken off by script"))];
    Response::from_parts(head, Body::from_stream(stream::iter(pieces)))
}
