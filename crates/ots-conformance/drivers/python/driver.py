"""Runs the official Python SDK, unmodified, through the conformance steps."""

import os
import sys
import time

from tablestore import (
    BatchGetRowRequest,
    BatchWriteRowRequest,
    BoolQuery,
    CapacityUnit,
    ColumnReturnType,
    ColumnsToGet,
    ComparatorType,
    CompositeColumnCondition,
    Condition,
    DeleteRowItem,
    Direction,
    ExistsQuery,
    FieldSchema,
    FieldType,
    INF_MAX,
    INF_MIN,
    LogicalOperator,
    MatchAllQuery,
    OTSClient,
    OTSServiceError,
    PrefixQuery,
    PrimaryKeySort,
    PutRowItem,
    RangeQuery,
    ReservedThroughput,
    ReturnType,
    Row,
    RowExistenceExpectation,
    ScanQuery,
    SearchIndexMeta,
    SearchQuery,
    SingleColumnCondition,
    Sort,
    TableInBatchGetRowItem,
    TableInBatchWriteRowItem,
    TableMeta,
    TableOptions,
    TermQuery,
    TermsQuery,
    UpdateRowItem,
)
from tablestore.metadata import SyncPhase

from contract import (
    Fixture,
    Mismatch,
    Steps,
    column,
    columns_to_sdk,
    emit_rows,
    key_to_sdk,
    row_from_sdk,
    same,
    setting,
    true,
    with_columns,
    without_timestamps,
)

IGNORE = Condition(RowExistenceExpectation.IGNORE)
EXIST = Condition(RowExistenceExpectation.EXPECT_EXIST)
NOT_EXIST = Condition(RowExistenceExpectation.EXPECT_NOT_EXIST)

KEY_TYPES = {"string": "STRING", "integer": "INTEGER", "binary": "BINARY"}
FIELD_TYPES = {
    "long": FieldType.LONG,
    "double": FieldType.DOUBLE,
    "boolean": FieldType.BOOLEAN,
    "keyword": FieldType.KEYWORD,
    "text": FieldType.TEXT,
}
# More requests than any loop of these steps needs: one that runs longer goes round in circles.
MOST_PAGES = 500
READY_SECONDS = 120

fixture = Fixture(setting("OTS_FIXTURE"))
step = Steps()


def connect(secret):
    # Without the fallback a decoder that fails is an error, not a warning.
    codec = setting("OTS_DRIVER_CODEC")
    return OTSClient(
        setting("OTS_ENDPOINT"),
        setting("TABLESTORE_ACCESS_KEY_ID"),
        secret,
        setting("OTS_INSTANCE"),
        region=os.environ.get("OTS_DRIVER_REGION"),
        enable_native=codec == "native",
        native_fallback=False,
    )


client = connect(setting("TABLESTORE_ACCESS_KEY_SECRET"))


def refused(call):
    """Status and code of the error that a call must end in."""
    try:
        call()
    except OTSServiceError as error:
        return {"status": error.get_http_status(), "code": error.get_error_code()}
    raise Mismatch("the service accepted what it must refuse")


def create(table):
    schema = [(key["name"], KEY_TYPES[key["type"]]) for key in table["primary_key"]]
    client.create_table(
        TableMeta(table["name"], schema),
        TableOptions(time_to_live=-1, max_version=table["max_versions"]),
        ReservedThroughput(CapacityUnit(0, 0)),
    )


def get(role, primary_key, max_version=1):
    _, row, _ = client.get_row(fixture.name(role), primary_key, max_version=max_version)
    return None if row is None else row_from_sdk(row.primary_key, row.attribute_columns)


def whole_range(role, direction=Direction.FORWARD):
    names = [key["name"] for key in fixture.tables[role]["primary_key"]]
    low, high = [(name, INF_MIN) for name in names], [(name, INF_MAX) for name in names]
    return (low, high) if direction == Direction.FORWARD else (high, low)


def read_range(role, start, end, direction=Direction.FORWARD, limit=None, **options):
    """Every page of a range: the rows, and how many each page had."""
    rows, pages = [], []
    while start:
        true("GetRange ends", len(pages) < MOST_PAGES)
        _, start, page, _ = client.get_range(
            fixture.name(role), direction, start, end, limit=limit, **options
        )
        rows += [row_from_sdk(row.primary_key, row.attribute_columns) for row in page]
        pages.append(len(page))
    return rows, pages


# Tables


@step
def create_tables():
    for table in fixture.data["tables"]:
        create(table)
    again = refused(lambda: create(fixture.tables["types"]))
    return {"errors": {"create_again": again}}


@step
def list_tables():
    names = client.list_table()
    ours = sorted(table["name"] for table in fixture.data["tables"])
    same("tables", sorted(name for name in names if name in ours), ours)
    return {"tables": ours}


@step
def describe_tables():
    described = {}
    types = {sdk: kind for kind, sdk in KEY_TYPES.items()}
    for role, table in fixture.tables.items():
        reply = client.describe_table(table["name"])
        same("name", reply.table_meta.table_name, table["name"])
        key = [
            {"name": c[0], "type": types[c[1]]} for c in reply.table_meta.schema_of_primary_key
        ]
        same("key of %s" % role, key, table["primary_key"])
        same("versions of %s" % role, reply.table_options.max_version, table["max_versions"])
        same("time to live of %s" % role, reply.table_options.time_to_live, -1)
        described[role] = {
            "primary_key": key,
            "max_versions": reply.table_options.max_version,
            "time_to_live": reply.table_options.time_to_live,
        }
    return {"tables": described}


@step
def delete_table():
    client.delete_table(fixture.name("scratch"))
    true("a deleted table is not listed", fixture.name("scratch") not in client.list_table())
    gone = refused(lambda: client.describe_table(fixture.name("scratch")))
    return {"errors": {"describe_deleted": gone}}


# Single rows


@step
def put_rows():
    returned = []
    for role in ("types", "binary"):
        for row in reversed(fixture.rows(role)):
            _, reply = client.put_row(
                fixture.name(role),
                Row(key_to_sdk(row), columns_to_sdk(row)),
                NOT_EXIST,
                ReturnType.RT_PK,
            )
            returned.append(row_from_sdk(reply.primary_key, reply.attribute_columns))
    # With IGNORE a put replaces the whole row.
    first = fixture.rows("types")[0]
    client.put_row(fixture.name("types"), Row(key_to_sdk(first), [("replaced", 1)]), IGNORE)
    client.put_row(fixture.name("types"), Row(key_to_sdk(first), columns_to_sdk(first)), IGNORE)
    emit_rows("put_returned", "types", returned)


@step
def get_rows():
    for role in ("types", "binary"):
        rows = [get(role, key_to_sdk(row)) for row in fixture.rows(role)]
        emit_rows("get_" + role, role, rows)
        same(role, without_timestamps(rows), fixture.rows(role))
    same("an absent row", get("types", [("s", "nowhere"), ("i", 0)]), None)


@step
def update_row():
    table, key, base = fixture.name("versions"), [("s", "updated"), ("i", 1)], fixture.base_version_ms

    def update(changes):
        client.update_row(table, Row(key, changes), IGNORE)

    update({"PUT": [("a", 1, base), ("b", "x", base), ("c", True, base)]})
    update({"PUT": [("a", 2, base + 1), ("b", "y", base + 1)]})
    update({"PUT": [("a", 3, base + 2), ("kept", bytearray(b"\x00\xff"), base)]})
    update({"DELETE": [("a", None, base + 1)], "DELETE_ALL": ["b"]})
    update({"INCREMENT": [("count", 5)]})
    update({"INCREMENT": [("count", -2)]})
    row = get("versions", key, max_version=5)
    emit_rows("updated", "versions", [row])
    cells = [(c["name"], c["value"]["value"], int(c["timestamp"])) for c in row["columns"]]
    same(
        "versions with a given time",
        [c for c in cells if c[0] != "count"],
        [("a", "3", base + 2), ("a", "1", base), ("c", True, base), ("kept", "00ff", base)],
    )
    same("the counter", [c[1] for c in cells if c[0] == "count"], ["3", "5"])

    # Deletes alone make no row; a row that loses its last column remains.
    client.update_row(table, Row([("s", "updated"), ("i", 2)], {"DELETE_ALL": ["a"]}), IGNORE)
    same("a row of deletes alone", get("versions", [("s", "updated"), ("i", 2)]), None)
    bare = [("s", "updated"), ("i", 3)]
    client.update_row(table, Row(bare, {"PUT": [("a", 1)]}), IGNORE)
    client.update_row(table, Row(bare, {"DELETE_ALL": ["a"]}), IGNORE)
    same("a row without columns", get("versions", bare)["columns"], [])


@step
def conditions():
    table = fixture.name("versions")
    key, absent = [("s", "guarded"), ("i", 1)], [("s", "guarded"), ("i", 2)]

    def when(name, value, pass_if_missing=False):
        single = SingleColumnCondition(
            name, value, ComparatorType.EQUAL, pass_if_missing=pass_if_missing
        )
        return Condition(RowExistenceExpectation.IGNORE, single)

    client.put_row(table, Row(key, [("state", "open"), ("n", 1)]), NOT_EXIST)
    errors = {
        "put_existing": refused(lambda: client.put_row(table, Row(key, [("n", 2)]), NOT_EXIST)),
        "update_absent": refused(
            lambda: client.update_row(table, Row(absent, {"PUT": [("n", 2)]}), EXIST)
        ),
        "delete_absent": refused(lambda: client.delete_row(table, Row(absent), EXIST)),
        "column_differs": refused(
            lambda: client.update_row(
                table, Row(key, {"PUT": [("n", 2)]}), when("state", "closed")
            )
        ),
        "column_of_other_type": refused(
            lambda: client.delete_row(table, Row(key), when("n", "1"))
        ),
        "column_missing": refused(lambda: client.delete_row(table, Row(key), when("absent", 1))),
    }
    row = get("versions", key)
    same("untouched", [c["value"]["value"] for c in row["columns"]], ["1", "open"])
    client.update_row(table, Row(key, {"PUT": [("n", 3)]}), when("state", "open"))
    client.update_row(table, Row(key, {"PUT": [("m", 4)]}), when("absent", 1, True))
    row = get("versions", key)
    emit_rows("guarded", "versions", [row])
    same("updated", [c["value"]["value"] for c in row["columns"]], ["4", "3", "open"])
    return {"errors": errors}


@step
def delete_row():
    table, key = fixture.name("versions"), [("s", "deleted"), ("i", 1)]
    client.put_row(table, Row(key, [("n", 1)]), NOT_EXIST)
    true("the row is there", get("versions", key) is not None)
    client.delete_row(table, Row(key), EXIST)
    same("the row after its deletion", get("versions", key), None)
    client.delete_row(table, Row(key), IGNORE)


# Batches


def write_batch(role, items):
    request = BatchWriteRowRequest()
    request.add(TableInBatchWriteRowItem(fixture.name(role), items))
    return client.batch_write_row(request)


def write_all(role, at_once):
    rows = fixture.rows(role)[::-1]
    for first in range(0, len(rows), at_once):
        items = [
            PutRowItem(Row(key_to_sdk(row), columns_to_sdk(row)), NOT_EXIST)
            for row in rows[first : first + at_once]
        ]
        reply = write_batch(role, items)
        true("a batch of %s succeeds" % role, reply.is_all_succeed())


@step
def batch_write():
    write_all("bulk", 100)
    write_all("many", 200)

    def key(i):
        return [("s", "batch"), ("i", i)]

    for i in (2, 3):
        client.put_row(fixture.name("versions"), Row(key(i), [("n", 1)]), NOT_EXIST)
    reply = write_batch(
        "versions",
        [
            PutRowItem(Row(key(1), [("n", 1)]), NOT_EXIST),
            UpdateRowItem(Row(key(2), {"INCREMENT": [("n", 41)]}), EXIST),
            DeleteRowItem(Row(key(3)), EXIST),
            PutRowItem(Row(key(4), [("n", 1)]), EXIST),
        ],
    )
    table = fixture.name("versions")
    items = reply.get_put_by_table(table) + reply.get_update_by_table(table)
    items += reply.get_delete_by_table(table)
    items.sort(key=lambda item: item.index)
    results = ["ok" if item.is_ok else item.error_code for item in items]
    same("results", results, ["ok", "ok", "ok", "OTSConditionCheckFail"])
    rows = [get("versions", key(i)) for i in (1, 2, 3, 4)]
    found = [row and row["columns"][0]["value"]["value"] for row in rows]
    same("rows after the batch", found, ["1", "42", None, None])
    return {"results": results}


@step
def batch_get():
    wanted = fixture.rows("bulk")[::10]
    keys = [key_to_sdk(row) for row in wanted]
    keys = [[("g", "absent"), ("i", 0)]] + keys + [[("g", "g0"), ("i", 50)]]
    request = BatchGetRowRequest()
    request.add(TableInBatchGetRowItem(fixture.name("bulk"), keys, max_version=1))
    types = [key_to_sdk(row) for row in fixture.rows("types")]
    request.add(TableInBatchGetRowItem(fixture.name("types"), types, max_version=1))
    reply = client.batch_get_row(request)

    facts, sets = {}, {}
    for role in ("bulk", "types"):
        items = reply.get_result_by_table(fixture.name(role))
        true("every row of %s is answered without error" % role, all(i.is_ok for i in items))
        facts["absent_" + role] = [at for at, item in enumerate(items) if item.row is None]
        rows = [i.row for i in items if i.row is not None]
        sets[role] = [row_from_sdk(row.primary_key, row.attribute_columns) for row in rows]
        emit_rows("batch_get_" + role, role, sets[role])
    same("bulk", without_timestamps(sets["bulk"]), wanted)
    same("types", without_timestamps(sets["types"]), fixture.rows("types"))
    return facts


# Ranges


@step
def range_forward():
    rows, pages = read_range("bulk", *whole_range("bulk"), limit=60)
    emit_rows("range_forward", "bulk", rows)
    same("rows", without_timestamps(rows), fixture.rows("bulk"))
    start, end = [("g", "g1"), ("i", 10)], [("g", "g3"), ("i", INF_MIN)]
    between, _ = read_range("bulk", start, end, limit=7)
    emit_rows("range_between", "bulk", between)
    same("rows between", without_timestamps(between), fixture.rows("bulk")[60:150])
    return {"pages": pages}


@step
def range_backward():
    backward = Direction.BACKWARD
    rows, pages = read_range("bulk", *whole_range("bulk", backward), direction=backward, limit=90)
    emit_rows("range_backward", "bulk", rows)
    same("rows", without_timestamps(rows), fixture.rows("bulk")[::-1])
    return {"pages": pages}


@step
def range_columns():
    rows, pages = read_range("bulk", *whole_range("bulk"), limit=10, columns_to_get=["opt", "d"])
    emit_rows("range_columns", "bulk", rows)
    same("rows", without_timestamps(rows), with_columns(fixture.rows("bulk"), ["opt", "d"]))
    # A row that has none of the columns is not returned.
    rows, _ = read_range("bulk", *whole_range("bulk"), columns_to_get=["opt"])
    emit_rows("range_sparse", "bulk", rows)
    expected = [row for row in fixture.rows("bulk") if column(row, "opt") is not None]
    same("sparse rows", without_timestamps(rows), with_columns(expected, ["opt"]))
    return {"pages": pages}


@step
def range_filter():
    both = CompositeColumnCondition(LogicalOperator.AND)
    both.add_sub_condition(
        SingleColumnCondition("n", 100, ComparatorType.GREATER_EQUAL, pass_if_missing=False)
    )
    both.add_sub_condition(
        SingleColumnCondition("flag", True, ComparatorType.EQUAL, pass_if_missing=False)
    )
    rows, _ = read_range("bulk", *whole_range("bulk"), limit=20, column_filter=both)
    emit_rows("range_filter", "bulk", rows)
    expected = [r for r in fixture.rows("bulk") if column(r, "n") >= 100 and column(r, "flag")]
    same("rows", without_timestamps(rows), expected)


@step
def range_natural():
    rows, pages = read_range("many", *whole_range("many"))
    emit_rows("range_natural", "many", rows)
    same("rows", without_timestamps(rows), fixture.rows("many"))
    start, end = whole_range("many")
    consumed = CapacityUnit(0, 0)
    iterated = client.xget_range(fixture.name("many"), Direction.FORWARD, start, end, consumed)
    same("rows of the SDK's iterator", sum(1 for _ in iterated), len(rows))
    return {"pages": pages}


# Search


def index_meta():
    fields = [
        FieldSchema(field["name"], FIELD_TYPES[field["type"]], index=True, store=True)
        for field in fixture.index["fields"]
    ]
    return SearchIndexMeta(fields)


def index_names():
    listed = client.list_search_index(fixture.name("bulk"))
    same("tables of the indexes", {table for table, _ in listed}, {fixture.name("bulk")})
    return sorted(index for _, index in listed)


def search(query, **options):
    columns = options.pop("columns", ColumnsToGet(["n"], ColumnReturnType.SPECIFIED))
    return client.search(
        fixture.name("bulk"), fixture.index["name"], SearchQuery(query, **options), columns
    )


@step
def index_create():
    for name in (fixture.index["name"], "passing_index"):
        client.create_search_index(fixture.name("bulk"), name, index_meta())


@step
def index_list():
    names = index_names()
    same("indexes", names, sorted([fixture.index["name"], "passing_index"]))
    return {"indexes": names}


@step
def index_describe():
    # An index follows its table with some delay: wait until it has every row.
    total, deadline = len(fixture.rows("bulk")), time.monotonic() + READY_SECONDS
    while True:
        meta, sync = client.describe_search_index(fixture.name("bulk"), fixture.index["name"])
        found = search(MatchAllQuery(), limit=0, get_total_count=True).total_count
        if sync.sync_phase == SyncPhase.INCR and found == total:
            break
        true("the index has %d of %d rows in time" % (found, total), time.monotonic() < deadline)
        time.sleep(1)
    types = {sdk: kind for kind, sdk in FIELD_TYPES.items()}
    fields = [{"name": f.field_name, "type": types[f.field_type]} for f in meta.fields]
    same("fields", fields, fixture.index["fields"])
    true("every field is indexed", all(field.index for field in meta.fields))
    return {"fields": fields}


@step
def index_delete():
    client.delete_search_index(fixture.name("bulk"), "passing_index")
    names = index_names()
    same("indexes", names, [fixture.index["name"]])
    return {"indexes": names}


@step
def search_pages():
    everything = ColumnsToGet(return_type=ColumnReturnType.ALL)
    options = {"sort": Sort([PrimaryKeySort()])}
    rows, pages, totals = [], [], []
    while True:
        true("Search ends", len(pages) < MOST_PAGES)
        reply = search(
            MatchAllQuery(), limit=60, get_total_count=True, columns=everything, **options
        )
        true("all shards answered", reply.is_all_succeed)
        rows += [row_from_sdk(*row) for row in reply.rows]
        pages.append(len(reply.rows))
        totals.append(reply.total_count)
        if not reply.next_token:
            break
        options = {"next_token": reply.next_token}
    emit_rows("search_pages", "bulk", rows)
    same("rows", without_timestamps(rows), fixture.rows("bulk"))
    uncounted = search(MatchAllQuery(), limit=1).total_count
    return {"pages": pages, "total": totals[0], "uncounted": uncounted}


@step
def search_queries():
    queries = {
        "term": (TermQuery("kw", "k3"), lambda r: column(r, "kw") == "k3"),
        "term_chinese": (TermQuery("kw", "表格"), lambda r: column(r, "kw") == "表格"),
        "terms": (TermsQuery("n", [1, 100, 249, 9999]), lambda r: column(r, "n") in (1, 100, 249)),
        "range": (
            RangeQuery("n", 100, 150, include_lower=True, include_upper=False),
            lambda r: 100 <= column(r, "n") < 150,
        ),
        "range_double": (
            RangeQuery("d", -1.5, 1.5, include_lower=True, include_upper=True),
            lambda r: -1.5 <= column(r, "d") <= 1.5,
        ),
        "range_key": (
            RangeQuery("i", 48, None, include_lower=False),
            lambda r: int(r["primary_key"][1]["value"]["value"]) > 48,
        ),
        "prefix": (PrefixQuery("opt", "o1"), lambda r: (column(r, "opt") or "").startswith("o1")),
        "exists": (ExistsQuery("opt"), lambda r: column(r, "opt") is not None),
        "bool_must": (
            BoolQuery(
                must_queries=[TermQuery("flag", True), RangeQuery("n", None, 90)],
                must_not_queries=[TermQuery("kw", "k1")],
            ),
            lambda r: column(r, "flag") and column(r, "n") < 90 and column(r, "kw") != "k1",
        ),
        "bool_should": (
            BoolQuery(
                filter_queries=[RangeQuery("n", None, 100)],
                should_queries=[TermQuery("kw", "k2"), ExistsQuery("opt")],
                minimum_should_match=1,
            ),
            lambda r: column(r, "n") < 100
            and (column(r, "kw") == "k2" or column(r, "opt") is not None),
        ),
        "nothing": (TermQuery("kw", "nowhere"), lambda r: False),
    }
    totals = {}
    for name, (query, holds) in queries.items():
        reply = search(query, limit=100, get_total_count=True)
        rows = [row_from_sdk(*row) for row in reply.rows]
        emit_rows("search_" + name, "bulk", rows)
        expected = [row for row in fixture.rows("bulk") if holds(row)]
        same(name, without_timestamps(rows), with_columns(expected, ["n"]))
        true("one page is the end of %s" % name, not reply.next_token)
        totals[name] = reply.total_count
    return {"totals": totals}


# Parallel scan


class Session:
    """A scan session: its id and how many splits it has."""

    id = None
    splits = 0


def scan(query, parallel_id, max_parallel, limit, columns):
    """One share of a scan to its end: the rows, and how many each page had."""
    rows, pages, token = [], [], None
    while True:
        true("ParallelScan ends", len(pages) < MOST_PAGES)
        reply = client.parallel_scan(
            fixture.name("bulk"),
            fixture.index["name"],
            ScanQuery(query, limit, token, parallel_id, max_parallel, alive_time=60),
            Session.id,
            columns,
        )
        rows += [row_from_sdk(*row) for row in reply.rows]
        pages.append(len(reply.rows))
        token = reply.next_token
        if not token:
            return rows, pages


@step
def scan_splits():
    reply = client.compute_splits(fixture.name("bulk"), fixture.index["name"])
    Session.id, Session.splits = reply.session_id, reply.splits_size
    true("the session has an id", bool(Session.id))
    return {"splits": Session.splits}


@step
def scan_all():
    columns = ColumnsToGet(return_type=ColumnReturnType.ALL_FROM_INDEX)
    rows, pages = [], []
    for parallel_id in range(Session.splits):
        share, counts = scan(MatchAllQuery(), parallel_id, Session.splits, 7, columns)
        rows += share
        pages.append(counts)
    emit_rows("scan_all", "bulk", rows)
    keys = [(row["primary_key"][0]["value"]["value"], row["primary_key"][1]["value"]["value"]) for row in rows]
    same("rows scanned twice", len(keys) - len(set(keys)), 0)
    same("rows scanned", len(keys), len(fixture.rows("bulk")))
    for counts in pages:
        same("rows of a last page", counts[-1], 0)
        true("no page but the last is empty, none exceeds the limit", all(0 < n <= 7 for n in counts[:-1]))
    return {"pages": pages}


@step
def scan_query():
    query = RangeQuery("n", 50, 100, include_lower=True, include_upper=False)
    rows, pages = scan(query, 0, 1, 20, ColumnsToGet(return_type=ColumnReturnType.NONE))
    emit_rows("scan_query", "bulk", rows)
    rows.sort(key=lambda r: int(r["primary_key"][1]["value"]["value"]))
    same("rows", rows, with_columns(fixture.rows("bulk")[50:100], []))
    return {"pages": [pages]}


# Errors


@step
def error_secret():
    stranger = connect("not-the-secret")
    key = key_to_sdk(fixture.rows("types")[0])
    return {
        "errors": {
            "list": refused(stranger.list_table),
            "get": refused(lambda: stranger.get_row(fixture.name("types"), key)),
        }
    }


@step
def error_table():
    table, key = fixture.name("types") + "_absent", [("s", "a"), ("i", 1)]
    start, end = whole_range("types")
    request = BatchWriteRowRequest()
    request.add(TableInBatchWriteRowItem(table, [PutRowItem(Row(key, [("n", 1)]), IGNORE)]))
    return {
        "errors": {
            "describe": refused(lambda: client.describe_table(table)),
            "delete": refused(lambda: client.delete_table(table)),
            "get": refused(lambda: client.get_row(table, key)),
            "put": refused(lambda: client.put_row(table, Row(key, [("n", 1)]), IGNORE)),
            "range": refused(lambda: client.get_range(table, Direction.FORWARD, start, end)),
            "batch_write": refused(lambda: client.batch_write_row(request)),
        }
    }


@step
def error_index():
    table, index = fixture.name("bulk"), "absent_index"
    query = SearchQuery(MatchAllQuery(), limit=1)
    return {
        "errors": {
            "search": refused(lambda: client.search(table, index, query)),
            "splits": refused(lambda: client.compute_splits(table, index)),
        }
    }


@step
def error_request():
    types, start, end = fixture.name("types"), *whole_range("types")
    return {
        "errors": {
            "table_name": refused(lambda: client.describe_table("3t")),
            "key_name": refused(lambda: client.get_row(types, [("s", "a"), ("x", 1)])),
            "key_type": refused(lambda: client.get_row(types, [("s", "a"), ("i", "1")])),
            "range_order": refused(
                lambda: client.get_range(types, Direction.FORWARD, end, start)
            ),
        }
    }


# What is left in the tables, for our own client to read


@step
def final_tables():
    for role in ("types", "binary", "versions", "bulk", "many"):
        versions = fixture.tables[role]["max_versions"]
        rows, _ = read_range(role, *whole_range(role), max_version=versions)
        emit_rows("final_" + role, role, rows)


if __name__ == "__main__":
    sys.exit(0 if step.run() else 1)
