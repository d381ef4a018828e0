//! What a struct says of a row, checked: the fields with their columns and the way they are kept.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, ExprPath, Field, Fields, Generics, Ident, Path, Type};

use crate::attributes::{FieldAttributes, StructAttributes, Unit};
use crate::case::Case;

/// A struct, ready to be turned into code.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// Where `ots_proto` is.
    pub(crate) krate: Path,
    /// Columns of the key, in the table's order.
    pub(crate) key: Vec<KeyField>,
    /// Attribute columns, in the order of the struct.
    pub(crate) columns: Vec<ColumnField>,
    pub(crate) skipped: Vec<Ident>,
}

/// A field of the key.
pub(crate) struct KeyField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) kept: KeyKept,
}

/// How a field of the key is kept.
pub(crate) enum KeyKept {
    /// In one column.
    Column { name: String, codec: KeyCodec },
    /// In the columns of its own type.
    Flattened,
}

/// How a value stands in a key column.
#[derive(Clone, Copy)]
pub(crate) enum KeyCodec {
    Value,
    /// An `Option`; none is the placeholder.
    AutoIncrement,
    Timestamp(Unit),
}

/// A field of an attribute column.
pub(crate) struct ColumnField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) codec: Codec,
    pub(crate) missing: Missing,
}

/// How a value stands in an attribute column.
#[derive(Clone, Copy)]
pub(crate) enum Codec {
    Value,
    Timestamp(Unit),
    Json,
}

/// What a missing column is.
pub(crate) enum Missing {
    /// What the type says.
    OfType,
    Default,
    Call(ExprPath),
}

/// What is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Row,
    PrimaryKey,
}

/// The most columns that a primary key has.
const MOST_KEY_COLUMNS: usize = 4;
/// The longest name of a column.
const MOST_NAME_BYTES: usize = 255;

impl Model {
    /// Reads a struct; every mistake is an error of its own, at its field.
    pub(crate) fn parse(input: &DeriveInput, kind: Kind) -> syn::Result<Self> {
        let fields = named_fields(input)?;
        let StructAttributes { krate, rename_all } = StructAttributes::parse(&input.attrs)?;
        let mut model = Self {
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            krate,
            key: Vec::new(),
            columns: Vec::new(),
            skipped: Vec::new(),
        };
        let mut errors = Errors::default();
        let mut names = HashMap::new();
        for field in fields {
            let added = model.add(field, kind, rename_all, &mut names);
            errors.keep(added);
        }
        if kind == Kind::PrimaryKey && model.key.is_empty() {
            let message = "a primary key has at least one column";
            errors.or(syn::Error::new(input.ident.span(), message));
        }
        errors.finish(model)
    }

    fn add(
        &mut self,
        field: &Field,
        kind: Kind,
        rename_all: Option<Case>,
        names: &mut HashMap<String, Ident>,
    ) -> syn::Result<()> {
        let Some(ident) = field.ident.clone() else {
            return Err(syn::Error::new_spanned(field, "a field needs a name"));
        };
        let ty = field.ty.clone();
        let attributes = FieldAttributes::parse(&field.attrs)?;
        attributes.agree(kind)?;
        if attributes.skip.is_some() {
            self.skipped.push(ident);
            return Ok(());
        }
        let is_key = kind == Kind::PrimaryKey || attributes.primary_key.is_some();
        if is_key && !self.columns.is_empty() {
            let message = "key fields come before the others, in the table's order";
            return Err(syn::Error::new(ident.span(), message));
        }
        if attributes.flatten.is_some() {
            let kept = KeyKept::Flattened;
            self.key.push(KeyField { ident, ty, kept });
            return Ok(());
        }
        let name = column_name(&ident, &attributes, rename_all)?;
        if let Some(first) = names.insert(name.clone(), ident.clone()) {
            let message = format!("column {name:?} is already that of field `{first}`");
            return Err(syn::Error::new(ident.span(), message));
        }
        if is_key {
            let codec = self.key_codec(&attributes, &ty)?;
            let kept = KeyKept::Column { name, codec };
            self.key.push(KeyField { ident, ty, kept });
            return self.check_key_length();
        }
        self.columns.push(ColumnField {
            ident,
            ty,
            name,
            codec: match (attributes.timestamp, attributes.json) {
                (Some((_, unit)), _) => Codec::Timestamp(unit),
                (None, Some(_)) => Codec::Json,
                (None, None) => Codec::Value,
            },
            missing: match attributes.default {
                None => Missing::OfType,
                Some((_, None)) => Missing::Default,
                Some((_, Some(path))) => Missing::Call(path),
            },
        });
        Ok(())
    }

    fn key_codec(&self, attributes: &FieldAttributes, ty: &Type) -> syn::Result<KeyCodec> {
        if let Some(span) = attributes.auto_increment {
            if self.key.is_empty() {
                let message = "the first key column can't be an auto-increment column";
                return Err(syn::Error::new(span, message));
            }
            if self.key.iter().any(KeyField::is_auto_increment) {
                let message = "a table has at most one auto-increment column";
                return Err(syn::Error::new(span, message));
            }
            return Ok(KeyCodec::AutoIncrement);
        }
        // Other types are refused by the traits; these are the likely ones, and worth a better text.
        if let Some(name) = last_segment(ty)
            && ["bool", "char", "f32", "f64", "Option"].contains(&name.as_str())
        {
            let hint = if name == "Option" {
                "; `#[ots(auto_increment)]` makes it one whose value the service picks"
            } else {
                ""
            };
            let message =
                format!("a key column holds an integer, text or bytes, not `{name}`{hint}");
            return Err(syn::Error::new_spanned(ty, message));
        }
        Ok(match attributes.timestamp {
            Some((_, unit)) => KeyCodec::Timestamp(unit),
            None => KeyCodec::Value,
        })
    }

    fn check_key_length(&self) -> syn::Result<()> {
        match self.key.get(MOST_KEY_COLUMNS) {
            Some(field) => {
                let message = format!("a primary key has at most {MOST_KEY_COLUMNS} columns");
                Err(syn::Error::new(field.ident.span(), message))
            }
            None => Ok(()),
        }
    }
}

impl KeyField {
    const fn is_auto_increment(&self) -> bool {
        matches!(
            self.kept,
            KeyKept::Column {
                codec: KeyCodec::AutoIncrement,
                ..
            }
        )
    }
}

impl FieldAttributes {
    /// Refuses attributes that make no sense together, at the one that is too much.
    fn agree(&self, kind: Kind) -> syn::Result<()> {
        let timestamp = self.timestamp.map(|(span, _)| span);
        let default = self.default.as_ref().map(|(span, _)| *span);
        let rename = self.rename.as_ref().map(syn::LitStr::span);
        if kind == Kind::PrimaryKey {
            let message = "every field of a key is a key column: only `rename`, `timestamp` and \
                           `auto_increment` apply";
            let others = [self.primary_key, self.json, default, self.skip];
            return refuse(others, message);
        }
        if self.skip.is_some() {
            let message = "a skipped field has no column that this could apply to";
            let others = [
                rename,
                self.primary_key,
                self.auto_increment,
                timestamp,
                self.json,
                default,
            ];
            return refuse(others, message);
        }
        if self.flatten.is_some() {
            let message = "a flattened key says this in its own type";
            let others = [rename, self.auto_increment, timestamp, self.json, default];
            return refuse(others, message);
        }
        if self.primary_key.is_some() {
            refuse([self.json], "a key column can't hold JSON")?;
            refuse([default], "a row always has its key columns")?;
        } else {
            let message = "only a key column can be an auto-increment column";
            refuse([self.auto_increment], message)?;
        }
        if timestamp.is_some() {
            let message = "a point in time is kept as an integer, not as this";
            refuse([self.json, self.auto_increment], message)?;
        }
        Ok(())
    }
}

fn refuse(attributes: impl IntoIterator<Item = Option<Span>>, message: &str) -> syn::Result<()> {
    match attributes.into_iter().flatten().next() {
        Some(span) => Err(syn::Error::new(span, message)),
        None => Ok(()),
    }
}

fn named_fields(input: &DeriveInput) -> syn::Result<impl Iterator<Item = &Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            Fields::Unnamed(_) | Fields::Unit => Err(syn::Error::new(
                input.ident.span(),
                "columns have names: the struct needs named fields",
            )),
        },
        Data::Enum(_) | Data::Union(_) => Err(syn::Error::new(
            input.ident.span(),
            "only a struct can stand for a row or a key",
        )),
    }
}

fn column_name(
    ident: &Ident,
    attributes: &FieldAttributes,
    rename_all: Option<Case>,
) -> syn::Result<String> {
    let (name, span) = match &attributes.rename {
        Some(text) => (text.value(), text.span()),
        None => {
            let field = ident.unraw().to_string();
            let name = rename_all.map_or(field.clone(), |case| case.apply(&field));
            (name, ident.span())
        }
    };
    let problem = if name.is_empty() {
        "a column's name can't be empty"
    } else if name.starts_with('#') {
        "a column's name can't start with `#`"
    } else if name.len() > MOST_NAME_BYTES {
        "a column's name has at most 255 bytes"
    } else {
        return Ok(name);
    };
    Err(syn::Error::new(span, problem))
}

fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// Mistakes, collected so that one run of the compiler shows them all.
#[derive(Default)]
struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds what only matters where nothing else is wrong.
    fn or(&mut self, error: syn::Error) {
        self.0.get_or_insert(error);
    }

    fn keep(&mut self, result: syn::Result<()>) {
        match (result, &mut self.0) {
            (Ok(()), _) => {}
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), none) => *none = Some(error),
        }
    }

    fn finish<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}
