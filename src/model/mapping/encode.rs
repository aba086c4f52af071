//! Percent-encoding of everything but unreserved characters (RFC 3986 section 2.3): what it makes of a
//! text is one name, one value or one segment for every reader.

/// Gives `push` the pieces of `text`, percent-encoded: most texts are one.
pub(crate) fn encode(text: &str, mut push: impl FnMut(&str)) {
    let mut rest = text;
    loop {
        let end = rest.bytes().position(|byte| !is_unreserved(byte)).unwrap_or(rest.len());
        // What is not unreserved starts where a character starts.
        let Some((plain, after)) = rest.split_at_checked(end) else {
            return;
        };
        push(plain);
        let mut characters = after.chars();
        let Some(character) = characters.next() else {
            return;
        };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            let escape = [b'%', digit(byte >> 4), digit(byte & 0x0f)];
            push(std::str::from_utf8(&escape).unwrap_or_default());
        }
        rest = characters.as_str();
    }
}

/// The text, percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut into = String::with_capacity(text.len());
    encode(text, |piece| into.push_str(piece));
    into
}

fn is_unreserved(byte: u8) -> bool {
    // A bit for each.
    const UNRESERVED: u128 = {
        let mut bits = 0;
        let mut byte = 0_u8;
        while byte < 128 {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                bits |= 1 << byte;
            }
            byte += 1;
        }
        bits
    };
    byte < 128 && UNRESERVED >> byte & 1 == 1
}

/// A hexadecimal digit of a number below 16.
fn digit(number: u8) -> u8 {
    number + if number < 10 { b'0' } else { b'A' - 10 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
        assert_eq!(encoded(" +&=#?/%\\;é\r\0"), "%20%2B%26%3D%23%3F%2F%25%5C%3B%C3%A9%0D%00");
    }

    proptest! {
        #[test]
        fn nothing_that_separates_is_left(text in any::<String>()) {
            let encoded = encoded(&text);
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b);
            prop_assert!(encoded.bytes().all(plain));
            prop_assert_eq!(encoded.matches('%').count(), (encoded.len() - text.len()) / 2);
        }
    }
}
