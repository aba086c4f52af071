//! Small numbers that names are interned to at the door. They are never reused.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$meta:meta])* $name:ident($number:ty)) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($number);

        impl $name {
            /// The id with this number.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn number(self) -> $number {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id!(
    /// A backend service.
    ServiceId(u32)
);
id!(
    /// A group.
    GroupId(u32)
);
id!(
    /// An API.
    ApiId(u32)
);
id!(
    /// An application, an authorization, or the registry's settings.
    ResourceId(u32)
);
id!(
    /// An environment: 0, 1 and 2 are TEST, PRE and RELEASE.
    EnvironmentId(u16)
);
