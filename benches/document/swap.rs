//! What requests notice of a document that is replaced.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use backhaul::document::{Document, Format};
use backhaul::serve::{Limits, Server};
use backhaul::{Gateway, Registry};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::clients::{CONNECTIONS, RATE, latencies};
use crate::desired::text;
use crate::support::{Limit, figure, median, percentile, runtime};

/// Slices with, and as many without, by turns: what a machine does otherwise falls into both, and a slice
/// in which it stood still is not the one in the middle.
const SLICES: usize = 7;
const SLICE: Duration = Duration::from_secs(5);
/// Until what a slice left behind is cleared away.
const PAUSE: Duration = Duration::from_secs(1);
/// Threads for tasks, as the example gateway has on two cores.
const WORKERS: usize = 2;

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = [0, 1].map(|turn| {
        let path = folder.path().join(format!("turn{turn}.toml"));
        std::fs::write(&path, text(turn)).expect("it can be written");
        path
    });
    let runtime = runtime(WORKERS);
    let registry = runtime.block_on(async {
        let registry = Registry::in_memory().await.expect("it opens");
        assert!(replace(&registry, files[0].clone()).await, "it is applied");
        registry
    });
    let address = serve(&runtime, &registry);
    drop(latencies(address, SLICE / 2));
    let (mut without, mut with, mut replaced) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SLICES {
        thread::sleep(PAUSE);
        without.push(latencies(address, SLICE));
        thread::sleep(PAUSE);
        let stop = Arc::new(AtomicBool::new(false));
        let task = replace_until(registry.clone(), files.clone(), Arc::clone(&stop));
        let task = runtime.spawn(task);
        with.push(latencies(address, SLICE));
        stop.store(true, Ordering::Release);
        replaced += runtime.block_on(task).expect("every document is applied");
    }
    report(without, with, replaced);
}

fn report(mut without: Vec<Vec<f64>>, mut with: Vec<Vec<f64>>, replaced: usize) {
    let method = format!(
        "p99.9 of {} requests while the document is replaced, {replaced} times, divided by that of {} \
         while it is not, each the median of {SLICES} slices, by turns every {} s; {RATE} a second on {CONNECTIONS} connections, a thread \
         each, to a mock service, from the moment each was due; Server on {WORKERS} threads, the \
         document read from a file, the clients on the same cores",
        with.iter().map(Vec::len).sum::<usize>(),
        without.iter().map(Vec::len).sum::<usize>(),
        SLICE.as_secs(),
    );
    let middle = |slices: &mut [Vec<f64>], share| {
        let mut each: Vec<f64> = slices.iter_mut().map(|slice| percentile(slice, share)).collect();
        median(&mut each)
    };
    let (slow, usual) = (middle(&mut with, 0.999), middle(&mut without, 0.999));
    figure("document.swap_p999", slow / usual, "ratio", Limit::AtMost(1.5), &method);
    for (side, mut slices) in [("with", with), ("without", without)] {
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
            let name = format!("document.swap.{side}.{name}");
            let method = "of the same requests, the median of the slices";
            figure(&name, middle(&mut slices, share), "µs", Limit::Open, method);
        }
        let mut all = slices.concat();
        let name = format!("document.swap.{side}.all.p999");
        figure(&name, percentile(&mut all, 0.999), "µs", Limit::Open, "of all slices together");
    }
}

fn serve(runtime: &Runtime, registry: &Registry) -> SocketAddr {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0));
    let listener = runtime.block_on(listener).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    // Connections that are kept: otherwise new ones would be measured.
    let server = Server::new(Gateway::new(registry)).limits(Limits::new().max_requests(u64::MAX));
    drop(runtime.spawn(async move { server.serve(listener).await }));
    address
}

/// How often the document was replaced by the other until it is to stop.
async fn replace_until(registry: Registry, files: [PathBuf; 2], stop: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    for file in files.iter().cycle().skip(1) {
        if stop.load(Ordering::Acquire) {
            break;
        }
        count += usize::from(replace(&registry, file.clone()).await);
    }
    count
}

/// As the example gateway does: whether anything changed.
async fn replace(registry: &Registry, file: PathBuf) -> bool {
    let read = move || {
        let text = std::fs::read_to_string(file).expect("it is there");
        Document::parse(&text, Format::Toml).expect("it is right")
    };
    let document = tokio::task::spawn_blocking(read).await.expect("it is read");
    let publisher = registry.publisher("benchmark");
    publisher.apply_document(document).await.expect("it is applied").is_some()
}
