//! How many connections there are, in all and of one client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places for connections.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only what is not zero, and only while there is a limit.
    clients: HashMap<IpAddr, usize>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) all: usize,
    pub(super) per_client: Option<usize>,
}

/// One of them. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    client: Option<IpAddr>,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a connection from `address`, if there is one.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr, most: Most) -> Option<Place> {
        let mut taken = self.lock();
        if taken.all >= most.all {
            return None;
        }
        let client = most.per_client.map(|_| client(address));
        if let (Some(client), Some(limit)) = (client, most.per_client) {
            if taken.clients.get(&client).copied().unwrap_or_default() >= limit {
                return None;
            }
            *taken.clients.entry(client).or_default() += 1;
        }
        taken.all += 1;
        Some(Place { places: Arc::clone(self), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        let Some(client) = self.client else {
            return;
        };
        if let Some(count) = taken.clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                taken.clients.remove(&client);
            }
        }
    }
}

/// Who an address stands for. An IPv6 host has a network of 64 bits to itself.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_for_each_client() {
        let places = Arc::new(Places::default());
        let most = Most { all: 3, per_client: Some(2) };
        let take = |address: &str| places.take(address.parse().unwrap(), most);
        let first = take("10.0.0.1");
        let second = take("::ffff:10.0.0.1");
        assert!(first.is_some() && second.is_some());
        assert!(take("10.0.0.1").is_none());
        let third = take("fd00::1");
        assert!(third.is_some());
        assert!(take("10.0.0.2").is_none());
        drop(second);
        assert!(take("10.0.0.1").is_some());
        let again = take("fd00::2");
        assert!(again.is_some());
        drop(first);
        assert!(take("fd00::3").is_none());
        drop((third, again));
        assert!(places.lock().clients.is_empty());
        assert_eq!(places.lock().all, 0);
    }
}
