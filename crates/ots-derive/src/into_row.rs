//! `#[derive(IntoRow)]`: the fields move into a key and cells, under names made once.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::DeriveInput;
use syn::spanned::Spanned as _;

use crate::generics;
use crate::model::{Codec, ColumnField, Kind, Model};
use crate::primary_key;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let model = Model::parse(input, Kind::Row)?;
    let Model { ident, krate, .. } = &model;
    if model.key.is_empty() {
        let message = "a row that is written needs its key: mark the fields with \
                       `#[ots(primary_key)]`";
        return Err(syn::Error::new(ident.span(), message));
    }

    let push_key = primary_key::pushes(&model, &quote!(&mut row.primary_key));
    let names = model.columns.iter().map(|field| &field.name);
    let count = model.columns.len();
    let shared: Vec<_> = (0..count)
        .map(|index| format_ident!("__ots_name_{index}"))
        .collect();
    let bind = (count > 0).then(|| {
        quote! {
            static NAMES: #krate::typed::__private::Names<#count> =
                #krate::typed::__private::Names::new(|| {
                    [#(#names),*].map(#krate::ColumnName::from)
                });
            let [#(#shared),*] = &*NAMES;
            row.cells.reserve_exact(#count);
        }
    });
    let values = model.columns.iter().map(|field| write(&model, field));

    let mut generics = model.generics.clone();
    let value = quote!(#krate::typed::IntoColumnValue);
    for field in &model.columns {
        if matches!(field.codec, Codec::Value) {
            generics::require(&mut generics, &field.ty, &value);
        }
    }
    primary_key::require_into(&model, &mut generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::typed::IntoRow for #ident #ty_generics #where_clause {
            fn into_row(self) -> ::core::result::Result<#krate::Row, #krate::typed::Error> {
                let mut row = #krate::Row::default();
                #push_key
                #bind
                #(#krate::typed::__private::push_cell(&mut row, #shared, #values)?;)*
                ::core::result::Result::Ok(row)
            }
        }
    })
}

fn write(model: &Model, field: &ColumnField) -> TokenStream {
    let (krate, ident, ty) = (&model.krate, &field.ident, &field.ty);
    match field.codec {
        Codec::Value => quote_spanned! {ty.span()=>
            <#ty as #krate::typed::IntoColumnValue>::into_column_value(self.#ident)
        },
        Codec::Timestamp(unit) => {
            let unit = primary_key::unit(krate, unit);
            quote_spanned! {ty.span()=>
                #krate::typed::__private::write_timestamp::<#ty>(self.#ident, #unit)
            }
        }
        Codec::Json => quote_spanned! {ty.span()=>
            #krate::typed::__private::json::write::<#ty>(&self.#ident)
        },
    }
}
