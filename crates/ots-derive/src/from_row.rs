//! `#[derive(FromRow)]`: one pass over the key, one over the cells, straight into the fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Ident};

use crate::generics;
use crate::model::{Codec, ColumnField, Kind, Missing, Model};
use crate::primary_key::{self, KeyReads};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let model = Model::parse(input, Kind::Row)?;
    let Model {
        ident,
        krate,
        skipped,
        ..
    } = &model;

    let KeyReads {
        read: read_key,
        fields: key_fields,
    } = primary_key::reads(&model);
    let disjoint = primary_key::assert_disjoint(&model);

    // In the order of the service, by name: that is what the finder tries first.
    let mut columns: Vec<&ColumnField> = model.columns.iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<&str> = columns.iter().map(|field| field.name.as_str()).collect();
    let slots: Vec<Ident> = columns.iter().map(|field| slot(&field.ident)).collect();
    let types = columns.iter().map(|field| &field.ty);
    let arms = columns.iter().enumerate().map(|(index, field)| {
        let slot = slot(&field.ident);
        let read = read(&model, field);
        // Of several versions the first is the newest.
        quote! {
            ::core::option::Option::Some(#index) if #slot.is_none() => {
                #slot = ::core::option::Option::Some(
                    #read.map_err(|error| error.in_column(name))?,
                );
            }
        }
    });
    let read_cells = (!columns.is_empty()).then(|| {
        quote! {
            #(let mut #slots: ::core::option::Option<#types> = ::core::option::Option::None;)*
            let mut finder = #krate::typed::__private::Finder::new(
                <Self as #krate::typed::FromRow<'ots_row>>::COLUMNS,
            );
            for (name, value) in #krate::typed::Columns::cells(&row) {
                match finder.find(name) {
                    #(#arms)*
                    _ => {}
                }
            }
        }
    });
    let column_fields = columns.iter().map(|field| {
        let (ident, slot, absent) = (&field.ident, slot(&field.ident), absent(&model, field));
        quote! {
            #ident: match #slot {
                ::core::option::Option::Some(value) => value,
                ::core::option::Option::None => #absent,
            }
        }
    });

    let mut generics = generics::with_row_life(&model.generics);
    let value = generics::of_row(&quote!(#krate::typed::FromColumnValue));
    for field in &model.columns {
        if matches!(field.codec, Codec::Value) {
            generics::require(&mut generics, &field.ty, &value);
        }
    }
    primary_key::require_from(&model, &mut generics);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = model.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::typed::FromRow<'ots_row> for #ident #ty_generics #where_clause {
            const COLUMNS: &'static [&'static str] = &[#(#names),*];

            fn from_row<__OtsRow: #krate::typed::Columns<'ots_row>>(
                row: __OtsRow,
            ) -> ::core::result::Result<Self, #krate::typed::Error> {
                #read_key
                #read_cells
                ::core::result::Result::Ok(Self {
                    #(#key_fields,)*
                    #(#column_fields,)*
                    #(#skipped: ::core::default::Default::default(),)*
                })
            }
        }

        #disjoint
    })
}

/// The variable that holds a field until all are there.
pub(crate) fn slot(field: &Ident) -> Ident {
    use syn::ext::IdentExt as _;
    format_ident!("__ots_{}", field.unraw(), span = field.span())
}

fn read(model: &Model, field: &ColumnField) -> TokenStream {
    let (krate, ty) = (&model.krate, &field.ty);
    match field.codec {
        Codec::Value => quote_spanned! {ty.span()=>
            <#ty as #krate::typed::FromColumnValue<'ots_row>>::from_column_value(value)
        },
        Codec::Timestamp(unit) => {
            let unit = primary_key::unit(krate, unit);
            quote_spanned! {ty.span()=>
                #krate::typed::__private::read_timestamp::<#ty>(value, #unit)
            }
        }
        Codec::Json => quote_spanned! {ty.span()=>
            #krate::typed::__private::json::read::<#ty>(value)
        },
    }
}

fn absent(model: &Model, field: &ColumnField) -> TokenStream {
    let (krate, ty, name) = (&model.krate, &field.ty, &field.name);
    let of_type = match &field.missing {
        Missing::Default => {
            return quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default());
        }
        Missing::Call(path) => return quote!(#path()),
        Missing::OfType => match field.codec {
            Codec::Value => quote_spanned! {ty.span()=>
                <#ty as #krate::typed::FromColumnValue<'ots_row>>::absent()
            },
            Codec::Timestamp(_) => quote_spanned! {ty.span()=>
                <#ty as #krate::typed::TimestampValue>::absent()
            },
            Codec::Json => quote_spanned! {ty.span()=>
                #krate::typed::__private::json::absent::<#ty>()
            },
        },
    };
    quote!(#of_type.ok_or_else(|| #krate::typed::__private::missing(#name))?)
}
