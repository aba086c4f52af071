//! Row F-50: whatever we forward, nginx and HAProxy read it as we do.
//!
//! Odd requests go to our server, to nginx and to HAProxy, each in front of an origin of its own that
//! records what it reads. What our gateway wrote to its origin then goes to the other two once more,
//! byte by byte. What they refuse is no concern: what is forwarded must be the same request.
//!
//! `BACKHAUL_REQUIRE_SERVERS` makes a server that is not installed a failure, and
//! `BACKHAUL_ODD_REQUESTS` sends more of them.

#![allow(clippy::print_stdout, reason = "what was sent, forwarded and compared is told")]

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backhaul::serve::{Limits, Server};
use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::compare::{Answered, disagreements};
use self::grammar::Odd;
use self::origin::{Heard, Origin};
use self::peers::{PATIENCE, Peer, talk};

mod compare;
mod grammar;
mod origin;
mod peers;

const ODD_REQUESTS: usize = 1_000;
/// So many of each thousand have to be forwarded by us, and compared with each of the others: fewer,
/// and the oddities are only refused.
const LEAST_FORWARDED: usize = 300;
const LEAST_COMPARED: usize = 250;
/// The mark of the request that is added to what our gateway wrote.
const ADDED: &str = "added";
/// Conversations at once.
const WIDTH: usize = 24;
/// How long each server waits for a client that says no more.
const SILENCE: Duration = Duration::from_secs(1);

fn how_many() -> usize {
    let more = env::var("BACKHAUL_ODD_REQUESTS").ok().and_then(|count| count.parse().ok());
    more.unwrap_or(ODD_REQUESTS)
}

/// Our server on loopback, leading to an origin, for as long as the registry lives. Host and AppCode
/// are passed on: that they otherwise are not is our own decision.
async fn ours(origin: &Origin) -> (Registry, std::net::SocketAddr) {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let live = Environment::PRODUCTION;
    let change = Change::new()
        .service("all", Kind::HTTP)
        .define("all", live.clone(), Http::to(format!("http://{}", origin.address)))
        .group(
            "all",
            Group::host("a").and_host("b").passthrough_header("host").app_code_to_backend(true),
        )
        .api("all/everything", Api::any("/*").service_same_path("all"))
        .publish("all/everything", live);
    registry.publisher("test").apply(change).await.unwrap();
    let limits =
        Limits::new().first_byte(SILENCE).head(SILENCE).keep_alive(SILENCE).body_total(SILENCE);
    let server = Server::new(Gateway::new(&registry)).limits(limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve(listener).await });
    (registry, address)
}

/// Where a server of others listens.
enum Place<'a> {
    Tcp(std::net::SocketAddr),
    Unix(&'a Path),
}

/// Says all of it and tells the statuses, for each conversation.
async fn say_all(place: Place<'_>, all: Vec<(usize, Vec<u8>)>) -> BTreeMap<usize, Vec<u16>> {
    let permits = Arc::new(Semaphore::new(WIDTH));
    let mut talks = JoinSet::new();
    for (number, bytes) in all {
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        match place {
            Place::Tcp(address) => talks.spawn(async move {
                let _permit = permit;
                (number, talk(TcpStream::connect(address).await.unwrap(), &bytes).await)
            }),
            Place::Unix(path) => {
                let path = path.to_owned();
                talks.spawn(async move {
                    let _permit = permit;
                    (number, talk(UnixStream::connect(path).await.unwrap(), &bytes).await)
                })
            }
        };
    }
    talks.join_all().await.into_iter().collect()
}

/// What came of each conversation. Requests without a mark are left out, and there are none of them
/// unless others read HTTP/0.9, which has no headers.
fn answered(
    origin: &Origin,
    unmarked: Option<&str>,
    statuses: BTreeMap<usize, Vec<u16>>,
) -> BTreeMap<usize, Answered> {
    let mut by_number: BTreeMap<usize, Vec<Heard>> = BTreeMap::new();
    for heard in origin.heard() {
        match heard.number() {
            Some(number) => by_number.entry(number).or_default().push(heard),
            None => assert!(Some(&*heard.target) == unmarked, "a request nobody sent: {heard:?}"),
        }
    }
    let one = |(number, statuses)| {
        let heard = by_number.remove(&number).unwrap_or_default();
        (number, Answered { statuses, heard })
    };
    let answered = statuses.into_iter().map(one).collect();
    assert!(by_number.is_empty(), "requests that nobody sent: {by_number:?}");
    answered
}

/// What a peer made of what our gateway wrote, and what differs.
struct Compared {
    name: &'static str,
    forwarded: usize,
    compared: usize,
    read_again: usize,
    refused_again: usize,
    differences: Vec<String>,
    /// Oddities that we forwarded and it did not.
    stricter: BTreeMap<String, usize>,
}

async fn compare_with(peer: &Peer, odd: &[Odd], ours: &BTreeMap<usize, Answered>) -> Compared {
    let sent = odd.iter().map(|odd| (odd.number, odd.bytes.clone())).collect();
    let theirs = answered(
        &peer.origin,
        Some(grammar::PLAIN),
        say_all(Place::Unix(&peer.socket), sent).await,
    );
    let mut compared = Compared {
        name: peer.name,
        forwarded: theirs.values().filter(|answered| answered.forwarded()).count(),
        compared: 0,
        read_again: 0,
        refused_again: 0,
        differences: Vec::new(),
        stricter: BTreeMap::new(),
    };
    let mut again = Vec::new();
    for odd in odd {
        let (ours, theirs) = (&ours[&odd.number], &theirs[&odd.number]);
        if !ours.forwarded() {
            continue;
        }
        again.push((odd.number, ours.written()));
        if theirs.forwarded() {
            compared.compared += 1;
        }
        if ours.odd().any(|mark| !theirs.odd().any(|other| other == mark)) {
            *compared.stricter.entry(odd.label.clone()).or_default() += 1;
        }
        let told = disagreements(ours, theirs);
        compared.differences.extend(told.iter().map(|told| {
            format!("{}, {} [{}]: {told}\n{:?}", peer.name, odd.number, odd.label, odd.text())
        }));
    }
    replay(peer, again, ours, &mut compared).await;
    compared
}

/// Sends what our gateway wrote, with one more request at its end that shows where the others ended.
async fn replay(
    peer: &Peer,
    again: Vec<(usize, Vec<u8>)>,
    ours: &BTreeMap<usize, Answered>,
    compared: &mut Compared,
) {
    let sent: Vec<_> = again
        .iter()
        .map(|(number, written)| (*number, [&written[..], &grammar::end(*number, ADDED)].concat()))
        .collect();
    let read = answered(&peer.again, None, say_all(Place::Unix(&peer.again_socket), sent).await);
    for (number, written) in again {
        let (ours, read) = (&ours[&number], &read[&number]);
        if read.refused() {
            compared.refused_again += 1;
        } else {
            compared.read_again += 1;
        }
        if let Some(told) = compare::misread(ours, read) {
            let text = String::from_utf8_lossy(&written);
            let name = peer.name;
            compared.differences.push(format!("{name} reads {number} again: {told}\n{text:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_50_others_read_what_we_forward_as_we_do() {
    let folder = tempfile::tempdir().unwrap();
    let peers = Peer::installed(folder.path()).await;
    let count = how_many();
    let odd = grammar::odd_requests(count);
    let origin = Origin::start().await;
    let (_registry, address) = ours(&origin).await;
    let sent = odd.iter().map(|odd| (odd.number, odd.bytes.clone())).collect();
    let ours = answered(&origin, None, say_all(Place::Tcp(address), sent).await);
    let wrong: Vec<_> = ours.values().flat_map(|answered| &answered.heard).collect();
    let wrong: Vec<_> = wrong.iter().filter_map(|heard| heard.badly_framed()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let forwarded = ours.values().filter(|answered| answered.forwarded()).count();
    println!("{count} odd requests sent, {forwarded} forwarded by us");
    assert!(forwarded * 1_000 >= count * LEAST_FORWARDED, "{forwarded} forwarded");
    let mut differences = Vec::new();
    for peer in &peers {
        let found = compare_with(peer, &odd, &ours).await;
        println!(
            "{}: {} forwarded, {} compared; of what we wrote {} read, {} refused; {} differences",
            found.name,
            found.forwarded,
            found.compared,
            found.read_again,
            found.refused_again,
            found.differences.len(),
        );
        println!("{} is stricter about {:?}", found.name, found.stricter);
        assert!(found.compared * 1_000 >= count * LEAST_COMPARED, "{} compared", found.compared);
        assert!(found.read_again * 1_000 >= count * LEAST_COMPARED, "{} read", found.read_again);
        differences.extend(found.differences);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    // A conversation that takes its time ends by a limit; none is given up by its client.
    assert!(SILENCE < PATIENCE);
}
