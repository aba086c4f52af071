//! Which publication a request belongs to, in one environment.
//!
//! Tuple-space search: the publications of a group are kept under the hash of what a request must
//! agree on for their shape, and the shapes of a group are tried in the order of precedence. What the
//! hash finds is compared with the request before it is believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;

use super::shared::{Pages, WideTrie};
use crate::model::Verb;
use crate::model::id::GroupId;
use crate::model::path::{RequestPath, Shape};
use crate::store::record::PublicationRecord;

/// The publications of one environment, live and dormant, by what requests look like.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTable {
    index: WideTrie<Arc<PublicationRecord>>,
    shapes: Pages<Arc<[ShapeUse]>>,
}

/// A shape, and how many publications of the group have it.
#[derive(Clone, Copy, Debug)]
struct ShapeUse {
    shape: Shape,
    count: u32,
}

/// The part of a hash that indexes keep.
pub(crate) fn key(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(0)
}

/// Counts one more or one less of a shape among those of a group, which are in order of precedence.
fn add(uses: &mut Vec<ShapeUse>, shape: Shape, change: i32) {
    match uses.binary_search_by(|used| used.shape.precedence(shape)) {
        Ok(at) => {
            if let Some(used) = uses.get_mut(at) {
                used.count = used.count.saturating_add_signed(change);
            }
        }
        Err(at) => uses.insert(at, ShapeUse { shape, count: change.max(0).unsigned_abs() }),
    }
    uses.retain(|used| used.count > 0);
}

impl RouteTable {
    /// A table of these publications.
    pub(crate) fn filled(publications: &[(u32, Arc<PublicationRecord>)]) -> Self {
        let mut index = Vec::with_capacity(publications.len());
        let mut shapes: BTreeMap<u32, Vec<ShapeUse>> = BTreeMap::new();
        for (_, publication) in publications {
            let (group, pattern) = (publication.group.number(), publication.version.pattern());
            index.push((key(pattern.hash(group)), Arc::clone(publication)));
            add(shapes.entry(group).or_default(), pattern.shape(), 1);
        }
        let shapes = shapes.into_iter().map(|(group, uses)| (group, uses.into()));
        Self { index: WideTrie::filled(index), shapes: Pages::filled(shapes) }
    }

    pub(crate) fn insert(&mut self, publication: &Arc<PublicationRecord>) {
        let group = publication.group.number();
        let pattern = publication.version.pattern();
        self.index.insert(key(pattern.hash(group)), Arc::clone(publication));
        self.count(publication.group, pattern.shape(), 1);
    }

    pub(crate) fn remove(&mut self, publication: &Arc<PublicationRecord>) {
        let group = publication.group.number();
        let pattern = publication.version.pattern();
        let taken = self.index.remove(key(pattern.hash(group)), |p| p.api == publication.api);
        if taken.is_some() {
            self.count(publication.group, pattern.shape(), -1);
        }
    }

    fn count(&mut self, group: GroupId, shape: Shape, change: i32) {
        let mut uses = self.shapes.get(group.number()).map_or_else(Vec::new, |u| u.to_vec());
        add(&mut uses, shape, change);
        self.shapes.set(group.number(), uses.into());
    }

    /// How many publications of a group there are, live or dormant.
    pub(crate) fn published(&self, group: GroupId) -> usize {
        let uses = self.shapes.get(group.number()).into_iter().flat_map(|uses| uses.iter());
        uses.map(|used| usize::try_from(used.count).unwrap_or(usize::MAX)).sum()
    }

    /// How many shapes the publications of a group have.
    pub(crate) fn shapes(&self, group: GroupId) -> usize {
        self.shapes.get(group.number()).map_or(0, |uses| uses.len())
    }

    /// The other publications with the same method and paths.
    pub(crate) fn rivals<'a>(
        &'a self,
        publication: &'a PublicationRecord,
    ) -> impl Iterator<Item = &'a Arc<PublicationRecord>> {
        let pattern = publication.version.pattern();
        self.index.under(key(pattern.hash(publication.group.number()))).filter(move |other| {
            other.api != publication.api
                && other.group == publication.group
                && other.version.verb() == publication.version.verb()
                && other.version.pattern().same_paths(pattern)
        })
    }

    /// The publication of `group` a request belongs to: of those that `live` says yes to, the first
    /// in the order of precedence, and for one path an exact method before ANY.
    pub(crate) fn look_up<T>(
        &self,
        group: GroupId,
        method: &Method,
        path: &RequestPath<'_>,
        base: usize,
        live: impl Fn(&PublicationRecord) -> Option<T>,
    ) -> Option<(&Arc<PublicationRecord>, T)> {
        let segments = path.len().checked_sub(base)?;
        let verb = Verb::exactly(method);
        for ShapeUse { shape, .. } in self.shapes.get(group.number())?.iter() {
            if !shape.fits(segments) {
                continue;
            }
            let hash = path.hash(*shape, group.number(), base);
            let mut any = None;
            for found in self.index.under(key(hash)) {
                let exact = Some(found.version.verb()) == verb;
                if !(exact || found.version.verb() == Verb::Any)
                    || found.group != group
                    || found.version.pattern().shape() != *shape
                    || !found.version.pattern().matches(path, base)
                {
                    continue;
                }
                match live(found) {
                    Some(live) if exact => return Some((found, live)),
                    Some(live) => any = Some((found, live)),
                    None => {}
                }
            }
            if any.is_some() {
                return any;
            }
        }
        None
    }
}
