//! The spellings of a signed text that real clients are known to sign besides the documented one.

use std::fmt;

/// A way in which a known client's text to sign differs from the documented one (domain §4.1).
///
/// Each is tried only where it makes a difference to a request, and only while the registry's
/// `signature_mode` is `compatible`. [`Gateway::spellings`](crate::Gateway::spellings) leaves out those
/// that none of one's clients need: every one that is accepted lets somebody between client and gateway
/// change something about a signed request without being noticed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Spelling {
    /// Signed header names in lower case, whatever case `X-Ca-Signature-Headers` lists them in. Current
    /// clients and Higress.
    LowerCaseNames,
    /// Signed headers in the order in which they are listed, instead of sorted.
    ListedOrder,
    /// The values of a repeated name joined by commas, instead of the first. The official Node client.
    JoinedValues,
    /// Of a name in both query and form the query's value, instead of the form's. Higress and the Python
    /// client `aliyun-api-gateway-python`.
    QueryWins,
    /// Parameters in the order sent, instead of sorted by name. The Python package
    /// `alibabacloud_apigateway_util`.
    SentOrder,
    /// `name=` for an empty value, instead of the name alone. Higress.
    EmptyWithEquals,
    /// A `+` in the query as itself, instead of as a space.
    LiteralPlus,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LowerCaseNames,
        Self::ListedOrder,
        Self::JoinedValues,
        Self::QueryWins,
        Self::SentOrder,
        Self::EmptyWithEquals,
        Self::LiteralPlus,
    ];
}

/// Some of the spellings.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(in crate::gateway) struct Spellings(u8);

/// How many texts one signature is compared with at most: each costs a digest, and who sends wrong
/// signatures on purpose decides how many it takes.
const MAX_TEXTS: usize = 32;

impl Spellings {
    pub(in crate::gateway) const ALL: Self = Self((1 << Spelling::ALL.len()) - 1);

    pub(super) fn has(self, spelling: Spelling) -> bool {
        self.0 & 1 << spelling as u8 != 0
    }

    pub(super) fn add(&mut self, spelling: Spelling) {
        self.0 |= 1 << spelling as u8;
    }

    pub(super) fn among(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The sets that can be made of these, the documented spelling alone first, then those nearest to
    /// it.
    pub(super) fn choices(self) -> impl Iterator<Item = Self> {
        let all = (0..=Spelling::ALL.len()).flat_map(move |size| {
            let of_size = move |set: &u8| set.count_ones() as usize == size;
            (0..=self.0).filter(move |set| set & !self.0 == 0).filter(of_size).map(Self)
        });
        all.take(MAX_TEXTS)
    }
}

impl FromIterator<Spelling> for Spellings {
    fn from_iter<I: IntoIterator<Item = Spelling>>(spellings: I) -> Self {
        let mut set = Self::default();
        spellings.into_iter().for_each(|spelling| set.add(spelling));
        set
    }
}

impl fmt::Debug for Spellings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Spelling::ALL.iter().filter(|one| self.has(**one))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_spelling_is_tried_first_and_not_too_many() {
        let nothing: Vec<_> = Spellings::default().choices().collect();
        assert_eq!(nothing, [Spellings::default()]);
        let two: Spellings = [Spelling::QueryWins, Spelling::SentOrder].into_iter().collect();
        let choices: Vec<_> = two.choices().collect();
        assert_eq!(choices.len(), 4);
        assert_eq!((choices[0], choices[3]), (Spellings::default(), two));
        let many: Vec<_> = Spellings::ALL.choices().collect();
        assert_eq!(many.len(), MAX_TEXTS);
        assert!(Spelling::ALL.iter().all(|one| many.contains(&[*one].into_iter().collect())));
    }
}
