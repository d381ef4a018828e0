'use strict';
// What the SDK answers, in neutral words.

const TableStore = require('tablestore');
const { fromSdk, rowFromSdk } = require('./contract.js');

const double = (number) => fromSdk(Number(number));
const row = (found) => rowFromSdk({ ...found, primaryKey: found.primaryKey || [] });
const isThere = ({ primaryKey, attributes }) =>
  (primaryKey || []).length > 0 || (attributes || []).length > 0;
const rowOrNull = (found) => (found && isThere(found) ? row(found) : null);
const consumed = (units) => (units ? { read: units.read, write: units.write } : null);
const token = (bytes) => (bytes && bytes.length > 0 ? Buffer.from(bytes).toString('hex') : null);
const named = (names, number) => Object.keys(names).find((name) => names[name] === number);

/** Fields of the message are absent where the wire had none; the SDK's classes have defaults then. */
const given = (message, name) =>
  Object.prototype.hasOwnProperty.call(message, name) ? message[name] : null;

/**
 * The SDK does not parse the bodies of errors: its code is the HTTP status, its message the raw bytes of
 * the protobuf message, read as text. Code and message are its first two fields. The length before the
 * message is one byte or two, of which the first is no text. The SDK adds the request's id.
 */
function refusal({ code: status, message: raw }) {
  const code = /OTS[A-Za-z]+/.exec(raw);
  if (!code) return { status, code: '', message: raw };
  const rest = raw.slice(code.index + code[0].length + 1);
  const message = rest.slice(rest[0] === '\ufffd' ? 2 : 1);
  return { status, code: code[0], message: message.replace(/\s*requestId:\S*$/, '') };
}

function table({ tableOptions, reservedThroughputDetails }) {
  const { read, write } = reservedThroughputDetails.capacityUnit;
  const deviation = tableOptions.deviationCellVersionInSec;
  return {
    max_versions: tableOptions.maxVersions,
    time_to_live_s: tableOptions.timeToLive,
    max_deviation_s: deviation && Number(deviation),
    allow_update: tableOptions.allowUpdate,
    reserved: [read, write],
  };
}

function field(found) {
  const { vectorOptions: vector } = found;
  const metrics = TableStore.VectorMetricType;
  return {
    name: found.fieldName,
    type: (named(TableStore.FieldType, found.fieldType) || 'unknown').toLowerCase(),
    array: given(found, 'isArray'),
    index: given(found, 'index'),
    sort_and_agg: given(found, 'docValues'),
    store: given(found, 'store'),
    highlight: given(found, 'enableHighlighting'),
    analyzer: found.analyzer || null,
    date_formats: found.dateFormats,
    virtual_of: found.sourceFieldNames,
    fields: found.fieldSchemas.map(field),
    vector: vector && {
      dimension: vector.dimension,
      metric: named(metrics, vector.metricType).slice(3).toLowerCase(),
    },
  };
}

function index({ schema, syncStat, indexStatus, timeToLive }) {
  return {
    fields: schema.fieldSchemas.map(field),
    phase: syncStat && syncStat.syncPhase === 2 ? 'incr' : 'full',
    status: indexStatus.status,
    time_to_live_s: timeToLive,
    routing: (schema.indexSetting && schema.indexSetting.routingFields) || [],
  };
}

function search(reply) {
  return {
    rows: reply.rows.map(row),
    total: reply.totalCounts === undefined ? null : Number(reply.totalCounts),
    all_succeeded: reply.isAllSucceeded,
    next: token(reply.nextToken),
    hits: reply.searchHits.map(hit),
    aggs: aggregations(reply.aggs),
    groups: groups(reply.groupBys),
  };
}

function hit(found) {
  const highlights = found.highlightResultItem ? found.highlightResultItem.highlightFields : [];
  return {
    score: found.score === undefined ? null : double(found.score),
    highlights: Object.fromEntries([...highlights].map(([name, { fragments }]) => [name, fragments])),
    inner: Object.fromEntries(
      [...found.searchInnerHits].map(([path, inner]) => [path, inner.subSearchHits.map(hit)]),
    ),
    offset: found.nestedDocOffset === undefined ? null : found.nestedDocOffset,
  };
}

function aggregations(found) {
  const results = found ? found.aggResults : [];
  return Object.fromEntries(results.map(({ name, type, aggResult }) => [name, aggregation(type, aggResult)]));
}

function aggregation(type, result) {
  const { AGG_COUNT, AGG_DISTINCT_COUNT, AGG_TOP_ROWS, AGG_PERCENTILES } = TableStore.AggregationType;
  switch (type) {
    case AGG_COUNT:
    case AGG_DISTINCT_COUNT:
      return Number(result.value);
    case AGG_TOP_ROWS:
      return { rows: result.rows.map(row) };
    case AGG_PERCENTILES:
      return result.items.map(({ item }) => [double(item.key), fromSdk(item.value)]);
    default:
      return double(result.value);
  }
}

function groups(found) {
  const results = found ? found.groupByResults : [];
  return Object.fromEntries(
    results.map(({ name, type, groupByResult }) => [name, groupBy(type, groupByResult)]),
  );
}

function groupBy(type, { items, sourceNames, nextToken }) {
  const made = items.map((item) => group(type, item));
  if (!sourceNames) return made;
  return { sources: sourceNames, groups: made, next: nextToken };
}

const end = (number) => (Number.isFinite(number) ? double(number) : null);
const point = ({ lat, lon }) => [double(lat), double(lon)];

function group(type, item) {
  const types = TableStore.GroupByType;
  const said = {
    count: Number(type === types.GROUP_BY_HISTOGRAM ? item.value : item.rowCount),
    aggs: aggregations(item.subAggsResult),
    groups: groups(item.subGroupBysResult),
  };
  switch (type) {
    case types.GROUP_BY_FIELD:
      return { ...said, key: item.key };
    case types.GROUP_BY_RANGE:
    case types.GROUP_BY_GEO_DISTANCE:
      return { ...said, from: end(item.from), to: end(item.to) };
    case types.GROUP_BY_HISTOGRAM:
      return { ...said, key: fromSdk(item.key) };
    case types.GROUP_BY_DATE_HISTOGRAM:
      return { ...said, key: Number(item.timeStamp) };
    case types.GROUP_BY_GEO_GRID: {
      const corners = item.geoGrid && [point(item.geoGrid.topLeft), point(item.geoGrid.bottomRight)];
      return { ...said, key: item.key, corners };
    }
    case types.GROUP_BY_COMPOSITE:
      return { ...said, key: item.keys };
    default:
      return said;
  }
}

module.exports = { consumed, given, index, refusal, row, rowOrNull, search, table, token };
