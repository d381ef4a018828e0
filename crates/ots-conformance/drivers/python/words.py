"""Neutral words in the words of the SDK."""

from tablestore import (
    INF_MAX,
    INF_MIN,
    PK_AUTO_INCR,
    BoolQuery,
    ColumnReturnType,
    ColumnsToGet,
    ComparatorType,
    CompositeColumnCondition,
    Condition,
    ExistsQuery,
    FieldSchema,
    LogicalOperator,
    MatchAllQuery,
    PrefixQuery,
    RangeQuery,
    RowExistenceExpectation,
    SingleColumnCondition,
    Sort,
    TermQuery,
    TermsQuery,
    aggregation as aggregations,
    group_by as groups,
    metadata,
)
from tablestore.metadata import FieldType, SortOrder

from contract import to_sdk

SPECIAL_KEYS = {"min": INF_MIN, "max": INF_MAX, "auto": PK_AUTO_INCR}


class Unsupported(Exception):
    """The SDK has no word for it."""


def plain(json):
    """JSON with values in place of what says them. What JSON keeps is a value already."""
    if isinstance(json, list):
        return [plain(item) for item in json]
    if not isinstance(json, dict):
        return json
    if json.keys() == {"type", "value"} and json["type"] in ("integer", "double", "binary"):
        return to_sdk(json)
    return {name: plain(value) for name, value in json.items()}


# Rows


def key_value(value):
    if not isinstance(value, dict):
        return value
    return SPECIAL_KEYS[value.get("inf", "auto")]


def key(columns):
    return [(name, key_value(value)) for name, value in columns]


def columns(asked):
    pairs = asked.items() if isinstance(asked, dict) else asked
    return [tuple(cell) for cell in pairs]


def changes(asked):
    """The SDK has changes by their kind; their order across kinds is lost."""
    made = {}
    kinds = []
    for change in asked:
        ((kind, what),) = change.items()
        if kind not in kinds:
            kinds.append(kind)
        elif kinds[-1] != kind:
            raise Unsupported("an update of the SDK has its changes by their kind")
        if kind == "put":
            made.setdefault("PUT", []).append(tuple(what))
        elif kind == "delete":
            made.setdefault("DELETE_ALL", []).append(what)
        elif kind == "delete_version":
            made.setdefault("DELETE", []).append((what[0], None, what[1]))
        else:
            made.setdefault("INCREMENT", []).append(tuple(what))
    return made


COMPARATORS = {
    "=": ComparatorType.EQUAL,
    "!=": ComparatorType.NOT_EQUAL,
    ">": ComparatorType.GREATER_THAN,
    ">=": ComparatorType.GREATER_EQUAL,
    "<": ComparatorType.LESS_THAN,
    "<=": ComparatorType.LESS_EQUAL,
}


def test(asked):
    for word, operator in (
        ("and", LogicalOperator.AND), ("or", LogicalOperator.OR), ("not", LogicalOperator.NOT),
    ):
        if word in asked:
            made = CompositeColumnCondition(operator)
            parts = asked[word] if word != "not" else [asked[word]]
            for part in parts:
                made.add_sub_condition(test(part))
            return made
    if "regex" in asked:
        pattern, cast = asked["regex"]
        if asked.get("pass_if_missing"):
            raise Unsupported("a regular expression of the SDK never passes what is missing")
        cast = getattr(metadata.CastType, "VT_" + cast.upper())
        return metadata.SingleColumnRegexCondition(
            asked["column"], COMPARATORS[asked["is"]], asked["value"],
            metadata.RegexRule(pattern, cast), not asked.get("any_version", False),
        )
    return SingleColumnCondition(
        asked["column"], asked["value"], COMPARATORS[asked["is"]],
        asked.get("pass_if_missing", False), not asked.get("any_version", False),
    )


def condition(ask):
    existence = {
        None: RowExistenceExpectation.IGNORE,
        True: RowExistenceExpectation.EXPECT_EXIST,
        False: RowExistenceExpectation.EXPECT_NOT_EXIST,
    }[ask.get("exists")]
    return Condition(existence, test(ask["when"]) if "when" in ask else None)


def reading(ask):
    """What a read takes of a row, as arguments."""
    timed = "time" in ask or "time_range" in ask
    given = {"max_version": ask.get("max_versions", None if timed else 1)}
    if "columns" in ask:
        given["columns_to_get"] = ask["columns"]
    if "time" in ask:
        given["time_range"] = ask["time"]
    if "time_range" in ask:
        given["time_range"] = tuple(ask["time_range"])
    if "filter" in ask:
        if "limit" in ask["filter"]:
            raise Unsupported("the SDK has no filter of columns by their place")
        given["column_filter"] = test(ask["filter"])
    for name in ("start_column", "end_column"):
        if name in ask:
            given[name] = ask[name]
    return given


# Indexes

FIELD_TYPES = {
    "long": FieldType.LONG, "double": FieldType.DOUBLE, "boolean": FieldType.BOOLEAN,
    "keyword": FieldType.KEYWORD, "text": FieldType.TEXT, "nested": FieldType.NESTED,
    "geo_point": FieldType.GEOPOINT, "date": FieldType.DATE, "vector": FieldType.VECTOR,
    "json": FieldType.JSON,
}


def analyzer(asked):
    """The SDK's arguments for an analyzer."""
    if asked is None:
        return {}
    ((name, options),) = asked.items()
    classes = {
        "single_word": metadata.SingleWordAnalyzerParameter,
        "split": metadata.SplitAnalyzerParameter,
        "fuzzy": metadata.FuzzyAnalyzerParameter,
    }
    given = {"analyzer": name}
    if options:
        if name in ("split", "fuzzy") and "case_sensitive" in options:
            raise Unsupported("this analyzer of the SDK has no case")
        given["analyzer_parameter"] = classes[name](**options)
    return given


def field(asked):
    if asked["type"] not in FIELD_TYPES:
        raise Unsupported("the SDK has no field type %s" % asked["type"])
    vector = asked.get("vector")
    return FieldSchema(
        asked["name"],
        FIELD_TYPES[asked["type"]],
        index=asked.get("index"),
        store=asked.get("store"),
        is_array=asked.get("array"),
        enable_sort_and_agg=asked.get("sort_and_agg"),
        sub_field_schemas=[field(sub) for sub in asked.get("fields", ())],
        date_formats=asked.get("date_formats"),
        is_virtual_field=True if "virtual_of" in asked else None,
        source_fields=asked.get("virtual_of"),
        enable_highlighting=asked.get("highlight"),
        json_type=metadata.JsonType[asked["json"].upper() + "_JSON"] if "json" in asked else None,
        vector_options=metadata.VectorOptions(
            metadata.VectorDataType.VD_FLOAT_32,
            metadata.VectorMetricType["VM_" + vector["metric"].upper()],
            vector["dimension"],
        ) if vector else None,
        **analyzer(asked.get("analyzer")),
    )


def index_setting(ask):
    return metadata.IndexSetting(routing_fields=ask["routing"]) if "routing" in ask else None


# Queries


def in_field(body, name):
    """The field of a query, its value, and its options where it has some."""
    ((field_name, value),) = body.items()
    options = dict(value) if isinstance(value, dict) else {name: value}
    return field_name, options.pop(name), options


def all_of(clause):
    return [query(part) for part in (clause if isinstance(clause, list) else [clause])]


def point(asked):
    return asked if isinstance(asked, str) else "%s,%s" % (asked["lat"], asked["lon"])


def range_query(body):
    ((name, bounds),) = body.items()
    lower = bounds.get("gte", bounds.get("gt"))
    upper = bounds.get("lte", bounds.get("lt"))
    return RangeQuery(name, lower, upper, "gte" in bounds, "lte" in bounds)


def match_query(body):
    name, text, options = in_field(body, "text")
    if "operator" in options:
        options["operator"] = metadata.QueryOperator[options["operator"].upper()]
    return metadata.MatchQuery(name, text, **options)


def bool_query(body):
    clauses = {
        argument: all_of(body[word])
        for word, argument in (
            ("must", "must_queries"), ("must_not", "must_not_queries"),
            ("filter", "filter_queries"), ("should", "should_queries"),
        )
        if word in body
    }
    return BoolQuery(minimum_should_match=body.get("minimum_should_match"), **clauses)


def nested_query(body):
    hits = body.get("inner_hits")
    if hits is not None:
        hits = metadata.InnerHits(
            sort(hits["sort"]) if "sort" in hits else None,
            hits.get("offset"),
            hits.get("limit"),
            highlight(hits["highlight"]) if "highlight" in hits else None,
        )
    mode = metadata.ScoreMode[body.get("score_mode", "avg").upper()]
    return metadata.NestedQuery(body["path"], query(body["query"]), mode, inner_hits=hits)


def of_field(make, word):
    def build(body):
        name, value, options = in_field(body, word)
        return make(name, value, **options)

    return build


def geo_distance(body):
    ((name, asked),) = body.items()
    distance = asked["distance_metres"]
    return metadata.GeoDistanceQuery(name, point(asked["center_point"]), distance)


def geo_box(body):
    ((name, asked),) = body.items()
    corners = point(asked["top_left"]), point(asked["bottom_right"])
    return metadata.GeoBoundingBoxQuery(name, *corners)


def geo_polygon(body):
    ((name, points),) = body.items()
    return metadata.GeoPolygonQuery(name, [point(asked) for asked in points])


def knn_vector(body):
    return metadata.KnnVectorQuery(
        body["field"],
        top_k=body.get("top_k"),
        float32_query_vector=body["query_vector"],
        filter=query(body["filter"]) if "filter" in body else None,
        min_score=body.get("min_score"),
        num_candidates=body.get("num_candidates"),
    )


def function_score(body):
    factor = metadata.FieldValueFactor(body["field_value_factor"]["field"])
    return metadata.FunctionScoreQuery(query(body["query"]), factor)


def dis_max(body):
    return metadata.DisMaxQuery(all_of(body["queries"]), body.get("tie_breaker"))


QUERIES = {
    "match_all": lambda body: MatchAllQuery(),
    "match": match_query,
    "match_phrase": of_field(metadata.MatchPhraseQuery, "text"),
    "term": of_field(TermQuery, "value"),
    "terms": of_field(TermsQuery, "values"),
    "range": range_query,
    "prefix": of_field(PrefixQuery, "value"),
    "wildcard": of_field(metadata.WildcardQuery, "value"),
    "exists": lambda body: ExistsQuery(body["field"]),
    "bool": bool_query,
    "nested": nested_query,
    "geo_distance": geo_distance,
    "geo_bounding_box": geo_box,
    "geo_polygon": geo_polygon,
    "knn_vector": knn_vector,
    "function_score": function_score,
    "dis_max": dis_max,
}


def query(asked):
    ((kind, body),) = asked.items()
    if kind not in QUERIES:
        raise Unsupported("the SDK has no query %s" % kind)
    return QUERIES[kind](body)


# Searches


def order(asked, default):
    return SortOrder[asked["order"].upper()] if "order" in asked else default


def nested_filter(asked):
    if "nested_filter" not in asked:
        return None
    asked = asked["nested_filter"]
    return metadata.NestedFilter(asked["path"], query(asked["filter"]))


def mode(asked):
    return metadata.SortMode[asked["mode"].upper()] if "mode" in asked else None


def sorter(asked):
    ((kind, body),) = asked.items()
    if kind == "field":
        ((name, options),) = body.items()
        if "missing_value" in options or "missing_field" in options:
            raise Unsupported("a sorter of the SDK has nothing for rows without the field")
        direction = order(options, None)
        return metadata.FieldSort(name, direction, mode(options), nested_filter(options))
    if kind == "geo_distance":
        ((name, options),) = body.items()
        distance = options.get("distance_type")
        return metadata.GeoDistanceSort(
            name,
            [point(asked) for asked in options["points"]],
            order(options, None),
            mode(options),
            metadata.GeoDistanceType[distance.upper()] if distance else None,
            nested_filter(options),
        )
    if kind == "primary_key":
        return metadata.PrimaryKeySort(order(body, SortOrder.ASC))
    if kind == "score":
        return metadata.ScoreSort(order(body, SortOrder.DESC))
    return metadata.DocSort(order(body, SortOrder.ASC))


def sort(asked):
    if isinstance(asked, dict):
        raise Unsupported("the SDK always sorts by the key at last")
    return Sort([sorter(part) for part in asked])


def highlight(asked):
    parameters = []
    for part in asked["parameters"]:
        part = dict(part)
        if "fragments_order" in part:
            part["fragments_order"] = metadata.HighlightFragmentOrder[part["fragments_order"].upper()]
        parameters.append(metadata.HighlightParameter(part.pop("field"), **part))
    encoder = asked.get("encoder", "plain").upper().removesuffix("_MODE") + "_MODE"
    return metadata.Highlight(parameters, metadata.HighlightEncoder[encoder])


def collapse(ask):
    return metadata.Collapse(ask["collapse"]) if "collapse" in ask else None


def columns_to_get(asked):
    if isinstance(asked, list):
        return ColumnsToGet(asked, ColumnReturnType.SPECIFIED)
    types = {
        "all": ColumnReturnType.ALL,
        "index": ColumnReturnType.ALL_FROM_INDEX,
        "none": ColumnReturnType.NONE,
    }
    return ColumnsToGet(return_type=types[asked])


def aggregation(name, asked):
    ((kind, body),) = asked.items()
    if kind == "top_rows":
        ordered = sort(body["sort"]) if "sort" in body else None
        return aggregations.TopRows(body.get("limit", 1), ordered, name)
    if kind == "percentiles":
        return aggregations.Percentiles(
            body["field"], body["percents"], body.get("missing"), name
        )
    if kind == "count":
        return aggregations.Count(body["field"], name)
    make = {
        "avg": aggregations.Avg, "max": aggregations.Max, "min": aggregations.Min,
        "sum": aggregations.Sum, "distinct_count": aggregations.DistinctCount,
    }[kind]
    return make(body["field"], body.get("missing"), name)


def group_sorters(body):
    if "sort" not in body:
        return None
    made = []
    for asked in body["sort"]:
        ((kind, word),) = asked.items()
        if kind == "agg":
            made.append(groups.SubAggSort(SortOrder[word[1].upper()], word[0]))
        else:
            make = groups.GroupKeySort if kind == "key" else groups.RowCountSort
            made.append(make(SortOrder[word.upper()]))
    return made


def span(asked):
    value, unit = asked
    return groups.DateTimeValue(value, metadata.DateTimeUnit[unit.upper()])


def ends(body):
    for start, end in body["ranges"]:
        # The SDK has no range without an end, but numbers that are none.
        yield (
            float("-inf") if start is None else start,
            float("inf") if end is None else end,
        )


def field_range(body):
    return groups.FieldRange(*body["range"]) if "range" in body else None


def group_by(name, asked):
    asked = dict(asked)
    sub = {
        "sub_aggs": [aggregation(*agg) for agg in asked.pop("aggs", ())],
        "sub_group_bys": [group_by(*group) for group in asked.pop("groups", ())],
        "name": name,
    }
    ((kind, body),) = asked.items()
    if kind == "field":
        if "min_doc_count" in body:
            raise Unsupported("groups of the SDK by a field have no least number of rows")
        return groups.GroupByField(body["field"], body.get("size"), group_sorters(body), **sub)
    if kind == "range":
        return groups.GroupByRange(body["field"], list(ends(body)), **sub)
    if kind == "filter":
        return groups.GroupByFilter([query(part) for part in body["filters"]], **sub)
    if kind == "geo_distance":
        lat, lon = (float(part) for part in body["origin"].split(","))
        origin = groups.GeoPoint(lat, lon)
        return groups.GroupByGeoDistance(body["field"], origin, list(ends(body)), **sub)
    if kind == "histogram":
        if "offset" in body:
            raise Unsupported("a histogram of the SDK has no offset")
        if "range" not in body:
            raise Unsupported("a histogram of the SDK has a range")
        return groups.GroupByHistogram(
            body["field"], body["interval"], field_range(body), body.get("missing"),
            body.get("min_doc_count"), group_sorters(body), **sub,
        )
    if kind == "date_histogram":
        return groups.GroupByDateHistogram(
            body["field"], span(body["interval"]), field_range(body), body.get("missing"),
            body.get("min_doc_count"), body.get("time_zone"), group_sorters(body),
            span(body["offset"]) if "offset" in body else None, **sub,
        )
    if kind == "geo_grid":
        precision = metadata.GeoHashPrecision(body["precision"])
        return groups.GroupByGeoGrid(body["field"], precision, body.get("size"), **sub)
    return groups.GroupByComposite(
        [group_by(*source) for source in body["sources"]],
        body.get("size"), body.get("token"), body.get("suggested_size"), **sub,
    )
