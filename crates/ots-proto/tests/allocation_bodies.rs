//! A body is decoded in memory that is in proportion to it, whatever it is made of: every list of every
//! request and response, full of the smallest elements there are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::Path;

use allocation_counter::measure;
use bytes::Bytes;
use ots_proto::operation::{self, MessageError, Operation};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

/// What `bounded.rs` promises.
const TIMES: usize = 16;
const SPARE_BYTES: usize = 64 * 1024;
const BODY_BYTES: usize = 20_000;
/// How many messages deep a list is looked for: beyond, messages that hold themselves come again.
const MAX_DEPTH: usize = 4;

/// An operation, and how it decodes its two bodies.
type Codec = (&'static str, fn(Bytes) -> Decoded, fn(Bytes) -> Decoded);
/// Dropped by whoever measures.
type Decoded = Result<Box<dyn std::any::Any>, MessageError>;

macro_rules! codecs {
    ($($operation:ident)*) => {
        &[$((
            operation::$operation::NAME,
            |body| Ok(Box::new(operation::$operation::decode_request(body)?)),
            |body| Ok(Box::new(operation::$operation::decode_response(body)?)),
        )),*]
    };
}

const CODECS: &[Codec] = codecs! {
    CreateTable ListTable DescribeTable UpdateTable DeleteTable AddDefinedColumn
    DeleteDefinedColumn CreateIndex DropIndex GetRow PutRow UpdateRow DeleteRow BatchGetRow
    BatchWriteRow GetRange BulkImport BulkExport ComputeSplitPointsBySize StartLocalTransaction
    CommitTransaction AbortTransaction CreateSearchIndex UpdateSearchIndex DeleteSearchIndex
    ListSearchIndex DescribeSearchIndex Search ComputeSplits ParallelScan SqlQuery
};

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let key = varint(number as usize * 8 + 2);
    [&key[..], &varint(content.len()), content].concat()
}

/// The smallest elements of a list: as little as can be, and a little more.
fn elements(field: &FieldDescriptor) -> Vec<Vec<u8>> {
    let number = field.number();
    let key = |wire_type: usize| varint(number as usize * 8 + wire_type);
    match field.kind() {
        Kind::Message(_) | Kind::Bytes => vec![delimited(number, &[])],
        Kind::String => vec![delimited(number, &[]), delimited(number, b"a")],
        // Packed, and one by one.
        Kind::Double => vec![
            delimited(number, &[0; 8000]),
            [&key(1)[..], &[0; 8]].concat(),
        ],
        Kind::Float => vec![
            delimited(number, &[0; 8000]),
            [&key(5)[..], &[0; 4]].concat(),
        ],
        _ => vec![delimited(number, &[0; 8000]), [&key(0)[..], &[0]].concat()],
    }
}

/// Bodies of a message that are all list: each of its lists, in each of the places where it can stand.
fn bodies(message: &MessageDescriptor, depth: usize) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for field in message.fields() {
        if field.is_list() {
            for element in elements(&field) {
                let count = BODY_BYTES.div_ceil(element.len());
                found.push((field.name().to_owned(), element.repeat(count)));
            }
        }
        let Kind::Message(inner) = field.kind() else {
            continue;
        };
        if depth == MAX_DEPTH {
            continue;
        }
        for (place, body) in bodies(&inner, depth + 1) {
            let place = format!("{}.{place}", field.name());
            found.push((place.clone(), delimited(field.number(), &body)));
            if field.is_list() {
                // Many short lists: each has room for four.
                let few = &body[..body.len().min(4)];
                let element = delimited(field.number(), few);
                let many = element.repeat(BODY_BYTES.div_ceil(element.len()));
                found.push((format!("{place}, many"), many));
            }
        }
    }
    found
}

fn assert_bounded(name: &str, body: &[u8], decode: fn(Bytes) -> Decoded) -> bool {
    let body = Bytes::copy_from_slice(body);
    let allowed = TIMES * body.len() + SPARE_BYTES;
    let mut decoded = None;
    // By this thread: no other has a part in it.
    let counted = measure(|| decoded = Some(decode(body.clone())));
    let held = usize::try_from(counted.bytes_current).unwrap();
    let peak = usize::try_from(counted.bytes_max).unwrap();
    let refused = matches!(decoded, Some(Err(MessageError::TooLarge { .. })));
    drop(decoded);
    // The struct of the message itself, in its box; text of errors.
    let slack = 4 * 1024;
    let bytes = body.len();
    assert!(
        held <= allowed + slack,
        "{name}: {held} bytes held for {bytes}"
    );
    // A list that moves is there twice.
    assert!(
        peak <= allowed * 3 / 2 + slack,
        "{name}: {peak} bytes at once for {bytes}"
    );
    if refused {
        assert!(peak <= slack, "{name}: {peak} bytes before it was refused");
    }
    refused
}

#[test]
fn a_body_takes_memory_in_proportion() {
    // The measure measures.
    let mut known = Vec::new();
    let counted = measure(|| known = vec![1_u8; 100_000]);
    assert_eq!(usize::try_from(counted.bytes_current), Ok(known.len()));

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let files = protox::compile(["ots_service.proto"], [folder]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(files).unwrap();
    let service = pool.services().next().unwrap();
    assert_eq!(service.methods().len(), CODECS.len());
    assert_eq!(operation::ALL.len(), CODECS.len());
    let (mut bodies_seen, mut refused) = (0, 0);
    for method in service.methods() {
        let found = CODECS.iter().find(|(name, ..)| *name == method.name());
        let (name, request, response) = found.unwrap_or_else(|| panic!("{}", method.name()));
        for (side, message, decode) in [
            ("request", method.input(), request),
            ("response", method.output(), response),
        ] {
            for (place, body) in bodies(&message, 0) {
                let name = format!("{name} {side} {place}");
                refused += usize::from(assert_bounded(&name, &body, *decode));
                bodies_seen += 1;
            }
        }
    }
    println!("{bodies_seen} bodies, {refused} refused");
    // Most lists are made of elements that say more than nothing, and some of those here don't.
    assert!(bodies_seen > 100, "{bodies_seen}");
    assert!(refused > 20, "{refused} of {bodies_seen}");
}
