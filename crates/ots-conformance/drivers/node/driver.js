'use strict';
// Runs the official Node SDK, unmodified, through the conformance steps.

const TableStore = require('tablestore');
const {
  Fixture,
  Mismatch,
  column,
  columnsToSdk,
  emitRows,
  holds,
  integer,
  keyToSdk,
  rowFromSdk,
  runSteps,
  same,
  setting,
  withColumns,
  withoutTimestamps,
} = require('./contract.js');

const { RowExistenceExpectation, ComparatorType, QueryType, ColumnReturnType } = TableStore;

const IGNORE = new TableStore.Condition(RowExistenceExpectation.IGNORE, null);
const EXIST = new TableStore.Condition(RowExistenceExpectation.EXPECT_EXIST, null);
const NOT_EXIST = new TableStore.Condition(RowExistenceExpectation.EXPECT_NOT_EXIST, null);

const KEY_TYPES = { integer: 1, string: 2, binary: 3 };
const FIELD_TYPES = {
  long: TableStore.FieldType.LONG,
  double: TableStore.FieldType.DOUBLE,
  boolean: TableStore.FieldType.BOOLEAN,
  keyword: TableStore.FieldType.KEYWORD,
  text: TableStore.FieldType.TEXT,
};
// More requests than any loop of these steps needs: one that runs longer goes round in circles.
const MOST_PAGES = 500;
const READY_MS = 120000;

const fixture = new Fixture(setting('OTS_FIXTURE'));

function connect(secret) {
  return new TableStore.Client({
    accessKeyId: setting('TABLESTORE_ACCESS_KEY_ID'),
    secretAccessKey: secret,
    endpoint: setting('OTS_ENDPOINT'),
    instancename: setting('OTS_INSTANCE'),
  });
}

const client = connect(setting('TABLESTORE_ACCESS_KEY_SECRET'));

/**
 * Status and code of the error that a call must end in. This SDK does not parse the bodies of errors:
 * its code is the HTTP status, its message the raw bytes, in which the service's code can be read.
 */
async function refused(call) {
  try {
    await call();
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    const code = /OTS[A-Za-z]+/.exec(error.message);
    return { status: error.code, code: code && code[0] };
  }
  throw new Mismatch('the service accepted what it must refuse');
}

/** The errors of several calls, by name. */
async function errorsOf(calls) {
  const errors = {};
  for (const [name, call] of Object.entries(calls)) errors[name] = await refused(call);
  return { errors };
}

function create(table) {
  return client.createTable({
    tableMeta: {
      tableName: table.name,
      primaryKey: table.primary_key.map(({ name, type }) => ({ name, type: KEY_TYPES[type] })),
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: table.max_versions, maxTimeDeviation: 86400 },
  });
}

const nameOf = (types, wanted) => Object.keys(types).find((name) => types[name] === wanted);

const twoKeys = (s, i) => [{ s }, { i: integer(i) }];

async function get(role, primaryKey, maxVersions = 1) {
  const reply = await client.getRow({ tableName: fixture.name(role), primaryKey, maxVersions });
  return reply.row.primaryKey ? rowFromSdk(reply.row) : null;
}

function put(role, primaryKey, attributeColumns, condition, more = {}) {
  return client.putRow({
    tableName: fixture.name(role),
    primaryKey,
    attributeColumns,
    condition,
    ...more,
  });
}

function update(role, primaryKey, updateOfAttributeColumns, condition, more = {}) {
  return client.updateRow({
    tableName: fixture.name(role),
    primaryKey,
    updateOfAttributeColumns,
    condition,
    ...more,
  });
}

function remove(role, primaryKey, condition) {
  return client.deleteRow({ tableName: fixture.name(role), primaryKey, condition });
}

function wholeRange(role, direction = 'FORWARD') {
  const bound = (end) => fixture.tables.get(role).primary_key.map(({ name }) => ({ [name]: end }));
  const [low, high] = [bound(TableStore.INF_MIN), bound(TableStore.INF_MAX)];
  return direction === 'FORWARD' ? [low, high] : [high, low];
}

/** Every page of a range: the rows, and how many each page had. */
async function readRange(role, [start, end], options = {}) {
  const rows = [];
  const pages = [];
  while (start) {
    holds('GetRange ends', pages.length < MOST_PAGES);
    const page = await client.getRange({
      tableName: fixture.name(role),
      direction: TableStore.Direction.FORWARD,
      inclusiveStartPrimaryKey: start,
      exclusiveEndPrimaryKey: end,
      ...options,
    });
    rows.push(...page.rows.map(rowFromSdk));
    pages.push(page.rows.length);
    const next = page.nextStartPrimaryKey;
    start = next && next.map(({ name, value }) => ({ [name]: value }));
  }
  return { rows, pages };
}

const values = (row) => row.columns.map((cell) => cell.value.value);

const steps = {};

// Tables

steps.create_tables = async () => {
  for (const table of fixture.data.tables) await create(table);
  return errorsOf({ create_again: () => create(fixture.tables.get('types')) });
};

steps.list_tables = async () => {
  const { tableNames } = await client.listTable({});
  const ours = fixture.data.tables.map((table) => table.name).sort();
  same('tables', tableNames.filter((name) => ours.includes(name)).sort(), ours);
  return { tables: ours };
};

steps.describe_tables = async () => {
  const tables = {};
  for (const [role, table] of fixture.tables) {
    const reply = await client.describeTable({ tableName: table.name });
    same('name', reply.tableMeta.tableName, table.name);
    const primary_key = reply.tableMeta.primaryKey.map(({ name, type }) => ({
      name,
      type: nameOf(KEY_TYPES, type),
    }));
    const max_versions = reply.tableOptions.maxVersions;
    const time_to_live = reply.tableOptions.timeToLive;
    same(`key of ${role}`, primary_key, table.primary_key);
    same(`versions of ${role}`, max_versions, table.max_versions);
    same(`time to live of ${role}`, time_to_live, -1);
    tables[role] = { primary_key, max_versions, time_to_live };
  }
  return { tables };
};

steps.delete_table = async () => {
  const tableName = fixture.name('scratch');
  await client.deleteTable({ tableName });
  const { tableNames } = await client.listTable({});
  holds('a deleted table is not listed', !tableNames.includes(tableName));
  return errorsOf({ describe_deleted: () => client.describeTable({ tableName }) });
};

// Single rows

steps.put_rows = async () => {
  const returned = [];
  for (const role of ['types', 'binary']) {
    for (const row of [...fixture.rows(role)].reverse()) {
      const reply = await put(role, keyToSdk(row), columnsToSdk(row), NOT_EXIST, {
        returnContent: { returnType: TableStore.ReturnType.Primarykey },
      });
      returned.push(rowFromSdk(reply.row));
    }
  }
  // With IGNORE a put replaces the whole row.
  const [first] = fixture.rows('types');
  await put('types', keyToSdk(first), [{ replaced: integer(1) }], IGNORE);
  await put('types', keyToSdk(first), columnsToSdk(first), IGNORE);
  emitRows('put_returned', 'types', returned);
};

steps.get_rows = async () => {
  for (const role of ['types', 'binary']) {
    const rows = [];
    for (const row of fixture.rows(role)) rows.push(await get(role, keyToSdk(row)));
    emitRows(`get_${role}`, role, rows);
    same(role, withoutTimestamps(rows), fixture.rows(role));
  }
  same('an absent row', await get('types', twoKeys('nowhere', 0)), null);
};

steps.update_row = async () => {
  const base = fixture.baseVersionMs;
  const key = () => twoKeys('updated', 1);
  const at = (name, value, version) => ({ [name]: value, timestamp: version });
  const change = (changes) => update('versions', key(), changes, IGNORE);

  await change([{ PUT: [at('a', integer(1), base), at('b', 'x', base), at('c', true, base)] }]);
  await change([{ PUT: [at('a', integer(2), base + 1), at('b', 'y', base + 1)] }]);
  await change([
    { PUT: [at('a', integer(3), base + 2), at('kept', Buffer.from([0x00, 0xff]), base)] },
  ]);
  await change([{ DELETE: [{ a: integer(base + 1) }] }, { DELETE_ALL: ['b'] }]);
  for (const [by, result] of [
    [5, '5'],
    [-2, '3'],
  ]) {
    const reply = await update('versions', key(), [{ INCREMENT: [{ count: integer(by) }] }], IGNORE, {
      returnContent: { returnType: TableStore.ReturnType.AfterModify, returnColumns: ['count'] },
    });
    const { primary_key, columns } = rowFromSdk(reply.row);
    same('the key of an increment', primary_key, []);
    same('the result of an increment', columns.map((cell) => cell.value.value), [result]);
  }
  const row = await get('versions', key(), 5);
  emitRows('updated', 'versions', [row]);
  const cells = row.columns.map((c) => [c.name, c.value.value, Number(c.timestamp)]);
  same(
    'versions with a given time',
    cells.filter(([name]) => name !== 'count'),
    [
      ['a', '3', base + 2],
      ['a', '1', base],
      ['c', true, base],
      ['kept', '00ff', base],
    ],
  );
  const counts = cells.filter(([name]) => name === 'count').map(([, value]) => value);
  same('the counter', counts, ['3', '5']);

  // Deletes alone make no row; a row that loses its last column remains.
  await update('versions', twoKeys('updated', 2), [{ DELETE_ALL: ['a'] }], IGNORE);
  same('a row of deletes alone', await get('versions', twoKeys('updated', 2)), null);
  await update('versions', twoKeys('updated', 3), [{ PUT: [{ a: integer(1) }] }], IGNORE);
  await update('versions', twoKeys('updated', 3), [{ DELETE_ALL: ['a'] }], IGNORE);
  same('a row without columns', (await get('versions', twoKeys('updated', 3))).columns, []);
};

steps.conditions = async () => {
  const key = () => twoKeys('guarded', 1);
  const absent = () => twoKeys('guarded', 2);
  const two = () => [{ PUT: [{ n: integer(2) }] }];
  const when = (name, value, passIfMissing = false) => {
    const single = new TableStore.SingleColumnCondition(
      name,
      value,
      ComparatorType.EQUAL,
      passIfMissing,
    );
    return new TableStore.Condition(RowExistenceExpectation.IGNORE, single);
  };

  await put('versions', key(), [{ state: 'open' }, { n: integer(1) }], NOT_EXIST);
  const facts = await errorsOf({
    put_existing: () => put('versions', key(), [{ n: integer(2) }], NOT_EXIST),
    update_absent: () => update('versions', absent(), two(), EXIST),
    delete_absent: () => remove('versions', absent(), EXIST),
    column_differs: () => update('versions', key(), two(), when('state', 'closed')),
    column_of_other_type: () => remove('versions', key(), when('n', '1')),
    column_missing: () => remove('versions', key(), when('absent', integer(1))),
  });
  same('untouched', values(await get('versions', key())), ['1', 'open']);
  await update('versions', key(), [{ PUT: [{ n: integer(3) }] }], when('state', 'open'));
  const missing = when('absent', integer(1), true);
  await update('versions', key(), [{ PUT: [{ m: integer(4) }] }], missing);
  const row = await get('versions', key());
  emitRows('guarded', 'versions', [row]);
  same('updated', values(row), ['4', '3', 'open']);
  return facts;
};

steps.delete_row = async () => {
  const key = () => twoKeys('deleted', 1);
  await put('versions', key(), [{ n: integer(1) }], NOT_EXIST);
  holds('the row is there', (await get('versions', key())) !== null);
  await remove('versions', key(), EXIST);
  same('the row after its deletion', await get('versions', key()), null);
  await remove('versions', key(), IGNORE);
};

// Batches

function writeBatch(role, rows) {
  return client.batchWriteRow({ tables: [{ tableName: fixture.name(role), rows }] });
}

async function writeAll(role, atOnce) {
  const rows = [...fixture.rows(role)].reverse();
  for (let first = 0; first < rows.length; first += atOnce) {
    const items = rows.slice(first, first + atOnce).map((row) => ({
      type: 'PUT',
      condition: NOT_EXIST,
      primaryKey: keyToSdk(row),
      attributeColumns: columnsToSdk(row),
    }));
    const reply = await writeBatch(role, items);
    same(`rows answered of ${role}`, reply.tables.length, items.length);
    holds(`a batch of ${role} succeeds`, reply.tables.every((item) => item.isOk));
  }
}

steps.batch_write = async () => {
  await writeAll('bulk', 100);
  await writeAll('many', 200);

  const key = (i) => twoKeys('batch', i);
  for (const i of [2, 3]) await put('versions', key(i), [{ n: integer(1) }], NOT_EXIST);
  const one = () => [{ n: integer(1) }];
  const increment = [{ INCREMENT: [{ n: integer(41) }] }];
  const reply = await writeBatch('versions', [
    { type: 'PUT', condition: NOT_EXIST, primaryKey: key(1), attributeColumns: one() },
    { type: 'UPDATE', condition: EXIST, primaryKey: key(2), attributeColumns: increment },
    { type: 'DELETE', condition: EXIST, primaryKey: key(3) },
    { type: 'PUT', condition: EXIST, primaryKey: key(4), attributeColumns: one() },
  ]);
  const results = reply.tables.map((item) => (item.isOk ? 'ok' : item.errorCode));
  same('results', results, ['ok', 'ok', 'ok', 'OTSConditionCheckFail']);
  const found = [];
  for (const i of [1, 2, 3, 4]) {
    const row = await get('versions', key(i));
    found.push(row && row.columns[0].value.value);
  }
  same('rows after the batch', found, ['1', '42', null, null]);
  return { results };
};

steps.batch_get = async () => {
  const wanted = fixture.rows('bulk').filter((_, at) => at % 10 === 0);
  const absent = (g, i) => [{ g }, { i: integer(i) }];
  const keys = [absent('absent', 0), ...wanted.map(keyToSdk), absent('g0', 50)];
  const reply = await client.batchGetRow({
    tables: [
      { tableName: fixture.name('bulk'), primaryKey: keys },
      { tableName: fixture.name('types'), primaryKey: fixture.rows('types').map(keyToSdk) },
    ],
  });
  const facts = {};
  const sets = {};
  for (const items of reply.tables) {
    const role = ['bulk', 'types'].find((name) => fixture.name(name) === items[0].tableName);
    holds(`every row of ${role} is answered without error`, items.every((item) => item.isOk));
    facts[`absent_${role}`] = items.flatMap((item, at) => (item.primaryKey ? [] : [at]));
    sets[role] = items.filter((item) => item.primaryKey).map(rowFromSdk);
    emitRows(`batch_get_${role}`, role, sets[role]);
  }
  same('bulk', withoutTimestamps(sets.bulk), wanted);
  same('types', withoutTimestamps(sets.types), fixture.rows('types'));
  return facts;
};

// Ranges

steps.range_forward = async () => {
  const { rows, pages } = await readRange('bulk', wholeRange('bulk'), { limit: 60 });
  emitRows('range_forward', 'bulk', rows);
  same('rows', withoutTimestamps(rows), fixture.rows('bulk'));
  const start = [{ g: 'g1' }, { i: integer(10) }];
  const end = [{ g: 'g3' }, { i: TableStore.INF_MIN }];
  const between = await readRange('bulk', [start, end], { limit: 7 });
  emitRows('range_between', 'bulk', between.rows);
  same('rows between', withoutTimestamps(between.rows), fixture.rows('bulk').slice(60, 150));
  return { pages };
};

steps.range_backward = async () => {
  const { rows, pages } = await readRange('bulk', wholeRange('bulk', 'BACKWARD'), {
    direction: TableStore.Direction.BACKWARD,
    limit: 90,
  });
  emitRows('range_backward', 'bulk', rows);
  same('rows', withoutTimestamps(rows), [...fixture.rows('bulk')].reverse());
  return { pages };
};

steps.range_columns = async () => {
  const { rows, pages } = await readRange('bulk', wholeRange('bulk'), {
    limit: 10,
    columnsToGet: ['opt', 'd'],
  });
  emitRows('range_columns', 'bulk', rows);
  same('rows', withoutTimestamps(rows), withColumns(fixture.rows('bulk'), ['opt', 'd']));
  // A row that has none of the columns is not returned.
  const sparse = await readRange('bulk', wholeRange('bulk'), { columnsToGet: ['opt'] });
  emitRows('range_sparse', 'bulk', sparse.rows);
  const expected = fixture.rows('bulk').filter((row) => column(row, 'opt') !== undefined);
  same('sparse rows', withoutTimestamps(sparse.rows), withColumns(expected, ['opt']));
  return { pages };
};

steps.range_filter = async () => {
  const both = new TableStore.CompositeCondition(TableStore.LogicalOperator.AND);
  const { GREATER_EQUAL, EQUAL } = ComparatorType;
  both.addSubCondition(
    new TableStore.SingleColumnCondition('n', integer(100), GREATER_EQUAL, false),
  );
  both.addSubCondition(new TableStore.SingleColumnCondition('flag', true, EQUAL, false));
  const { rows } = await readRange('bulk', wholeRange('bulk'), { limit: 20, columnFilter: both });
  emitRows('range_filter', 'bulk', rows);
  const expected = fixture
    .rows('bulk')
    .filter((row) => column(row, 'n') >= 100 && column(row, 'flag'));
  same('rows', withoutTimestamps(rows), expected);
};

steps.range_natural = async () => {
  const { rows, pages } = await readRange('many', wholeRange('many'));
  emitRows('range_natural', 'many', rows);
  same('rows', withoutTimestamps(rows), fixture.rows('many'));
  return { pages };
};

// Search

const indexOf = (indexName) => ({ tableName: fixture.name('bulk'), indexName });

async function indexNames() {
  const { indices } = await client.listSearchIndex({ tableName: fixture.name('bulk') });
  holds('indexes of one table', indices.every((i) => i.tableName === fixture.name('bulk')));
  return indices.map(({ indexName }) => indexName).sort();
}

const MATCH_ALL = { queryType: QueryType.MATCH_ALL_QUERY };

function search(query, options, columnToGet) {
  return client.search({
    ...indexOf(fixture.index.name),
    searchQuery: { query, ...options },
    columnToGet: columnToGet || {
      returnType: ColumnReturnType.RETURN_SPECIFIED,
      returnNames: ['n'],
    },
  });
}

// The SDK leaves the count out when the service did not count and said -1.
const total = (reply) => (reply.totalCounts === undefined ? -1 : Number(reply.totalCounts));
const ended = (token) => !token || token.length === 0;

steps.index_create = async () => {
  const fieldSchemas = fixture.index.fields.map(({ name, type }) => ({
    fieldName: name,
    fieldType: FIELD_TYPES[type],
    index: true,
    store: true,
  }));
  for (const name of [fixture.index.name, 'passing_index']) {
    await client.createSearchIndex({ ...indexOf(name), schema: { fieldSchemas } });
  }
};

steps.index_list = async () => {
  const indexes = await indexNames();
  same('indexes', indexes, [fixture.index.name, 'passing_index'].sort());
  return { indexes };
};

steps.index_describe = async () => {
  // An index follows its table with some delay: wait until it has every row.
  const rows = fixture.rows('bulk').length;
  const deadline = Date.now() + READY_MS;
  const INCREMENTAL = 2;
  let described;
  for (;;) {
    described = await client.describeSearchIndex(indexOf(fixture.index.name));
    const found = total(await search(MATCH_ALL, { limit: 0, getTotalCount: true }));
    if (described.syncStat.syncPhase === INCREMENTAL && found === rows) break;
    holds(`the index has ${found} of ${rows} rows in time`, Date.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  same('status', described.indexStatus.status, TableStore.IndexStatus.RUNNING);
  const { fieldSchemas } = described.schema;
  const fields = fieldSchemas.map(({ fieldName, fieldType }) => ({
    name: fieldName,
    type: nameOf(FIELD_TYPES, fieldType),
  }));
  same('fields', fields, fixture.index.fields);
  holds('every field is indexed', fieldSchemas.every((field) => field.index));
  return { fields };
};

steps.index_delete = async () => {
  await client.deleteSearchIndex(indexOf('passing_index'));
  const indexes = await indexNames();
  same('indexes', indexes, [fixture.index.name]);
  return { indexes };
};

steps.search_pages = async () => {
  const everything = { returnType: ColumnReturnType.RETURN_ALL };
  const rows = [];
  const pages = [];
  const totals = [];
  const order = TableStore.SortOrder.SORT_ORDER_ASC;
  let position = { sort: { sorters: [{ primaryKeySort: { order } }] } };
  while (position) {
    holds('Search ends', pages.length < MOST_PAGES);
    const options = { limit: 60, getTotalCount: true, ...position };
    const reply = await search(MATCH_ALL, options, everything);
    holds('all shards answered', reply.isAllSucceeded);
    rows.push(...reply.rows.map(rowFromSdk));
    pages.push(reply.rows.length);
    totals.push(total(reply));
    position = ended(reply.nextToken) ? null : { token: reply.nextToken };
  }
  emitRows('search_pages', 'bulk', rows);
  same('rows', withoutTimestamps(rows), fixture.rows('bulk'));
  const uncounted = total(await search(MATCH_ALL, { limit: 1 }));
  return { pages, total: totals[0], uncounted };
};

const query = (queryType, body) => ({ queryType, query: body });
const term = (fieldName, value) => query(QueryType.TERM_QUERY, { fieldName, term: value });
const range = (fieldName, bounds) => query(QueryType.RANGE_QUERY, { fieldName, ...bounds });
const exists = (fieldName) => query(QueryType.EXISTS_QUERY, { fieldName });

steps.search_queries = async () => {
  const has = (row, name) => column(row, name) !== undefined;
  const queries = {
    term: [term('kw', 'k3'), (r) => column(r, 'kw') === 'k3'],
    term_chinese: [term('kw', '表格'), (r) => column(r, 'kw') === '表格'],
    terms: [
      query(QueryType.TERMS_QUERY, { fieldName: 'n', terms: [1, 100, 249, 9999].map(integer) }),
      (r) => [1, 100, 249].includes(column(r, 'n')),
    ],
    range: [
      range('n', {
        rangeFrom: integer(100),
        includeLower: true,
        rangeTo: integer(150),
        includeUpper: false,
      }),
      (r) => column(r, 'n') >= 100 && column(r, 'n') < 150,
    ],
    range_double: [
      range('d', { rangeFrom: -1.5, includeLower: true, rangeTo: 1.5, includeUpper: true }),
      (r) => Math.abs(column(r, 'd')) <= 1.5,
    ],
    range_key: [
      range('i', { rangeFrom: integer(48), includeLower: false }),
      (r) => Number(r.primary_key[1].value.value) > 48,
    ],
    prefix: [
      query(QueryType.PREFIX_QUERY, { fieldName: 'opt', prefix: 'o1' }),
      (r) => has(r, 'opt') && column(r, 'opt').startsWith('o1'),
    ],
    exists: [exists('opt'), (r) => has(r, 'opt')],
    bool_must: [
      query(QueryType.BOOL_QUERY, {
        mustQueries: [
          term('flag', true),
          range('n', { rangeTo: integer(90), includeUpper: false }),
        ],
        mustNotQueries: [term('kw', 'k1')],
      }),
      (r) => column(r, 'flag') && column(r, 'n') < 90 && column(r, 'kw') !== 'k1',
    ],
    bool_should: [
      query(QueryType.BOOL_QUERY, {
        filterQueries: [range('n', { rangeTo: integer(100), includeUpper: false })],
        shouldQueries: [term('kw', 'k2'), exists('opt')],
        minimumShouldMatch: 1,
      }),
      (r) => column(r, 'n') < 100 && (column(r, 'kw') === 'k2' || has(r, 'opt')),
    ],
    nothing: [term('kw', 'nowhere'), () => false],
  };
  const totals = {};
  for (const [name, [wanted, matches]] of Object.entries(queries)) {
    const reply = await search(wanted, { limit: 100, getTotalCount: true });
    const rows = reply.rows.map(rowFromSdk);
    emitRows(`search_${name}`, 'bulk', rows);
    same(name, withoutTimestamps(rows), withColumns(fixture.rows('bulk').filter(matches), ['n']));
    holds(`one page is the end of ${name}`, ended(reply.nextToken));
    totals[name] = total(reply);
  }
  return { totals };
};

// Parallel scan

const session = { id: null, splits: 0 };

/** One share of a scan to its end: the rows, and how many each page had. */
async function scan(wanted, currentParallelId, maxParallel, limit, returnType) {
  const rows = [];
  const pages = [];
  let token;
  for (;;) {
    holds('ParallelScan ends', pages.length < MOST_PAGES);
    const reply = await client.parallelScan({
      ...indexOf(fixture.index.name),
      columnToGet: { returnType },
      sessionId: session.id,
      scanQuery: { query: wanted, limit, aliveTime: 60, token, currentParallelId, maxParallel },
    });
    rows.push(...reply.rows.map(rowFromSdk));
    pages.push(reply.rows.length);
    if (ended(reply.nextToken)) return { rows, pages };
    token = reply.nextToken;
  }
}

steps.scan_splits = async () => {
  const reply = await client.computeSplits({
    tableName: fixture.name('bulk'),
    searchIndexSplitsOptions: { indexName: fixture.index.name },
  });
  session.id = reply.sessionId;
  session.splits = reply.splitsSize;
  holds('the session has an id', session.id.length > 0);
  return { splits: session.splits };
};

steps.scan_all = async () => {
  const rows = [];
  const pages = [];
  for (let id = 0; id < session.splits; id += 1) {
    const share = await scan(
      MATCH_ALL,
      id,
      session.splits,
      7,
      ColumnReturnType.RETURN_ALL_FROM_INDEX,
    );
    rows.push(...share.rows);
    pages.push(share.pages);
  }
  emitRows('scan_all', 'bulk', rows);
  const keys = new Set(rows.map((row) => JSON.stringify(row.primary_key)));
  same('rows scanned twice', rows.length - keys.size, 0);
  same('rows scanned', rows.length, fixture.rows('bulk').length);
  for (const counts of pages) {
    same('rows of a last page', counts[counts.length - 1], 0);
    holds(
      'no page but the last is empty, none exceeds the limit',
      counts.slice(0, -1).every((count) => count > 0 && count <= 7),
    );
  }
  return { pages };
};

steps.scan_query = async () => {
  const fifty = range('n', {
    rangeFrom: integer(50),
    includeLower: true,
    rangeTo: integer(100),
    includeUpper: false,
  });
  const { rows, pages } = await scan(fifty, 0, 1, 20, ColumnReturnType.RETURN_NONE);
  emitRows('scan_query', 'bulk', rows);
  const at = (row) => Number(row.primary_key[1].value.value);
  const sorted = [...rows].sort((a, b) => at(a) - at(b));
  same('rows', sorted, withColumns(fixture.rows('bulk').slice(50, 100), []));
  return { pages: [pages] };
};

// Errors

steps.error_secret = () => {
  const stranger = connect('not-the-secret');
  const tableName = fixture.name('types');
  const primaryKey = keyToSdk(fixture.rows('types')[0]);
  return errorsOf({
    list: () => stranger.listTable({}),
    get: () => stranger.getRow({ tableName, primaryKey }),
  });
};

steps.error_table = () => {
  const tableName = `${fixture.name('types')}_absent`;
  const primaryKey = twoKeys('a', 1);
  const attributeColumns = [{ n: integer(1) }];
  const condition = IGNORE;
  const [inclusiveStartPrimaryKey, exclusiveEndPrimaryKey] = wholeRange('types');
  const direction = TableStore.Direction.FORWARD;
  const row = { type: 'PUT', condition, primaryKey, attributeColumns };
  return errorsOf({
    describe: () => client.describeTable({ tableName }),
    delete: () => client.deleteTable({ tableName }),
    get: () => client.getRow({ tableName, primaryKey }),
    put: () => client.putRow({ tableName, primaryKey, attributeColumns, condition }),
    range: () =>
      client.getRange({
        tableName,
        direction,
        inclusiveStartPrimaryKey,
        exclusiveEndPrimaryKey,
      }),
    batch_write: () => client.batchWriteRow({ tables: [{ tableName, rows: [row] }] }),
  });
};

steps.error_index = () => {
  const indexName = 'absent_index';
  return errorsOf({
    search: () =>
      client.search({
        ...indexOf(indexName),
        searchQuery: { query: MATCH_ALL, limit: 1 },
        columnToGet: { returnType: ColumnReturnType.RETURN_NONE },
      }),
    splits: () =>
      client.computeSplits({
        tableName: fixture.name('bulk'),
        searchIndexSplitsOptions: { indexName },
      }),
  });
};

steps.error_request = () => {
  const tableName = fixture.name('types');
  const [low, high] = wholeRange('types');
  return errorsOf({
    table_name: () => client.describeTable({ tableName: '3t' }),
    key_name: () => client.getRow({ tableName, primaryKey: [{ s: 'a' }, { x: integer(1) }] }),
    key_type: () => client.getRow({ tableName, primaryKey: [{ s: 'a' }, { i: '1' }] }),
    range_order: () =>
      client.getRange({
        tableName,
        direction: TableStore.Direction.FORWARD,
        inclusiveStartPrimaryKey: high,
        exclusiveEndPrimaryKey: low,
      }),
  });
};

// What is left in the tables, for our own client to read

steps.final_tables = async () => {
  for (const role of ['types', 'binary', 'versions', 'bulk', 'many']) {
    const maxVersions = fixture.tables.get(role).max_versions;
    const { rows } = await readRange(role, wholeRange(role), { maxVersions });
    emitRows(`final_${role}`, role, rows);
  }
};

runSteps(steps).then((well) => {
  process.exitCode = well ? 0 : 1;
});
