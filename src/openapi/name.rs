//! What an operation is called.

use crate::model::{ApiName, GroupName};

/// Characters an API's name may have at most.
const MAX_NAME: usize = 128;
/// What goes before a name that is too short or does not start with a letter.
const PREFIX: &str = "api_";

/// The name for an operation's id: the id itself if an API may be called so, else the nearest to it.
pub(super) fn of_id(group: &GroupName, id: &str) -> Option<ApiName> {
    if let Ok(name) = ApiName::new(group.clone(), id) {
        return Some(name);
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let fitting = |c: char| if fits(c) { c } else { '_' };
    // No longer than it can be kept, however long the id.
    let mut text: String = id.chars().take(MAX_NAME).map(fitting).collect();
    if !text.starts_with(char::is_alphabetic) || text.chars().count() < 4 {
        text = PREFIX.chars().chain(text.chars()).take(MAX_NAME).collect();
    }
    ApiName::new(group.clone(), &text).ok()
}

/// The name for an operation without an id: `get_orders_id` for `GET /orders/[id]`.
pub(super) fn of_route(group: &GroupName, verb: &str, path: &str) -> Option<ApiName> {
    let mut text = verb.to_ascii_lowercase();
    for part in path.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        text.push('_');
        text.push_str(part);
    }
    of_id(group, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_leads_to_a_name() {
        let group: GroupName = "shop".parse().unwrap();
        for (id, name) in [
            ("get_order", "get_order"),
            ("查询订单", "查询订单"),
            ("orders/get", "orders_get"),
            ("1st", "api_1st"),
            ("", "api_"),
            ("abc", "api_abc"),
        ] {
            assert_eq!(of_id(&group, id).unwrap().name(), name, "{id}");
        }
        let long = of_id(&group, &"/".repeat(4_000)).unwrap();
        assert_eq!(long.name().chars().count(), MAX_NAME);
    }

    #[test]
    fn a_route_leads_to_one_too() {
        let group: GroupName = "shop".parse().unwrap();
        let name = |verb, path| of_route(&group, verb, path).unwrap().name().to_owned();
        assert_eq!(name("GET", "/orders/[id]"), "get_orders_id");
        assert_eq!(name("GET", "/"), "api_get");
        assert_eq!(name("ANY", "/files/*"), "any_files");
    }
}
