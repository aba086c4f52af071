use super::*;

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text, false).unwrap()
}

#[test]
fn a_pattern_has_a_shape() {
    for (text, parameters, length, tail) in [
        ("/", 0b0, 1, false),
        ("/a/", 0b00, 2, false),
        ("/orders/[id]", 0b10, 2, false),
        ("/[root]/*", 0b1, 1, true),
        ("/*", 0, 0, true),
    ] {
        assert_eq!(pattern(text).shape(), Shape { parameters, length, tail }, "{text}");
    }
}

#[test]
fn a_bad_pattern_says_why() {
    for (text, why) in [
        ("", "does not start with '/'"),
        ("orders", "does not start with '/'"),
        ("/a/[id]x", "has a segment \"[id]x\" that is neither literal nor one [parameter]"),
        ("/[]", "has a segment \"[]\" that is neither literal nor one [parameter]"),
        ("/[a]/[a]", "names the parameter [a] twice"),
        ("/a*", "has a '*' that is not the whole last segment"),
        ("/*/a", "has a '*' that is not the whole last segment"),
        ("/a/../b", "contains a dot segment"),
        ("/a%2fb", "contains an encoded slash"),
        ("/a b", "contains ' '"),
        ("/a?b", "contains '?'"),
        ("/%", "contains a malformed '%'"),
        ("/%+1", "contains a malformed '%'"),
    ] {
        assert_eq!(PathPattern::parse(text, false).unwrap_err().to_string(), why, "{text}");
    }
    assert!(PathPattern::parse(&"/a".repeat(32), false).is_ok());
    assert!(PathPattern::parse(&"/a".repeat(33), false).is_err());
    assert!(PathPattern::parse("/a[1]", true).is_ok());
}

#[test]
fn a_literal_goes_before_a_parameter_and_a_parameter_before_a_tail() {
    let mut texts = ["/*", "/[a]/*", "/[a]/[b]", "/[a]/x", "/x/*", "/x/[a]", "/x/y"].map(pattern);
    texts.sort_by(|a, b| a.shape().precedence(b.shape()));
    let order: Vec<_> = texts.iter().map(PathPattern::as_str).collect();
    assert_eq!(order, ["/x/y", "/x/[a]", "/x/*", "/[a]/x", "/[a]/[b]", "/[a]/*", "/*"]);
}

#[test]
fn patterns_that_differ_in_names_only_match_the_same_paths() {
    assert!(pattern("/a/[x]").same_paths(&pattern("/a/[y]")));
    assert_eq!(pattern("/a/[x]").hash(1), pattern("/a/[y]").hash(1));
    assert!(pattern("/%41").same_paths(&pattern("/A")));
    assert!(!pattern("/a/[x]").same_paths(&pattern("/b/[x]")));
    assert!(!pattern("/a/*").same_paths(&pattern("/a/[x]")));
}

#[test]
fn a_request_is_found_by_the_hash_of_its_pattern() {
    for (text, request) in [
        ("/orders/[id]", "/orders/42"),
        ("/orders/[id]", "/%6frders/4%2a"),
        ("/a/b/c", "/a/b/c"),
        ("/files/*", "/files/x/y"),
        ("/", "/"),
    ] {
        let pattern = pattern(text);
        let path = RequestPath::parse(request).unwrap();
        assert!(pattern.shape().fits(path.len()), "{text} {request}");
        assert_eq!(path.hash(pattern.shape(), 7, 0), pattern.hash(7), "{text} {request}");
    }
}

#[test]
fn a_template_puts_segments_where_they_belong() {
    for (pattern_text, template, request, made) in [
        ("/orders/[id]", "/v1/orders/[id]", "/orders/4%202", "/v1/orders/4%202"),
        ("/[a]/[b]", "/[b]/x/[a]", "/1/2", "/2/x/1"),
        ("/files/*", "/store/*", "/files/x//y", "/store/x//y"),
        ("/files/*", "/store", "/files/x/y", "/store"),
        ("/[a]/*", "/[a]/all/*", "/1/", "/1/all/"),
    ] {
        let pattern = pattern(pattern_text);
        let template = PathTemplate::parse(template, &pattern, false).unwrap();
        let path = RequestPath::parse(request).unwrap();
        let tail = path.raw_tail(usize::from(pattern.shape().length));
        let mut out = String::new();
        template.render(&mut out, |index| path.raw_segment(index), |_| "", tail);
        assert_eq!(out, made);
    }
    let pattern = pattern("/a/[x]");
    for (text, why) in [
        ("/b/[y]", "names the parameter [y], which the request path does not have"),
        ("/b/*", "ends in '*', which the request path does not"),
    ] {
        assert_eq!(PathTemplate::parse(text, &pattern, false).unwrap_err().to_string(), why);
    }
}

#[test]
fn a_path_is_read_in_one_way_or_not_at_all() {
    for (raw, read) in [
        ("/%41%2d%7E", "/A-~"),
        ("/a%c3%a9", "/a%C3%A9"),
        ("/a/%252e%252e/b", "/a/%252e%252e/b"),
        ("/a/..;/b", "/a/..;/b"),
        ("//", "//"),
        ("/.well-known", "/.well-known"),
    ] {
        assert_eq!(canonical(raw).unwrap(), read);
        assert_eq!(canonical(&canonical(raw).unwrap()).unwrap(), read);
    }
    for bad in [
        "",
        "a",
        "/a%2Fb",
        "/%5c",
        "/%00",
        "/%",
        "/%4",
        "/%zz",
        "/a\\b",
        "/.",
        "/a/..",
        "/%2e%2E/a",
    ] {
        assert!(canonical(bad).is_err(), "{bad}");
    }
}

#[test]
fn texts_that_differ_little_do_not_fall_together() {
    let keys = |make: &dyn Fn(u32) -> u64| {
        let mut keys: Vec<_> =
            (0..100_000).map(|n| u32::try_from(make(n) >> 32).unwrap()).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut leaves: Vec<_> = keys.iter().map(|key| key >> 20).collect();
        leaves.dedup();
        (keys.len(), leaves.len())
    };
    let shape = Shape { parameters: 0b100, length: 3, tail: false };
    let makers: [&dyn Fn(u32) -> u64; 5] = [
        &|n| hash_bytes(format!("group{n}").as_bytes()),
        &|n| hash_bytes(format!("i{n}").as_bytes()),
        &|n| mix(hash_bytes(b"api"), n.into()),
        &|n| mix(hash_bytes(format!("api{n}").as_bytes()), u64::from(n % 1000)),
        &|n| shape.hash(n % 100, [hash_bytes(b"items"), hash_bytes(&n.to_be_bytes())].into_iter()),
    ];
    for make in makers {
        // Of 100,000 random numbers of 32 bits, one or two fall together; 4,096 leaves are all met.
        let (keys, leaves) = keys(make);
        assert!(keys > 99_950 && leaves == 4_096, "{keys} keys in {leaves} leaves");
    }
}
