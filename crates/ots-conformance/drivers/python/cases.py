"""The SDK, asked in neutral words: one request a line on stdin, one line on stdout for what came of it.

An answer is `{"answer": ..}`; `{"error": {"status", "code", "message"}}` for what the service refused;
`{"unsupported": WHY}` where the SDK has no word for it; `{"failed": WHY}` for whatever else it raised.
"""

import json
import os
import sys
import traceback

from tablestore import (
    BatchGetRowRequest,
    BatchWriteRowRequest,
    CapacityUnit,
    DeleteRowItem,
    OTSClient,
    OTSServiceError,
    PutRowItem,
    ReservedThroughput,
    ReturnType,
    Row,
    ScanQuery,
    SearchIndexMeta,
    SearchQuery,
    TableInBatchGetRowItem,
    TableInBatchWriteRowItem,
    TableMeta,
    TableOptions,
    UpdateRowItem,
)
from tablestore.metadata import SyncPhase

import answers
import words
from contract import setting
from words import Unsupported, plain

# Without the fallback a decoder that fails is an error, not a warning.
client = OTSClient(
    setting("OTS_ENDPOINT"),
    setting("TABLESTORE_ACCESS_KEY_ID"),
    setting("TABLESTORE_ACCESS_KEY_SECRET"),
    setting("OTS_INSTANCE"),
    region=os.environ.get("OTS_DRIVER_REGION"),
    enable_native=setting("OTS_DRIVER_CODEC") == "native",
    native_fallback=False,
)

KEY_TYPES = {
    "string": "STRING", "integer": "INTEGER", "binary": "BINARY",
}
operations = {}


def operation(function):
    operations[function.__name__] = function
    return function


# Tables


def table_options(ask):
    given = {}
    for name, argument in (
        ("time_to_live_s", "time_to_live"),
        ("max_versions", "max_version"),
        ("max_deviation_s", "max_time_deviation"),
        ("allow_update", "allow_update"),
    ):
        if name in ask:
            given[argument] = ask[name]
    return given


def throughput(ask):
    read, write = ask.get("reserved", (0, 0))
    return ReservedThroughput(CapacityUnit(read, write))


@operation
def create_table(ask):
    schema = []
    for column in ask["key"]:
        kind = KEY_TYPES.get(column[1], column[1].upper())
        auto = (words.SPECIAL_KEYS["auto"],) if len(column) > 2 else ()
        schema.append((column[0], kind) + auto)
    defined = [(name, kind.upper()) for name, kind in ask.get("defined_columns", ())]
    meta = TableMeta(ask["table"], schema, defined)
    client.create_table(meta, TableOptions(**table_options(ask)), throughput(ask))
    return {}


@operation
def update_table(ask):
    options, reserved = table_options(ask), None
    if options:
        # What is not given is not sent.
        unset = dict(time_to_live=None, max_version=None, max_time_deviation=None)
        options = TableOptions(**{**unset, **options})
    else:
        options = None
    if "reserved" in ask:
        reserved = throughput(ask)
    reply = client.update_table(ask["table"], options, reserved)
    return answers.table(reply)


@operation
def describe_table(ask):
    reply = client.describe_table(ask["table"])
    answer = answers.table(reply)
    answer["table"] = reply.table_meta.table_name
    answer["key"] = [
        [column[0], column[1].lower()] + (["auto_increment"] if len(column) > 2 else [])
        for column in reply.table_meta.schema_of_primary_key
    ]
    answer["defined_columns"] = [
        [column[0], column[1].lower()] for column in reply.table_meta.defined_columns
    ]
    return answer


@operation
def list_tables(ask):
    return {"tables": list(client.list_table())}


@operation
def delete_table(ask):
    client.delete_table(ask["table"])
    return {}


@operation
def compute_split_points(ask):
    raise Unsupported("the SDK has no ComputeSplitPointsBySize")


# Rows


def wants(ask, batch=False):
    content = ask.get("return")
    if content is None:
        return None
    if content == "key":
        return ReturnType.RT_PK
    raise Unsupported("the SDK cannot name columns to return after a change")


def written(reply):
    consumed, row = reply
    return {"row": answers.row_or_none(row), "consumed": answers.consumed(consumed)}


@operation
def put_row(ask):
    row = Row(words.key(ask["key"]), words.columns(ask.get("columns", ())))
    return written(client.put_row(ask["table"], row, words.condition(ask), wants(ask)))


@operation
def update_row(ask):
    row = Row(words.key(ask["key"]), words.changes(ask.get("changes", ())))
    return written(client.update_row(ask["table"], row, words.condition(ask), wants(ask)))


@operation
def delete_row(ask):
    row = Row(words.key(ask["key"]))
    return written(client.delete_row(ask["table"], row, words.condition(ask), wants(ask)))


@operation
def get_row(ask):
    consumed, row, _ = client.get_row(ask["table"], words.key(ask["key"]), **words.reading(ask))
    return {"row": answers.row_or_none(row), "consumed": answers.consumed(consumed)}


@operation
def get_range(ask):
    consumed, after, rows, _ = client.get_range(
        ask["table"],
        "BACKWARD" if ask.get("backward") else "FORWARD",
        words.key(ask["start"]),
        words.key(ask["end"]),
        limit=ask.get("limit"),
        **words.reading(ask),
    )
    return {
        "rows": [answers.row(row.primary_key, row.attribute_columns) for row in rows],
        "next": answers.row(after, []) if after else None,
        "consumed": answers.consumed(consumed),
    }


def once(ask):
    names = [table["table"] for table in ask["tables"]]
    if len(set(names)) < len(names):
        raise Unsupported("a batch of the SDK has each table once")


@operation
def batch_get(ask):
    once(ask)
    request = BatchGetRowRequest()
    for table in ask["tables"]:
        keys = [words.key(key) for key in table["keys"]]
        request.add(TableInBatchGetRowItem(table["table"], keys, **words.reading(table)))
    reply = client.batch_get_row(request)
    tables = []
    for table in ask["tables"]:
        items = reply.get_result_by_table(table["table"]) or []
        tables.append({"rows": [answers.batch_item(item, item.row) for item in items]})
    return {"tables": tables}


def batch_row(change):
    ((kind, ask),) = change.items()
    key, condition, content = words.key(ask["key"]), words.condition(ask), wants(ask)
    if kind == "put":
        return PutRowItem(Row(key, words.columns(ask.get("columns", ()))), condition, content)
    if kind == "update":
        return UpdateRowItem(Row(key, words.changes(ask.get("changes", ()))), condition, content)
    return DeleteRowItem(Row(key), condition, content)


@operation
def batch_write(ask):
    once(ask)
    if ask.get("atomic"):
        raise Unsupported("the SDK has no atomic batch")
    request = BatchWriteRowRequest()
    for table in ask["tables"]:
        rows = [batch_row(change) for change in table["rows"]]
        request.add(TableInBatchWriteRowItem(table["table"], rows))
    reply = client.batch_write_row(request)
    tables = []
    for table in ask["tables"]:
        name = table["table"]
        items = reply.get_put_by_table(name) + reply.get_update_by_table(name)
        items = sorted(items + reply.get_delete_by_table(name), key=lambda item: item.index)
        tables.append({"rows": [answers.batch_item(item, item.row) for item in items]})
    return {"tables": tables}


# Search indexes


@operation
def create_index(ask):
    if "source" in ask:
        raise Unsupported("the SDK cannot rebuild an index from another")
    meta = SearchIndexMeta(
        [words.field(field) for field in ask["fields"]],
        index_setting=words.index_setting(ask),
        index_sort=words.sort(ask["sort"]) if "sort" in ask else None,
        time_to_live=ask.get("time_to_live_s", -1),
    )
    client.create_search_index(ask["table"], ask["index"], meta)
    return {}


@operation
def update_index(ask):
    if "switch_to" in ask or "weights" in ask:
        raise Unsupported("the SDK changes nothing of an index but its time to live")
    meta = SearchIndexMeta(fields=None, time_to_live=ask["time_to_live_s"])
    client.update_search_index(ask["table"], ask["index"], meta)
    return {}


@operation
def describe_index(ask):
    meta, sync = client.describe_search_index(ask["table"], ask["index"])
    return {
        "fields": [answers.field(field) for field in meta.fields],
        "phase": "incr" if sync.sync_phase == SyncPhase.INCR else "full",
        "time_to_live_s": meta.time_to_live,
        "routing": list(meta.index_setting.routing_fields) if meta.index_setting else [],
    }


@operation
def list_indexes(ask):
    return {"indexes": [name for _, name in client.list_search_index(ask["table"])]}


@operation
def delete_index(ask):
    client.delete_search_index(ask["table"], ask["index"])
    return {}


# Searches and scans


@operation
def search(ask):
    query = SearchQuery(
        words.query(ask["query"]),
        sort=words.sort(ask["sort"]) if "sort" in ask else None,
        get_total_count=ask.get("count_all", False),
        next_token=bytes.fromhex(ask["token"]) if "token" in ask else None,
        offset=ask.get("offset"),
        limit=ask.get("limit"),
        aggs=[words.aggregation(name, agg) for name, agg in ask.get("aggs", ())],
        group_bys=[words.group_by(name, group) for name, group in ask.get("groups", ())],
        collapse_field=words.collapse(ask),
        highlight=words.highlight(ask["highlight"]) if "highlight" in ask else None,
    )
    routing = [words.key(key) for key in ask["routed_to"]] if "routed_to" in ask else None
    columns = words.columns_to_get(ask.get("columns", "none"))
    return answers.search(client.search(ask["table"], ask["index"], query, columns, routing))


@operation
def compute_splits(ask):
    reply = client.compute_splits(ask["table"], ask["index"])
    # The SDK reads the id as text.
    return {"session": reply.session_id.encode("utf-8").hex(), "splits": reply.splits_size}


@operation
def parallel_scan(ask):
    if "share" not in ask:
        raise Unsupported("a scan of the SDK names its share")
    if "limit" not in ask:
        raise Unsupported("a scan of the SDK has a limit")
    share, shares = ask["share"]
    token = bytes.fromhex(ask["token"]) if "token" in ask else None
    alive = ask.get("alive_s", 60)
    query = ScanQuery(words.query(ask["query"]), ask["limit"], token, share, shares, alive)
    session = bytes.fromhex(ask["session"]).decode("utf-8") if "session" in ask else None
    columns = words.columns_to_get(ask.get("columns", "none"))
    reply = client.parallel_scan(ask["table"], ask["index"], query, session, columns)
    return {
        "rows": [answers.row(*row) for row in reply.rows],
        "next": reply.next_token.hex() if reply.next_token else None,
    }


def said(ask):
    try:
        return {"answer": operations[ask.pop("do")](ask)}
    except OTSServiceError as error:
        status, code = error.get_http_status(), error.get_error_code()
        return {"error": {"status": status, "code": code, "message": error.get_error_message()}}
    except Unsupported as why:
        return {"unsupported": str(why)}
    except Exception as error:  # whatever the SDK raises is what came of it
        traceback.print_exc()
        return {"failed": "%s: %s" % (type(error).__name__, error)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(said(plain(json.loads(line))), ensure_ascii=False), flush=True)
