//! The table of the fields that every message about searches and their indexes knows: prost steps over a field that it
//! doesn't know, and a reader that must not lose one has to be able to tell.

use std::fmt::Write as _;

use prost_types::{DescriptorProto, FileDescriptorSet};

use crate::codegen::rust_name;

/// The table, as Rust.
pub(crate) fn table(descriptors: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let messages: Vec<&DescriptorProto> = descriptors
        .file
        .iter()
        .filter(|file| ["search.proto", "search_index.proto"].contains(&file.name()))
        .flat_map(|file| &file.message_type)
        .collect();
    let mut text =
        String::from("use super::messages;\nuse crate::fields::{Described, Field, Fields};\n");
    for message in &messages {
        let name = message.name();
        writeln!(text, "static {}: Fields = &[", screaming(name))?;
        for field in &message.field {
            let inner = field.type_name().rsplit('.').next().unwrap_or_default();
            let (number, name) = (field.number(), field.name());
            if messages.iter().any(|message| message.name() == inner) {
                let inner = screaming(inner);
                writeln!(text, "Field::message({number}, {name:?}, &{inner}),")?;
            } else {
                writeln!(text, "Field::plain({number}, {name:?}),")?;
            }
        }
        writeln!(
            text,
            "];
            impl Described for messages::{} {{
                fn fields() -> Fields {{ {} }}
            }}",
            rust_name(name),
            screaming(name)
        )?;
    }
    Ok(prettyplease::unparse(&syn::parse_file(&text)?))
}

/// `TermQuery` becomes `TERM_QUERY`.
fn screaming(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_uppercase());
    }
    text
}
