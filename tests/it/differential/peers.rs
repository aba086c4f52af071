//! nginx and HAProxy as child processes on sockets in a folder, ended by their own handle.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use super::SILENCE;
use super::origin::Origin;

/// How long a server may take to come up, and one conversation.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// A missing server is a failure.
const REQUIRED: &str = "BACKHAUL_REQUIRE_SERVERS";

/// A server of others before two origins, one for what clients send and one for what we wrote.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) socket: PathBuf,
    pub(super) again_socket: PathBuf,
    pub(super) origin: Origin,
    pub(super) again: Origin,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    /// All that are installed.
    pub(super) async fn installed(folder: &Path) -> Vec<Self> {
        let mut peers = Vec::new();
        for name in ["nginx", "haproxy"] {
            match program(name) {
                Some(program) => peers.push(Self::start(name, &program, folder).await),
                None if env::var_os(REQUIRED).is_some() => panic!("{name} is not installed"),
                None => println!("skipped: {name} is not installed, and {REQUIRED} is not set"),
            }
        }
        peers
    }

    async fn start(name: &'static str, program: &Path, folder: &Path) -> Self {
        let (origin, again) = (Origin::start().await, Origin::start().await);
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let (socket, again_socket) = (folder.join("socket"), folder.join("again"));
        let file = folder.join("configuration");
        let places = [(&socket, &origin), (&again_socket, &again)];
        let (text, flags): (_, &[&str]) = match name {
            "nginx" => (nginx(&folder, places), &["-c"]),
            _ => (haproxy(places), &["-db", "-f"]),
        };
        fs::write(&file, text).unwrap();
        let log = fs::File::create(folder.join("output")).unwrap();
        let mut command = Command::new(program);
        command.args(flags).arg(&file).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let mut peer = Self { name, socket, again_socket, origin, again, child };
        if timeout(PATIENCE, peer.is_up()).await != Ok(true) {
            let output = fs::read_to_string(folder.join("output")).unwrap();
            panic!("{name} did not start: {output}");
        }
        peer
    }

    /// Waits until it listens; tells whether it did, or ended.
    async fn is_up(&mut self) -> bool {
        for socket in [self.socket.clone(), self.again_socket.clone()] {
            while UnixStream::connect(&socket).await.is_err() {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        true
    }
}

/// Where a program is, also where only administrators look.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn nginx(folder: &Path, places: [(&PathBuf, &Origin); 2]) -> String {
    let (folder, silence) = (folder.display(), SILENCE.as_secs());
    let user = fs::metadata("/proc/self").map(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid()
    });
    // As root it would give up its rights and with them the folder.
    let user = if user.is_ok_and(|user| user == 0) { "user root;" } else { "" };
    let server = |(socket, origin): (&PathBuf, &Origin)| {
        format!(
            "server {{
                listen unix:{};
                location / {{
                    proxy_pass http://{};
                    proxy_http_version 1.1;
                    proxy_set_header Host $http_host;
                    proxy_set_header Connection '';
                    proxy_next_upstream off;
                }}
            }}",
            socket.display(),
            origin.address
        )
    };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .join("\n");
    format!(
        "{user} daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
        events {{ worker_connections 1024; }}
        http {{
            access_log off;
            {temporary}
            client_header_timeout {silence}s;
            client_body_timeout {silence}s;
            keepalive_timeout {silence}s;
            {}
        }}",
        places.map(server).join("\n")
    )
}

fn haproxy(places: [(&PathBuf, &Origin); 2]) -> String {
    let silence = SILENCE.as_secs();
    let mut at = 0;
    let server = |(socket, origin): (&PathBuf, &Origin)| {
        at += 1;
        format!(
            "listen place{at}\n  bind unix@{}\n  server origin {}\n",
            socket.display(),
            origin.address
        )
    };
    format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout server 5s\n  \
         timeout client {silence}s\n  timeout http-request {silence}s\n  \
         timeout http-keep-alive {silence}s\n{}",
        places.map(server).concat()
    )
}

/// Says all of it, and tells the statuses of the answers when the other side has closed.
pub(super) async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
) -> Vec<u16> {
    // It may have heard enough before the end.
    let _ = stream.write_all(bytes).await;
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    // A reset after an answer is one way to close.
    let _ = read.expect("the conversation does not end");
    statuses(&String::from_utf8_lossy(&text))
}

fn statuses(text: &str) -> Vec<u16> {
    let status = |(at, _): (usize, &str)| {
        let (status, rest) = text.get(at + 9..)?.split_at_checked(3)?;
        let status = status.parse().ok()?;
        (text.get(at + 8..at + 9) == Some(" ") && rest.starts_with([' ', '\r'])).then_some(status)
    };
    let all = text.match_indices("HTTP/1.").filter_map(status);
    all.filter(|status| *status >= 200).collect()
}
