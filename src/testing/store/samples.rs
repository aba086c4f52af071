//! Records to keep.

use std::sync::Arc;

use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::{
    Api, App, BackendService, ChangeId, Definition, Environment, Grant, Group, Kind, Revision,
    Stamp, Version,
};
use crate::store::record::{
    ApiRecord, DefinitionRecord, EnvironmentRecord, GrantRecord, GroupRecord, Next, Past,
    PublicationRecord, ResourceRecord, RevisionRecord, ServiceRecord,
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
    let record =
        name.map(|name| ServiceRecord { name, service, by_document: false, stamp: stamp() });
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
        let (version, stamp, by_document) = (Arc::clone(version), stamp(), api == ApiId::new(0));
        let record = PublicationRecord { api, group, version, epoch, by_document, stamp };
        Record::Publication(Arc::new(record))
    };
    let (first, last) = (ApiId::new(0), ApiId::new(u32::MAX));
    Ok(vec![
        (
            Key::Next,
            Record::Next(Next { environment: 1, service: 8, group: 4, api: u32::MAX, resource: 6 }),
        ),
        (Key::Environment(EnvironmentId::new(3)), environment()?),
        (Key::Service(service), orders()?),
        (Key::Definition(service, test), defined(definition)),
        (Key::Group(group), shop()?),
        (Key::Resource(ResourceId::new(5)), app()?),
        (Key::Api(first), draft(group, "get_order", &shared)),
        (Key::Api(last), draft(group, "订单 own", &own)),
        (Key::Publication(first, test), publication(first, &shared, Some(Revision::new(1)))),
        (Key::Publication(last, test), publication(last, &own, None)),
        (Key::Grant(first, test, ResourceId::new(5)), granted(first, test)),
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
    Ok(Record::Environment(Arc::new(EnvironmentRecord {
        name,
        description,
        by_document: true,
        stamp: stamp(),
    })))
}

fn orders() -> Result<Record, Failed> {
    let (name, service) = ("orders".parse()?, BackendService::new(Kind::HTTP));
    Ok(Record::Service(Arc::new(ServiceRecord {
        name,
        service,
        by_document: false,
        stamp: stamp(),
    })))
}

fn defined(definition: Definition) -> Record {
    let epoch = Revision::new(u64::MAX);
    let accepted = [Revision::new(3), Revision::new(2)].into();
    let stamp = stamp();
    Record::Definition(Arc::new(DefinitionRecord {
        definition,
        epoch,
        accepted,
        by_document: true,
        stamp,
    }))
}

fn shop() -> Result<Record, Failed> {
    let group = Group::host("shop.example.com")
        .stage_host("test.example.com", "STAGING")
        .base_path("/shop")
        .passthrough_header("host");
    let name = "shop".parse()?;
    Ok(Record::Group(Arc::new(GroupRecord { name, group, by_document: false, stamp: stamp() })))
}

fn app() -> Result<Record, Failed> {
    let resource = App::new().key("203753385", "sampleSecret1").code("sampleAppCode1").into();
    let name = "手机 app".parse()?;
    let record = ResourceRecord { name, resource, by_document: true, stamp: stamp() };
    Ok(Record::Resource(Arc::new(record)))
}

fn granted(api: ApiId, environment: EnvironmentId) -> Record {
    let grant = Grant::until(Timestamp::from_millis(1_893_456_000_001));
    let (app, stamp) = (ResourceId::new(5), stamp());
    let record = GrantRecord { api, environment, app, grant, by_document: false, stamp };
    Record::Grant(Arc::new(record))
}

fn draft(group: GroupId, name: &str, version: &Arc<Version>) -> Record {
    let (name, version) = (name.into(), Arc::clone(version));
    Record::Api(Arc::new(ApiRecord { group, name, version, by_document: true, stamp: stamp() }))
}
