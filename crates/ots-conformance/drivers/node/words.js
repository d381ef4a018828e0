'use strict';
// Neutral words in the words of the SDK.

const TableStore = require('tablestore');
const { integer, toSdk } = require('./contract.js');

class Unsupported extends Error {}

/** A value. What JSON keeps is one already, but whole numbers are of the SDK's own class. */
function value(json) {
  if (typeof json === 'number') return Number.isInteger(json) ? integer(json) : json;
  if (json !== null && typeof json === 'object' && 'type' in json) return toSdk(json);
  return json;
}

const word = (asked) => asked.toUpperCase();

// Rows

function keyValue(json) {
  if (json !== null && typeof json === 'object' && !('type' in json)) {
    if (json.auto) return TableStore.PK_AUTO_INCR;
    return json.inf === 'min' ? TableStore.INF_MIN : TableStore.INF_MAX;
  }
  return value(json);
}

const key = (columns) => columns.map(([name, json]) => ({ [name]: keyValue(json) }));

function cell([name, json, time]) {
  if (name === 'timestamp') throw new Unsupported('the SDK takes a column of this name for a time');
  return { [name]: value(json), ...(time !== undefined && { timestamp: time }) };
}

const columns = (asked) => (Array.isArray(asked) ? asked : Object.entries(asked)).map(cell);

function change(asked) {
  const [[kind, what]] = Object.entries(asked);
  switch (kind) {
    case 'put':
      return { PUT: [cell(what)] };
    case 'delete':
      return { DELETE_ALL: [what] };
    case 'delete_version':
      return { DELETE: [{ [what[0]]: integer(what[1]) }] };
    default:
      return { INCREMENT: [{ [what[0]]: value(what[1]) }] };
  }
}

const changes = (asked) => asked.map(change);

const COMPARATORS = {
  '=': TableStore.ComparatorType.EQUAL,
  '!=': TableStore.ComparatorType.NOT_EQUAL,
  '>': TableStore.ComparatorType.GREATER_THAN,
  '>=': TableStore.ComparatorType.GREATER_EQUAL,
  '<': TableStore.ComparatorType.LESS_THAN,
  '<=': TableStore.ComparatorType.LESS_EQUAL,
};

function test(asked) {
  for (const operator of ['and', 'or', 'not']) {
    if (operator in asked) {
      const made = new TableStore.CompositeCondition(TableStore.LogicalOperator[word(operator)]);
      const parts = operator === 'not' ? [asked.not] : asked[operator];
      parts.forEach((part) => made.addSubCondition(test(part)));
      return made;
    }
  }
  if (asked.regex) throw new Unsupported('a filter of the SDK has no regular expression');
  return new TableStore.SingleColumnCondition(
    asked.column,
    value(asked.value),
    COMPARATORS[asked.is],
    asked.pass_if_missing || false,
    !asked.any_version,
  );
}

function condition(ask) {
  const { IGNORE, EXPECT_EXIST, EXPECT_NOT_EXIST } = TableStore.RowExistenceExpectation;
  let existence = IGNORE;
  if (ask.exists === true) existence = EXPECT_EXIST;
  if (ask.exists === false) existence = EXPECT_NOT_EXIST;
  return new TableStore.Condition(existence, ask.when ? test(ask.when) : null);
}

/** What a read takes of a row. */
function reading(ask) {
  const given = {};
  if (ask.max_versions) given.maxVersions = ask.max_versions;
  else if (ask.time) throw new Unsupported('the SDK never reads one version without a number of them');
  if (ask.columns) given.columnsToGet = ask.columns;
  if (ask.time_range) {
    const [startTime, endTime] = ask.time_range;
    given.timeRange = { startTime, endTime };
  }
  if (ask.time) given.timeRange = { specificTime: ask.time };
  if (ask.filter) {
    const { limit, offset } = ask.filter;
    given.columnFilter =
      limit === undefined ? test(ask.filter) : new TableStore.ColumnPaginationFilter(limit, offset);
  }
  if (ask.start_column) given.startColumn = ask.start_column;
  if (ask.end_column) given.endColumn = ask.end_column;
  return given;
}

// Indexes

function vectorOptions({ dimension, metric }) {
  return {
    dataType: TableStore.VectorDataType.VD_FLOAT_32,
    dimension,
    metricType: TableStore.VectorMetricType[`VM_${word(metric)}`],
  };
}

function field(asked) {
  const fieldType = TableStore.FieldType[word(asked.type)];
  if (!fieldType) throw new Unsupported(`the SDK has no field type ${asked.type}`);
  const [name, options] = Object.entries(asked.analyzer || {})[0] || [];
  if (options && 'case_sensitive' in options && name !== 'single_word') {
    throw new Unsupported('this analyzer of the SDK has no case');
  }
  for (const flag of ['index', 'sort_and_agg', 'store']) {
    if (asked[flag] === false) throw new Unsupported('the SDK sends no flag of a field that is off');
  }
  return {
    fieldName: asked.name,
    fieldType,
    index: asked.index,
    enableSortAndAgg: asked.sort_and_agg,
    store: asked.store,
    isAnArray: asked.array,
    enableHighlighting: asked.highlight,
    fieldSchemas: asked.fields && asked.fields.map(field),
    dateFormats: asked.date_formats,
    isVirtualField: asked.virtual_of && true,
    sourceFieldNames: asked.virtual_of,
    vectorOptions: asked.vector && vectorOptions(asked.vector),
    ...(name && {
      analyzer: name,
      analyzerParameter: {
        caseSensitive: options.case_sensitive,
        delimitWord: options.delimit_word,
        delimiter: options.delimiter,
        minChars: options.min_chars,
        maxChars: options.max_chars,
      },
    }),
  };
}

// Queries

/** The field of a query, its value, and its options where it has some. */
function inField(body, name) {
  const [[fieldName, asked]] = Object.entries(body);
  const hasOptions = asked !== null && typeof asked === 'object' && name in asked && !Array.isArray(asked);
  const typed = hasOptions && 'type' in asked;
  const { [name]: of, ...options } = hasOptions && !typed ? asked : { [name]: asked };
  return { fieldName, of, options };
}

const point = (asked) => (typeof asked === 'string' ? asked : `${asked.lat},${asked.lon}`);
const allOf = (clause) => (Array.isArray(clause) ? clause : [clause]).map(query);

const queries = {
  match_all: () => ['MATCH_ALL_QUERY', {}],
  match: (body) => {
    const { fieldName, of, options } = inField(body, 'text');
    const made = { fieldName, text: of, weight: options.weight };
    if (options.operator) made.operator = TableStore.QueryOperator[word(options.operator)];
    if ('minimum_should_match' in options) made.minimumShouldMatch = options.minimum_should_match;
    return ['MATCH_QUERY', made];
  },
  match_phrase: (body) => {
    const { fieldName, of, options } = inField(body, 'text');
    if ('slop' in options) throw new Unsupported('a phrase of the SDK has no slop');
    return ['MATCH_PHRASE_QUERY', { fieldName, text: of, weight: options.weight }];
  },
  term: (body) => {
    const { fieldName, of, options } = inField(body, 'value');
    return ['TERM_QUERY', { fieldName, term: value(of), weight: options.weight }];
  },
  terms: (body) => {
    const { fieldName, of, options } = inField(body, 'values');
    return ['TERMS_QUERY', { fieldName, terms: of.map(value), weight: options.weight }];
  },
  range: (body) => {
    const [[fieldName, bounds]] = Object.entries(body);
    const made = { fieldName };
    if ('gte' in bounds || 'gt' in bounds) {
      made.includeLower = 'gte' in bounds;
      made.rangeFrom = value(made.includeLower ? bounds.gte : bounds.gt);
    }
    if ('lte' in bounds || 'lt' in bounds) {
      made.includeUpper = 'lte' in bounds;
      made.rangeTo = value(made.includeUpper ? bounds.lte : bounds.lt);
    }
    return ['RANGE_QUERY', made];
  },
  prefix: (body) => {
    const { fieldName, of, options } = inField(body, 'value');
    return ['PREFIX_QUERY', { fieldName, prefix: of, weight: options.weight }];
  },
  wildcard: (body) => {
    const { fieldName, of, options } = inField(body, 'value');
    return ['WILDCARD_QUERY', { fieldName, value: of, weight: options.weight }];
  },
  exists: (body) => ['EXISTS_QUERY', { fieldName: body.field }],
  bool: (body) => {
    const made = {};
    if (body.must) made.mustQueries = allOf(body.must);
    if (body.must_not) made.mustNotQueries = allOf(body.must_not);
    if (body.filter) made.filterQueries = allOf(body.filter);
    if (body.should) {
      made.shouldQueries = allOf(body.should);
      if (!('minimum_should_match' in body)) {
        throw new Unsupported('the SDK wants a number of clauses that should match');
      }
      made.minimumShouldMatch = body.minimum_should_match;
    }
    return ['BOOL_QUERY', made];
  },
  nested: (body) => {
    const made = { path: body.path, query: query(body.query) };
    if (body.score_mode) made.scoreMode = TableStore.ScoreMode[`SCORE_MODE_${word(body.score_mode)}`];
    if (body.inner_hits) {
      const { offset, limit } = body.inner_hits;
      made.innerHits = {
        offset,
        limit,
        sort: body.inner_hits.sort && sort(body.inner_hits.sort),
        highlight: body.inner_hits.highlight && highlight(body.inner_hits.highlight),
      };
    }
    return ['NESTED_QUERY', made];
  },
  const_score: (body) => ['CONST_SCORE_QUERY', { filter: query(body.filter) }],
  function_score: (body) => [
    'FUNCTION_SCORE_QUERY',
    {
      query: query(body.query),
      fieldValueFactor: { fieldName: body.field_value_factor.field },
    },
  ],
  functions_score: (body) => {
    const modes = { scoreMode: ['FSMScoreMode', 'FSM_', body.score_mode] };
    modes.combineMode = ['FSMCombineMode', 'FCM_', body.combine_mode];
    const made = {
      query: body.query && query(body.query),
      minScore: body.min_score,
      maxScore: body.max_score,
      functions: (body.functions || []).map(scoreFunction),
    };
    for (const [name, [type, prefix, mode]] of Object.entries(modes)) {
      if (mode) made[name] = TableStore[type][prefix + word(mode)];
    }
    return ['FUNCTIONS_SCORE_QUERY', made];
  },
  geo_distance: (body) => {
    const [[fieldName, asked]] = Object.entries(body);
    const centerPoint = point(asked.center_point);
    return ['GEO_DISTANCE_QUERY', { fieldName, centerPoint, distance: asked.distance_metres }];
  },
  geo_bounding_box: (body) => {
    const [[fieldName, asked]] = Object.entries(body);
    const corners = { topLeft: point(asked.top_left), bottomRight: point(asked.bottom_right) };
    return ['GEO_BOUNDING_BOX_QUERY', { fieldName, ...corners }];
  },
  geo_polygon: (body) => {
    const [[fieldName, points]] = Object.entries(body);
    return ['GEO_POLYGON_QUERY', { fieldName, points: points.map(point) }];
  },
  knn_vector: (body) => {
    if ('min_score' in body || 'num_candidates' in body) {
      throw new Unsupported('a search for vectors of the SDK has no such option');
    }
    const made = { fieldName: body.field, topK: body.top_k, float32QueryVector: body.query_vector };
    if (body.filter) made.filter = query(body.filter);
    return ['KNN_VECTOR_QUERY', made];
  },
};

function scoreFunction(asked) {
  if (asked.decay && !asked.decay.numeric) {
    throw new Unsupported('this driver only asks for decays of numbers');
  }
  const made = { weight: asked.weight, filter: asked.filter && query(asked.filter) };
  if (asked.random) made.randomFunction = {};
  if (asked.field_value_factor) {
    const { field: fieldName, factor, modifier, missing } = asked.field_value_factor;
    made.fieldValueFactorFunction = {
      fieldName,
      factor,
      missing,
      modifier: modifier && TableStore.FunctionModifier[`FM_${word(modifier)}`],
    };
  }
  if (asked.decay) {
    const { field: fieldName, math_function: mathFunction, decay, numeric } = asked.decay;
    made.decayFunction = {
      fieldName,
      decay,
      mathFunction: mathFunction && TableStore.MathFunction[word(mathFunction)],
      decayParamType: TableStore.DecayFuncParamType.DF_NUMERIC_PARAM,
      decayParam: numeric,
    };
  }
  return made;
}

function query(asked) {
  const [[kind, body]] = Object.entries(asked);
  if (!queries[kind]) throw new Unsupported(`the SDK has no query ${kind}`);
  const [queryType, made] = queries[kind](body);
  return { queryType: TableStore.QueryType[queryType], query: made };
}

// Searches

const order = (asked) => TableStore.SortOrder[`SORT_ORDER_${word(asked || 'asc')}`];
const mode = (asked) => asked && TableStore.SortMode[`SORT_MODE_${word(asked)}`];

function nestedFilter(asked) {
  return asked && { path: asked.path, filter: query(asked.filter) };
}

function sorter(asked) {
  const [[kind, body]] = Object.entries(asked);
  const [[fieldName, options] = []] = Object.entries(body);
  switch (kind) {
    case 'field': {
      if (typeof options.missing_value === 'object') {
        throw new Unsupported('rows without the field are neither first nor last to the SDK');
      }
      return {
        fieldSort: {
          fieldName,
          order: options.order && order(options.order),
          mode: mode(options.mode),
          missingValue: 'missing_value' in options ? value(options.missing_value) : undefined,
          missingField: options.missing_field,
          nestedFilter: nestedFilter(options.nested_filter),
        },
      };
    }
    case 'geo_distance':
      return {
        geoDistanceSort: {
          fieldName,
          points: options.points.map(point),
          order: options.order && order(options.order),
          mode: mode(options.mode),
          distanceType:
            options.distance_type &&
            TableStore.GeoDistanceType[`GEO_DISTANCE_${word(options.distance_type)}`],
          nestedFilter: nestedFilter(options.nested_filter),
        },
      };
    case 'primary_key':
      return { primaryKeySort: { order: order(body.order) } };
    case 'score':
      return { scoreSort: { order: order(body.order || 'desc') } };
    default:
      return { docSort: { order: order(body.order) } };
  }
}

function sort(asked) {
  if (!Array.isArray(asked)) throw new Unsupported('the SDK always sorts by the key at last');
  return { sorters: asked.map(sorter) };
}

function highlight({ parameters, encoder }) {
  const encoderName = encoder && `${word(encoder).replace(/_MODE$/, '')}_MODE`;
  return {
    highlightEncoder: encoder && TableStore.HighlightEncoder[encoderName],
    highlightParameters: parameters.map((part) => ({
      fieldName: part.field,
      numberOfFragments: part.number_of_fragments,
      fragmentSize: part.fragment_size,
      preTag: part.pre_tag,
      postTag: part.post_tag,
      fragmentsOrder:
        part.fragments_order && TableStore.HighlightFragmentOrder[word(part.fragments_order)],
    })),
  };
}

function columnsToGet(asked) {
  const { RETURN_ALL, RETURN_SPECIFIED, RETURN_NONE, RETURN_ALL_FROM_INDEX } =
    TableStore.ColumnReturnType;
  if (Array.isArray(asked)) return { returnType: RETURN_SPECIFIED, returnNames: asked };
  return { returnType: { all: RETURN_ALL, index: RETURN_ALL_FROM_INDEX }[asked] || RETURN_NONE };
}

function aggregation([name, asked]) {
  const [[kind, body]] = Object.entries(asked);
  const type = TableStore.AggregationType[`AGG_${word(kind)}`];
  if (kind === 'top_rows') {
    return { name, type, body: { limit: body.limit, sort: body.sort && sort(body.sort) } };
  }
  if (body.missing === 0 || body.missing === false || body.missing === '') {
    throw new Unsupported('the SDK takes such a value for a missing one');
  }
  const made = { fieldName: body.field, percentiles: body.percents };
  if ('missing' in body) made.missing = value(body.missing);
  return { name, type, body: made };
}

function groupSorter(asked) {
  const [[kind, how]] = Object.entries(asked);
  if (kind === 'agg') return { subAggSort: { subAggName: how[0], order: order(how[1]) } };
  return { [kind === 'key' ? 'groupKeySort' : 'rowCountSort']: { order: order(how) } };
}

const span = ([count, unit]) => ({ value: count, unit: TableStore.DateTimeUnit[word(unit)] });

function groupBy([name, { aggs, groups, ...asked }]) {
  const [[kind, body]] = Object.entries(asked);
  const type = TableStore.GroupByType[`GROUP_BY_${word(kind)}`];
  if (body.suggested_size) throw new Unsupported('the SDK has no suggested size');
  const dated = kind === 'date_histogram';
  const made = {
    fieldName: body.field,
    size: body.size,
    minDocCount: body.min_doc_count,
    sort: body.sort && { sorters: body.sort.map(groupSorter) },
    ranges:
      body.ranges &&
      body.ranges.map(([from, to]) => ({
        ...(from !== null && { from }),
        ...(to !== null && { to }),
      })),
    filters: body.filters && body.filters.map(query),
    interval: body.interval && (dated ? span(body.interval) : value(body.interval)),
    offset: body.offset && (dated ? span(body.offset) : value(body.offset)),
    timeZone: body.time_zone,
    fieldRange: body.range && { min: value(body.range[0]), max: value(body.range[1]) },
    precision: body.precision,
    nextToken: body.token,
    sources: body.sources && { groupBys: body.sources.map(groupBy) },
    subAggs: aggs && { aggs: aggs.map(aggregation) },
    subGroupBys: groups && { groupBys: groups.map(groupBy) },
  };
  if ('missing' in body) made.missing = value(body.missing);
  if (body.origin) {
    const [lat, lon] = body.origin.split(',').map(Number);
    made.origin = { lat, lon };
  }
  return { name, type, body: made };
}

function searchQuery(ask) {
  return {
    query: query(ask.query),
    offset: ask.offset,
    limit: ask.limit,
    getTotalCount: ask.count_all || false,
    ...(ask.token && { token: Buffer.from(ask.token, 'hex') }),
    ...(ask.sort && { sort: sort(ask.sort) }),
    ...(ask.collapse && { collapse: { fieldName: ask.collapse } }),
    ...(ask.highlight && { highlight: highlight(ask.highlight) }),
    ...(ask.aggs && { aggs: { aggs: ask.aggs.map(aggregation) } }),
    ...(ask.groups && { groupBys: { groupBys: ask.groups.map(groupBy) } }),
  };
}

module.exports = {
  Unsupported,
  changes,
  columns,
  columnsToGet,
  condition,
  field,
  key,
  query,
  reading,
  searchQuery,
  sort,
};
