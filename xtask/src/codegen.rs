//! Turns `proto/*.proto` into `crates/ots-proto/src/generated/`: the messages, by prost, the
//! operation table, from the one `service` in `ots_service.proto`, and the table of known fields.
//!
//! The output is checked in, so that nobody who uses the crates ever generates anything.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::method_options::IdempotencyLevel;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
};
use protox::prost::Message as _;

use crate::{Outcome, known_fields, workspace_root};

const OUTPUT: &str = "crates/ots-proto/src/generated";
const HEADER: &str = "// Written by `cargo xtask codegen` from proto/. Do not edit.\n\n";

/// Parts of messages that lie elsewhere. An element of a list takes two bytes on the wire, and the room of its whole
/// struct in memory: these are large, rarely there, or only one of them can be.
pub(crate) const BOXED: &[&str] = &[
    ".ots.Error.access_denied_detail",
    ".ots.Sorter.field_sort",
    ".ots.Sorter.geo_distance_sort",
];

/// One file of the output.
struct Generated {
    name: &'static str,
    text: String,
}

/// Writes the generated files.
pub(crate) fn write() -> Outcome {
    let output = workspace_root().join(OUTPUT);
    fs::create_dir_all(&output)?;
    for file in generate()? {
        fs::write(output.join(file.name), file.text)?;
    }
    Ok(())
}

/// Names every checked-in file that differs from what would be written now, or that nothing writes.
pub(crate) fn check() -> Outcome {
    let output = workspace_root().join(OUTPUT);
    let files = generate()?;
    let mut stale: Vec<String> = files
        .iter()
        .filter(|file| fs::read_to_string(output.join(file.name)).ok().as_ref() != Some(&file.text))
        .map(|file| file.name.to_owned())
        .collect();
    for entry in fs::read_dir(&output)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if files.iter().all(|file| file.name != name) {
            stale.push(name);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} in {OUTPUT} differ from what proto/ says; run `cargo xtask codegen` and remove what it \
         doesn't write",
        stale.join(", ")
    )
    .into())
}

fn generate() -> Result<Vec<Generated>, Box<dyn std::error::Error>> {
    let descriptors = compile(&workspace_root().join("proto"))?;
    Ok(vec![
        Generated {
            name: "messages.rs",
            text: format!("{HEADER}{}", messages(&descriptors)?),
        },
        Generated {
            name: "operations.rs",
            text: format!("{HEADER}{}", operations(&descriptors)?),
        },
        Generated {
            name: "fields.rs",
            text: format!("{HEADER}{}", known_fields::table(&descriptors)?),
        },
    ])
}

/// Compiles every file of `proto/`, in the order of their names so that the output is stable.
fn compile(directory: &Path) -> Result<FileDescriptorSet, Box<dyn std::error::Error>> {
    let mut files: Vec<_> = fs::read_dir(directory)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "proto")
        })
        .collect();
    files.sort();
    let mut compiler = protox::Compiler::new([directory])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(&files)?;
    // The two crates may differ in their version of prost-types; the bytes are the same.
    let bytes = compiler.file_descriptor_set().encode_to_vec();
    Ok(prost_types_decode(&bytes)?)
}

fn prost_types_decode(bytes: &[u8]) -> Result<FileDescriptorSet, protox::prost::DecodeError> {
    FileDescriptorSet::decode(bytes)
}

fn messages(descriptors: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let builder = tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .emit_rerun_if_changed(false)
        .bytes(".")
        .out_dir(directory.path());
    let builder = BOXED
        .iter()
        .fold(builder, |builder, path| builder.boxed(path));
    builder.compile_fds(descriptors.clone())?;
    Ok(fs::read_to_string(directory.path().join("ots.rs"))?)
}

/// `pub struct GetRange; impl Operation for GetRange { .. }`, once for every `rpc`.
fn operations(descriptors: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let methods: Vec<&MethodDescriptorProto> = descriptors
        .file
        .iter()
        .flat_map(|file| &file.service)
        .flat_map(|service| &service.method)
        .collect();
    let mut text = String::from(
        "use bytes::Bytes;\n\nuse super::messages;\nuse crate::bounded::{self, MessageError};\n\
         use crate::operation::{Idempotency, Operation};\n",
    );
    for method in &methods {
        let name = method.name();
        let idempotency = match method
            .options
            .as_ref()
            .map(|options| options.idempotency_level())
        {
            Some(IdempotencyLevel::NoSideEffects) => "NoSideEffects",
            Some(IdempotencyLevel::Idempotent) => "Idempotent",
            Some(IdempotencyLevel::IdempotencyUnknown) | None => "NotIdempotent",
        };
        let request = rust_name(method.input_type());
        let response = rust_name(method.output_type());
        let table = table(descriptors, method.input_type());
        let consumed = consumed(descriptors, method.output_type());
        write!(
            text,
            "/// The operation `{name}`.
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct {rust};
            impl Operation for {rust} {{
                const NAME: &'static str = \"{name}\";
                const IDEMPOTENCY: Idempotency = Idempotency::{idempotency};
                type Request = messages::{request};
                type Response = messages::{response};
                fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {{
                    bounded::decode(body)
                }}
                fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {{
                    bounded::decode(body)
                }}
                {table}
                {consumed}
            }}\n",
            rust = rust_name(name),
        )?;
    }
    text.push_str(
        "/// Name and idempotency of every operation, in the order of the service definition.
        pub const ALL: &[(&str, Idempotency)] = &[\n",
    );
    for method in &methods {
        let rust = rust_name(method.name());
        writeln!(text, "({rust}::NAME, {rust}::IDEMPOTENCY),")?;
    }
    text.push_str("];\n");
    Ok(prettyplease::unparse(&syn::parse_file(&text)?))
}

/// The method that finds the table in a request, if it names one.
fn table(descriptors: &FileDescriptorSet, request: &str) -> String {
    let named = |message: &str| {
        let fields = fields(descriptors, message).iter();
        let found = fields.clone().find(|field| field.name() == "table_name");
        found.map(FieldDescriptorProto::label)
    };
    let expression = match named(request) {
        Some(Label::Required) => "Some(&request.table_name)",
        Some(Label::Optional) => "request.table_name.as_deref()",
        // A new table's name is in its description.
        None if named_field(descriptors, request, "table_meta") => {
            "Some(&request.table_meta.table_name)"
        }
        Some(Label::Repeated) | None => return String::new(),
    };
    format!("fn table(request: &Self::Request) -> Option<&str> {{ {expression} }}")
}

fn named_field(descriptors: &FileDescriptorSet, message: &str, name: &str) -> bool {
    let mut fields = fields(descriptors, message).iter();
    fields.any(|field| field.name() == name && field.label() == Label::Required)
}

/// The method that finds the capacity units in a response: every field `consumed`, however deep.
fn consumed(descriptors: &FileDescriptorSet, response: &str) -> String {
    let body = consumed_in(descriptors, &[response], "response");
    if body.is_empty() {
        return body;
    }
    format!(
        "fn consumed(response: &Self::Response, visit: &mut dyn FnMut(&messages::ConsumedCapacity)) \
         {{ {body} }}"
    )
}

/// `path`: the messages on the way down, the innermost last. A message inside itself ends the descent.
fn consumed_in(descriptors: &FileDescriptorSet, path: &[&str], place: &str) -> String {
    let mut text = String::new();
    let message = path.last().copied().unwrap_or_default();
    let nested = fields(descriptors, message).iter();
    for field in nested.filter(|field| field.r#type() == Type::Message) {
        let (inner, name) = (format!("part_{}", path.len()), field.name());
        let visit = match (field.type_name(), name) {
            (".ots.ConsumedCapacity", "consumed") => format!("visit({inner});"),
            // Reserved units are part of the others, not added to them.
            (".ots.ConsumedCapacity", _) => String::new(),
            (of, _) if path.contains(&of) => String::new(),
            (of, _) => consumed_in(descriptors, &[path, &[of]].concat(), &inner),
        };
        if visit.is_empty() {
            continue;
        }
        text += &match field.label() {
            Label::Required => format!("let {inner} = &{place}.{name}; {visit}"),
            Label::Optional => format!("if let Some({inner}) = &{place}.{name} {{ {visit} }}"),
            Label::Repeated => format!("for {inner} in &{place}.{name} {{ {visit} }}"),
        };
    }
    text
}

fn fields<'a>(descriptors: &'a FileDescriptorSet, message: &str) -> &'a [FieldDescriptorProto] {
    let name = message.trim_start_matches(".ots.");
    let mut messages = descriptors.file.iter().flat_map(|file| &file.message_type);
    let found: Option<&DescriptorProto> = messages.find(|message| message.name() == name);
    found.map_or(&[], |message| &message.field)
}

/// The name prost gives a message: `.ots.SQLQueryRequest` becomes `SqlQueryRequest`.
pub(crate) fn rust_name(proto_name: &str) -> String {
    let name = proto_name.rsplit('.').next().unwrap_or(proto_name);
    for (acronym, word) in [("SQL", "Sql"), ("SSE", "Sse")] {
        if let Some(rest) = name.strip_prefix(acronym) {
            return format!("{word}{rest}");
        }
    }
    name.to_owned()
}
