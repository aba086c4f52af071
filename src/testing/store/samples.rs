//! Records to keep.

use std::sync::Arc;

use crate::model::id::{ApiId, EnvironmentId, GroupId, ServiceId};
use crate::model::{
    Api, BackendService, ChangeId, Definition, Environment, Group, Kind, Revision, Stamp, Version,
};
use crate::store::record::{
    ApiRecord, DefinitionRecord, EnvironmentRecord, GroupRecord, Next, Past, PublicationRecord,
    RevisionRecord, ServiceRecord,
};
use crate::store::{Key, Record, Write};
use crate::time::Timestamp;
use crate::{Http, Mock};

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn stamp() -> Arc<Stamp> {
    let when = Timestamp::from_millis(1_700_000_000_123);
    Arc::new(Stamp::new(Revision::new(1), "deploy-bot", when).because("what was \"said\": 订单"))
}

/// The key of a service.
pub(super) fn key(id: u32) -> Key {
    Key::Service(ServiceId::new(id))
}

/// A write of a service with a description.
pub(super) fn service(id: u32, description: &str) -> Write {
    let service = BackendService::new(Kind::HTTP).description(description);
    let name = format!("service-{id}").parse().ok();
    let record = name.map(|name| ServiceRecord { name, service, stamp: stamp() });
    (key(id), record.map(|record| Record::Service(Arc::new(record))))
}

/// The description of a service, if it is one.
pub(super) fn description(record: &Record) -> Option<&str> {
    match record {
        Record::Service(record) => Some(&record.service.description),
        _ => None,
    }
}

/// A record of each sort, in the order of their keys.
pub(super) fn one_of_each() -> Result<Vec<(Key, Record)>, Failed> {
    let http = Http::to("https://10.0.0.7:8443/base").host("orders.internal");
    let definition = http.timeout(std::time::Duration::from_millis(2500));
    let own = Api::post("/own/[id]/*")
        .inline(Mock::new().status(203).header("x-banner", "1").body("\u{0}\u{7f}\"\\\n订"))
        .backend_path("/[id]/*");
    let shared = Api::get("/orders/[id]").service("orders", "/v1/orders/[id]").max_body(1 << 30);
    let (service, group, test) = (ServiceId::new(7), GroupId::new(3), EnvironmentId::new(0));
    let version =
        |api: &Api, service| Version::accept(api, service).map(Arc::new).map_err(Failed::from);
    let (own, shared) = (version(&own, None)?, version(&shared, Some(service))?);
    let publication = |api, version: &Arc<Version>, epoch| {
        let (version, stamp) = (Arc::clone(version), stamp());
        Record::Publication(Arc::new(PublicationRecord { api, group, version, epoch, stamp }))
    };
    let (first, last) = (ApiId::new(0), ApiId::new(u32::MAX));
    Ok(vec![
        (Key::Next, Record::Next(Next { environment: 1, service: 8, group: 4, api: u32::MAX })),
        (Key::Environment(EnvironmentId::new(3)), environment()?),
        (Key::Service(service), orders()?),
        (Key::Definition(service, test), defined(definition)),
        (Key::Group(group), shop()?),
        (Key::Api(first), draft(group, "get_order", &shared)),
        (Key::Api(last), draft(group, "订单 own", &own)),
        (Key::Publication(first, test), publication(first, &shared, Some(Revision::new(1)))),
        (Key::Publication(last, test), publication(last, &own, None)),
        (Key::Revision(Revision::new(1)), past(publication(first, &shared, None))?),
    ])
}

fn past(published: Record) -> Result<Record, Failed> {
    let group = GroupId::new(3);
    let touched = [
        (Key::Group(group), Past::Was(shop()?)),
        (Key::Publication(ApiId::new(0), EnvironmentId::new(0)), Past::Was(published)),
        (Key::Publication(ApiId::new(9), EnvironmentId::new(0)), Past::Gone(Revision::ZERO)),
    ];
    let record = RevisionRecord {
        change: ChangeId::from_bits(u128::MAX - 1),
        stamp: stamp(),
        forced: Some("the zone is on fire".into()),
        undoes: [Revision::ZERO].into(),
        created: [Key::Environment(EnvironmentId::new(9)), Key::Api(ApiId::new(1))].into(),
        touched: touched.into(),
    };
    Ok(Record::Revision(Arc::new(record)))
}

fn environment() -> Result<Record, Failed> {
    let name: Environment = "STAGING".parse()?;
    let description = "before it is live".into();
    Ok(Record::Environment(Arc::new(EnvironmentRecord { name, description, stamp: stamp() })))
}

fn orders() -> Result<Record, Failed> {
    let (name, service) = ("orders".parse()?, BackendService::new(Kind::HTTP));
    Ok(Record::Service(Arc::new(ServiceRecord { name, service, stamp: stamp() })))
}

fn defined(definition: Definition) -> Record {
    let epoch = Revision::new(u64::MAX);
    let accepted = [Revision::new(3), Revision::new(2)].into();
    let stamp = stamp();
    Record::Definition(Arc::new(DefinitionRecord { definition, epoch, accepted, stamp }))
}

fn shop() -> Result<Record, Failed> {
    let group = Group::host("shop.example.com")
        .stage_host("test.example.com", "STAGING")
        .base_path("/shop")
        .passthrough_header("host");
    let name = "shop".parse()?;
    Ok(Record::Group(Arc::new(GroupRecord { name, group, stamp: stamp() })))
}

fn draft(group: GroupId, name: &str, version: &Arc<Version>) -> Record {
    let (name, version) = (name.into(), Arc::clone(version));
    Record::Api(Arc::new(ApiRecord { group, name, version, stamp: stamp() }))
}
