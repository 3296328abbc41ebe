//! A file in a form, as an upload sends it. Source: RFC 7578.

/// A file that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upload<'b> {
    pub(super) file_name: String,
    pub(super) content: &'b [u8],
}

/// The file in the part called `media`; `None` where there is none, or the form is damaged.
///
/// * `kind`: the content type, with the boundary.
pub(super) fn media<'b>(kind: &str, body: &'b [u8]) -> Option<Upload<'b>> {
    let boundary = kind.strip_prefix("multipart/form-data")?.split(';').find_map(|parameter| {
        let value = parameter.trim().strip_prefix("boundary=")?;
        Some(value.trim_matches('"'))
    })?;
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very beginning, without its line break.
    let opening = delimiter.trim_start();
    let mut rest = match body.strip_prefix(opening.as_bytes()) {
        Some(rest) => rest,
        None => split(body, delimiter.as_bytes())?.1,
    };
    loop {
        let (part, next) = split(rest.strip_prefix(b"\r\n")?, delimiter.as_bytes())?;
        let (head, content) = split(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(head).ok()?;
        let disposition =
            head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        if parameter(disposition, "name").as_deref() == Some("media") {
            return Some(Upload { file_name: parameter(disposition, "filename")?, content });
        }
        rest = next;
    }
}

fn split<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..place], &bytes[place + at.len()..]))
}

fn parameter(disposition: &str, name: &str) -> Option<String> {
    disposition.split(';').find_map(|one| {
        let value = one.trim().strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"filelength\"\r\n\r\n6\r\n\
                        --b\r\ncontent-disposition: form-data; name=\"media\"; filename=\"报表.txt\"\r\n\
                        Content-Type: text/plain\r\n\r\nab\r\n-c\r\n--b--\r\n";

    #[test]
    fn the_file_is_found_among_the_parts() {
        let found = media("multipart/form-data; boundary=\"b\"", FORM.as_bytes());
        assert_eq!(found, Some(Upload { file_name: "报表.txt".to_owned(), content: b"ab\r\n-c" }));
    }

    #[test]
    fn what_is_no_form_or_ends_early_has_no_file() {
        let kind = "multipart/form-data; boundary=b";
        for (kind, body) in [
            ("application/json", FORM.to_owned()),
            ("multipart/form-data", FORM.to_owned()),
            ("multipart/form-data; boundary=other", FORM.to_owned()),
            (kind, FORM.replace("name=\"media\"", "name=\"file\"")),
            (kind, FORM.replace("; filename=\"报表.txt\"", "")),
            (kind, FORM.replace("--b--", "")),
            (kind, String::new()),
        ] {
            assert_eq!(media(kind, body.as_bytes()), None, "{kind} {body}");
        }
    }
}
