//! Which route a request belongs to: the rules "Path" and "Precedence" of the acceptance page, one by
//! one.

/// Something requests can be for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Route {
    /// A method, or `ANY`.
    pub(crate) method: String,
    /// Segments that are literal or `[parameter]`, at the end perhaps `*`.
    pub(crate) pattern: String,
    /// Whether it is published and not dormant.
    pub(crate) live: bool,
}

/// Why a request belongs to none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoRoute {
    /// The method is served nowhere.
    Method,
    /// The path can be read in more than one way.
    Path,
    /// Nothing matches.
    NotFound,
}

/// The place in `routes` of the one the request belongs to.
pub(crate) fn find(routes: &[Route], method: &str, path: &str) -> Result<usize, NoRoute> {
    if method == "TRACE" || method == "CONNECT" {
        return Err(NoRoute::Method);
    }
    let path = canonical(path).ok_or(NoRoute::Path)?;
    let mut best = None;
    for (place, route) in routes.iter().enumerate() {
        if !route.live || !(route.method == method || route.method == "ANY") {
            continue;
        }
        let Some(segments) = matches(&route.pattern, &path) else {
            continue;
        };
        let rank = (segments, route.method == "ANY");
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, place));
        }
    }
    best.map(|(_, place)| place).ok_or(NoRoute::NotFound)
}

/// Whether two patterns match exactly the same paths: equal but for the names of parameters.
pub(crate) fn same_paths(one: &str, other: &str) -> bool {
    fn nameless(pattern: &str) -> Option<Vec<String>> {
        let text = canonical(pattern)?;
        let segments = text.split('/').map(|segment| match is_parameter(segment) {
            true => "[]".to_owned(),
            false => segment.to_owned(),
        });
        Some(segments.collect())
    }
    nameless(one) == nameless(other)
}

/// The path with percent-encoded unreserved characters decoded and hexadecimal digits in upper case;
/// nothing if it is ambiguous.
pub(crate) fn canonical(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let mut text = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let digits = rest.get(..2)?;
        rest = &rest[2..];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let digits = std::str::from_utf8(digits).ok()?;
        let meant = u8::from_str_radix(digits, 16).ok()?;
        if meant.is_ascii_alphanumeric() || b"-._~".contains(&meant) {
            text.push(meant);
        } else if b"/\\\0".contains(&meant) {
            return None;
        } else {
            text.extend(format!("%{}", digits.to_uppercase()).bytes());
        }
    }
    let text = String::from_utf8(text).ok()?;
    let dots = text.split('/').any(|segment| segment == "." || segment == "..");
    (!dots).then_some(text)
}

/// How good each segment of the pattern is, if it matches: 0 for a literal, 1 for a parameter, 2 for a
/// tail. The smaller list goes first.
fn matches(pattern: &str, path: &str) -> Option<Vec<u8>> {
    let pattern = canonical(pattern)?;
    let wanted: Vec<&str> = pattern.split('/').skip(1).collect();
    let given: Vec<&str> = path.split('/').skip(1).collect();
    let mut rank = Vec::new();
    for (place, segment) in wanted.iter().enumerate() {
        let text = given.get(place)?;
        if *segment == "*" {
            rank.push(2);
            return Some(rank);
        }
        if is_parameter(segment) && !text.is_empty() {
            rank.push(1);
        } else if !is_parameter(segment) && segment == text {
            rank.push(0);
        } else {
            return None;
        }
    }
    (wanted.len() == given.len()).then_some(rank)
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('[') && segment.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(texts: &[&str]) -> Vec<Route> {
        let route = |text: &&str| {
            let (method, pattern) = text.split_once(' ').unwrap();
            Route {
                method: method.trim_start_matches('-').to_owned(),
                pattern: pattern.to_owned(),
                live: !text.starts_with('-'),
            }
        };
        texts.iter().map(route).collect()
    }

    fn found(texts: &[&str], request: &str) -> Result<usize, NoRoute> {
        let (method, path) = request.split_once(' ').unwrap();
        find(&routes(texts), method, path)
    }

    #[test]
    fn segments_match_as_the_page_says() {
        for (pattern, path, matched) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a/", "/a/", true),
            ("/a", "/A", false),
            ("/a/b", "/a//b", false),
            ("/a/[p]", "/a/", false),
            ("/a/[p]", "/a/x", true),
            ("/files/*", "/files/", true),
            ("/files/*", "/files/a/b", true),
            ("/files/*", "/files", false),
            ("/*", "/", true),
            ("/orders", "/%6frders", true),
            ("/a%3ab", "/a%3Ab", true),
            ("/a%3ab", "/a:b", false),
        ] {
            let request = format!("GET {path}");
            let result = found(&[&format!("GET {pattern}")], &request);
            let expected = if matched { Ok(0) } else { Err(NoRoute::NotFound) };
            assert_eq!(result, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in [
            "/a%2Fb", "/%5C", "/%00", "/%", "/%4", "/%zz", "/%+1", "/a\\b", "/./a", "/a/..",
            "/%2e%2E/", "", "a",
        ] {
            let request = format!("GET {path}");
            assert_eq!(found(&["ANY /*"], &request), Err(NoRoute::Path), "{path}");
        }
    }

    #[test]
    fn precedence_is_segment_by_segment_and_then_by_method() {
        let all = [
            "GET /*",
            "GET /[a]/*",
            "GET /[a]/[b]",
            "GET /[a]/y",
            "GET /x/*",
            "GET /x/[b]",
            "ANY /x/y",
            "GET /x/y",
        ];
        for (request, expected) in [
            ("GET /x/y", 7),
            ("PUT /x/y", 6),
            ("GET /x/z", 5),
            ("GET /x/z/z", 4),
            ("GET /z/y", 3),
            ("GET /z/z", 2),
            ("GET /z/z/z", 1),
            ("GET /z", 0),
        ] {
            assert_eq!(found(&all, request), Ok(expected), "{request}");
        }
    }

    #[test]
    fn matching_goes_on_after_what_is_not_live_or_of_another_method() {
        let all = ["-GET /x/y", "POST /x/y", "GET /x/[b]", "-ANY /*"];
        assert_eq!(found(&all, "GET /x/y"), Ok(2));
        assert_eq!(found(&all, "HEAD /x/y"), Err(NoRoute::NotFound));
        assert_eq!(found(&["ANY /*"], "HEAD /x"), Ok(0));
        assert_eq!(found(&["ANY /*"], "TRACE /x"), Err(NoRoute::Method));
        assert_eq!(found(&["ANY /*"], "CONNECT /x"), Err(NoRoute::Method));
    }
}
