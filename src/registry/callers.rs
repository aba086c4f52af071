//! Whom a key or a code belongs to.

use std::sync::{Arc, OnceLock};

use subtle::ConstantTimeEq;

use super::resources::Resources;
use crate::model::App;
use crate::model::id::ResourceId;
use crate::model::path::hash_bytes;
use crate::sign::SigningKey;
use crate::store::record::ResourceRecord;

/// The keys of an application, in its order, each made ready when it is first used.
#[derive(Debug)]
pub(crate) struct Prepared(Box<[OnceLock<SigningKey>]>);

/// An application that a request names.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: ResourceId,
    pub(crate) record: Arc<ResourceRecord>,
}

/// One of an application's keys.
#[derive(Clone, Debug)]
pub(crate) struct CallerKey {
    pub(crate) caller: Caller,
    prepared: Arc<Prepared>,
    index: usize,
}

impl Prepared {
    pub(super) fn of(app: &App) -> Self {
        Self(app.keys.iter().map(|_| OnceLock::new()).collect())
    }
}

impl CallerKey {
    /// What the caller has to have signed with.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        let secret = &self.caller.record.resource.app()?.keys.get(self.index)?.secret;
        Some(self.prepared.0.get(self.index)?.get_or_init(|| SigningKey::new(secret.expose())))
    }
}

impl Resources {
    /// Whose key this is.
    pub(crate) fn by_key(&self, key: &str) -> Option<CallerKey> {
        self.with_credential(key.as_bytes()).find_map(|caller| {
            let app = caller.record.resource.app()?;
            let index = app.keys.iter().position(|own| own.key == key)?;
            let prepared = Arc::clone(self.prepared(caller.id)?);
            Some(CallerKey { caller, prepared, index })
        })
    }

    /// Whose code this is. Which of its letters are right cannot be told from how long it takes.
    pub(crate) fn by_code(&self, code: &[u8]) -> Option<Caller> {
        self.with_credential(code).find(|caller| {
            let codes = caller.record.resource.app().map(|app| app.codes.as_slice());
            let same = |own: &[u8]| bool::from(own.ct_eq(code));
            codes.unwrap_or_default().iter().any(|own| same(own.expose().as_bytes()))
        })
    }

    fn with_credential(&self, text: &[u8]) -> impl Iterator<Item = Caller> {
        self.under_credential(hash_bytes(text)).filter_map(|id| {
            let record = Arc::clone(self.get(id)?);
            Some(Caller { id, record })
        })
    }
}
