//! Media: what is taken in, for how long, and how it comes out again.

use super::*;

pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";
pub(super) const MP4: &[u8] = b"\0\0\0\x18ftypmp42rest";

/// So much AMR at 12.2 kbit/s: 32 bytes a frame, 50 frames a second.
fn voice(n_frames: usize) -> Vec<u8> {
    let frame = [0x3c].into_iter().chain([0; 31]);
    b"#!AMR\n".iter().copied().chain((0..n_frames).flat_map(|_| frame.clone())).collect()
}

impl Server {
    /// A form of one part.
    fn form(&self, path: &str, disposition: &str, bytes: &[u8]) -> Request<Body> {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, b"\r\n--edge--\r\n"].concat();
        let sign = if path.contains('?') { '&' } else { '?' };
        Request::post(format!("/cgi-bin/{path}{sign}access_token={}", self.token))
            .header("host", "127.0.0.1:8642")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body.into())
            .unwrap()
    }

    async fn uploads(&self, kind: &str, filename: &str, bytes: &[u8]) -> Value {
        let disposition = format!("name=\"media\"; filename=\"{filename}\"; filelength={}", bytes.len());
        self.send(self.form(&format!("media/upload?type={kind}"), &disposition, bytes)).await
    }

    /// The id of a medium that was taken in.
    pub(super) async fn medium(&self, kind: &str, filename: &str, bytes: &[u8]) -> String {
        let answer = self.uploads(kind, filename, bytes).await;
        answer["media_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn download(&self, id: &str, range: Option<&str>) -> Request<Body> {
        let request = Request::get(format!("/cgi-bin/media/get?access_token={}&media_id={id}", self.token));
        let request = range.into_iter().fold(request, |request, range| request.header("range", range));
        request.body(Body::empty()).unwrap()
    }

    /// A new token after the old one's time.
    pub(super) async fn renewed(self) -> Self {
        let path = "gettoken?corpid=wwsimulator00001&corpsecret=simulator-secret-of-shop";
        let token = self.get(path).await["access_token"].as_str().unwrap().to_owned();
        Self { token, ..self }
    }
}

#[tokio::test]
async fn what_is_uploaded_comes_out_again_whole_and_in_ranges() {
    let server = Server::open().await;
    let taken = server.uploads("image", "雨\\\"衣.png", PNG).await;
    assert_eq!(
        (&taken["errcode"], &taken["errmsg"], &taken["type"]),
        (&json!(0), &json!(""), &json!("image"))
    );
    assert_eq!(taken["created_at"], "1795485600");
    let id = taken["media_id"].as_str().unwrap();
    let (status, headers, bytes) = server.raw(server.download(id, None)).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PNG));
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["content-disposition"].as_bytes(), "attachment; filename=\"雨\\\"衣.png\"".as_bytes());
    let (status, headers, bytes) = server.raw(server.download(id, Some("bytes=1-3"))).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, b"PNG".as_slice()));
    assert_eq!(headers["content-range"], "bytes 1-3/12");
    let (_, headers, bytes) = server.raw(server.download(id, Some("bytes=8-"))).await;
    assert_eq!(
        (&headers["content-range"], bytes.as_slice()),
        (&"bytes 8-11/12".parse().unwrap(), b"rest".as_slice())
    );
    let (status, headers, _) = server.raw(server.download(id, Some("bytes=12-"))).await;
    assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(headers["content-range"], "bytes */12");
    assert_eq!(server.raw(server.download(id, Some("lines=1-2"))).await.0, StatusCode::OK);
    assert!(server.broken().await.is_empty());
}

#[tokio::test]
async fn an_upload_keeps_the_formats_and_sizes_of_the_page() {
    let server = Server::open().await;
    let code = async |kind: &str, bytes: &[u8]| {
        server.uploads(kind, "a.bin", bytes).await["errcode"].as_i64().unwrap()
    };
    assert_eq!(code("picture", PNG).await, 40_005);
    assert_eq!(code("file", b"").await, 44_001);
    assert_eq!([code("file", b"12345").await, code("file", b"123456").await], [40_006, 0]);
    assert_eq!([code("image", b"GIF89a....").await, code("image", b"\xff\xd8\xff\xe0..").await], [40_004, 0]);
    assert_eq!([code("video", PNG).await, code("video", MP4).await], [40_004, 0]);
    assert_eq!([code("voice", MP4).await, code("voice", b"#!AMR-WB\n\x04...").await], [40_004; 2]);
    assert_eq!([code("voice", &voice(3_000)).await, code("voice", &voice(3_050)).await], [0, 45_007]);
    let large = |head: &[u8], n_bytes: usize| [head, &vec![0; n_bytes - head.len()]].concat();
    assert_eq!(code("image", &large(PNG, 10 << 20)).await, 0);
    assert_eq!(code("image", &large(PNG, (10 << 20) + 1)).await, 45_001);
    assert_eq!(code("voice", &large(b"#!AMR\n", (2 << 20) + 1)).await, 45_001);
    assert_eq!(code("video", &large(MP4, (10 << 20) + 1)).await, 45_001);
    assert_eq!(
        [code("file", &vec![0; 20 << 20]).await, code("file", &vec![0; (20 << 20) + 1]).await],
        [0, 45_001]
    );
    let as_part = async |disposition: &str| {
        server.send(server.form("media/upload?type=image", disposition, PNG)).await["errcode"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(as_part("name=\"media\"; filename=\"a.png\"; filelength=11").await, 40_006);
    assert_eq!(as_part("name=\"picture\"; filename=\"a.png\"").await, 44_001);
    assert_eq!(as_part("name=\"media\"").await, 44_001, "no filename");
    assert_eq!(
        as_part("name=\"media\"; filename*=UTF-8''a.png").await,
        44_001,
        "not the filename of the page"
    );
    assert_eq!(as_part("name=media; filename=a.png").await, 0);
    assert!(server.broken().await.is_empty());
    assert_eq!(server.code("media/upload", json!({})).await, 44_001, "no form");
    assert!(server.broken().await[0].contains("multipart/form-data"));
}

#[tokio::test]
async fn a_media_id_is_good_for_three_days_and_errors_come_as_documents() {
    let server = Server::open().await;
    let id = server.medium("file", "a.txt", b"twelve bytes").await;
    server.control("clock", json!({ "advance_seconds": 3 * 86_400 })).await;
    let server = server.renewed().await;
    assert_eq!(server.raw(server.download(&id, None)).await.2, b"twelve bytes");
    server.control("clock", json!({ "advance_seconds": 1 })).await;
    let (status, headers, _) = server.raw(server.download(&id, None)).await;
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"application/json".parse().unwrap()));
    let code = async |id: &str| server.send(server.download(id, None)).await["errcode"].as_i64().unwrap();
    assert_eq!([code(&id).await, code("other").await, code("").await], [40_145, 40_007, 41_006]);
    // The next one in drives the bytes of the old one out; its id is still known.
    server.medium("file", "b.txt", b"other bytes").await;
    assert_eq!(code(&id).await, 40_145);
    let gone = server.raw(Request::get(format!("/_sim/media/{id}")).body(Body::empty()).unwrap()).await;
    assert_eq!(gone.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_permanent_picture_has_an_address_here() {
    let server = Server::open().await;
    let taken = server.send(server.form("media/uploadimg", "name=\"any\"; filename=\"a.png\"", PNG)).await;
    let url = taken["url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:8642").unwrap();
    server.control("clock", json!({ "advance_seconds": 30 * 86_400 })).await;
    let (status, headers, bytes) = server.raw(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PNG));
    assert_eq!(headers["content-type"], "image/png");
    let server = server.renewed().await;
    let code = async |bytes: &[u8]| {
        server.send(server.form("media/uploadimg", "name=\"any\"", bytes)).await["errcode"].as_i64().unwrap()
    };
    assert_eq!([code(b"").await, code(b"1234").await, code(b"GIF89a").await], [44_001, 40_006, 40_123]);
    let large = |n_bytes: usize| [PNG, &vec![0; n_bytes - PNG.len()]].concat();
    assert_eq!([code(&large(2 << 20)).await, code(&large((2 << 20) + 1)).await], [0, 45_001]);
}

#[tokio::test]
async fn a_customer_sends_a_picture_that_is_then_downloaded() {
    let server = Server::open().await;
    let bring = async |query: &str, bytes: &[u8]| {
        server.send(Request::post(format!("/_sim/media?{query}")).body(bytes.to_vec().into()).unwrap()).await
    };
    let id = bring("type=image&filename=x.png", PNG).await["media_id"].as_str().unwrap().to_owned();
    let sending = json!({ "account": KF, "msgtype": "image", "object": { "media_id": id } });
    server.control("customers/wm/send", sending).await;
    let (items, _) = server.listed().await;
    assert_eq!(items[0]["image"]["media_id"], id.as_str());
    assert_eq!(server.raw(server.download(&id, None)).await.2, PNG);
    let wrong = bring("type=picture&filename=x.png", PNG).await;
    assert!(wrong.as_str().unwrap().contains("picture"), "{wrong}");
    let large = bring("type=image&filename=x.png", &vec![0; (2 << 20) + 1]).await;
    assert!(large.as_str().unwrap().contains("2097153 bytes"), "{large}");
}

#[tokio::test]
async fn media_fail_by_script_too() {
    let server = Server::open().await;
    let id = server.medium("file", "a.txt", b"twelve bytes").await;
    let fails = async |path: &str, effect: Value| {
        let mut fault = effect;
        fault["path"] = json!(path);
        server.control("faults", fault).await;
    };
    fails("media/upload", json!({ "effect": "code", "code": 45_009 })).await;
    assert_eq!(server.uploads("image", "a.png", PNG).await["errcode"], 45_009);
    fails("media/get", json!({ "effect": "status", "status": 503 })).await;
    assert_eq!(server.raw(server.download(&id, None)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    fails("media/get", json!({ "effect": "truncated" })).await;
    let cut = server.router.clone().oneshot(server.download(&id, None)).await.unwrap();
    assert!(to_bytes(cut.into_body(), 1 << 20).await.is_err(), "the connection breaks off");
    assert_eq!(server.raw(server.download(&id, None)).await.2, b"twelve bytes");
}
