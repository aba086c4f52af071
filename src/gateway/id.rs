//! The identity of one request.

use bytes::Bytes;
use http::HeaderValue;

/// Bytes in a UUID's text.
const LENGTH: usize = 36;

/// A new request identity: a random UUID (RFC 9562 section 5.4) in upper case, the form the modelled
/// system gives its own. It names requests and guards nothing.
pub(super) fn request_id() -> HeaderValue {
    let random = fastrand::u128(..);
    let version_4 = (random & !(0xf << 76) & !(0b11 << 62)) | 0x4 << 76 | 0b10 << 62;
    // One allocation that the request and the response share.
    let text = Bytes::from_owner(uuid(version_4));
    HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
}

fn uuid(bits: u128) -> [u8; LENGTH] {
    let mut text = [b'-'; LENGTH];
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15] = bits.to_be_bytes();
    put(&mut text, 0, &hex([b0, b1, b2, b3]));
    let [a, b, c, d, rest @ ..] = hex([b4, b5, b6, b7]);
    put(&mut text, 9, &[a, b, c, d]);
    put(&mut text, 14, &rest);
    let [a, b, c, d, rest @ ..] = hex([b8, b9, b10, b11]);
    put(&mut text, 19, &[a, b, c, d]);
    put(&mut text, 24, &rest);
    put(&mut text, 28, &hex([b12, b13, b14, b15]));
    text
}

fn put(text: &mut [u8; LENGTH], at: usize, part: &[u8]) {
    if let Some(place) = text.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}

/// Eight upper-case digits, all at once: one nibble is spread into each byte of a word.
fn hex(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut nibbles = u64::from(u32::from_be_bytes(bytes));
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = ((nibbles + 6 * ONES) >> 4) & ONES;
    let gap = u64::from(b'A' - b'9' - 1);
    (nibbles + u64::from(b'0') * ONES + letters * gap).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_in_upper_case() {
        let text = uuid(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
        assert_eq!(&text, b"01234567-89AB-CDEF-FEDC-BA9876543210");
    }

    #[test]
    fn every_request_gets_another_of_version_4() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let text = id.to_str().unwrap();
            assert_eq!(text.len(), 36);
            assert_eq!(text.get(14..15), Some("4"), "{text}");
            assert!(matches!(text.get(19..20), Some("8" | "9" | "A" | "B")));
        }
    }
}
