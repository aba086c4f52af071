//! The one table of failures: what happened, whose side it was, and what a client is told.

use std::fmt;

use http::StatusCode;

/// What a client is told of a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The status: digits two to four of the code.
    pub status: StatusCode,
    /// `X-Ca-Error-Code`: a letter, the status, two letters (domain §4.6).
    pub code: &'static str,
    /// The start of `X-Ca-Error-Message`.
    pub message: &'static str,
}

macro_rules! failures {
    ($($(#[$doc:meta])* $kind:ident $status:literal $code:literal $message:literal $party:ident $stage:ident;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $kind,)* }

        impl ErrorKind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// What a client is told.
            #[must_use]
            pub fn answer(self) -> Answer {
                let (status, code, message) = match self {
                    $(Self::$kind => ($status, $code, $message),)*
                };
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                Answer { status, code, message }
            }

            /// Whose side it was.
            #[must_use]
            pub fn party(self) -> Party {
                match self { $(Self::$kind => Party::$party,)* }
            }

            /// The stage at which it usually happens.
            #[must_use]
            pub fn usual_stage(self) -> Stage {
                match self { $(Self::$kind => Stage::$stage,)* }
            }
        }
    };
}

failures! {
    /// A header is malformed, missing or contradicts another.
    InvalidHeader 400 "I400HD" "Invalid Header" Client Receive;
    /// The environment asked for is not known.
    InvalidStage 400 "I400SG" "Invalid Stage" Client Route;
    /// The path can be read in more than one way.
    InvalidPath 400 "I400PH" "Invalid Request Path" Client Receive;
    /// The request line is malformed.
    InvalidUri 400 "I400RU" "Invalid Request Uri" Client Receive;
    /// The request's body could not be read to its end.
    InvalidBody 400 "I400BD" "Invalid Body" Client Request;
    /// No group serves the host.
    UnknownHost 404 "I404DO" "Invalid Domain" Client Route;
    /// No published API matches.
    NotFound 404 "I404NF" "API not found with" Client Route;
    /// The method is never served.
    UnsupportedMethod 405 "I405UM" "Unsupported Method" Client Receive;
    /// The request's head or body came too slowly.
    RequestTimeout 408 "I408RT" "Request Timeout" Client Receive;
    /// The request's body is larger than allowed.
    BodyTooLarge 413 "I413RL" "Request body too large" Client Request;
    /// The request's URL is longer than allowed.
    UrlTooLarge 413 "I413UL" "Request URL too large" Client Receive;
    /// The request's headers are larger or more than allowed.
    HeadersTooLarge 431 "I431HD" "Request headers too large" Client Receive;
    /// The API needs something that this version does not do; it is never served without it.
    NotImplemented 501 "X501NI" "Not Implemented" Gateway Admit;
    /// The adapter for the definition is not there.
    AdapterMissing 503 "X503BZ" "Service Busy" Gateway Call;
    /// The gateway itself failed.
    Internal 500 "X500ER" "Internal Error" Gateway Call;
    /// The backend takes no more requests.
    Busy 503 "D503BB" "Backend service busy" Backend Connect;
    /// No connection to the backend could be made, or it was closed before an answer.
    Connect 504 "D504CO" "Backend service connect failed" Backend Connect;
    /// The backend did not answer in time.
    Timeout 504 "D504TO" "Backend service request timeout" Backend Response;
    /// The backend's answer could not be understood.
    BadResponse 502 "D502BR" "Backend service answer invalid" Backend Response;
    /// The client went away. Nobody sees this answer; it stands in logs.
    ClientGone 502 "N502RE" "Client connection gone" Client Request;
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { code, message, .. } = self.answer();
        write!(f, "{code} {message}")
    }
}

/// Whose side a failure was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Party {
    /// The caller asked for something that cannot be had, or went away.
    Client,
    /// This gateway decided.
    Gateway,
    /// The backend or the way to it.
    Backend,
}

/// How far a request had come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// Its head was being read.
    Receive,
    /// Its API was being looked up.
    Route,
    /// It was being decided whether it may.
    Admit,
    /// Its parameters were being mapped.
    Map,
    /// It was handed to its backend.
    Call,
    /// A connection was being made.
    Connect,
    /// It was being sent.
    Request,
    /// The response was being waited for or read.
    Response,
}

/// Whether another attempt can help.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Retry {
    /// Safe for any method: the backend has seen nothing of this request.
    Always,
    /// Safe for idempotent methods only: part of the request may have arrived.
    IfIdempotent,
    /// Pointless: the answer will be the same.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_in_its_code() {
        for kind in ErrorKind::ALL {
            let Answer { status, code, .. } = kind.answer();
            assert_eq!(&code[1..4], status.as_str(), "{kind:?}");
            assert_eq!(code.len(), 6);
        }
        let codes: std::collections::BTreeSet<_> =
            ErrorKind::ALL.iter().map(|kind| kind.answer().code).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
