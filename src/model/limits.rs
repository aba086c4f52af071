//! How large things may be, each with its reason. What exceeds one is refused with an error that
//! names it.

use std::time::Duration;

/// Characters in a description of a service, group or API: the modelled system's limit (domain §2.1).
pub const MAX_DESCRIPTION: usize = 180;
/// Characters in the description of an environment: the modelled system's limit (domain §3.2).
pub const MAX_ENVIRONMENT_DESCRIPTION: usize = 200;
/// Bytes in a path pattern or template: a request's URI may be no longer either.
pub const MAX_PATH: usize = 8 * 1024;
/// Segments in a path pattern: the bits of the mask that says which of them are parameters.
pub const MAX_SEGMENTS: usize = 32;
/// Different shapes of path in one group and environment: a look-up may have to try each.
pub const MAX_SHAPES: usize = 256;
/// Hosts of one group.
pub const MAX_HOSTS: usize = 1_000;
/// Bytes in the sample of a successful response: the modelled system's limit (domain §2.1).
pub const MAX_SAMPLE: usize = 32 * 1024;
/// Bytes in the sample of a failure: the modelled system's limit (domain §2.1).
pub const MAX_ERROR_SAMPLE: usize = 16 * 1024;
/// Bytes in the body of a mock: the modelled system's limit (domain §10).
pub const MAX_MOCK_BODY: usize = 50 * 1024;
/// Headers of a mock.
pub const MAX_MOCK_HEADERS: usize = 100;
/// Bytes in the settings of a custom definition.
pub const MAX_CUSTOM_DEFINITION: usize = 64 * 1024;
/// Environments beside the three that are always there.
pub const MAX_ENVIRONMENTS: usize = 64;
/// Epochs of deleted definitions whose publications a newer definition makes live: each costs every
/// request through it a comparison.
pub const MAX_ACCEPTED_EPOCHS: usize = 8;
/// Revisions that are kept, and can be undone, unless said otherwise: more than a day of a busy
/// operator's work, at about a kilobyte for a change of a definition.
pub const HISTORY_REVISIONS: usize = 1_000;
/// How long revisions are kept unless said otherwise: longer than it takes to notice.
pub const HISTORY_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Largest body limit an API may set.
pub const MAX_BODY_LIMIT: u64 = 1024 * 1024 * 1024 * 1024;
/// Characters in a publisher's name and in a reason (domain §3.1: a description of at most 200).
pub const MAX_REASON: usize = 200;
/// Bytes in an application's key, secret or code (domain §4.4).
pub const CREDENTIAL_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// Keys of one application, and codes: enough to replace one while others are in use.
pub const MAX_APP_CREDENTIALS: usize = 100;
/// Parameters of one API, constants, and system parameters: each costs every request of it.
pub const MAX_PARAMETERS: usize = 256;
/// Bytes in a parameter's pattern: longer ones are lists, which `enum` is for.
pub const MAX_PATTERN: usize = 4 * 1024;
/// Bytes of a parameter's pattern once it is compiled: enough for names of 128 letters of any alphabet
/// (`^[\w-]{1,128}$`). A short pattern can stand for a huge machine.
pub const MAX_PATTERN_SIZE: usize = 8 * 1024 * 1024;
/// Bytes in a parameter's JSON schema: several times the longest that people write.
pub const MAX_SCHEMA: usize = 64 * 1024;
/// Levels of lists and objects within each other in a JSON schema: the compiler of schemas recurses.
pub const MAX_SCHEMA_DEPTH: usize = 64;
/// Schemas in a row that are about one value, by `$ref`, `allOf` and the like: each takes stack, and once
/// for every level of the value.
pub const MAX_SCHEMA_CHAIN: usize = 32;
/// Levels of lists and objects within each other in a parameter that has a JSON schema: what common
/// readers of JSON take.
pub const MAX_JSON_DEPTH: usize = 128;
/// Stage variables of one group in one environment (domain §12).
pub const MAX_VARIABLES: usize = 50;
/// Bytes of a stage variable's name: as many as a parameter's in a path.
pub const MAX_VARIABLE_NAME: usize = 64;
/// Bytes of a stage variable's value: as many as any text of a definition.
pub const MAX_VARIABLE: usize = 1024;
/// Refusals of one change that are told at once: more than anybody reads.
pub const MAX_REFUSALS: usize = 100;
