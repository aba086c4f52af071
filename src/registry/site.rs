//! Which group a request belongs to.

use std::sync::Arc;

use http::HeaderName;

use crate::model::id::{EnvironmentId, GroupId};
use crate::model::limits::{MAX_HOSTS, MAX_VARIABLE, MAX_VARIABLE_NAME, MAX_VARIABLES};
use crate::model::path::{PathPattern, RequestPath};
use crate::model::variable;
use crate::model::version::check_description;
use crate::model::{Environment, Group, Host, InvalidDefinition};

/// What requests need to know of a group.
#[derive(Debug)]
pub(crate) struct GroupOptions {
    pub(crate) id: GroupId,
    /// Canonical, without trailing slash: empty for `/`.
    pub(crate) base_path: Box<str>,
    /// The header that holds AppCodes, where it is not `Authorization`.
    pub(crate) app_code_header: Option<HeaderName>,
    /// What of the client's headers goes on where only what is mapped does.
    pub(crate) passthrough_headers: Arc<[HeaderName]>,
    pub(crate) terms: Terms,
}

/// What requests need to know of a group once they are routed. Copied, because counting one more
/// owner would write to memory that nothing else of a request touches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) base_segments: usize,
    pub(crate) passthrough_host: bool,
    pub(crate) app_code_to_backend: bool,
    /// Whether callers may ask how their requests were handled.
    pub(crate) debug: bool,
}

/// A group on one of its hosts.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) options: Arc<GroupOptions>,
    pub(crate) environment: Option<EnvironmentId>,
}

/// The groups on one host, the longest base path first.
#[derive(Clone, Debug)]
pub(crate) struct Sites {
    pub(crate) host: Host,
    pub(crate) sites: Vec<Site>,
}

/// A group's hosts, base path and options, parsed.
#[derive(Debug)]
pub(crate) struct AcceptedGroup {
    pub(crate) options: Arc<GroupOptions>,
    pub(crate) hosts: Vec<(Host, Option<Environment>)>,
}

impl AcceptedGroup {
    /// Accepts a group as it was written.
    pub(crate) fn accept(id: GroupId, group: &Group) -> Result<Self, InvalidDefinition> {
        let invalid = |field: &str, reason: String| InvalidDefinition::new(field, reason);
        check_description(&group.description)?;
        let base = PathPattern::parse(&group.base_path, true)
            .map_err(|error| invalid("base_path", error.to_string()))?;
        if base.shape().tail {
            return Err(invalid("base_path", "ends in '*'".to_owned()));
        }
        let base_path: Box<str> = base.as_str().trim_end_matches('/').into();
        let passthrough_headers = group
            .passthrough_headers
            .iter()
            .map(|name| name.parse::<HeaderName>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| invalid("passthrough_headers", error.to_string()))?;
        let app_code_header = group.app_code_header.as_ref().map(|name| name.parse::<HeaderName>());
        let app_code_header = app_code_header
            .transpose()
            .map_err(|error| invalid("app_code_header", error.to_string()))?
            .filter(|name| *name != http::header::AUTHORIZATION);
        check_variables(group)?;
        let options = Arc::new(GroupOptions {
            id,
            terms: Terms {
                base_segments: base_path.matches('/').count(),
                passthrough_host: passthrough_headers.contains(&http::header::HOST),
                app_code_to_backend: group.app_code_to_backend,
                debug: group.debug,
            },
            app_code_header,
            passthrough_headers: passthrough_headers.into(),
            base_path,
        });
        Ok(Self { options, hosts: accept_hosts(group)? })
    }
}

fn check_variables(group: &Group) -> Result<(), InvalidDefinition> {
    for (environment, variables) in &group.variables {
        let field = || format!("variables.{environment}");
        if let Err(error) = environment.parse::<Environment>() {
            return Err(InvalidDefinition::new(field(), error.to_string()));
        }
        if variables.len() > MAX_VARIABLES {
            let reason = format!("are more than {MAX_VARIABLES}");
            return Err(InvalidDefinition::new(field(), reason));
        }
        if let Some(name) = variables.keys().find(|name| !variable::is_name(name)) {
            let shown: String = name.chars().take(MAX_VARIABLE_NAME).collect();
            let reason =
                format!("{shown:?} is not 1 to {MAX_VARIABLE_NAME} letters, digits and '_'");
            return Err(InvalidDefinition::new(field(), reason));
        }
        let long = |(_, value): &(&String, &String)| value.len() > MAX_VARIABLE;
        if let Some((name, _)) = variables.iter().find(long) {
            let field = format!("{}.{name}", field());
            let reason = format!("is longer than {MAX_VARIABLE} bytes");
            return Err(InvalidDefinition::new(field, reason));
        }
    }
    Ok(())
}

fn accept_hosts(group: &Group) -> Result<Vec<(Host, Option<Environment>)>, InvalidDefinition> {
    if group.hosts.len() + group.stage_hosts.len() > MAX_HOSTS {
        return Err(InvalidDefinition::new("hosts", format!("are more than {MAX_HOSTS}")));
    }
    let host = |field: &str, text: &str| {
        text.to_ascii_lowercase()
            .parse::<Host>()
            .map_err(|error| InvalidDefinition::new(field, error.to_string()))
    };
    let mut hosts = Vec::new();
    for text in &group.hosts {
        hosts.push((host("hosts", text)?, None));
    }
    for (text, environment) in &group.stage_hosts {
        let environment: Environment = environment
            .parse()
            .map_err(|error| InvalidDefinition::new("stage_hosts", format!("{error}")))?;
        hosts.push((host("stage_hosts", text)?, Some(environment)));
    }
    let mut names: Vec<_> = hosts.iter().map(|(host, _)| host).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        Some(twice) => {
            Err(InvalidDefinition::new("hosts", format!("{:?} stands there twice", twice.as_str())))
        }
        None => Ok(hosts),
    }
}

impl Sites {
    /// The group whose base path the request's path is below; of several the one with the longest.
    pub(crate) fn site(&self, path: &RequestPath<'_>) -> Option<&Site> {
        self.sites.iter().find(|site| {
            path.canonical()
                .strip_prefix(&*site.options.base_path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The same with a group more.
    pub(crate) fn with(&self, site: Site) -> Self {
        let mut sites = self.sites.clone();
        let length = |site: &Site| std::cmp::Reverse(site.options.terms.base_segments);
        let at = sites.partition_point(|other| length(other) <= length(&site));
        sites.insert(at, site);
        Self { host: self.host.clone(), sites }
    }

    /// The same without a group.
    pub(crate) fn without(&self, group: GroupId) -> Self {
        let sites = self.sites.iter().filter(|site| site.options.id != group).cloned().collect();
        Self { host: self.host.clone(), sites }
    }
}
