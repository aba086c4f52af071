//! Keys that texts are signed with (RFC 2104).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How a text is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    HmacSha256,
    HmacSha1,
}

/// A key with its part of the work done: half of what a short text costs.
#[derive(Clone)]
pub(crate) struct SigningKey {
    sha256: Hmac<Sha256>,
    sha1: Hmac<Sha1>,
}

/// A signature in base64: at most 44 letters.
#[derive(Clone, Copy)]
pub(crate) struct Digest {
    letters: [u8; 44],
    length: usize,
}

impl SigningKey {
    #[expect(clippy::expect_used, reason = "a key may have any length (RFC 2104 section 3)")]
    pub(crate) fn new(secret: &str) -> Self {
        let secret = secret.as_bytes();
        Self {
            sha256: Hmac::new_from_slice(secret).expect("any length"),
            sha1: Hmac::new_from_slice(secret).expect("any length"),
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, text: &[u8]) -> Digest {
        match algorithm {
            Algorithm::HmacSha256 => {
                Digest::of(&self.sha256.clone().chain_update(text).finalize().into_bytes())
            }
            Algorithm::HmacSha1 => {
                Digest::of(&self.sha1.clone().chain_update(text).finalize().into_bytes())
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        let mut letters = [0; 44];
        // Nothing is longer than the 32 bytes of SHA-256; what is would equal nothing.
        let length = STANDARD.encode_slice(bytes, &mut letters).unwrap_or(0);
        Self { letters, length }
    }

    fn as_bytes(&self) -> &[u8] {
        self.letters.get(..self.length).unwrap_or_default()
    }

    /// Whether it is `text`, which takes as long for a text that is nearly right as for any other.
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        self.length > 0 && bool::from(self.as_bytes().ct_eq(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(key: &str, algorithm: Algorithm, text: &str) -> String {
        let digest = SigningKey::new(key).sign(algorithm, text.as_bytes());
        String::from_utf8(digest.as_bytes().to_vec()).unwrap()
    }

    /// RFC 4231 section 4.3 and RFC 2202 section 3, test case 2.
    #[test]
    fn the_published_vectors_come_out() {
        let text = "what do ya want for nothing?";
        let sha256 = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert_eq!(signed("Jefe", Algorithm::HmacSha256, text), sha256);
        assert_eq!(signed("Jefe", Algorithm::HmacSha1, text), "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    }

    #[test]
    fn only_the_whole_signature_is_the_same() {
        let digest = SigningKey::new("secret").sign(Algorithm::HmacSha1, b"text");
        let text = digest.as_bytes().to_vec();
        assert!(digest.is(&text) && text.len() == 28);
        for index in 0..text.len() {
            let mut other = text.clone();
            other[index] ^= 1;
            assert!(!digest.is(&other));
        }
        assert!(!digest.is(&text[..27]) && !digest.is(b""));
        assert!(!format!("{:?}", SigningKey::new("secret")).contains("secret"));
    }
}
