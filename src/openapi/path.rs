//! Templated paths: `/orders/{id}` there, `/orders/[id]` here.

use crate::model::path::PathPattern;

/// An API's path, and how its parameters are called there and here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Route {
    pub(super) path: String,
    pub(super) escape: bool,
    /// The name in the template and the one in the path, in their order.
    pub(super) names: Vec<(String, String)>,
    /// Equal for paths that match the same requests.
    pub(super) skeleton: String,
}

/// The path of an API from the template it stands under; `own` is what our extension says it is, and
/// `escape` whether brackets are literal there.
///
/// # Errors
///
/// Why no API can have it.
pub(super) fn route(
    template: &str,
    own: Option<&str>,
    escape: Option<bool>,
) -> Result<Route, String> {
    let there: Vec<_> =
        template.split('/').filter_map(|segment| parameter(segment, '{', '}')).collect();
    let (path, escape) = match own {
        Some(path) => {
            let escape = escape.unwrap_or(false);
            if blank(&self::template(path, escape)) != blank(template) {
                return Err(format!("{path:?} does not fit the path it stands under"));
            }
            (path.to_owned(), escape)
        }
        None => native(template, &there, escape)?,
    };
    let pattern = PathPattern::parse(&path, escape).map_err(|error| error.to_string())?;
    let here = pattern.parameters().map(|(name, _)| name.to_owned());
    let names = there.iter().map(|name| (*name).to_owned()).zip(here).collect();
    let skeleton = skeleton(&pattern);
    Ok(Route { path, escape, names, skeleton })
}

/// What a template says by itself.
fn native(
    template: &str,
    parameters: &[&str],
    escape: Option<bool>,
) -> Result<(String, bool), String> {
    if template.ends_with("/*") {
        return Err("ends in '*', which stands for everything below only if path in \
                    x-backhaul-api says so"
            .to_owned());
    }
    let brackets = template.contains(['[', ']']);
    let escape = escape.unwrap_or(brackets);
    if (escape || brackets) && !parameters.is_empty() {
        return Err("has brackets as text beside parameters, which no path here has".to_owned());
    }
    if brackets && !escape {
        return Err("has brackets, which would be a parameter".to_owned());
    }
    let segment = |segment: &str| match parameter(segment, '{', '}') {
        Some(name) => Ok(format!("[{name}]")),
        None if segment.contains(['{', '}']) => {
            let shown: String = segment.chars().take(80).collect();
            Err(format!("has a segment {shown:?} that is neither literal nor one {{parameter}}"))
        }
        None => Ok(segment.to_owned()),
    };
    let segments: Vec<_> = template.split('/').map(segment).collect::<Result<_, _>>()?;
    Ok((segments.join("/"), escape))
}

/// The template for an API's path.
pub(super) fn template(path: &str, escape: bool) -> String {
    let segments = path.split('/').map(|segment| match parameter(segment, '[', ']') {
        Some(name) if !escape => format!("{{{name}}}"),
        // Text to us, and a parameter to OpenAPI.
        _ => segment.replace('{', "%7B").replace('}', "%7D"),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A template without the names in it.
pub(super) fn blank(template: &str) -> String {
    let segments = template.split('/').map(|segment| match parameter(segment, '{', '}') {
        Some(_) => "{}",
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn skeleton(pattern: &PathPattern) -> String {
    let mut text = String::new();
    let mut parameters = pattern.parameters().map(|(_, index)| index).peekable();
    for (index, segment) in pattern.segments().enumerate() {
        text.push('/');
        match parameters.next_if_eq(&index) {
            // No literal segment has this character.
            Some(_) => text.push('\0'),
            None => text.push_str(segment),
        }
    }
    if pattern.shape().tail {
        text.push_str("/*");
    }
    text
}

/// The name in a segment that is one parameter.
fn parameter(segment: &str, open: char, close: char) -> Option<&str> {
    let name = segment.strip_prefix(open)?.strip_suffix(close)?;
    (!name.is_empty() && !name.contains([open, close])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_become_brackets() {
        for (template, path) in
            [("/", "/"), ("/a/{b}/c", "/a/[b]/c"), ("/a/", "/a/"), ("/{a}/{b}", "/[a]/[b]")]
        {
            let route = route(template, None, None).unwrap();
            assert_eq!((route.path.as_str(), route.escape), (path, false));
            assert_eq!(self::template(path, false), template);
        }
        let literal = route("/a/[b]", None, None).unwrap();
        assert!(literal.escape && literal.names.is_empty());
    }

    #[test]
    fn what_no_path_can_be_is_told() {
        for (template, reason) in [
            ("/a/*", "ends in '*'"),
            ("/a/{b}.json", "\"{b}.json\""),
            ("/{a}/[b]", "brackets"),
            ("/{a}/{a}", "twice"),
            ("a", "'/'"),
            ("/a*", "'*'"),
            ("/{a b}", "contains"),
        ] {
            let told = route(template, None, None).unwrap_err();
            assert!(told.contains(reason), "{template}: {told}");
        }
        assert!(route("/a/[b]", None, Some(false)).is_err());
    }

    #[test]
    fn our_own_path_goes_before_the_template_it_fits() {
        let owned = |template, own| route(template, Some(own), None);
        let named = owned("/{x}/*", "/[y]/*").unwrap();
        assert_eq!(named.names, [("x".to_owned(), "y".to_owned())]);
        assert_eq!(owned("/%7Bx%7D", "/{x}").unwrap().path, "/{x}");
        for (template, own) in [("/{x}", "/x"), ("/a", "/b"), ("/a", "/a/*"), ("/{x}/b", "/[x]")] {
            assert!(owned(template, own).unwrap_err().contains("does not fit"), "{template}");
        }
    }

    #[test]
    fn paths_that_match_the_same_requests_are_the_same() {
        let skeleton = |template| route(template, None, None).unwrap().skeleton;
        assert_eq!(skeleton("/a/{b}"), skeleton("/%61/{c}"));
        assert_ne!(skeleton("/a/{b}"), skeleton("/a/b"));
        assert_ne!(skeleton("/a"), skeleton("/a/"));
    }
}
