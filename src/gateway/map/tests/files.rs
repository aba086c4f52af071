//! Forms with files. What is written is read by a reader of somebody else's.

use http_body_util::{BodyDataStream, Full};

use super::*;

const BOUNDARY: &str = "of-the-client";

/// A part as a reader finds it: name, file name, Content-Type and content.
type Found = (Option<String>, Option<String>, Option<String>, Vec<u8>);

/// The parts that the other reader finds.
fn parts(headers: &HeaderMap, body: Bytes) -> Vec<Found> {
    assert_eq!(headers["content-length"], body.len().to_string());
    let boundary = multer::parse_boundary(headers["content-type"].to_str().unwrap()).unwrap();
    assert!(boundary.starts_with("backhaul-"), "{boundary}");
    let body: BodyDataStream<Full<Bytes>> = BodyDataStream::new(Full::new(body));
    let mut reader = multer::Multipart::new(body, boundary);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut found = Vec::new();
        while let Some(field) = reader.next_field().await.unwrap() {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let content_type = field.headers().get("content-type");
            let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
            let names = (text(field.name()), text(field.file_name()));
            found.push((names.0, names.1, content_type, field.bytes().await.unwrap().to_vec()));
        }
        found
    })
}

fn text(name: &str, content: &str) -> Found {
    (Some(name.to_owned()), None, None, content.as_bytes().to_vec())
}

fn file(name: &str, file_name: &str, content_type: Option<&str>, content: &[u8]) -> Found {
    let content_type = content_type.map(str::to_owned);
    (Some(name.to_owned()), Some(file_name.to_owned()), content_type, content.to_vec())
}

/// A name as browsers write it.
fn escaped(name: &str) -> String {
    name.chars().fold(String::new(), |text, c| match c {
        '"' => text + "%22",
        '\r' => text + "%0D",
        '\n' => text + "%0A",
        c => text + &c.to_string(),
    })
}

/// A body of parts as a browser writes it.
fn body(parts: &[Found]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, content_type, content) in parts {
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data");
        if let Some(name) = name {
            head.push_str(&format!("; name=\"{}\"", escaped(name)));
        }
        if let Some(file_name) = file_name {
            head.push_str(&format!("; filename=\"{}\"", escaped(file_name)));
        }
        if let Some(content_type) = content_type {
            head.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// What the backend receives of these parts.
fn received(version: &Version, sent: &[Found]) -> Result<Vec<Found>> {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", content_type.as_str()), ("content-md5", "old")];
    let asked = Asked { headers: &headers, form: &body(sent), ..Asked::default() };
    let (_, headers, form) = mapped(version, &asked)?;
    assert!(!headers.contains_key("content-md5"));
    Ok(parts(&headers, form.unwrap()))
}

/// An API that takes a file, a text and a list, and says something of its own.
fn upload(mode: &str) -> Version {
    version(json!({
        "mode": mode,
        "parameter": [
            { "name": "picture", "in": "body", "type": "file", "required": true, "to": { "name": "image" } },
            { "name": "title", "in": "body", "max_length": 5, "to": { "name": "caption" } },
            { "name": "tag", "in": "body", "type": "array", "items": "int" },
            { "name": "q", "in": "query", "to": { "name": "query", "in": "body" } },
        ],
        "constant": [{ "name": "source", "value": "gate\r\nway", "in": "body" }],
        "system": [{ "name": "CaDomain", "to": { "name": "domain", "in": "body" } }],
    }))
}

#[test]
fn parts_are_renamed_and_written_in_their_order() {
    let sent = [
        text("tag", "1"),
        text("evil", "1"),
        text("title", "first"),
        text("title", "more than five"),
        text("source", "forged"),
        text("caption", "forged"),
        text("%74itle", "looks the same to some"),
        file("file", "C:\\a b.txt", None, b"\0\r\n--"),
        file("picture", "", Some("application/octet-stream"), b""),
        file("picture", "a\"b.png", Some("image/png"), b"\x89PNG\r\n\r\n"),
        file("picture", "second.png", Some("image/png"), b"2"),
        text("tag", "2"),
    ];
    let expected = vec![
        file("image", "a%22b.png", Some("image/png"), b"\x89PNG\r\n\r\n"),
        text("caption", "first"),
        text("tag", "1"),
        text("tag", "2"),
        text("source", "gate\r\nway"),
        text("domain", "shop.example.com"),
    ];
    assert_eq!(received(&upload("mapping"), &sent).unwrap(), expected);
    let mut through = expected;
    through.push(text("evil", "1"));
    through.push(file("file", "C:\\a b.txt", None, b"\0\r\n--"));
    assert_eq!(received(&upload("mapping_passthrough"), &sent).unwrap(), through);
}

#[test]
fn what_does_not_fit_is_refused_with_its_name() {
    let picture = file("picture", "a.png", None, b"1");
    for (sent, kind, context) in [
        (vec![], ErrorKind::MissingParameter, "`picture`"),
        (vec![file("picture", "", None, b"")], ErrorKind::MissingParameter, "`picture`"),
        (vec![text("picture", "a")], ErrorKind::InvalidParameter, "`picture` is not a file"),
        (
            vec![picture.clone(), file("title", "a", None, b"a")],
            ErrorKind::InvalidParameter,
            "`title` is a file",
        ),
        (
            vec![picture.clone(), text("title", "longer than five")],
            ErrorKind::InvalidParameter,
            "`title` is longer than it may be",
        ),
        (
            vec![picture.clone(), (Some("title".to_owned()), None, None, vec![0xff])],
            ErrorKind::InvalidParameter,
            "`title` is not UTF-8",
        ),
        (
            vec![
                picture.clone(),
                (
                    Some("title".to_owned()),
                    None,
                    Some("text/plain; charset=gbk".to_owned()),
                    vec![],
                ),
            ],
            ErrorKind::InvalidParameter,
            "`title` is not UTF-8",
        ),
        (
            vec![picture.clone(), text("tag", "x")],
            ErrorKind::InvalidParameter,
            "`tag` is not a whole number of 32 bits",
        ),
        (vec![picture; MAX_PAIRS + 1], ErrorKind::InvalidBody, "more than 1000 parts"),
    ] {
        let error = received(&upload("mapping"), &sent).unwrap_err();
        assert_eq!((error.kind(), error.context()), (kind, context));
    }
}

#[test]
fn only_a_form_of_parts_will_do() {
    let version = upload("mapping");
    let form = body(&[file("picture", "a", None, b"1")]);
    let plain = format!("multipart/form-data; boundary={BOUNDARY}");
    let refused = |lines: &[(&str, &str)], form: &[u8]| {
        refusal(&version, &Asked { headers: lines, form, ..Asked::default() }).0
    };
    for content_type in
        [FORM, "multipart/form-data", "multipart/mixed; boundary=of-the-client", "a/b"]
    {
        let lines = [("content-type", content_type)];
        assert_eq!(refused(&lines, &form), ErrorKind::InvalidContentType, "{content_type}");
    }
    let coded = [("content-type", plain.as_str()), ("content-encoding", "gzip")];
    assert_eq!(refused(&coded, &form), ErrorKind::InvalidContentType);
    assert_eq!(refused(&[("content-type", &plain)], b"picture=1"), ErrorKind::InvalidBody);
    assert_eq!(refused(&[], b""), ErrorKind::MissingParameter, "an empty body has no parts");
    assert_eq!(refused(&[("content-type", FORM)], b""), ErrorKind::MissingParameter);
}

#[test]
fn a_body_is_made_where_there_is_something_to_say() {
    let file = json!([{ "name": "f", "in": "body", "type": "file" }]);
    let plain = version(json!({ "mode": "mapping", "parameter": file }));
    let (_, headers, form) = mapped(&plain, &Asked::default()).unwrap();
    assert!(form.is_none() && !headers.contains_key("content-type"));
    let fixed = version(json!({
        "mode": "mapping", "parameter": file,
        "backend": { "service": "orders", "content_type": "multipart/form-data" },
        "constant": [{ "name": "s", "value": "1", "in": "body" }],
    }));
    let (_, headers, form) = mapped(&fixed, &Asked::default()).unwrap();
    assert_eq!(parts(&headers, form.unwrap()), [text("s", "1")]);
    assert_eq!(received(&plain, &[text("unknown", "1")]).unwrap(), []);
}

/// Bytes that look like what holds bodies together.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"--".to_vec()),
        Just(b"\r\n--of-the-".to_vec()),
        Just(b"backhaul-".to_vec()),
        Just(b"\r\nContent-Disposition: form-data; name=\"forged\"\r\n\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    let content = proptest::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat());
    content.prop_filter("the client's boundary", |content| {
        !content.windows(BOUNDARY.len()).any(|window| window == BOUNDARY.as_bytes())
    })
}

fn part() -> impl Strategy<Value = Found> {
    let name = prop_oneof![Just("f".to_owned()), Just("u".to_owned()), "[a-z\"\r\n;= %é]{1,8}"];
    // Before a quote, readers differ in what a backslash is.
    let file_name = "[a-zA-Z0-9\"\r\n;= .%é\\\\]{0,8}"
        .prop_filter("a backslash before a quote", |name| !name.ends_with('\\'));
    let content_type = proptest::option::of("[a-z]{1,4}/[a-z]{1,4}(; a=\"[a-z]{1,3}\")?");
    (name, file_name, content_type, content()).prop_map(
        |(name, file_name, content_type, content)| {
            (Some(name), Some(format!("{file_name}.x")), content_type, content)
        },
    )
}

proptest! {
    #[test]
    fn any_files_arrive_as_they_were(sent in proptest::collection::vec(part(), 0..6)) {
        let version = version(json!({
            "mode": "mapping_passthrough",
            "parameter": [{ "name": "f", "in": "body", "type": "file", "to": { "name": "g\"\r\n" } }],
            "constant": [{ "name": "s", "value": "1", "in": "body" }],
        }));
        let as_read = |(name, file_name, content_type, content): &Found, to: Option<&str>| {
            let name = to.or(name.as_deref()).map(escaped);
            (name, file_name.as_deref().map(escaped), content_type.clone(), content.clone())
        };
        let is = |name: &'static str| move |part: &&Found| part.0.as_deref() == Some(name);
        let mut expected: Vec<_> =
            sent.iter().find(is("f")).map(|part| as_read(part, Some("g\"\r\n"))).into_iter().collect();
        expected.push(text("s", "1"));
        let known = |part: &&Found| is("f")(part) || is("s")(part) || part.0.as_deref() == Some("g\"\r\n");
        expected.extend(sent.iter().filter(|part| !known(part)).map(|part| as_read(part, None)));
        prop_assert_eq!(received(&version, &sent).unwrap(), expected);
    }

    #[test]
    fn no_text_and_no_name_breaks_out(name in any::<String>(), value in any::<String>()) {
        prop_assume!(!name.is_empty() && name != "f");
        let version = version(json!({
            "mode": "mapping",
            "parameter": [{ "name": "f", "in": "body", "type": "file" },
                { "name": "q", "in": "query", "to": { "name": name, "in": "body" } }],
        }));
        let query = format!("q={}", percent(value.as_bytes()));
        let asked = Asked { query: Some(&query), ..Asked::default() };
        let (_, headers, form) = mapped(&version, &asked).unwrap();
        let form = form.unwrap();
        let boundary = headers["content-type"].to_str().unwrap().split_once('=').unwrap().1.to_owned();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n--{boundary}--\r\n",
            escaped(&name),
        );
        prop_assert_eq!(std::str::from_utf8(&form).unwrap(), expected);
        prop_assert!(!value.contains(&boundary) && !name.contains(&boundary));
    }
}
