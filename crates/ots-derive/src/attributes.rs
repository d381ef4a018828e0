//! `#[ots(..)]` as it is written, each attribute with its place.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, ExprPath, LitStr, Path, parse_quote};

use crate::case::Case;

/// The attributes of a struct.
pub(crate) struct StructAttributes {
    pub(crate) krate: Path,
    pub(crate) rename_all: Option<Case>,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) rename: Option<LitStr>,
    pub(crate) primary_key: Option<Span>,
    /// The place of `flatten` inside of `primary_key`.
    pub(crate) flatten: Option<Span>,
    pub(crate) auto_increment: Option<Span>,
    pub(crate) timestamp: Option<(Span, Unit)>,
    pub(crate) json: Option<Span>,
    pub(crate) default: Option<(Span, Option<ExprPath>)>,
    pub(crate) skip: Option<Span>,
}

/// The unit of a point in time.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl StructAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let (mut krate, mut rename_all) = (None, None);
        each(attributes, |meta| {
            if meta.path.is_ident("rename_all") {
                let text: LitStr = meta.value()?.parse()?;
                let case = Case::parse(&text.value()).ok_or_else(|| {
                    let choices = Case::choices();
                    syn::Error::new(text.span(), format!("unknown case; there are {choices}"))
                })?;
                set(&mut rename_all, case, &meta)
            } else if meta.path.is_ident("crate") {
                let text: LitStr = meta.value()?.parse()?;
                set(&mut krate, text.parse_with(Path::parse_mod_style)?, &meta)
            } else {
                Err(meta.error("unknown attribute of a struct; there are `rename_all` and `crate`"))
            }
        })?;
        Ok(Self {
            krate: krate.unwrap_or_else(|| parse_quote!(::ots_proto)),
            rename_all,
        })
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| parsed.take(&meta))?;
        Ok(parsed)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let span = meta.path.span();
        let Some(name) = meta.path.get_ident().map(ToString::to_string) else {
            return Err(unknown(meta));
        };
        match name.as_str() {
            "rename" => set(&mut self.rename, meta.value()?.parse()?, meta),
            "primary_key" => {
                if meta.input.peek(syn::token::Paren) {
                    meta.parse_nested_meta(|inner| {
                        if inner.path.is_ident("flatten") {
                            set(&mut self.flatten, inner.path.span(), &inner)
                        } else {
                            Err(inner.error("expected `primary_key(flatten)`"))
                        }
                    })?;
                }
                set(&mut self.primary_key, span, meta)
            }
            "auto_increment" => set(&mut self.auto_increment, span, meta),
            "timestamp" => {
                let unit = Unit::parse(&meta.value()?.parse()?)?;
                set(&mut self.timestamp, (span, unit), meta)
            }
            "json" => set(&mut self.json, span, meta),
            "default" => {
                let path = if meta.input.peek(syn::Token![=]) {
                    let text: LitStr = meta.value()?.parse()?;
                    Some(text.parse()?)
                } else {
                    None
                };
                set(&mut self.default, (span, path), meta)
            }
            "skip" => set(&mut self.skip, span, meta),
            _ => Err(unknown(meta)),
        }
    }
}

impl Unit {
    fn parse(text: &LitStr) -> syn::Result<Self> {
        match text.value().as_str() {
            "s" => Ok(Self::Seconds),
            "ms" => Ok(Self::Milliseconds),
            "us" => Ok(Self::Microseconds),
            "ns" => Ok(Self::Nanoseconds),
            _ => {
                let message = "unknown unit; there are `s`, `ms`, `us` and `ns`";
                Err(syn::Error::new(text.span(), message))
            }
        }
    }
}

/// Reads what is in `#[ots(..)]`, however many of them there are.
fn each(
    attributes: &[Attribute],
    mut take: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("ots"))
        .try_for_each(|attribute| attribute.parse_nested_meta(&mut take))
}

fn set<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if slot.is_some() {
        return Err(meta.error("given twice"));
    }
    *slot = Some(value);
    Ok(())
}

fn unknown(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(
        "unknown attribute of a field; there are `rename`, `primary_key`, `auto_increment`, \
         `timestamp`, `json`, `default` and `skip`",
    )
}
