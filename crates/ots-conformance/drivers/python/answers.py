"""What the SDK answers, in neutral words."""

import math

from tablestore.metadata import FieldType, VectorMetricType

from contract import from_sdk, row_from_sdk
from words import FIELD_TYPES

NAMES_OF_TYPES = {sdk: name for name, sdk in FIELD_TYPES.items()}


def double(number):
    return from_sdk(float(number))


def value(found):
    """A value of a result: text comes as bytes, as no result is binary."""
    return from_sdk(found.decode("utf-8") if isinstance(found, (bytes, bytearray)) else found)


def row(key, cells):
    """The decoder in C leaves out the version of a cell that has none."""
    cells = [cell if len(cell) == 3 else (*cell, None) for cell in cells or []]
    return row_from_sdk(key or [], cells)


def row_or_none(found):
    if found is None or not (found.primary_key or found.attribute_columns):
        return None
    return row(found.primary_key, found.attribute_columns)


def consumed(units):
    return None if units is None else {"read": units.read, "write": units.write}


def batch_item(item, found):
    if not item.is_ok:
        return {"error": {"code": item.error_code, "message": item.error_message}}
    return {"row": row_or_none(found), "consumed": consumed(item.consumed)}


def table(reply):
    options, units = reply.table_options, reply.reserved_throughput_details.capacity_unit
    return {
        "max_versions": options.max_version,
        "time_to_live_s": options.time_to_live,
        "max_deviation_s": options.max_time_deviation,
        "allow_update": options.allow_update,
        "reserved": [units.read, units.write],
    }


def field(found):
    vector = found.vector_options if found.field_type == FieldType.VECTOR else None
    return {
        "name": found.field_name,
        "type": NAMES_OF_TYPES.get(found.field_type, "unknown"),
        "array": found.is_array,
        "index": found.index,
        "sort_and_agg": found.enable_sort_and_agg,
        "store": found.store,
        "highlight": found.enable_highlighting,
        "analyzer": found.analyzer or None,
        "date_formats": list(found.date_formats or ()),
        "virtual_of": list(found.source_fields or ()),
        "fields": [field(sub) for sub in found.sub_field_schemas or ()],
        "vector": {
            "dimension": vector.dimension,
            "metric": VectorMetricType(vector.metric_type).name[3:].lower(),
        } if vector else None,
    }


def search(reply):
    return {
        "rows": [row(*found) for found in reply.rows],
        "total": None if reply.total_count == -1 else reply.total_count,
        "all_succeeded": reply.is_all_succeed,
        "next": reply.next_token.hex() if reply.next_token else None,
        "hits": [hit(found) for found in reply.search_hits],
        "aggs": aggregations(reply.agg_results),
        "groups": groups(reply.group_by_results),
    }


def hit(found):
    highlights = found.highlight_result.highlight_fields if found.highlight_result else ()
    return {
        "score": None if found.score is None else double(found.score),
        "highlights": {part.field_name: list(part.field_fragments) for part in highlights},
        "inner": {
            inner.path: [hit(sub) for sub in inner.search_hits]
            for inner in found.search_inner_hits or ()
        },
        "offset": found.nested_doc_offset,
    }


def aggregations(found):
    return {result.name: aggregation(result.value) for result in found or ()}


def aggregation(found):
    if isinstance(found, list):
        if found and hasattr(found[0], "key"):
            return [[double(part.key), value(part.value)] for part in found]
        return {"rows": [row(*part) for part in found]}
    return found if isinstance(found, int) else double(found)


def groups(found):
    return {result.name: group_by(result) for result in found or ()}


def group_by(result):
    made = [group(item) for item in result.items]
    if result.source_group_by_names is None:
        return made
    names = list(result.source_group_by_names)
    return {"sources": names, "groups": made, "next": result.next_token or None}


def end(number):
    return None if math.isinf(number) else double(number)


def point(found):
    return [double(found.lat), double(found.lon)]


def group(item):
    said = {
        "count": item.value if hasattr(item, "value") else item.row_count,
        "aggs": aggregations(item.sub_aggs),
        "groups": groups(item.sub_group_bys),
    }
    if hasattr(item, "range_from"):
        said["from"], said["to"] = end(item.range_from), end(item.range_to)
    if hasattr(item, "timestamp"):
        said["key"] = value(item.timestamp)
    elif hasattr(item, "keys"):
        said["key"] = item.keys
    elif hasattr(item, "value"):
        said["key"] = value(item.key)
    elif hasattr(item, "key"):
        said["key"] = item.key
    if getattr(item, "geo_grid", None):
        corners = item.geo_grid.top_left, item.geo_grid.bottom_right
        said["corners"] = [point(corner) for corner in corners]
    return said
