//! What name servers say.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{RData, RecordType};

use tokio::time::timeout;

use super::{Answer, Failed, Resolve};

/// How long one question waits for its answer: two name servers can be asked, and one of them again,
/// before a look-up has taken too long.
const QUESTION_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long the addresses of one family wait for those of the other. RFC 8305 section 3 recommends 50 ms
/// for every connection; here it is once for as long as the answer holds.
const RESOLUTION_DELAY: Duration = Duration::from_millis(250);
/// How often a question without an answer is asked again.
const RETRIES: usize = 1;

/// Asks name servers, which say how long their answers hold, also those that there is nothing.
///
/// Both families are asked for at once. UDP is used, and TCP where an answer does not fit. What the hosts
/// file said when the resolver was made goes before. Nothing else is remembered in here.
///
/// ```no_run
/// use backhaul::transport::{Transport, dns::HickoryResolver};
///
/// let resolver = HickoryResolver::builder().name_server("10.0.0.53:53".parse()?).build()?;
/// let transport = Transport::builder().resolver(resolver).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HickoryResolver(TokioResolver);

/// Makes a [`HickoryResolver`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HickoryBuilder {
    name_servers: Vec<SocketAddr>,
    hosts: bool,
    timeout: Option<Duration>,
}

/// A resolver cannot be set up.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("name servers: {reason}")]
#[non_exhaustive]
pub struct InvalidResolver {
    /// What is wrong.
    pub reason: String,
}

impl HickoryResolver {
    /// Asks the name servers of the operating system, and its search domains, as they are now.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn system() -> Result<Self, InvalidResolver> {
        Self::builder().build()
    }

    /// One that asks others.
    pub fn builder() -> HickoryBuilder {
        HickoryBuilder { hosts: true, ..HickoryBuilder::default() }
    }
}

impl HickoryBuilder {
    /// A name server to ask. May be called several times; without it those of the operating system are
    /// asked. Names are then complete: search domains of the operating system do not count.
    pub fn name_server(mut self, address: SocketAddr) -> Self {
        self.name_servers.push(address);
        self
    }

    /// Does not look into the hosts file.
    pub fn without_hosts(mut self) -> Self {
        self.hosts = false;
        self
    }

    /// How long one question waits for its answer before it is asked again, which it is once;
    /// default: 1.5 s. A look-up as a whole is limited by
    /// [`LOOKUP_TIMEOUT`](super::LOOKUP_TIMEOUT).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit.min(super::LOOKUP_TIMEOUT));
        self
    }

    /// The resolver.
    ///
    /// # Errors
    ///
    /// No name server was given, and those of the operating system cannot be read.
    pub fn build(self) -> Result<HickoryResolver, InvalidResolver> {
        let invalid = |error: NetError| InvalidResolver { reason: error.to_string() };
        let mut builder = if self.name_servers.is_empty() {
            TokioResolver::builder_tokio().map_err(invalid)?
        } else {
            let servers = self.name_servers.into_iter().map(server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.cache_size = 0;
        options.attempts = RETRIES;
        options.timeout = self.timeout.unwrap_or(QUESTION_TIMEOUT);
        options.use_hosts_file =
            if self.hosts { ResolveHosts::Always } else { ResolveHosts::Never };
        // Harder to forge an answer to.
        options.case_randomization = true;
        builder.build().map(HickoryResolver).map_err(invalid)
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

#[async_trait::async_trait]
impl Resolve for HickoryResolver {
    async fn resolve(&self, host: &str, _: Duration) -> Result<Answer, Failed> {
        let mut six = pin!(self.ask(host, RecordType::AAAA));
        let mut four = pin!(self.ask(host, RecordType::A));
        let (six, four) = tokio::select! {
            done = &mut six => (done.clone(), other(&done, four).await),
            done = &mut four => (other(&done, six).await, done),
        };
        match (six, four) {
            (Ok(six), Ok(four)) => Ok(both(&six, &four)),
            // What is missing is asked for again soon.
            (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.addresses().is_empty() => {
                Ok(found.valid_for(Duration::ZERO))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

/// Waits for the other family; not for long if there are addresses already.
async fn other(
    first: &Result<Answer, Failed>,
    other: impl Future<Output = Result<Answer, Failed>>,
) -> Result<Answer, Failed> {
    match first {
        Ok(found) if !found.addresses().is_empty() => {
            timeout(RESOLUTION_DELAY, other).await.unwrap_or_else(|late| Err(Failed::new(late)))
        }
        _ => other.await,
    }
}

impl HickoryResolver {
    /// The addresses of one family.
    async fn ask(&self, host: &str, family: RecordType) -> Result<Answer, Failed> {
        match self.0.lookup(host, family).await {
            Ok(found) => {
                let records = found.answers();
                let addresses = records.iter().filter_map(|record| address(&record.data)).collect();
                // Aliases on the way hold for as long as they say, too.
                let valid_for = records.iter().map(|record| seconds(record.ttl)).min();
                Ok(Answer { addresses, valid_for })
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                let valid_for = none.negative_ttl.map(seconds);
                Ok(Answer { addresses: Vec::new(), valid_for })
            }
            Err(error) => Err(Failed::new(error)),
        }
    }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(four) => Some(IpAddr::V4(four.0)),
        RData::AAAA(six) => Some(IpAddr::V6(six.0)),
        _ => None,
    }
}

fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(u64::from(ttl))
}

/// Both families as one answer: of those with addresses, and of two without, the one holds that holds
/// less long.
fn both(six: &Answer, four: &Answer) -> Answer {
    let found = !six.addresses().is_empty() || !four.addresses().is_empty();
    let counts = |answer: &&Answer| answer.addresses().is_empty() != found;
    let valid_for = [six, four].into_iter().filter(counts).filter_map(Answer::validity).min();
    let addresses = six.addresses().iter().chain(four.addresses()).copied().collect();
    Answer { addresses, valid_for }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HickoryResolver")
    }
}
