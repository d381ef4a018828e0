//! The table of the fields that every message has: prost steps over a field that it doesn't know, and a reader that must
//! not lose one has to be able to tell; and what each field takes in memory, which a reader must know before it decodes.

use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use crate::codegen::{BOXED, rust_name};

/// The table, as Rust.
pub(crate) fn table(descriptors: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let messages: Vec<&DescriptorProto> = descriptors
        .file
        .iter()
        .flat_map(|file| &file.message_type)
        .collect();
    let mut text =
        String::from("use super::messages;\nuse crate::fields::{Described, Field, Fields};\n");
    for message in &messages {
        let name = message.name();
        if !message.nested_type.is_empty() || !message.oneof_decl.is_empty() {
            return Err(
                format!("{name} has inner messages or a oneof, which nobody describes").into(),
            );
        }
        if message.field.len() > MAX_FIELDS {
            return Err(format!("{name} has more than {MAX_FIELDS} fields: see bounded.rs").into());
        }
        writeln!(text, "static {}: Fields = &[", screaming(name))?;
        for field in &message.field {
            writeln!(text, "{},", entry(name, field)?)?;
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

/// One field of `message`.
fn entry(
    message: &str,
    field: &FieldDescriptorProto,
) -> Result<String, Box<dyn std::error::Error>> {
    let what = format!("{}, {:?}", field.number(), field.name());
    let repeated = field.label() == Label::Repeated;
    let number = |bytes: usize, width: Option<usize>| {
        if repeated {
            format!("Field::numbers({what}, {bytes}, {width:?})")
        } else {
            format!("Field::plain({what})")
        }
    };
    Ok(match (field.r#type(), repeated) {
        (Type::Message, _) => {
            let inner = field.type_name().rsplit('.').next().unwrap_or_default();
            let (fields, size) = (
                screaming(inner),
                format!("size_of::<messages::{}>()", rust_name(inner)),
            );
            let path = format!(".ots.{message}.{}", field.name());
            if repeated {
                format!("Field::messages({what}, &{fields}, {size})")
            } else if BOXED.contains(&path.as_str()) {
                format!("Field::boxed({what}, &{fields}, {size})")
            } else {
                format!("Field::message({what}, &{fields})")
            }
        }
        (Type::String, true) => format!("Field::texts({what})"),
        (Type::String, false) => format!("Field::text({what})"),
        (Type::Bytes, true) => format!("Field::slices({what})"),
        (Type::Bytes, false) => format!("Field::plain({what})"),
        (Type::Double | Type::Fixed64 | Type::Sfixed64, _) => number(8, Some(8)),
        (Type::Float | Type::Fixed32 | Type::Sfixed32, _) => number(4, Some(4)),
        (Type::Int64 | Type::Uint64 | Type::Sint64, _) => number(8, None),
        (Type::Int32 | Type::Uint32 | Type::Sint32 | Type::Enum, _) => number(4, None),
        (Type::Bool, _) => number(1, None),
        (Type::Group, _) => return Err(format!("{what} of {message} is a group").into()),
    })
}

/// What `bounded.rs` can count.
const MAX_FIELDS: usize = 32;

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
