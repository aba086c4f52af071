//! Which methods an API is called by.

use std::fmt;
use std::str::FromStr;

use http::Method;

/// A method an API is called by, or any.
///
/// TRACE and CONNECT are never served, not by `ANY` either.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u8)]
pub enum Verb {
    /// Every method but TRACE and CONNECT.
    Any,
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// PATCH.
    Patch,
    /// OPTIONS.
    Options,
}

impl Verb {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
        }
    }

    /// The method it stands for, unless it stands for any.
    #[must_use]
    pub const fn method(self) -> Option<Method> {
        match self {
            Self::Any => None,
            Self::Get => Some(Method::GET),
            Self::Head => Some(Method::HEAD),
            Self::Post => Some(Method::POST),
            Self::Put => Some(Method::PUT),
            Self::Delete => Some(Method::DELETE),
            Self::Patch => Some(Method::PATCH),
            Self::Options => Some(Method::OPTIONS),
        }
    }

    /// The verb that stands for exactly this method, if one does.
    pub(crate) fn exactly(method: &Method) -> Option<Self> {
        Some(match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::DELETE => Self::Delete,
            Method::PATCH => Self::Patch,
            Method::OPTIONS => Self::Options,
            _ => return None,
        })
    }
}

impl FromStr for Verb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [
            Self::Any,
            Self::Get,
            Self::Head,
            Self::Post,
            Self::Put,
            Self::Delete,
            Self::Patch,
            Self::Options,
        ];
        if let Some(verb) = all.into_iter().find(|verb| verb.as_str() == text) {
            return Ok(verb);
        }
        let shown: String = text.chars().take(32).collect();
        Err(match text {
            "TRACE" | "CONNECT" => format!("{shown} is never served"),
            _ => format!("{shown:?} is none of ANY GET HEAD POST PUT DELETE PATCH OPTIONS"),
        })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
