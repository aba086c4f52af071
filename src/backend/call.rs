//! What travels with a request.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Place;
use crate::model::{Environment, Revision, ServiceName};

/// What travels with one attempt at a request: for whom it is made, and how long it may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    place: Arc<Place>,
    attempt: u32,
    timeout: Duration,
    upgrade: bool,
}

impl Call {
    /// A first attempt.
    #[must_use]
    pub fn new(place: impl Into<Arc<Place>>, timeout: Duration) -> Self {
        Self { place: place.into(), attempt: 1, timeout, upgrade: false }
    }

    /// The same for a request by which the client asks for another protocol. Its `Upgrade` says which.
    ///
    /// A backend that agrees answers 101 with a [`Tunnel`](crate::transport::Tunnel) in the answer's
    /// extensions; any other answer is passed on as it is.
    #[must_use]
    pub fn upgrade(mut self, upgrade: bool) -> Self {
        self.upgrade = upgrade;
        self
    }

    /// Whether the client asks for another protocol.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.upgrade
    }

    /// The backend service; absent for an API with its own definition.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceName> {
        self.place.service.as_ref()
    }

    /// The environment the request entered.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.place.environment
    }

    /// The revision that made the definition what it is.
    #[must_use]
    pub fn generation(&self) -> Revision {
        self.place.generation
    }

    /// Where a failure of this call happened.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Which attempt this is, counted from one.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How long the response head may take once the request is fully sent. The gateway enforces it.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}
