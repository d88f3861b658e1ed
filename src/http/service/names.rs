//! The field names of a connection's last head.

use ::http::{HeaderMap, HeaderName, HeaderValue};

use crate::http::codec::Refusal;

/// What is known of the names of a connection's last heads.
///
/// The heads of one client mostly have the same fields, in the same order, with other values. Then the
/// map of the last head is copied, and the values are put into their places: no name is parsed, hashed or
/// allocated.
#[derive(Debug, Default)]
pub struct Names {
    /// A map with these names, none of them twice, and empty values.
    template: Option<HeaderMap>,

    /// How many fields the last head had for which there was no template.
    count: usize,
}

impl Names {
    /// Copies the fields of a head, with the values that `value` makes of them, into a map that is empty.
    ///
    /// # Errors
    ///
    /// A name or a value is none that `http` takes.
    #[inline(always)]
    pub(super) fn copy(
        &mut self,
        fields: &[httparse::Header<'_>],
        map: &mut HeaderMap,
        value: impl Fn(&[u8]) -> Result<HeaderValue, Refusal>,
    ) -> Result<(), Refusal> {
        if let Some(template) = self.template.as_ref().filter(|known| fits(known, fields)) {
            *map = template.clone();
            for (slot, field) in map.values_mut().zip(fields) {
                *slot = value(field.value)?;
            }
            return Ok(());
        }
        map.reserve(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name.as_bytes());
            let name = name.map_err(|_| Refusal::malformed("bad field name"))?;
            map.append(name, value(field.value)?);
        }
        self.remember(fields, map);
        Ok(())
    }

    /// Remembers the names of a map, if it is likely that they come again.
    fn remember(&mut self, fields: &[httparse::Header<'_>], map: &HeaderMap) {
        self.template = None;
        if std::mem::replace(&mut self.count, fields.len()) != fields.len() {
            return;
        }
        // One that comes twice has a place of its own for the second value.
        if map.keys_len() == fields.len() {
            let empty = HeaderValue::from_static("");
            let mut template = map.clone();
            template
                .values_mut()
                .for_each(|value| *value = empty.clone());
            self.template = Some(template).filter(|template| fits(template, fields));
        }
    }
}

/// Returns true if a map has the names of these fields, in the order in which it is gone through.
fn fits(template: &HeaderMap, fields: &[httparse::Header<'_>]) -> bool {
    let mut pairs = template.keys().zip(fields);
    template.len() == fields.len()
        && pairs.all(|(name, field)| name.as_str().eq_ignore_ascii_case(field.name))
}
