//! The metrics of connections: most are looked up when somebody asks, so that requests pay for none.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::event::{ConnectionOpened, Protocol};
use super::instrument::{Counter, Gauge, Histogram, Instruments};
use super::ledger::Known;
use super::limits::MAX_TARGETS;
use super::names;
use super::pool::Pool;
use crate::model::{Environment, ServiceName};

/// The pools there are, and what came of those that are gone.
#[derive(Debug)]
pub(super) struct Connections<I: Instruments>(
    Known<(Option<ServiceName>, Environment), PoolSeries<I>>,
);

/// The pools of one service in one environment.
#[derive(Debug)]
struct PoolSeries<I: Instruments> {
    service: Box<str>,
    environment: Box<str>,
    pools: Mutex<Pools>,
    instruments: OnceLock<PoolInstruments<I>>,
    opened: [OnceLock<I::Counter>; 2],
    took: OnceLock<I::Histogram>,
}

#[derive(Debug)]
struct PoolInstruments<I: Instruments> {
    open: I::Gauge,
    idle: I::Gauge,
    waiting: I::Gauge,
    reused: I::Counter,
    waits: I::Counter,
    busy: I::Counter,
}

#[derive(Debug, Default)]
struct Pools {
    live: Vec<Arc<Pool>>,
    gone: Sums,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    reused: u64,
    waits: u64,
    busy: u64,
}

impl Sums {
    fn add(&mut self, pool: &Pool) {
        self.reused += pool.reused();
        self.waits += pool.waits();
        self.busy += pool.busy();
    }
}

impl<I: Instruments> Connections<I> {
    pub(super) fn new() -> Self {
        Self(Known::new(MAX_TARGETS))
    }

    fn series(&self, pool: &Pool) -> Arc<PoolSeries<I>> {
        let place = pool.place();
        let key = (place.service.clone(), place.environment.clone());
        let (series, _) = self.0.find(&key, |own| PoolSeries {
            service: match &place.service {
                _ if !own => names::OTHER.into(),
                Some(service) => service.as_str().into(),
                None => names::INLINE.into(),
            },
            environment: place.environment.as_str().into(),
            pools: Mutex::default(),
            instruments: OnceLock::new(),
            opened: [const { OnceLock::new() }; 2],
            took: OnceLock::new(),
        });
        series
    }

    pub(super) fn pool_opened(&self, pool: &Arc<Pool>) {
        let series = self.series(pool);
        let mut pools = series.lock();
        pools.let_go();
        pools.live.push(Arc::clone(pool));
    }

    pub(super) fn opened(&self, instruments: &I, connection: &ConnectionOpened<'_>) {
        let series = self.series(connection.pool);
        let [http1, http2] = &series.opened;
        let cell = match connection.protocol {
            Protocol::Http1 => http1,
            Protocol::Http2 => http2,
        };
        let [service, environment] = series.labels();
        let labels = [service, environment, connection.protocol.as_str()];
        cell.get_or_init(|| instruments.counter(&names::CONNECTIONS_OPENED, &labels)).add(1);
        let made = || instruments.histogram(&names::CONNECTION_DURATION, &series.labels());
        series.took.get_or_init(made).record(connection.took);
    }

    pub(super) fn sample(&self, instruments: &I) {
        let mut all = Vec::new();
        self.0.each(|series| all.push(Arc::clone(series)));
        for series in all {
            series.sample(instruments);
        }
    }
}

impl<I: Instruments> PoolSeries<I> {
    fn labels(&self) -> [&str; 2] {
        [&self.service, &self.environment]
    }

    fn lock(&self) -> MutexGuard<'_, Pools> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sample(&self, instruments: &I) {
        let (live, mut sums) = {
            let mut pools = self.lock();
            pools.let_go();
            (pools.live.clone(), pools.gone)
        };
        let made = || PoolInstruments::new(instruments, self.labels());
        let instruments = self.instruments.get_or_init(made);
        let (mut open, mut idle, mut waiting) = (0, 0, 0);
        // Without the lock: asking for the idle ones may be what ends a pool, and that is told.
        for pool in &live {
            sums.add(pool);
            open += pool.open();
            idle += pool.idle();
            waiting += pool.waiting();
        }
        instruments.open.set(count(open));
        instruments.idle.set(count(idle));
        instruments.waiting.set(count(waiting));
        instruments.reused.reach(sums.reused);
        instruments.waits.reach(sums.waits);
        instruments.busy.reach(sums.busy);
    }
}

impl Pools {
    /// Adds up what nobody counts on any more.
    fn let_go(&mut self) {
        let gone = &mut self.gone;
        self.live.retain(|pool| {
            let is_live = Arc::strong_count(pool) > 1;
            if !is_live {
                gone.add(pool);
            }
            is_live
        });
    }
}

impl<I: Instruments> PoolInstruments<I> {
    fn new(instruments: &I, labels: [&str; 2]) -> Self {
        Self {
            open: instruments.gauge(&names::CONNECTIONS_OPEN, &labels),
            idle: instruments.gauge(&names::CONNECTIONS_IDLE, &labels),
            waiting: instruments.gauge(&names::REQUESTS_WAITING, &labels),
            reused: instruments.counter(&names::CONNECTIONS_REUSED, &labels),
            waits: instruments.counter(&names::WAITS, &labels),
            busy: instruments.counter(&names::BUSY, &labels),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
