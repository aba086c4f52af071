use proptest::prelude::*;

use super::*;

fn keys() -> impl Strategy<Value = Key> {
    let environment = || any::<u16>().prop_map(EnvironmentId::new);
    let service = || any::<u32>().prop_map(ServiceId::new);
    let api = || prop_oneof![0..3_u32, any::<u32>()].prop_map(ApiId::new);
    prop_oneof![
        Just(Key::Next),
        environment().prop_map(Key::Environment),
        service().prop_map(Key::Service),
        (service(), environment()).prop_map(|(service, id)| Key::Definition(service, id)),
        any::<u32>().prop_map(|id| Key::Group(GroupId::new(id))),
        api().prop_map(Key::Api),
        (api(), environment()).prop_map(|(api, id)| Key::Publication(api, id)),
        any::<u32>().prop_map(|id| Key::Resource(ResourceId::new(id))),
        (api(), environment(), any::<u32>()).prop_map(|(api, id, app)| Key::Grant(
            api,
            id,
            ResourceId::new(app)
        )),
        any::<u64>().prop_map(|revision| Key::Revision(Revision::new(revision))),
    ]
}

/// What the order of the bytes is to be.
fn place(key: Key) -> (u8, u64, u8, u16, u32) {
    match key {
        Key::Next => (0, 0, 0, 0, 0),
        Key::Environment(id) => (1, 0, 0, id.number(), 0),
        Key::Service(id) => (2, id.number().into(), 0, 0, 0),
        Key::Definition(service, id) => (3, service.number().into(), 0, id.number(), 0),
        Key::Group(id) => (4, id.number().into(), 0, 0, 0),
        Key::Resource(id) => (5, id.number().into(), 0, 0, 0),
        Key::Api(id) => (6, id.number().into(), 0, 0, 0),
        Key::Publication(api, id) => (6, api.number().into(), 1, id.number(), 0),
        Key::Grant(api, id, app) => (6, api.number().into(), 2, id.number(), app.number()),
        Key::Revision(revision) => (7, revision.as_u64(), 0, 0, 0),
    }
}

proptest! {
    #[test]
    fn a_key_comes_back(key in keys()) {
        prop_assert_eq!(decode(encode(key).as_slice()), Some(key));
    }

    #[test]
    fn bytes_are_in_the_order_of_keys(one in keys(), other in keys()) {
        let bytes = encode(one).as_slice().cmp(encode(other).as_slice());
        prop_assert_eq!(bytes, place(one).cmp(&place(other)));
    }

    #[test]
    fn bytes_stand_for_one_key_or_none(bytes in prop::collection::vec(any::<u8>(), 0..14)) {
        if let Some(key) = decode(&bytes) {
            let again = encode(key);
            prop_assert_eq!(again.as_slice(), &bytes[..]);
        }
    }

    #[test]
    fn no_beginning_of_a_key_is_a_key(key in keys(), more in any::<u8>()) {
        let bytes = encode(key);
        let bytes = bytes.as_slice();
        for length in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..length]), None);
        }
        prop_assert_eq!(decode(&[bytes, &[more]].concat()), None);
    }

    #[test]
    fn a_row_is_about_one_thing(key in keys(), revision in any::<u64>()) {
        prop_assert_eq!(row(encode(key).as_slice()), Some(Row::Record(key)));
        let revision = Revision::new(revision);
        let change = of_change(revision);
        prop_assert_eq!(row(change.as_slice()), Some(Row::Change(revision)));
        prop_assert_eq!(row(of_state().as_slice()), Some(Row::State));
        prop_assert!(change.as_slice() > encode(Key::Revision(revision)).as_slice());
        prop_assert!(REVISIONS.contains(&change.as_slice()));
        prop_assert!(of_state().as_slice() > encode(key).as_slice());
    }
}
