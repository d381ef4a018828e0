"""The SDK's own ways to read over pages: xget_range, and the loop that its documentation shows for Search.

One job a line on stdin, one answer a line on stdout: `{"rows": [..], "read": N}`, rows in canonical form.
`most` bounds the rows of an answer: some of these loops have no end.
"""

import itertools
import json
import sys

from tablestore import (
    CapacityUnit,
    ColumnReturnType,
    ColumnsToGet,
    ComparatorType,
    Direction,
    INF_MAX,
    INF_MIN,
    MatchAllQuery,
    OTSClient,
    SearchQuery,
    SingleColumnCondition,
)

from contract import row_from_sdk, setting

client = OTSClient(
    setting("OTS_ENDPOINT"),
    setting("TABLESTORE_ACCESS_KEY_ID"),
    setting("TABLESTORE_ACCESS_KEY_SECRET"),
    setting("OTS_INSTANCE"),
    enable_native=False,
)


def ranged(job):
    low = [(name, INF_MIN) for name in job["key"]]
    high = [(name, INF_MAX) for name in job["key"]]
    backward = job["backward"]
    condition = None
    if job.get("least") is not None:
        name, least = job["least"]
        condition = SingleColumnCondition(name, least, ComparatorType.GREATER_EQUAL)
    consumed = CapacityUnit(0, 0)
    found = client.xget_range(
        job["table"],
        Direction.BACKWARD if backward else Direction.FORWARD,
        high if backward else low,
        low if backward else high,
        consumed,
        columns_to_get=job.get("columns"),
        count=job.get("count"),
        column_filter=condition,
        max_version=1,
    )
    rows = [
        row_from_sdk(row.primary_key, row.attribute_columns)
        for row in itertools.islice(found, job["most"])
    ]
    return {"rows": rows, "read": consumed.read}


def searched(job):
    rows, token = [], None
    while len(rows) < job["most"]:
        reply = client.search(
            job["table"],
            job["index"],
            SearchQuery(MatchAllQuery(), limit=job["limit"], next_token=token),
            ColumnsToGet(return_type=ColumnReturnType.ALL),
        )
        rows += [row_from_sdk(*row) for row in reply.rows]
        token = reply.next_token
        if not token:
            break
    return {"rows": rows, "read": 0}


for line in sys.stdin:
    job = json.loads(line)
    answer = {"range": ranged, "search": searched}[job["ask"]](job)
    print(json.dumps(answer, ensure_ascii=False), flush=True)
