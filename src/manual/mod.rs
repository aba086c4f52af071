//! The manual: one chapter a module, to be read in this order.
//!
//! | chapter | question |
//! |---|---|
//! | [`concepts`] | what is there, and how does it hang together? |
//! | [`publishing`] | how does something change, and when is the old side idle? |
//! | [`planning`] | what would a change do, and how is it taken back? |
//! | [`document`] | how is all of it written down in one text? |
//! | [`desired_state`] | how does that text come true, and what goes with what it no longer says? |
//! | [`life_of_a_request`] | what happens to a request on its way there and back? |
//! | [`admission`] | who may call, and how do callers say who they are? |
//! | [`mapping`] | what of a request's parameters does its backend receive? |
//! | [`transport`] | how is a backend reached, and what is believed of it? |
//! | [`names`] | where do requests go, where never, and what if a name changes? |
//! | [`failures`] | what can a client be told, what does it mean, and what is to be done? |
//! | [`defaults`] | how much of everything, why, and what happens beyond? |
//! | [`observing`] | what is told of all that, to whom, and by which names? |
//! | [`durability`] | what survives what, and what is to be done when it does not? |
//! | [`openapi`] | how do drafts come from a description, and how are they described? |
//! | [`write_a_backend`] | how does a kind of one's own come to be? |
//! | [`limits`] | what is not there yet? |
//!
//! Every sample in it is compiled and run by the tests, and its tables are compared with the code.

#[doc = include_str!("concepts.md")]
pub mod concepts {}

#[doc = include_str!("publishing.md")]
pub mod publishing {}

#[doc = include_str!("planning.md")]
pub mod planning {}

#[cfg_attr(feature = "document", doc = include_str!("document.md"))]
#[cfg_attr(not(feature = "document"), doc = "Needs the feature `document`.")]
pub mod document {}

#[cfg_attr(feature = "document", doc = include_str!("desired_state.md"))]
#[cfg_attr(not(feature = "document"), doc = "Needs the feature `document`.")]
pub mod desired_state {}

#[doc = include_str!("life_of_a_request.md")]
pub mod life_of_a_request {}

#[doc = include_str!("admission.md")]
pub mod admission {}
#[doc = include_str!("mapping.md")]
pub mod mapping {}

#[doc = include_str!("transport.md")]
pub mod transport {}

#[doc = include_str!("names.md")]
pub mod names {}

#[doc = include_str!("failures.md")]
pub mod failures {}

#[doc = include_str!("defaults.md")]
pub mod defaults {}

#[doc = include_str!("observing.md")]
pub mod observing {}

#[cfg_attr(feature = "store-redb", doc = include_str!("durability.md"))]
#[cfg_attr(not(feature = "store-redb"), doc = "Needs the feature `store-redb`.")]
pub mod durability {}

#[cfg_attr(feature = "openapi", doc = include_str!("openapi.md"))]
#[cfg_attr(not(feature = "openapi"), doc = "Needs the feature `openapi`.")]
pub mod openapi {}

#[doc = include_str!("write_a_backend.md")]
pub mod write_a_backend {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[cfg(test)]
mod tests;
