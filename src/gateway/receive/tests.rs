use http::Request;

use super::*;

fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn kind(uri: &str, headers: &[(&str, &str)]) -> Option<(ErrorKind, bool)> {
    let parts = parts(uri, headers);
    let error = read(&parts, &Via::new()).err()?;
    Some((error.kind(), ends_connection(&error)))
}

#[test]
fn a_request_names_one_host() {
    let refused = Some((ErrorKind::InvalidHeader, true));
    assert_eq!(kind("/", &[("host", "a")]), None);
    assert_eq!(kind("/", &[]), refused);
    assert_eq!(kind("/", &[("host", "a"), ("host", "a")]), refused);
    assert_eq!(kind("/", &[("host", "")]), refused);
    assert_eq!(kind("/", &[("host", "u@a")]), refused);
    assert_eq!(kind("http://a/", &[]), refused);
    assert_eq!(kind("http://a:80/", &[("host", "A.")]), None);
    assert_eq!(kind("https://a/", &[("host", "a:443")]), None);
    assert_eq!(kind("http://a/", &[("host", "b")]), refused);
    assert_eq!(kind("http://a:81/", &[("host", "a")]), refused);
}

#[test]
fn http_2_names_it_in_the_uri() {
    let mut parts = parts("https://Shop.example.com:8443/", &[]);
    parts.version = Version::HTTP_2;
    let own = Via::new();
    let received = read(&parts, &own).unwrap();
    assert_eq!(received.authority.host, "shop.example.com");
    assert_eq!(received.authority.port, Some(8443));
}

#[test]
fn ambiguous_framing_is_refused() {
    let with = |headers: &[(&str, &str)]| {
        let mut all = vec![("host", "a")];
        all.extend_from_slice(headers);
        kind("/", &all)
    };
    let bad = Some((ErrorKind::InvalidHeader, true));
    let unknown = Some((ErrorKind::NotImplemented, true));
    for (value, expected) in [
        ("chunked", None),
        ("CHUNKED", None),
        ("gzip, chunked", unknown),
        ("chunked, chunked", bad),
        (", chunked", bad),
        ("chunked, identity", bad),
        ("xchunked", bad),
        ("", bad),
    ] {
        assert_eq!(with(&[("transfer-encoding", value)]), expected, "{value}");
    }
    let twice = [("transfer-encoding", "chunked"); 2];
    assert_eq!(with(&twice), bad);
    let both = [("transfer-encoding", "chunked"), ("content-length", "1")];
    assert_eq!(with(&both), bad);
    for value in ["+1", "-1", "0x1", "1, 1", "18446744073709551616"] {
        assert_eq!(with(&[("content-length", value)]), bad, "{value}");
    }
    let same = [("content-length", "1"), ("content-length", "01")];
    assert_eq!(with(&same), None);
    let differ = [("content-length", "1"), ("content-length", "2")];
    assert_eq!(with(&differ), bad);
}

#[test]
fn what_says_one_thing_says_it_once() {
    let bad = Some((ErrorKind::InvalidHeader, true));
    let with = |headers: &[(&str, &str)]| {
        let mut all = vec![("host", "a")];
        all.extend_from_slice(headers);
        kind("/", &all)
    };
    for name in ["authorization", "content-type", "x-ca-key", "x-ca-signature", "origin"] {
        assert_eq!(with(&[(name, "a"), ("accept", "a"), (name, "b")]), bad, "{name}");
        assert_eq!(with(&[(name, "a"), (name, "a")]), None, "{name}");
    }
    assert_eq!(with(&[("accept", "a"), ("accept", "b")]), None);
    assert_eq!(with(&[("x-ca-key", "a"), ("x-ca-nonce", "b")]), None);
    for value in [" a", "a ", "\ta", "a\t", " "] {
        assert_eq!(with(&[("x", value)]), bad, "{value:?}");
    }
    assert_eq!(with(&[("x", ""), ("y", "a b")]), None);
}

#[test]
fn max_forwards_is_read_for_options_only() {
    for (method, value, expected) in [
        (Method::OPTIONS, "0", Ok(Some(0))),
        (Method::OPTIONS, "007", Ok(Some(7))),
        (Method::OPTIONS, "99999999999999999999", Ok(Some(u32::MAX))),
        (Method::OPTIONS, "-1", Err(())),
        (Method::OPTIONS, "", Err(())),
        (Method::GET, "x", Ok(None)),
    ] {
        let mut parts = parts("/", &[("host", "a"), ("max-forwards", value)]);
        parts.method = method;
        let read = read(&parts, &Via::new()).map(|it| it.max_forwards).map_err(|_| ());
        assert_eq!(read, expected, "{value:?}");
    }
}

#[test]
fn targets_are_ascii_behind_http() {
    let refused = Some((ErrorKind::InvalidPath, false));
    let host = [("host", "a")];
    for (uri, expected) in [
        ("/é", refused),
        ("/?q=é", refused),
        ("ftp://a/", refused),
        ("https://a/", None),
        ("/%C3%A9?q=%zz", None),
    ] {
        assert_eq!(kind(uri, &host), expected, "{uri}");
    }
}

#[test]
fn too_much_is_refused_by_name() {
    let kept = Some(ErrorKind::HeadersTooLarge);
    let kind = |uri: &str, headers: &[(&str, &str)]| kind(uri, headers).map(|(kind, _)| kind);
    let uri = format!("/{}", "a".repeat(MAX_URI - 1));
    assert_eq!(kind(&uri, &[("host", "a")]), None);
    let longer = format!("{uri}a");
    assert_eq!(kind(&longer, &[("host", "a")]), Some(ErrorKind::UrlTooLarge));
    let value = "v".repeat(MAX_HEADER_BYTES - "host: a\r\nx: \r\n".len());
    assert_eq!(kind("/", &[("host", "a"), ("x", &value)]), None);
    let longer = format!("{value}v");
    assert_eq!(kind("/", &[("host", "a"), ("x", &longer)]), kept);
    let mut many = vec![("host", "a")];
    many.extend_from_slice(&[("x", "1"); MAX_HEADERS - 1]);
    assert_eq!(kind("/", &many), None);
    many.push(("x", "1"));
    assert_eq!(kind("/", &many), kept);
}
