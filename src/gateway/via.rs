//! `Via`: who forwarded a request, and whether it has been here before (RFC 9110 section 7.6.3).

use http::{HeaderMap, HeaderValue, Version, header};

/// A gateway's name in `Via`, with each version a request can have been received in.
///
/// The name is random and new for every gateway: several of them in a row are no loop, the same one
/// twice is. It guards nothing; who forges it gets their own request refused.
#[derive(Debug)]
pub(super) struct Via {
    pseudonym: Box<str>,
    v1_0: HeaderValue,
    v1_1: HeaderValue,
    v2: HeaderValue,
    v3: HeaderValue,
}

impl Via {
    pub(super) fn new() -> Self {
        let pseudonym = format!("backhaul-{:016x}", fastrand::u64(..)).into_boxed_str();
        let line = |version: &str| {
            let plain = HeaderValue::from_static("1.1 backhaul");
            HeaderValue::try_from(format!("{version} {pseudonym}")).unwrap_or(plain)
        };
        let (v1_0, v1_1, v2, v3) = (line("1.0"), line("1.1"), line("2"), line("3"));
        Self { pseudonym, v1_0, v1_1, v2, v3 }
    }

    /// The name.
    pub(super) fn name(&self) -> &str {
        &self.pseudonym
    }

    /// What is added to a request that was received in `version`.
    pub(super) fn line(&self, version: Version) -> &HeaderValue {
        match version {
            Version::HTTP_09 | Version::HTTP_10 => &self.v1_0,
            Version::HTTP_2 => &self.v2,
            Version::HTTP_3 => &self.v3,
            _ => &self.v1_1,
        }
    }

    /// Whether a request with these headers was forwarded by this gateway before.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let own = self.pseudonym.as_bytes();
        headers
            .get_all(header::VIA)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .filter_map(received_by)
            .any(|name| name.eq_ignore_ascii_case(own))
    }
}

/// The second word of `1.1 name (comment)`.
fn received_by(entry: &[u8]) -> Option<&[u8]> {
    let mut words = entry.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(via: &Via, lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::VIA, HeaderValue::from_str(line).unwrap());
        }
        via.is_in(&headers)
    }

    #[test]
    fn a_gateway_knows_its_own_line_and_no_other() {
        let (own, other) = (Via::new(), Via::new());
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
            let line = own.line(version).to_str().unwrap();
            assert!(line.contains(" backhaul-"), "{line}");
            assert!(is_in(&own, &[line]));
            assert!(is_in(&own, &["1.1 a", &format!("1.0 b,{line} (comment) , 2 c")]));
            assert!(is_in(&own, &[&line.to_ascii_uppercase()]));
            assert!(!is_in(&other, &[line]));
            assert!(!is_in(&own, &[&format!("{line}0"), "1.1 backhaul", "", ",,", "backhaul"]));
        }
    }
}
