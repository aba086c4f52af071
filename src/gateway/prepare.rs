//! What is left to be done before a backend is called, where a request's head did not tell everything: a
//! nonce is looked up, a form is read.

use http::request::Parts;
use http_body::Body as _;

use super::admit::{Signed, Verified};
use super::receive::refused;
use super::route::below;
use super::service::Routed;
use super::{Inner, collect, map, upload};
use crate::backend::Body;
use crate::error::{ErrorKind, Result};
use crate::model::mapping::Encoding;

impl Inner {
    /// What is left of admission and mapping; then the body, which may fail on its way.
    pub(super) async fn prepare(
        &self,
        routed: &mut Routed,
        parts: &Parts,
        body: Body,
    ) -> Result<Body> {
        let signed = routed.signed.take();
        let mapped = routed.mapping.as_ref().and_then(|mapping| mapping.form());
        if mapped.is_some() || signed.as_ref().is_some_and(|signed| signed.needs_form) {
            return self.prepare_form(routed, signed.as_deref(), parts, body, mapped).await;
        }
        let mut digest = None;
        if let Some(signed) = &signed {
            self.admission.check_nonce(signed).await?;
            digest = signed.digest;
        }
        self.map(routed, parts, None)?;
        Ok(match digest {
            Some(digest) => upload::received(Verified::new(body, digest)),
            None => body,
        })
    }

    /// The same with a body that has to be read whole.
    async fn prepare_form(
        &self,
        routed: &mut Routed,
        signed: Option<&Signed>,
        parts: &Parts,
        body: Body,
        mapped: Option<Encoding>,
    ) -> Result<Body> {
        // Whose request it is, is seen first.
        let is_known = signed.is_none_or(|signed| !signed.needs_form);
        if let Some(encoding) = mapped.filter(|_| is_known) {
            map::check_content(encoding, &parts.headers, body.is_end_stream())?;
        }
        let form = collect::whole(body, routed.max_form).await?;
        if let Some(signed) = signed {
            if signed.needs_form {
                signed.verify(parts, self.full_uri(parts), Some(&form))?;
            }
            signed.digest.map_or(Ok(()), |digest| digest.check(&form))?;
            self.admission.check_nonce(signed).await?;
        }
        self.map(routed, parts, Some(&form))?;
        let mapping = routed.mapping.as_mut().filter(|_| mapped.is_some());
        Ok(match mapping.and_then(|mapping| mapping.mapped.as_ref()) {
            Some(mapped) => mapped.form.clone().map_or_else(Body::empty, Body::from),
            None => Body::from(form),
        })
    }

    fn map(&self, routed: &mut Routed, parts: &Parts, form: Option<&[u8]>) -> Result<()> {
        let Some(mapping) = &mut routed.mapping else {
            return Ok(());
        };
        let uri = self.full_uri(parts);
        // It was below when it was routed.
        let lost = || refused(ErrorKind::Internal, "path");
        let path = below(&self.prefix, uri.path()).ok_or_else(lost)??;
        mapping.run(parts, &path, uri.query(), form)
    }
}
