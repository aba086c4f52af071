use proptest::prelude::*;

use super::*;

/// A body with this between two of its boundaries.
fn around(part: &str) -> Vec<u8> {
    format!("--b\r\n{part}\r\n--b--\r\n").into_bytes()
}

/// What is read of a body with one part of such a head.
fn head(head: &str) -> Option<(String, Option<String>)> {
    let body = around(&format!("{head}\r\n\r\nx"));
    let parts = read(b"b", &body).ok()?;
    assert_eq!(parts.len(), 1);
    Some((parts[0].name.to_owned(), parts[0].file_name.map(str::to_owned)))
}

#[test]
fn a_body_is_parts_and_nothing_else() {
    const PART: &str = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    for (body, count) in [
        ("--b--".to_owned(), 0),
        ("--b--\r\n".to_owned(), 0),
        (format!("{PART}\r\n--b--"), 1),
        (format!("{PART}-\r\n-\r\n--\r\n--b--\r\n"), 1),
        (format!("{PART}1\r\n{PART}2\r\n--b--\r\n"), 2),
    ] {
        assert_eq!(read(b"b", body.as_bytes()).map(|parts| parts.len()), Ok(count), "{body}");
    }
    for (body, reason) in [
        (String::new(), "the body does not begin with its boundary"),
        ("preamble\r\n--b--\r\n".to_owned(), "the body does not begin with its boundary"),
        ("--c--".to_owned(), "the body does not begin with its boundary"),
        ("--b--\r\nepilogue".to_owned(), "the body goes on behind its last boundary"),
        ("--b-- \r\n".to_owned(), "the body goes on behind its last boundary"),
        ("--b".to_owned(), "a boundary's line does not end with it"),
        ("--bb\r\n".to_owned(), "a boundary's line does not end with it"),
        ("--b \r\n".to_owned(), "a boundary's line does not end with it"),
        ("--b\n".to_owned(), "a boundary's line does not end with it"),
        (format!("{PART}1\r\n--bc\r\n--b--"), "a boundary's line does not end with it"),
        (format!("{PART}1"), "a part does not end"),
        (format!("{PART}1\n--b--\r\n"), "a part does not end"),
        (
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--".to_owned(),
            "a part's head does not end within 4096 bytes",
        ),
    ] {
        assert_eq!(read(b"b", body.as_bytes()), Err(reason.into()), "{body}");
    }
}

#[test]
fn a_head_says_which_part_it_is_once() {
    for (text, name, file_name) in [
        ("Content-Disposition: form-data; name=\"a\"", "a", None),
        ("content-disposition:form-data;name=a;filename=b.txt", "a", Some("b.txt")),
        (
            "X-A: 1\r\nContent-Disposition: Form-Data; FileName=\"b;c=\" ; name=\"\"",
            "",
            Some("b;c="),
        ),
        ("Content-Disposition: form-data; name=\"é=;\"; filename=\"C:\\x\"", "é=;", Some("C:\\x")),
        ("Content-Transfer-Encoding: Binary\r\nContent-Disposition: form-data; name=a", "a", None),
        ("Content-Disposition: form-data; name=a; filename=b; filename*=utf-8''c", "a", Some("b")),
    ] {
        assert_eq!(head(text), Some((name.to_owned(), file_name.map(str::to_owned))), "{text}");
    }
    let long = format!("Content-Disposition: form-data; name={}", "a".repeat(MAX_PART_HEAD));
    for text in [
        "",
        "Content-Type: text/plain",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nCONTENT-TYPE: c/d",
        "Content-Disposition: form-data; name=a; name=b",
        "Content-Disposition: form-data; name=a; NAME=b",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''c",
        "Content-Disposition: form-data; name=a; filename=b; filename*=UTF-8''c; filename*=d",
        "Content-Disposition: form-data; name=a; name*=UTF-8''c",
        "Content-Disposition: form-data; name=a; size=1",
        "Content-Disposition: form-data; name=a;",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=\"a\"b",
        "Content-Disposition: form-data; name=\"a\\\"; filename=\\\"b\"",
        "Content-Disposition: form-data; name=a; filename=\"b\\\"; name=\"c\"",
        "Content-Disposition: form-data; name=a b",
        "Content-Disposition: form-data; name=",
        "Content-Disposition: form-data; filename=a",
        "Content-Disposition: form-data;\r\n name=a",
        "Content-Disposition : form-data; name=a",
        "Content-Disposition: form-data; name=\"a\nX: b\"",
        "Content-Disposition: form-data; name=\"a\rb\"",
        "Content-Disposition: form-data; name=\"a\0b\"",
        "Content-Disposition: form-data; name=a\r\nno header",
        "Content-Disposition: form-data; name=a\r\nContent-Type: é",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        long.as_str(),
    ] {
        assert_eq!(head(text), None, "{text}");
    }
    let body = around("Content-Disposition: form-data; name=_charset_\r\n\r\ngbk");
    assert_eq!(read(b"b", &body), Err("the parts are not UTF-8".into()));
    assert!(read(b"b", b"--b\r\n\xff\r\n\r\n\r\n--b--").is_err());
}

#[test]
fn too_many_parts_are_refused() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    let body = |count: usize| format!("{}--b--", part.repeat(count)).into_bytes();
    assert_eq!(read(b"b", &body(MAX_PAIRS)).map(|parts| parts.len()), Ok(MAX_PAIRS));
    assert_eq!(read(b"b", &body(MAX_PAIRS + 1)), Err("more than 1000 parts".into()));
}

#[test]
fn names_end_neither_their_quotes_nor_their_line() {
    assert_eq!(quoted("a\"b\r\nc%22é\\"), "a%22b%0D%0Ac%22é\\");
    assert!(matches!(quoted("plain;="), Cow::Borrowed(_)));
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(b"b", &body);
        let _ = read(b"b", &[b"--b\r\n", &*body].concat());
    }

    #[test]
    fn parts_are_all_there_is(pieces in proptest::collection::vec(0..7_usize, 0..12)) {
        const PIECES: [&str; 7] = ["--b", "\r\n", "--", "Content-Disposition: form-data; name=a", "-", "x", "--b--"];
        let body: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        if let Ok(parts) = read(b"b", body.as_bytes()) {
            let mut again = String::new();
            for part in &parts {
                again += &format!("--b\r\n{}\r\n", std::str::from_utf8(part.raw).unwrap());
            }
            again += "--b--";
            prop_assert_eq!(body.trim_end_matches("\r\n"), again);
        }
    }

    #[test]
    fn one_text_is_found_in_another_where_it_first_stands(
        text in proptest::collection::vec(0..3_u8, 0..30), other in proptest::collection::vec(0..3_u8, 1..4),
    ) {
        let expected = text.windows(other.len()).position(|window| *window == *other);
        prop_assert_eq!(find(&text, &other), expected);
    }
}
