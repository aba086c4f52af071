//! How a definition becomes a backend.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Backend, Capability};
use crate::model::definition::Settings;
use crate::model::{Definition, InvalidDefinition, Kind};
use crate::sync::Lease;
use crate::transport::Transport;

/// Makes the backends of one kind.
pub trait Factory: fmt::Debug + Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> Kind;

    /// What its backends can do.
    fn capability(&self) -> Capability;

    /// Makes a backend. Called while a change is compiled, before it is committed: quick, and without
    /// asking anybody.
    ///
    /// # Errors
    ///
    /// When the definition cannot be accepted: the change is refused, naming the field.
    fn build(&self, definition: &Definition, context: &Context)
    -> Result<Built, InvalidDefinition>;
}

/// What a factory made.
#[derive(Debug)]
#[non_exhaustive]
pub enum Built {
    /// A backend.
    Ready(Arc<dyn Backend>),
    /// The definition is good, but needs what this build does not have. Its requests are answered
    /// with `X503BZ`, and the status of the service says what is missing.
    Missing(String),
}

/// What a factory may use.
#[derive(Debug)]
#[non_exhaustive]
pub struct Context {
    transport: Transport,
    lease: Arc<Lease>,
}

impl Context {
    pub(crate) fn new(transport: Transport, lease: Arc<Lease>) -> Self {
        Self { transport, lease }
    }

    /// The way to the network.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whoever keeps a clone of it keeps the definition from counting as drained: a connection holds
    /// one until it is closed.
    #[must_use]
    pub fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }
}

/// A custom kind whose definitions are read as `D` and made into a backend by a function.
pub(crate) struct FromFunction<D, F> {
    kind: Kind,
    function: F,
    definition: PhantomData<fn() -> D>,
}

impl<D, F> FromFunction<D, F> {
    pub(crate) fn new(kind: Kind, function: F) -> Self {
        Self { kind, function, definition: PhantomData }
    }
}

impl<D, F> fmt::Debug for FromFunction<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromFunction").field(&self.kind).finish()
    }
}

impl<D, B, F> Factory for FromFunction<D, F>
where
    D: DeserializeOwned + 'static,
    B: Backend,
    F: Fn(D) -> Result<B, InvalidDefinition> + Send + Sync + 'static,
{
    fn kind(&self) -> Kind {
        self.kind.clone()
    }

    fn capability(&self) -> Capability {
        Capability::STREAMING
    }

    fn build(&self, definition: &Definition, _: &Context) -> Result<Built, InvalidDefinition> {
        let Settings::Custom(custom) = &definition.settings else {
            return Err(InvalidDefinition::new("kind", "is not the kind of this adapter"));
        };
        let settings = serde_json::Value::Object(custom.settings.clone());
        let own = serde_json::from_value(settings)
            .map_err(|error| InvalidDefinition::new(self.kind.as_str(), error.to_string()))?;
        Ok(Built::Ready(Arc::new((self.function)(own)?)))
    }
}
