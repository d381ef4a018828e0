//! `#[derive(PrimaryKey)]`, and the key part of rows.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Generics, Ident, Path, Type};

use crate::attributes::Unit;
use crate::from_row::slot;
use crate::generics;
use crate::model::{KeyCodec, KeyField, KeyKept, Kind, Model};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let model = Model::parse(input, Kind::PrimaryKey)?;
    let Model { ident, krate, .. } = &model;
    let names: Vec<&str> = columns(&model).iter().map(|column| column.name).collect();
    let KeyReads { read, fields } = reads(&model);
    let pushes = pushes(&model, &quote!(key));

    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let mut into = model.generics.clone();
    require_into(&model, &mut into);
    let (_, _, into_where) = into.split_for_impl();
    let mut from = generics::with_row_life(&model.generics);
    require_from(&model, &mut from);
    let (from_impl, _, from_where) = from.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::typed::KeyColumns for #ident #ty_generics #where_clause {
            const KEY_COLUMNS: &'static [&'static str] = &[#(#names),*];
        }

        #[automatically_derived]
        impl #impl_generics #krate::typed::IntoPrimaryKey for #ident #ty_generics #into_where {
            fn push_onto(
                self,
                key: &mut #krate::PrimaryKey,
            ) -> ::core::result::Result<(), #krate::typed::Error> {
                #pushes
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl #from_impl #krate::typed::FromPrimaryKey<'ots_row> for #ident #ty_generics #from_where {
            fn from_key_of<__OtsRow: #krate::typed::Columns<'ots_row>>(
                row: __OtsRow,
            ) -> ::core::result::Result<Self, #krate::typed::Error> {
                #read
                ::core::result::Result::Ok(Self { #(#fields),* })
            }
        }
    })
}

/// A field that is one column of the key.
struct KeyColumn<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    name: &'a str,
    codec: KeyCodec,
}

fn columns(model: &Model) -> Vec<KeyColumn<'_>> {
    model
        .key
        .iter()
        .filter_map(|field| match &field.kept {
            KeyKept::Flattened => None,
            KeyKept::Column { name, codec } => Some(KeyColumn {
                ident: &field.ident,
                ty: &field.ty,
                name,
                codec: *codec,
            }),
        })
        .collect()
}

fn flattened(model: &Model) -> impl Iterator<Item = &KeyField> {
    model
        .key
        .iter()
        .filter(|field| matches!(field.kept, KeyKept::Flattened))
}

/// How the fields of a key are read.
pub(crate) struct KeyReads {
    /// Statements that fill a variable for each field, from `row`.
    pub(crate) read: TokenStream,
    /// The fields of the struct, from those variables.
    pub(crate) fields: Vec<TokenStream>,
}

pub(crate) fn reads(model: &Model) -> KeyReads {
    let krate = &model.krate;
    let columns = columns(model);
    let slots: Vec<Ident> = columns.iter().map(|column| slot(column.ident)).collect();
    let types = columns.iter().map(|column| column.ty);
    let arms = columns.iter().zip(&slots).map(|(column, slot)| {
        let (name, ty) = (column.name, column.ty);
        let read = match column.codec {
            KeyCodec::Value => quote_spanned! {ty.span()=>
                <#ty as #krate::typed::FromKeyValue<'ots_row>>::from_key_value(value)
            },
            KeyCodec::AutoIncrement => quote_spanned! {ty.span()=>
                #krate::typed::FromKeyValue::from_key_value(value).map(::core::option::Option::Some)
            },
            KeyCodec::Timestamp(unit) => {
                let unit = self::unit(krate, unit);
                quote_spanned! {ty.span()=>
                    #krate::typed::__private::read_key_timestamp::<#ty>(value, #unit)
                }
            }
        };
        // At most four names: comparing beats searching.
        quote! {
            #name => {
                #slot = ::core::option::Option::Some(
                    #read.map_err(|error| error.in_column(name))?,
                );
            }
        }
    });
    let read_columns = (!columns.is_empty()).then(|| {
        quote! {
            #(let mut #slots: ::core::option::Option<#types> = ::core::option::Option::None;)*
            for (name, value) in #krate::typed::Columns::key(&row) {
                match name {
                    #(#arms)*
                    _ => {}
                }
            }
        }
    });
    let mut fields: Vec<TokenStream> = columns
        .iter()
        .zip(&slots)
        .map(|(column, slot)| {
            let (ident, name) = (column.ident, column.name);
            quote! {
                #ident: #slot.ok_or_else(|| #krate::typed::__private::missing(#name))?
            }
        })
        .collect();
    fields.extend(flattened(model).map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        quote_spanned! {ty.span()=>
            #ident: <#ty as #krate::typed::FromPrimaryKey<'ots_row>>::from_key_of(row)?
        }
    }));
    KeyReads {
        read: quote!(#read_columns),
        fields,
    }
}

/// Statements that add the fields of `self` to the key `target`, in order.
pub(crate) fn pushes(model: &Model, target: &TokenStream) -> TokenStream {
    let krate = &model.krate;
    let columns = columns(model);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let count = names.len();
    let shared: Vec<Ident> = (0..count)
        .map(|index| format_ident!("__ots_key_{index}"))
        .collect();
    let bind = (count > 0).then(|| {
        quote! {
            static KEY_NAMES: #krate::typed::__private::Names<#count> =
                #krate::typed::__private::Names::new(|| {
                    [#(#names),*].map(#krate::ColumnName::from)
                });
            let [#(#shared),*] = &*KEY_NAMES;
        }
    });
    let mut shared = shared.iter();
    let pushes = model.key.iter().map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        let codec = match &field.kept {
            KeyKept::Flattened => {
                return quote_spanned! {ty.span()=>
                    <#ty as #krate::typed::IntoPrimaryKey>::push_onto(self.#ident, #target)?;
                };
            }
            KeyKept::Column { codec, .. } => *codec,
        };
        let value = match codec {
            KeyCodec::Value => quote_spanned! {ty.span()=>
                <#ty as #krate::typed::IntoKeyValue>::into_key_value(self.#ident)
            },
            KeyCodec::AutoIncrement => quote_spanned! {ty.span()=>
                #krate::typed::__private::write_generated(self.#ident)
            },
            KeyCodec::Timestamp(unit) => {
                let unit = self::unit(krate, unit);
                quote_spanned! {ty.span()=>
                    #krate::typed::__private::write_key_timestamp::<#ty>(self.#ident, #unit)
                }
            }
        };
        let name = shared.next();
        quote!(#krate::typed::__private::push_key(#target, #name, #value)?;)
    });
    quote! {
        #bind
        #(#pushes)*
    }
}

/// Asks that the types of key fields that depend on type parameters can be read.
pub(crate) fn require_from(model: &Model, generics: &mut Generics) {
    let krate = &model.krate;
    require(
        model,
        generics,
        &generics::of_row(&quote!(#krate::typed::FromKeyValue)),
        &generics::of_row(&quote!(#krate::typed::FromPrimaryKey)),
    );
}

/// Asks that the types of key fields that depend on type parameters can be written.
pub(crate) fn require_into(model: &Model, generics: &mut Generics) {
    let krate = &model.krate;
    require(
        model,
        generics,
        &quote!(#krate::typed::IntoKeyValue),
        &quote!(#krate::typed::IntoPrimaryKey),
    );
}

fn require(model: &Model, generics: &mut Generics, value: &TokenStream, whole: &TokenStream) {
    for field in &model.key {
        match field.kept {
            KeyKept::Flattened => generics::require(generics, &field.ty, whole),
            KeyKept::Column {
                codec: KeyCodec::Value,
                ..
            } => generics::require(generics, &field.ty, value),
            // Concrete types: the body asks.
            KeyKept::Column { .. } => {}
        }
    }
}

/// That no column of a flattened key is one of the struct's own, which only the compiler can see.
pub(crate) fn assert_disjoint(model: &Model) -> TokenStream {
    // A constant can't depend on parameters.
    if !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = &model.krate;
    let keys = columns(model);
    let own: Vec<&str> = keys
        .iter()
        .map(|column| column.name)
        .chain(model.columns.iter().map(|field| field.name.as_str()))
        .collect();
    let assertions = flattened(model).map(|field| {
        let ty = &field.ty;
        quote_spanned! {ty.span()=>
            const _: () = ::core::assert!(
                #krate::typed::__private::disjoint(
                    <#ty as #krate::typed::KeyColumns>::KEY_COLUMNS,
                    &[#(#own),*],
                ),
                "a column of the flattened key is also that of another field",
            );
        }
    });
    quote!(#(#assertions)*)
}

pub(crate) fn unit(krate: &Path, unit: Unit) -> TokenStream {
    let name = match unit {
        Unit::Seconds => quote!(Seconds),
        Unit::Milliseconds => quote!(Milliseconds),
        Unit::Microseconds => quote!(Microseconds),
        Unit::Nanoseconds => quote!(Nanoseconds),
    };
    quote!(#krate::typed::TimestampUnit::#name)
}
