//! The gateway as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;

use tempfile::TempDir;

use super::PATIENCE;

/// A running gateway, its document, and the lines it prints. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    lines: Mutex<Receiver<String>>,
    pub(super) address: SocketAddr,
    folder: TempDir,
}

/// The example, built as the tests are.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "gateway", "--features", "full,testing"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "the example does not build");
        let test = std::env::current_exe().unwrap();
        test.parent().unwrap().parent().unwrap().join("examples/gateway")
    })
}

/// Starts it and lets it end: what it printed, and how it ended.
pub(super) fn run(arguments: &[&str]) -> (String, String, ExitStatus) {
    let output = Command::new(binary()).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status)
}

impl Process {
    /// Starts a gateway with a document and further arguments. `{folder}` in them is a folder of its own.
    pub(super) fn start(document: &str, arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), document, arguments)
    }

    fn start_in(folder: TempDir, document: &str, arguments: &[&str]) -> Self {
        let config = folder.path().join("shop.toml");
        std::fs::write(&config, document).unwrap();
        let own = folder.path().to_str().unwrap();
        let arguments = arguments.iter().map(|argument| argument.replace("{folder}", own));
        let mut command = Command::new(binary());
        command.arg("--config").arg(&config).args(["--listen", "127.0.0.1:0", "--allow-loopback"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let first = lines.recv_timeout(PATIENCE).expect("it says nothing");
        let address =
            first.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{first}"));
        let address = address.parse().unwrap();
        Self { child, lines: Mutex::new(lines), address, folder }
    }

    /// Another process with the same folder, after this one was killed.
    pub(super) fn killed_and_started(mut self, document: &str, arguments: &[&str]) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Self::start_in(folder, document, arguments)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name.
    pub(super) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }

    /// The next line it prints.
    pub(super) fn line(&self) -> String {
        self.lines.lock().unwrap().recv_timeout(PATIENCE).expect("it says nothing")
    }

    /// Gives it another document and has it read: what it says.
    pub(super) fn reload(&self, document: &str) -> String {
        // Written whole before it takes the other's place: a signal may come from elsewhere.
        let config = self.folder.path().join("shop.toml");
        let next = self.folder.path().join("next.toml");
        std::fs::write(&next, document).unwrap();
        std::fs::rename(&next, &config).unwrap();
        self.signal("HUP");
        self.line()
    }

    /// Ends it by SIGTERM: the lines it printed since, and how it ended.
    pub(super) fn terminate(mut self) -> (Vec<String>, ExitStatus) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (self.lines.lock().unwrap().iter().collect(), status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
