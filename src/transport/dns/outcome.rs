//! What can come of a look-up.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Answer, Failed, MAX_ADDRESSES};
use crate::error::Error;
use crate::transport::connect::failed;

/// The addresses of a name, each once, in the order they are to be tried.
pub(super) type Addresses = Arc<[IpAddr]>;

/// Why a look-up brought no address.
#[derive(Clone, Debug)]
pub(super) enum Fruitless {
    /// There is none.
    NoAddress,
    /// Nobody could tell.
    Failed(Failed),
    /// It took too long.
    Late,
}

impl From<Fruitless> for Error {
    fn from(fruitless: Fruitless) -> Self {
        match fruitless {
            Fruitless::NoAddress => failed("name has no address"),
            Fruitless::Failed(cause) => failed("name not resolved").caused_by(cause),
            Fruitless::Late => failed("name not resolved in time"),
        }
    }
}

/// The addresses as they are dialled: those of IPv4 as such also where they came as IPv6 (`::ffff:`).
pub(super) fn addresses(answer: &Answer) -> Addresses {
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(answer.addresses().len());
    for address in answer.addresses().iter().map(IpAddr::to_canonical) {
        if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.into()
}
