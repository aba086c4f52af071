//! Odd requests, always the same ones: plain requests with one or two oddities in a conversation that
//! ends with a plain one.

use fastrand::Rng;

use super::origin::MARK;

const SEED: u64 = 0x5eed_0f50;
/// Of how many conversations one has a second odd request, and of how many requests one a second oddity.
const ONE_IN: usize = 4;

/// The target of a request that is odd in something else.
pub(super) const PLAIN: &str = "/plain?a=b";

const METHODS: &[&str] = &[
    "get",
    "Get",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "DELETE",
    "PUT",
    "BREW",
    "TRACE",
    "CONNECT",
    "M-SEARCH",
    "P@ST",
    "GE\tT",
    "PRI",
    "",
    "G\0T",
    "GET,POST",
    "LONG-LONG-LONG-LONG-LONG-LONG",
];

const TARGETS: &[&str] = &[
    "//a",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/../a",
    "/a/..",
    "/.",
    "/a/%2e%2e/b",
    "/a%2Fb",
    "/a%2fb",
    "/a%5cb",
    "/a\\b",
    "/%00",
    "/%zz",
    "/%4",
    "/%",
    "/%41",
    "/%7e",
    "/%e4",
    "/%c0%af",
    "/\u{e9}",
    "/a;x=1",
    "/a;x/../b",
    "/..;/x",
    "/a?b=c?d",
    "/a?",
    "/?",
    "?",
    "/a?x=%",
    "/a?x=../y",
    "/a?x=\u{e9}",
    "/a?b#c",
    "/a#b",
    "*",
    "a",
    "a:80",
    "http://a/",
    "http://A/b",
    "http://a:80/b",
    "http://a:/b",
    "http://a./b",
    "http://b/",
    "http://u@a/",
    "http://a?x",
    "https://a/x",
    "ftp://a/x",
    "http://a",
    "HTTP://a/x",
    "http:///x",
    "http:/a",
    "http://a//b",
    "//a/b",
    "/a b",
    "/a\tb",
    " /a",
    "/ ",
    "",
    "/{x}",
    "/a|b",
    "/\"a\"",
    "/<a>",
    "/a^b`c",
    "/a?x={}|",
    "/a%0d%0ab",
    "/a%20b",
    "/a+b",
    "/a:b@c",
    "/a,b!c$d&e'f(g)h*i",
    "/a\rb",
    "/a\0b",
    "/~a/_b",
    "/a/",
    "/a/b/c/d/e/f",
    "/a?AppCode=x&b=c",
    "/a?b=c&&d",
    "/a?b;c",
    "/a?http://b/c",
];

const VERSIONS: &[&str] = &[
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/2.0",
    "http/1.1",
    "HTTP/1.1 ",
    "HTTP/01.1",
    "HTTP/1.10",
    "HTTP/0.9",
    "HTTP/1,1",
    "HTTP/1.1\t",
    "HTTP 1.1",
    "HTTP/1.",
    "",
];

const HOSTS: &[&str] = &[
    "",
    "Host: A\r\n",
    "Host: a.\r\n",
    "Host: a:80\r\n",
    "Host: a:\r\n",
    "Host: a:8080\r\n",
    "HOST: a\r\n",
    "host:a\r\n",
    "Host:\ta \t\r\n",
    "Host: a\r\nHost: a\r\n",
    "Host: a\r\nHost: b\r\n",
    "Host: b\r\n",
    "Host:\r\n",
    "Host: a, b\r\n",
    "Host: u@a\r\n",
    "Host: a/b\r\n",
    "Host: [::1]\r\n",
    "Host : a\r\n",
    "Host: a b\r\n",
    "X: y\r\n Host: b\r\nHost: a\r\n",
    "Host: a#b\r\n",
    "Host: a?b\r\n",
    "Host: a:99999\r\n",
    "Host: a:+80\r\n",
    "Host: a:080\r\n",
    "Host: \"a\"\r\n",
    "Host: a\\b\r\n",
    "Host: a%00\r\n",
    "Host: \u{e9}\r\n",
    "Host: a\r\nHost : b\r\n",
    "Host: a\r\n\tb\r\n",
];

const HEADERS: &[&str] = &[
    "X: a\r\n b\r\n",
    "X : a\r\n",
    " X: a\r\n",
    "\tX: a\r\n",
    "X\r\n",
    "X:\r\n",
    ": x\r\n",
    "X: \u{1}\r\n",
    "X: a\0b\r\n",
    "X: \u{e9}\r\n",
    "X_Y: 1\r\n",
    "Content_Length: 5\r\n",
    "Transfer_Encoding: chunked\r\n",
    "Content-Length\u{b}: 5\r\n",
    "X: a\nContent-Length: 5\r\n",
    "Connection: keep-alive, content-length\r\n",
    "Connection: host\r\n",
    "Connection: transfer-encoding\r\n",
    "Connection: close\r\n",
    "Connection: x, close\r\n",
    "Connection: CLOSE\r\n",
    "Connection:\r\nConnection: x\r\n",
    "Keep-Alive: 1\r\n",
    "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "Upgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
    "Expect: 100-continue, x\r\n",
    "Expect: x\r\n",
    "Expect:\r\n",
    "TE: trailers\r\n",
    "TE: chunked, gzip;q=0\r\n",
    "Trailer: x-t\r\n",
    "Proxy-Connection: keep-alive\r\n",
    "X: a\rb\r\n",
    "X: \"a\r\n",
    "Via: 1.1 x\r\n",
    "Max-Forwards: 0\r\n",
    "Max-Forwards: 9\r\n",
    "X-HTTP-Method-Override: DELETE\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "Content-Type: a/b\r\nContent-Type: c/d\r\n",
    "X\u{7f}: a\r\n",
    "X(: a\r\n",
    "X\u{e9}: a\r\n",
    "Range: bytes=0-1\r\n",
    "X:\ta\t\r\n",
    "X: a\r\nX: b\r\n",
    "X-Forwarded-Host: b\r\n",
    "Forwarded: host=b\r\n",
    "X-Original-URL: /b\r\n",
    "Content-Encoding: gzip\r\n",
    "X: ,\r\n",
    "Authorization: Basic eDp5\r\n",
    "X: a\n",
    "X: a\r\r\n",
    "X: \u{7f}\r\n",
];

/// Lines that say where a body ends, with `#` for its length.
const LENGTHS: &[&str] = &[
    "Content-Length: #\r\nContent-Length: #\r\n",
    "Content-Length: #, #\r\n",
    "Content-Length: +#\r\n",
    "Content-Length: 0#\r\n",
    "Content-Length: 000#\r\n",
    "Content-Length: 0x#\r\n",
    "Content-Length: # \r\n",
    "Content-Length: #;\r\n",
    "Content-Length:#\t\r\n",
    "Content-Length: -#\r\n",
    "Content-Length:\r\n",
    "Content-Length: 1e1\r\n",
    "Content-Length: 1_0\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 999\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "content-length:#\r\n",
    "CONTENT-LENGTH: #\r\n",
    "Content-Length: 0\r\nContent-Length: #\r\n",
    "Content-Length: #\r\nContent-Length: 0\r\n",
    "Content-Length : #\r\n",
    "Content-Length: \u{b}#\r\n",
    "Content-Length: \r\n #\r\n",
    "Content-Length: # #\r\n",
    "Content-Length: \"#\"\r\n",
    "\u{b}Content-Length: #\r\n",
];

const CODINGS: &[&str] = &[
    "Transfer-Encoding: Chunked\r\n",
    "TRANSFER-ENCODING: CHUNKED\r\n",
    "Transfer-Encoding:chunked\r\n",
    "Transfer-Encoding: chunked \r\n",
    "Transfer-Encoding:\tchunked\r\n",
    "Transfer-Encoding: chunked,\r\n",
    "Transfer-Encoding: ,chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: identity, chunked\r\n",
    "Transfer-Encoding: chunked, chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked;q=1\r\n",
    "Transfer-Encoding: \"chunked\"\r\n",
    "Transfer-Encoding: \u{b}chunked\r\n",
    "Transfer-Encoding: chunked\0\r\n",
    "Transfer-Encoding: \u{a0}chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding\t: chunked\r\n",
    "Transfer-Encoding:\r\n",
    "Transfer-Encoding: chunk\r\n",
    "Content-Length: #\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: #\r\n",
    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: zz\r\n",
    "Content-Length: #\r\nTransfer-Encoding: identity\r\n",
    "Content-Length: #\r\nTransfer-Encoding : chunked\r\n",
    "X: a\nTransfer-Encoding: chunked\r\n",
    "\nTransfer-Encoding: chunked\r\n",
];

/// A chunk's line, with `#` for its size.
const SIZES: &[&str] = &[
    " #\r\n",
    "# \r\n",
    "#\t\r\n",
    "0x#\r\n",
    "+#\r\n",
    "-#\r\n",
    "0#\r\n",
    "0000000#\r\n",
    "#;a=b\r\n",
    "#;a=\"b\"\r\n",
    "#;a=\"b\nc\"\r\n",
    "#;a\n",
    "#\n",
    "#\r",
    "#;\r\n",
    "# ;a\r\n",
    "#;\0\r\n",
    "FFFFFFFFFFFFFFFF#\r\n",
    "\r\n",
    "#,\r\n",
    "#_\r\n",
    "#;a\rb\r\n",
    "#;a\r\n",
    "#;a=b;c=d\r\n",
    "g#\r\n",
    "#\r\r\n",
    "\r\n#\r\n",
    "#\u{b}\r\n",
];

/// What stands after the chunk's data, and what is the last chunk.
const ENDS: &[(&str, &str)] = &[
    ("\r\n", "00\r\n\r\n"),
    ("\r\n", "0;x\r\n\r\n"),
    ("\r\n", "0 \r\n\r\n"),
    ("\r\n", "0\n\n"),
    ("\r\n", "0\r\n\n"),
    ("\r\n", "-0\r\n\r\n"),
    ("\r\n", "0x0\r\n\r\n"),
    ("\r\n", "0000\r\n\r\n"),
    ("\r\n", "0\r\nX-T: 1\r\n\r\n"),
    ("\r\n", "0\r\nContent-Length: 9\r\n\r\n"),
    ("\r\n", "0\r\nX-T : 1\r\n\r\n"),
    ("\r\n", "0\r\n X\r\n\r\n"),
    ("\r\n", "0\r\nX-T\r\n\r\n"),
    ("\r\n", "0\r\nHost: b\r\nTransfer-Encoding: x\r\n\r\n"),
    ("\r\n", "0\r\n"),
    ("\r\n", ""),
    ("\n", "0\r\n\r\n"),
    ("\r", "0\r\n\r\n"),
    ("", "0\r\n\r\n"),
    ("x\r\n", "0\r\n\r\n"),
    ("\r\n\r\n", "0\r\n\r\n"),
    ("\r\n", "\r\n\r\n"),
    ("\r\n", "0\r\n\r\n\r\n"),
    ("\r\n", "0\r\rX\r\n\r\n"),
];

/// What stands before or after a request, and what its lines end with.
const SURROUNDINGS: &[(&str, &str, &str)] = &[
    ("\r\n", "\r\n", ""),
    ("\r\n\r\n", "\r\n", ""),
    ("\n", "\r\n", ""),
    (" ", "\r\n", ""),
    ("\t", "\r\n", ""),
    ("\0", "\r\n", ""),
    ("\r", "\r\n", ""),
    ("", "\n", ""),
    ("", "\r\r\n", ""),
    ("", "\r", ""),
    ("", "\n\r", ""),
    ("", "\r\n", "\r\n"),
    ("", "\r\n", "\n"),
    ("", "\r\n", "x"),
    ("", "\r\n", " "),
    ("", "\r\n", "\0"),
    ("\r\n\r\n\r\n\r\n\r\n\r\n", "\r\n", ""),
    ("x\r\n", "\r\n", ""),
];

/// A conversation as a client sends it.
pub(super) struct Odd {
    pub(super) number: usize,
    /// What is odd about it.
    pub(super) label: String,
    pub(super) bytes: Vec<u8>,
}

impl Odd {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The first `count` of them.
pub(super) fn odd_requests(count: usize) -> Vec<Odd> {
    let mut rng = Rng::with_seed(SEED);
    (0..count).map(|number| conversation(&mut rng, number)).collect()
}

fn conversation(rng: &mut Rng, number: usize) -> Odd {
    let mut labels = Vec::new();
    let mut text = String::new();
    let count = if rng.usize(..ONE_IN) == 0 { 2 } else { 1 };
    for index in 0..count {
        let mut request = Parts::plain(rng, &format!("{number}.{index}"));
        let oddities = if rng.usize(..ONE_IN) == 0 { 2 } else { 1 };
        for _ in 0..oddities {
            labels.push(request.make_odd(rng));
        }
        text.push_str(&request.text());
    }
    let bytes = [text.as_bytes(), &end(number, "end")].concat();
    Odd { number, label: labels.join(" + "), bytes }
}

/// A plain request that ends a conversation.
pub(super) fn end(number: usize, name: &str) -> Vec<u8> {
    format!("GET /end HTTP/1.1\r\nHost: a\r\n{MARK}: {number}.{name}\r\nConnection: close\r\n\r\n")
        .into()
}

/// A request before it is written down.
struct Parts {
    mark: String,
    before: &'static str,
    method: &'static str,
    target: String,
    version: &'static str,
    host: &'static str,
    headers: String,
    framing: Framing,
    body: String,
    line_end: &'static str,
    after: &'static str,
}

enum Framing {
    Nothing,
    Length(&'static str),
    Chunks { coding: &'static str, size: &'static str, end: (&'static str, &'static str) },
}

const CHUNKS: Framing = Framing::Chunks {
    coding: "Transfer-Encoding: chunked\r\n",
    size: "#\r\n",
    end: ("\r\n", "0\r\n\r\n"),
};
const LENGTH: Framing = Framing::Length("Content-Length: #\r\n");

impl Parts {
    fn plain(rng: &mut Rng, mark: &str) -> Self {
        let method = *rng.choice(["GET", "POST", "PUT"].iter()).unwrap_or(&"GET");
        // What would be a request of its own to whoever takes the end of the body to be elsewhere.
        let inner = format!("GET /smuggled HTTP/1.1\r\nHost: a\r\n{MARK}: {mark}.inner\r\n\r\n");
        let body = if rng.bool() { "hello".to_owned() } else { inner };
        let framing = match rng.usize(..3) {
            0 => LENGTH,
            1 => CHUNKS,
            _ => Framing::Nothing,
        };
        Self {
            mark: mark.to_owned(),
            before: "",
            method,
            target: PLAIN.to_owned(),
            version: "HTTP/1.1",
            host: "Host: a\r\n",
            headers: String::new(),
            framing,
            body,
            line_end: "\r\n",
            after: "",
        }
    }

    /// Makes one thing odd, and names it.
    fn make_odd(&mut self, rng: &mut Rng) -> String {
        match rng.usize(..12) {
            0 => said("method", &mut self.method, METHODS, rng),
            1..=2 => {
                let mut target = "";
                let label = said("target", &mut target, TARGETS, rng);
                self.target = target.to_owned();
                label
            }
            3 => said("version", &mut self.version, VERSIONS, rng),
            4 => said("host", &mut self.host, HOSTS, rng),
            5..=6 => {
                let mut header = "";
                let label = said("header", &mut header, HEADERS, rng);
                self.headers.push_str(header);
                label
            }
            7 => {
                let mut line = "";
                let label = said("length", &mut line, LENGTHS, rng);
                self.framing = Framing::Length(line);
                label
            }
            8 => self.odd_chunks(rng, |rng, coding, _, _| said("coding", coding, CODINGS, rng)),
            9 => self.odd_chunks(rng, |rng, _, size, _| said("size", size, SIZES, rng)),
            10 => self.odd_chunks(rng, |rng, _, _, end| {
                *end = *rng.choice(ENDS.iter()).unwrap_or(&("", ""));
                format!("end {end:?}")
            }),
            _ => {
                let around = rng.choice(SURROUNDINGS.iter()).copied().unwrap_or_default();
                (self.before, self.line_end, self.after) = around;
                format!("around {around:?}")
            }
        }
    }

    fn odd_chunks<F>(&mut self, rng: &mut Rng, change: F) -> String
    where
        F: FnOnce(
            &mut Rng,
            &mut &'static str,
            &mut &'static str,
            &mut (&'static str, &'static str),
        ) -> String,
    {
        if !matches!(self.framing, Framing::Chunks { .. }) {
            self.framing = CHUNKS;
        }
        match &mut self.framing {
            Framing::Chunks { coding, size, end } => change(rng, coding, size, end),
            _ => String::new(),
        }
    }

    fn text(&self) -> String {
        let length = self.body.len();
        let (framing, body) = match &self.framing {
            Framing::Nothing => (String::new(), String::new()),
            Framing::Length(line) => (line.replace('#', &length.to_string()), self.body.clone()),
            Framing::Chunks { coding, size, end: (after, last) } => {
                let size = size.replace('#', &format!("{length:x}"));
                let coding = coding.replace('#', &length.to_string());
                (coding, format!("{size}{}{after}{last}", self.body))
            }
        };
        let (method, target, version) = (self.method, &self.target, self.version);
        let start = format!("{method} {target} {version}\r\n{MARK}: {}\r\n", self.mark);
        let head = format!("{start}{}{}{framing}\r\n", self.host, self.headers);
        let head = head.replace("\r\n", self.line_end);
        format!("{}{head}{body}{}", self.before, self.after)
    }
}

fn said(
    what: &str,
    place: &mut &'static str,
    choices: &'static [&'static str],
    rng: &mut Rng,
) -> String {
    *place = rng.choice(choices.iter()).copied().unwrap_or_default();
    format!("{what} {place:?}")
}
