//! Patterns and templates of any text: what is accepted is read the same way again, matches what the
//! reference router matches, and makes paths that everybody reads the same way.

#![no_main]

use backhaul::fuzzing;
use backhaul::model::path::{PathPattern, PathTemplate};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

use reference::router::{Route, canonical, find};

fuzz_target!(|input: (&str, &str, &str)| {
    let (pattern, template, path) = input;
    let Ok(pattern) = PathPattern::parse(pattern, false) else {
        return;
    };
    assert_eq!(PathPattern::parse(pattern.as_str(), false).as_ref(), Ok(&pattern));
    let routes = [Route { method: "GET".to_owned(), pattern: pattern.to_string(), live: true }];
    let same = PathTemplate::parse(pattern.as_str(), &pattern, false).expect("its own names");
    let other = PathTemplate::parse(template, &pattern, false).ok();

    let filled = pattern.as_str().replace(['[', ']'], "").replace('*', "x/y");
    for path in [path, &filled] {
        let made = fuzzing::render(&pattern, &same, path);
        assert_eq!(made.is_some(), find(&routes, "GET", path).is_ok(), "{pattern} {path:?}");
        assert!(made.is_none_or(|made| canonical(&made) == canonical(path)), "{pattern} {path:?}");
        let made = other.as_ref().and_then(|other| fuzzing::render(&pattern, other, path));
        assert!(made.is_none_or(|made| canonical(&made).is_some()), "{pattern} {path:?}");
    }
});
