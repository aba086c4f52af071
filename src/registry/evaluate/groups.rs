//! Groups: hosts and base paths.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::super::site::AcceptedGroup;
use super::{ApiId, Checked, Draft, expected};
use crate::model::id::GroupId;
use crate::model::{Group, GroupName, Revision};
use crate::store::record::GroupRecord;
use crate::store::{Key, Record};

impl Draft<'_> {
    pub(super) fn group(&mut self, name: &str, group: &Group, expect: Option<Expect>) -> Checked {
        let name: GroupName = name.parse()?;
        expected(expect, self.group_before(&name))?;
        let known = self.next.group_id(&name);
        let id = known.unwrap_or_else(|| GroupId::new(self.ids.group));
        let accepted = AcceptedGroup::accept(id, group)?;
        for environment in accepted.hosts.iter().filter_map(|(_, bound)| bound.as_ref()) {
            self.environment_named(environment)?;
        }
        match known.and_then(|id| self.next.group(id)) {
            Some(before) if before.record.group == *group => return Ok(()),
            Some(_) => {}
            None => self.ids.group += 1,
        }
        self.put_group(id, name, group.clone());
        Ok(())
    }

    pub(super) fn rename_group(&mut self, from: &str, to: &str, expect: Option<Expect>) -> Checked {
        let (id, from) = self.group_named(from)?;
        expected(expect, self.group_before(&from))?;
        let to: GroupName = to.parse()?;
        if to == from {
            return Ok(());
        }
        if self.next.group_id(&to).is_some() {
            return Err(Reason::NameTaken(to.to_string()));
        }
        let Some(group) = self.next.group(id).map(|entry| entry.record.group.clone()) else {
            return Ok(());
        };
        self.put_group(id, to, group);
        Ok(())
    }

    pub(super) fn delete_group(&mut self, name: &str, expect: Option<Expect>) -> Checked {
        let (id, name) = self.group_named(name)?;
        expected(expect, self.group_before(&name))?;
        if let Some(apis) = self.next.drafts_in(id).filter(|apis| !apis.is_empty()) {
            return Err(self.in_use(apis.iter().map(ApiId::new), apis.len()));
        }
        self.write(Key::Group(id), None);
        Ok(())
    }

    fn put_group(&mut self, id: GroupId, name: GroupName, group: Group) {
        let before = self.next.group(id).map(|before| before.record.by_document);
        let by_document = self.mark(before);
        let record = GroupRecord { name, group, by_document, stamp: self.stamp() };
        self.write(Key::Group(id), Some(Record::Group(Arc::new(record))));
        self.groups.insert((id, self.index));
    }

    /// No other group has one of the group's hosts with its base path.
    pub(super) fn group_alone(&self, id: GroupId) -> Checked {
        let Some(entry) = self.next.group(id) else {
            return Ok(());
        };
        let options = &entry.accepted.options;
        for (host, _) in &entry.accepted.hosts {
            let sites = self.next.sites(host.as_str()).into_iter().flat_map(|s| &s.sites);
            let holder = sites
                .filter(|site| site.options.id != id)
                .find(|site| site.options.base_path == options.base_path)
                .and_then(|site| self.next.group(site.options.id));
            if let Some(holder) = holder {
                return Err(Reason::HostTaken {
                    host: host.to_string(),
                    base_path: entry.record.group.base_path.clone(),
                    holder: holder.record.name.clone(),
                });
            }
        }
        Ok(())
    }

    fn group_before(&self, name: &GroupName) -> Option<Revision> {
        let known = self.next.group_id(name);
        let gone = || self.base.group_id(name).filter(|id| self.next.group(*id).is_none());
        Some(self.base.group(known.or_else(gone)?)?.record.stamp.revision)
    }
}
