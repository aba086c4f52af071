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
    ($(
        $(#[doc = $meaning:literal])+
        $kind:ident $status:literal $code:literal $message:literal $party:ident $stage:ident
            $proxy_error:expr, $remedy:literal;
    )*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[doc = $meaning])+ $kind,)* }

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

            /// The `error` of `Proxy-Status` (RFC 9209 section 2.3); `None` where none of the
            /// registered ones is always true of it.
            #[must_use]
            pub fn proxy_error(self) -> Option<&'static str> {
                match self { $(Self::$kind => $proxy_error,)* }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$kind => concat!($($meaning),+).trim_ascii(),)* }
            }

            /// What can be done about it, and by whom.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$kind => $remedy,)* }
            }
        }
    };
}

// The manual's chapter on failures is made of these lines: see CONTRIBUTING.md.
failures! {
    /// A header is malformed, missing, there twice with different values, or contradicts another.
    InvalidHeader 400 "I400HD" "Invalid Header" Client Receive
        Some("http_request_error"),
        "the client: send the header that the message names once, well formed";
    /// The environment asked for is not known.
    InvalidStage 400 "I400SG" "Invalid Stage" Client Route
        Some("http_request_error"),
        "the client: ask for an environment that exists, by its exact name; the operator: declare \
         it";
    /// The request line is malformed: its method, its target's form, or its version; or its query, where
    /// the API takes it apart.
    InvalidUri 400 "I400RU" "Invalid Request Uri" Client Receive
        Some("http_request_error"),
        "the client: send a request line as RFC 9112 section 3 says; look at what stands between, and at \
         each `%` in the query";
    /// The path can be read in more than one way, or not at all.
    InvalidPath 400 "I400PH" "Invalid Request Path" Client Receive
        Some("http_request_error"),
        "the client: send a path without dot segments, backslashes, raw non-ASCII bytes, `%2F`, \
         `%5C`, `%00` and malformed escapes";
    /// The request's body could not be read to its end, or is a form that is malformed.
    InvalidBody 400 "I400BD" "Invalid Body" Client Request
        Some("http_request_error"),
        "the client: send the whole body, well framed, without long rests; of a form, look at each `%`, or at \
         its parts and their boundary";
    /// A parameter that the API requires is missing.
    MissingParameter 400 "I400MP" "Invalid Parameter Required" Client Map
        Some("http_request_error"),
        "the client: send the parameter that the message names; the operator: give it a default";
    /// A parameter's value is not what the API's definition allows, or cannot stand where it is mapped
    /// to.
    InvalidParameter 400 "I400IP" "Invalid Parameter" Client Map
        Some("http_request_error"),
        "the client: send what the message asks for; the operator: look at the parameter's definition";
    /// A parameter that has a JSON schema is not JSON, has a key twice in an object, or more than 128
    /// levels.
    InvalidJson 400 "I400JP" "Invalid JSON Parameter" Client Map
        Some("http_request_error"),
        "the client: send the parameter that the message names as JSON (RFC 8259)";
    /// The API takes the body apart, and it is not a form in UTF-8 without a content coding.
    InvalidContentType 400 "I400CT" "Invalid Content-Type" Client Map
        Some("http_request_error"),
        "the client: send `application/x-www-form-urlencoded`, where the API takes files \
         `multipart/form-data`, or no body";
    /// No group serves the host.
    UnknownHost 404 "I404DO" "Invalid Domain" Client Route
        Some("destination_not_found"),
        "the operator: bind the host to a group, or mend the DNS entry that leads here";
    /// No published API matches.
    NotFound 404 "I404NF" "API not found with" Client Route
        Some("destination_not_found"),
        "the operator: look whether the API is published in this environment and whether its \
         service is defined there; the client: compare method and path with the message";
    /// The method is never served.
    UnsupportedMethod 405 "I405UM" "Unsupported Method" Client Receive
        Some("http_request_error"),
        "the client: use another method than TRACE and CONNECT";
    /// The request's head or body came too slowly.
    RequestTimeout 408 "I408RT" "Request Timeout" Client Receive
        Some("http_request_error"),
        "the client: send faster; the operator: raise the deadlines of the server if slow clients are \
         to be served";
    /// The request's body is larger than allowed.
    BodyTooLarge 413 "I413RL" "Request body too large" Client Request
        Some("http_request_error"),
        "the operator: raise the API's limit if such bodies are meant; the client: send less";
    /// The request's URL is longer than allowed.
    UrlTooLarge 413 "I413UL" "Request URL too large" Client Receive
        Some("http_request_error"),
        "the client: move parameters into the body";
    /// The request's headers are larger or more than allowed.
    HeadersTooLarge 431 "I431HD" "Request headers too large" Client Receive
        Some("http_request_error"),
        "the client: send fewer headers; cookies are the usual reason";
    /// The API may not be called by this protocol.
    InvalidProtocol 403 "I403PT" "Invalid protocol, unsupported" Client Admit
        Some("http_request_denied"),
        "the client: call it by the other scheme; the operator: look at the API's `protocol`, and at \
         what the server or the proxies before it say of the connection";
    /// The API may be called from inside only, and the request came from elsewhere, or from nobody knows
    /// where.
    InternetDisabled 403 "A403IN" "Access from the internet is disabled" Client Admit
        Some("http_request_denied"),
        "the client: call from inside; the operator: name the networks that are inside, or make the \
         API public";
    /// The API is for applications, and the request names none in a way that the API allows.
    MissingCredentials 400 "A400MA"
        "Need authorization, `X-Ca-Key` or `Authorization: APPCODE ...` required" Client Admit
        Some("http_request_denied"),
        "the client: sign, or show an AppCode at a place where the API takes one";
    /// A header that a signed request needs is missing.
    MissingHeader 400 "I400MH" "Header" Client Admit
        Some("http_request_denied"),
        "the client: send the header that the message names";
    /// Nobody has the AppCode, or two different ones were shown.
    InvalidAppCode 400 "A400AC" "Invalid AppCode" Client Admit
        Some("http_request_denied"),
        "the client: show one AppCode that is still in use";
    /// Nobody has the AppKey.
    UnknownAppKey 400 "A400IK" "Invalid AppKey" Client Admit
        Some("http_request_denied"),
        "the client: sign with a key that is still in use";
    /// The API does not allow the method of signing.
    InvalidSignatureMethod 400 "I400SM" "Invalid Signature Method" Client Admit
        Some("http_request_denied"),
        "the client: sign with another method; the operator: allow it for the API";
    /// The timestamp is no number of milliseconds, or more than a quarter of an hour from now.
    InvalidTimestamp 400 "I400TS" "Invalid Timestamp" Client Admit
        Some("http_request_denied"),
        "the client: set the clock, and sign requests when they are sent";
    /// The API needs a signed nonce, and there is none.
    MissingNonce 400 "I400NC" "X-Ca-Nonce is required" Client Admit
        Some("http_request_denied"),
        "the client: send a new `X-Ca-Nonce` with every request, and sign it";
    /// The signature is not that of the text which the message shows.
    InvalidSignature 400 "I400IS" "Invalid Signature, Server StringToSign:" Client Admit
        Some("http_request_denied"),
        "the client: compare the text that it signed with the one in the message, where `#` stands \
         for the end of a line; if they are the same, the secret is another one";
    /// The nonce has been used before.
    NonceUsed 400 "I400NU" "Nonce Used" Client Admit
        Some("http_request_denied"),
        "the client: send a new `X-Ca-Nonce` with every request, also with one that is repeated";
    /// The application was never granted the API in this environment, or not any more.
    NotGranted 403 "I403AA" "Unauthorized" Client Admit
        Some("http_request_denied"),
        "the operator: grant the API to the application in this environment, if that is meant";
    /// The application's grant is over.
    GrantExpired 403 "A403EP" "Authorization expired" Client Admit
        Some("http_request_denied"),
        "the operator: grant the API anew, if that is meant";
    /// The body is not what `Content-MD5` says. The backend did not see the end of it.
    InvalidDigest 400 "I400I5" "Invalid Content-MD5" Client Request
        Some("http_request_error"),
        "the client: send the digest of the bytes of the body, in base64; look at what changes bodies \
         on the way";
    /// It cannot be told whether a nonce is new: the store that knows is full or cannot be reached.
    NoncesUnavailable 503 "X503NS" "Nonces cannot be checked" Gateway Admit
        Some("proxy_internal_error"),
        "the operator: look after the store of nonces, or raise its limit; the client: try again later";
    /// The API needs something that this version does not do; it is never served without it.
    NotImplemented 501 "X501NI" "Not Implemented" Gateway Admit
        Some("http_request_denied"),
        "the operator: take what the message names out of the API's definition, or use a version \
         that has it";
    /// The adapter for the definition is not there.
    AdapterMissing 503 "X503BZ" "Service Busy" Gateway Call
        Some("proxy_configuration_error"),
        "the operator: ask `Registry::service` what is missing, and build with it or define the \
         service otherwise";
    /// The gateway itself failed.
    Internal 500 "X500ER" "Internal Error" Gateway Call
        Some("proxy_internal_error"),
        "the operator: look the request identity up in the logs, and report it";
    /// The request has been here before: a backend leads back to the gateway that called it.
    LoopDetected 508 "X508LD" "Loop Detected" Gateway Receive
        Some("proxy_loop_detected"),
        "the operator: let the definition lead to the backend instead of to this gateway";
    /// The backend takes no more requests.
    Busy 503 "D503BB" "Backend service busy" Backend Connect
        Some("connection_limit_reached"),
        "the operator: find out why the backend is slow, or raise its limit of connections; the \
         client: try again later";
    /// No connection to the backend could be made, or it was closed before an answer.
    Connect 504 "D504CO" "Backend service connect failed" Backend Connect
        Some("destination_unavailable"),
        "the operator: look whether the backend runs, whether its name resolves, and whether the \
         egress rules allow its address; `Plan::probe` tries all of it";
    /// The backend did not answer in time.
    Timeout 504 "D504TO" "Backend service request timeout" Backend Response
        Some("http_response_timeout"),
        "the operator: find out why the backend is slow, or raise the timeout of the API or the \
         definition";
    /// The backend's answer could not be understood.
    BadResponse 502 "D502BR" "Backend service answer invalid" Backend Response
        Some("http_protocol_error"),
        "the operator: mend the backend; the message says what is wrong with its answer";
    /// The client went away. Nobody sees this answer; it stands in logs.
    ClientGone 502 "N502RE" "Client connection gone" Client Request
        None,
        "nothing, unless it happens often: then clients have less patience than backends need";
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

    #[test]
    fn every_proxy_error_is_a_registered_one() {
        // Of RFC 9209 section 2.3, those that fit a failure of this crate.
        let registered = [
            "destination_not_found",
            "destination_unavailable",
            "connection_limit_reached",
            "http_request_error",
            "http_request_denied",
            "http_response_timeout",
            "http_protocol_error",
            "proxy_configuration_error",
            "proxy_internal_error",
            "proxy_loop_detected",
        ];
        for kind in ErrorKind::ALL {
            assert!(kind.proxy_error().is_none_or(|name| registered.contains(&name)), "{kind:?}");
            assert!(kind.meaning().ends_with('.') && !kind.remedy().ends_with('.'), "{kind:?}");
        }
    }
}
