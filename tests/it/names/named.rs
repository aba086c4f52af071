//! Names asked of a real name server.

#![allow(clippy::print_stdout, reason = "that it was skipped is told")]

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use backhaul::transport::dns::HickoryResolver;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;

/// A missing server is a failure.
const REQUIRED: &str = "BACKHAUL_REQUIRE_SERVERS";

const KEY: &str =
    r#"key "upd" { algorithm hmac-sha256; secret "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVm"; };"#;
const ZONE: &str = r#"
$TTL 2
@         SOA ns root 1 60 60 60 3
          NS  ns
ns        A   127.0.0.1
orders    A   127.0.0.1
both      A   127.0.0.1
both      AAAA 2001:db8::1
short   1 CNAME long
long 3600 A   127.0.0.1
empty     TXT "no address here"
"#;

/// A bind of the test's own, in a folder of its own.
struct Named {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Named {
    async fn start() -> Option<Self> {
        for program in ["named", "nsupdate"] {
            if command(program).arg("-V").output().is_err() {
                assert!(std::env::var_os(REQUIRED).is_none(), "{program} is not installed");
                println!("skipped: {program} is not installed, and {REQUIRED} is not set");
                return None;
            }
        }
        // Somebody else may take the port before the server does; then it does not start.
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            // Without the same port of TCP it starts, but cannot give long answers.
            let Ok(_) = TcpListener::bind(free) else { continue };
            configure(folder.path(), free);
            let mut named = Self { child: spawn(folder.path()), folder, address: free };
            if named.is_up().await {
                return Some(named);
            }
        }
        panic!("named did not start");
    }

    /// Whether it answers by UDP and by TCP.
    async fn is_up(&mut self) -> bool {
        let resolver = self.resolver();
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if resolver.resolve("many.gw.test.", PATIENCE).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    fn resolver(&self) -> HickoryResolver {
        let builder = HickoryResolver::builder().name_server(self.address).without_hosts();
        builder.timeout(Duration::from_millis(500)).build().unwrap()
    }

    async fn resolve(&self, host: &str) -> Result<Answer, Failed> {
        self.resolver().resolve(host, PATIENCE).await
    }

    /// Changes the zone while the server runs.
    fn update(&self, edits: &str) {
        let mut child = command("nsupdate")
            .arg("-k")
            .arg(self.folder.path().join("key.conf"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let SocketAddr::V4(at) = self.address else { panic!("{}", self.address) };
        let script = format!("server {} {}\nzone gw.test\n{edits}\nsend\n", at.ip(), at.port());
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{edits}");
    }

    fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn start_again(&mut self) {
        self.child = spawn(self.folder.path());
        assert!(self.is_up().await, "named did not start again");
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.stop();
    }
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    // Where distributions keep servers.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"));
    command
}

fn configure(folder: &Path, address: SocketAddr) {
    let (place, port) = (folder.display(), address.port());
    let config = format!(
        r#"
options {{ directory "{place}"; pid-file "named.pid"; session-keyfile "session.key";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-query {{ 127.0.0.1; }};
  recursion no; dnssec-validation no; empty-zones-enable no; minimal-responses no; }};
{KEY}
controls {{ }};
zone "gw.test" {{ type master; file "gw.test.zone"; allow-update {{ key "upd"; }}; }};
"#
    );
    let many: String = (0..100).map(|last| format!("many A 10.9.8.{last}\n")).collect();
    fs::write(folder.join("named.conf"), config).unwrap();
    fs::write(folder.join("key.conf"), KEY).unwrap();
    fs::write(folder.join("gw.test.zone"), format!("{ZONE}{many}")).unwrap();
}

fn spawn(folder: &Path) -> Child {
    let mut command = command("named");
    command.args(["-g", "-4", "-n", "1", "-c"]).arg(folder.join("named.conf"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn addresses(answer: &Answer) -> Vec<String> {
    let mut addresses: Vec<_> = answer.addresses().iter().map(IpAddr::to_string).collect();
    addresses.sort();
    addresses
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[tokio::test]
async fn answers_of_a_name_server_hold_as_long_as_it_says() {
    let Some(named) = Named::start().await else { return };
    let answer = named.resolve("orders.gw.test").await.unwrap();
    assert_eq!((addresses(&answer), answer.validity()), (vec![HERE.to_owned()], seconds(2)));
    let answer = named.resolve("both.gw.test").await.unwrap();
    assert_eq!(addresses(&answer), [HERE, "2001:db8::1"]);
    let answer = named.resolve("long.gw.test").await.unwrap();
    assert_eq!(answer.validity(), seconds(3600));
    let answer = named.resolve("short.gw.test").await.unwrap();
    assert_eq!((addresses(&answer), answer.validity()), (vec![HERE.to_owned()], seconds(1)));
    let answer = named.resolve("many.gw.test").await.unwrap();
    assert_eq!(answer.addresses().len(), 100, "it does not fit into one packet of UDP");
}

#[tokio::test]
async fn that_there_is_nothing_holds_as_long_as_a_name_server_says() {
    let Some(mut named) = Named::start().await else { return };
    for host in ["nobody.gw.test", "empty.gw.test"] {
        let answer = named.resolve(host).await.unwrap();
        assert_eq!((addresses(&answer), answer.validity()), (vec![], seconds(2)), "{host}");
    }
    assert!(named.resolve("elsewhere.test").await.is_err(), "refused is not nothing");
    named.stop();
    assert!(named.resolve("nobody.gw.test").await.is_err(), "silence is not nothing");
}

#[tokio::test]
async fn u_23_requests_follow_a_name_server_and_survive_it() {
    let Some(mut named) = Named::start().await else { return };
    let two = two(Script::ok).await;
    let transport = local().resolver(named.resolver()).build().unwrap();
    let pool = pool(&transport, &two.url().replace("orders.internal", "orders.gw.test"));
    assert_eq!(get(&pool).await.unwrap(), "here");

    named.update("update delete orders.gw.test A\nupdate add orders.gw.test 2 A 127.0.0.2");
    let changed = Instant::now();
    let moved = async {
        while get(&pool).await.unwrap() == "here" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("it never moves");
    println!("dns.moved_after: {:?} with a TTL of 2 s", changed.elapsed());
    assert_eq!(get(&pool).await.unwrap(), "there");
    assert!(two.here.has_open(0, PATIENCE).await);

    named.update("update delete orders.gw.test A");
    assert_eq!(transport.refresh_now().await.failed, ["orders.gw.test"]);
    assert_eq!(get(&pool).await.unwrap(), "there", "a name without addresses keeps the last ones");

    named.stop();
    assert_eq!(transport.refresh_now().await.failed, ["orders.gw.test"]);
    assert_eq!(get(&pool).await.unwrap(), "there", "and so does a name server that is gone");
    assert_eq!(two.there.accepted(), 1, "its connection is still the first");

    named.start_again().await;
    named.update("update add orders.gw.test 2 A 127.0.0.1");
    assert_eq!(transport.refresh_now().await.moved, ["orders.gw.test"]);
    assert_eq!(get(&pool).await.unwrap(), "here");
}
