//! The head of an `impl`: the struct's own parameters, the life of the row, and what its types must do.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{GenericParam, Generics, Type, parse_quote};

/// A struct's generics with the life of a row before them, which outlives every other.
pub(crate) fn with_row_life(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let lives: Vec<_> = generics
        .lifetimes()
        .map(|parameter| parameter.lifetime.clone())
        .collect();
    let row: GenericParam = if lives.is_empty() {
        parse_quote!('ots_row)
    } else {
        parse_quote!('ots_row: #(#lives)+*)
    };
    generics.params.insert(0, row);
    generics
}

/// Asks that a field's type does `bound`, where it depends on a type parameter; for other types the
/// body of the `impl` asks, with a better error.
pub(crate) fn require(generics: &mut Generics, ty: &Type, bound: &TokenStream) {
    let depends = generics
        .type_params()
        .any(|parameter| mentions(ty.to_token_stream(), &parameter.ident));
    if depends {
        generics
            .make_where_clause()
            .predicates
            .push(parse_quote!(#ty: #bound));
    }
}

fn mentions(tokens: TokenStream, name: &syn::Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// A trait's path with the life of the row.
pub(crate) fn of_row(path: &TokenStream) -> TokenStream {
    quote!(#path<'ots_row>)
}
