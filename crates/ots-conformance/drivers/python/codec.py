"""The SDK's codec, asked from outside: one question a line on stdin, one line of answers on stdout.

A question is `{"ask": NAME, "cases": [..]}`, its answer `{"answers": [..]}` with one entry a case:
`{"ok": VALUE}`, or `{"error": TEXT}` for whatever the SDK raised. Buffers are hex.

Requests come as the calls that build them, in the SDK's own words: see `build`.
"""

import json
import sys

import tablestore
import tablestore.aggregation
import tablestore.group_by
import tablestore.metadata
from google.protobuf.unknown_fields import UnknownFieldSet
from tablestore.encoder import OTSProtoBufferEncoder
from tablestore.native import NATIVE_AVAILABLE, parse_multiple_rows, parse_single_row
from tablestore.plainbuffer.plain_buffer_builder import PlainBufferBuilder
from tablestore.plainbuffer.plain_buffer_coded_stream import PlainBufferCodedInputStream
from tablestore.plainbuffer.plain_buffer_stream import PlainBufferInputStream
from tablestore.protobuf import search_pb2, table_store_filter_pb2, table_store_pb2

from contract import row_from_sdk, to_sdk

ENCODER = OTSProtoBufferEncoder("utf8", enable_native=False, native_fallback=False)
MODULES = (tablestore.metadata, tablestore.aggregation, tablestore.group_by)
SPECIAL_KEYS = {
    "inf_min": tablestore.INF_MIN,
    "inf_max": tablestore.INF_MAX,
    "auto_increment": tablestore.PK_AUTO_INCR,
}


# Rows


def name_to_sdk(name):
    """As bytes: given as text, the SDK writes the length of a name in characters, not in bytes."""
    return name.encode("utf-8")


def key_to_sdk(columns):
    return [
        (name_to_sdk(name), SPECIAL_KEYS.get(value["type"]) or to_sdk(value))
        for name, value in columns
    ]


def cell_to_sdk(cell):
    """Name, value (None where there is none), version if there is one."""
    name, value, version = cell
    value = None if value is None else to_sdk(value)
    parts = (name_to_sdk(name), value)
    return parts if version is None else parts + (int(version),)


def encode_row(case):
    key = key_to_sdk(case["primary_key"])
    kind = case["kind"]
    if kind == "key":
        return PlainBufferBuilder.serialize_primary_key(key)
    if kind == "delete":
        return PlainBufferBuilder.serialize_for_delete_row(key)
    if kind == "put":
        return PlainBufferBuilder.serialize_for_put_row(key, [cell_to_sdk(c) for c in case["cells"]])
    changes = {how: [cell_to_sdk(cell) for cell in cells] for how, cells in case["cells"]}
    return PlainBufferBuilder.serialize_for_update_row(key, changes)


def with_room_for_versions(size):
    """The SDK computes the room for an update without the versions in it, then says "The buffer is
    full". What it writes is not affected by how much room there is."""

    def roomy(primary_key, columns):
        return size(primary_key, columns) + 16 * sum(len(cells) for cells in columns.values())

    return staticmethod(roomy)


PlainBufferBuilder.compute_update_row_size = with_room_for_versions(
    PlainBufferBuilder.compute_update_row_size
)


def decode_rows_pure(buffer):
    rows = PlainBufferCodedInputStream(PlainBufferInputStream(buffer)).read_rows()
    return [row_from_sdk(row.primary_key, row.attribute_columns) for row in rows]


def decode_rows_native(buffer):
    return [native_row(*row) for row in parse_multiple_rows(buffer)]


def decode_row_pure(buffer):
    key, columns = PlainBufferCodedInputStream(PlainBufferInputStream(buffer)).read_row()
    return row_from_sdk(key, columns)


def decode_row_native(buffer):
    return native_row(*parse_single_row(buffer))


def native_row(key, columns):
    """The decoder in C leaves out the version of a cell that has none."""
    return row_from_sdk(key, [cell if len(cell) == 3 else (*cell, None) for cell in columns])


# Requests


def build(node):
    """The object that a description stands for: `{"new": CLASS, "with": {..}}` is a call with named
    arguments, and `"add"` lists what is handed to it one by one; `{"enum": "Class.NAME"}`,
    `{"tuple": [..]}` and `{"bytes": HEX}` are what they say; `{"type": .., "value": ..}` is a
    canonical value."""
    if isinstance(node, list):
        return [build(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "new" in node:
        made = word(node["new"])(**{name: build(value) for name, value in node["with"].items()})
        for part in node.get("add", ()):
            made.add_sub_condition(build(part))
        return made
    if "enum" in node:
        class_name, member = node["enum"].split(".")
        return getattr(word(class_name), member)
    if "tuple" in node:
        return tuple(build(item) for item in node["tuple"])
    if "bytes" in node:
        return bytes.fromhex(node["bytes"])
    return to_sdk(node)


def word(name):
    for module in MODULES:
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError("the SDK has no %s" % name)


def encode_filter(condition):
    message = table_store_filter_pb2.Filter()
    ENCODER._make_column_condition(message, condition)
    return message.SerializeToString()


def encode_condition(condition):
    message = table_store_pb2.Condition()
    ENCODER._make_condition(message, condition)
    return message.SerializeToString()


def encode_index_schema(meta):
    message = search_pb2.IndexSchema()
    ENCODER._make_index_meta(message, meta)
    return message.SerializeToString()


# Messages within bytes: which field says the kind, which has the body, and what it is for each kind.


def bodies(enum, prefix, suffix, names):
    return {number: getattr(search_pb2, names(prefix, name) + suffix) for name, number in enum.items()}


def camel(prefix, name):
    return "".join(part.capitalize() for part in name[len(prefix):].split("_"))


BODIES = {
    "Query": ("query", bodies(search_pb2.QueryType, "", "", camel)),
    "Aggregation": ("body", bodies(search_pb2.AggregationType, "AGG_", "Aggregation", camel)),
    "GroupBy": ("body", bodies(search_pb2.GroupByType, "", "", camel)),
}


def reread(message, unknown):
    """Parses what lies within bytes too, and writes it again; collects the fields and the values of
    enums that the SDK's messages don't have."""
    name = message.DESCRIPTOR.name
    for field in UnknownFieldSet(message):
        number = field.field_number
        # A field that it does have is there when it lacks the value, which is one of an enum.
        value = "=%s" % field.data if number in message.DESCRIPTOR.fields_by_number else ""
        unknown.add("%s.%d%s" % (name, number, value))
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if field.label == field.LABEL_REPEATED else [value]:
                reread(part, unknown)
    if name in BODIES:
        field, kinds = BODIES[name]
        # A kind that the SDK's enum lacks is an unknown field, and its body stays as it is.
        if message.HasField("type"):
            body = kinds[message.type].FromString(getattr(message, field))
            reread(body, unknown)
            setattr(message, field, body.SerializeToString())


def read_message(case):
    message = getattr(search_pb2, case["message"]).FromString(bytes.fromhex(case["bytes"]))
    unknown = set()
    reread(message, unknown)
    return {"bytes": message.SerializeToString().hex(), "unknown": sorted(unknown)}


QUESTIONS = {
    "native": lambda case: NATIVE_AVAILABLE,
    "encode_row": lambda case: encode_row(case).hex(),
    "decode_rows_pure": lambda case: decode_rows_pure(bytes.fromhex(case)),
    "decode_rows_native": lambda case: decode_rows_native(bytes.fromhex(case)),
    "decode_row_pure": lambda case: decode_row_pure(bytes.fromhex(case)),
    "decode_row_native": lambda case: decode_row_native(bytes.fromhex(case)),
    "encode_search_query": lambda case: ENCODER._encode_search_query(build(case)).hex(),
    "encode_scan_query": lambda case: ENCODER._encode_scan_query(build(case)).hex(),
    "encode_filter": lambda case: encode_filter(build(case)).hex(),
    "encode_condition": lambda case: encode_condition(build(case)).hex(),
    "encode_index_schema": lambda case: encode_index_schema(build(case)).hex(),
    "read_message": read_message,
}


def answer(question, case):
    try:
        return {"ok": question(case)}
    except Exception as error:  # whatever the SDK raises is the answer
        return {"error": "%s: %s" % (type(error).__name__, error)}


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        question = QUESTIONS[asked["ask"]]
        answers = [answer(question, case) for case in asked["cases"]]
        print(json.dumps({"answers": answers}, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
