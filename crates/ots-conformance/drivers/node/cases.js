'use strict';
// The SDK, asked in neutral words: one request a line on stdin, one line on stdout for what came of it.
//
// An answer is `{"answer": ..}`; `{"error": {"status", "code", "message"}}` for what the service refused;
// `{"unsupported": WHY}` where the SDK has no word for it; `{"failed": WHY}` for whatever else it threw.

const readline = require('readline');
const TableStore = require('tablestore');
const { emit, setting } = require('./contract.js');
const words = require('./words.js');
const answers = require('./answers.js');

const { Unsupported } = words;

const client = new TableStore.Client({
  accessKeyId: setting('TABLESTORE_ACCESS_KEY_ID'),
  secretAccessKey: setting('TABLESTORE_ACCESS_KEY_SECRET'),
  endpoint: setting('OTS_ENDPOINT'),
  instancename: setting('OTS_INSTANCE'),
});

const KEY_TYPES = { integer: 1, string: 2, binary: 3, boolean: 5 };
const DEFINED_TYPES = { integer: 1, double: 2, boolean: 3, string: 4, binary: 7 };
const nameOf = (types, wanted) => Object.keys(types).find((name) => types[name] === wanted);

const operations = {};

// Tables

const throughput = ({ reserved = [0, 0] }) => ({
  capacityUnit: { read: reserved[0], write: reserved[1] },
});

function tableOptions(ask) {
  const options = {};
  if ('time_to_live_s' in ask) options.timeToLive = ask.time_to_live_s;
  if ('max_versions' in ask) options.maxVersions = ask.max_versions;
  if ('max_deviation_s' in ask) options.maxTimeDeviation = ask.max_deviation_s;
  if ('allow_update' in ask) options.allowUpdate = ask.allow_update;
  return options;
}

operations.create_table = async (ask) => {
  await client.createTable({
    tableMeta: {
      tableName: ask.table,
      primaryKey: ask.key.map(([name, type, auto]) => ({
        name,
        type: KEY_TYPES[type],
        ...(auto && { option: TableStore.PrimaryKeyOption.AUTO_INCREMENT }),
      })),
      definedColumn: (ask.defined_columns || []).map(([name, type]) => ({
        name,
        type: DEFINED_TYPES[type],
      })),
    },
    reservedThroughput: throughput(ask),
    tableOptions: { timeToLive: -1, maxVersions: 1, ...tableOptions(ask) },
  });
  return {};
};

operations.update_table = async (ask) => {
  const reply = await client.updateTable({
    tableName: ask.table,
    tableOptions: tableOptions(ask),
    ...('reserved' in ask && { reservedThroughput: throughput(ask) }),
  });
  return answers.table(reply);
};

operations.describe_table = async (ask) => {
  const reply = await client.describeTable({ tableName: ask.table });
  return {
    ...answers.table(reply),
    table: reply.tableMeta.tableName,
    key: reply.tableMeta.primaryKey.map((column) => [
      column.name,
      nameOf(KEY_TYPES, column.type),
      ...(answers.given(column, 'option') === 1 ? ['auto_increment'] : []),
    ]),
    defined_columns: reply.tableMeta.definedColumn.map(({ name, type }) => [
      name,
      nameOf(DEFINED_TYPES, type),
    ]),
  };
};

operations.list_tables = async () => ({ tables: (await client.listTable({})).tableNames });

operations.delete_table = async (ask) => {
  await client.deleteTable({ tableName: ask.table });
  return {};
};

operations.compute_split_points = async () => {
  throw new Unsupported('the SDK has no ComputeSplitPointsBySize');
};

// Rows

function returnContent(ask) {
  if (!ask.return) return {};
  const { ReturnType } = TableStore;
  if (ask.return === 'key') return { returnContent: { returnType: ReturnType.Primarykey } };
  return {
    returnContent: { returnType: ReturnType.AfterModify, returnColumns: ask.return.after },
  };
}

const written = (reply) => ({
  row: answers.rowOrNull(reply.row),
  consumed: answers.consumed(reply.consumed && reply.consumed.capacityUnit),
});

operations.put_row = async (ask) =>
  written(
    await client.putRow({
      tableName: ask.table,
      primaryKey: words.key(ask.key),
      attributeColumns: words.columns(ask.columns || []),
      condition: words.condition(ask),
      ...returnContent(ask),
    }),
  );

operations.update_row = async (ask) =>
  written(
    await client.updateRow({
      tableName: ask.table,
      primaryKey: words.key(ask.key),
      updateOfAttributeColumns: words.changes(ask.changes || []),
      condition: words.condition(ask),
      ...returnContent(ask),
    }),
  );

operations.delete_row = async (ask) =>
  written(
    await client.deleteRow({
      tableName: ask.table,
      primaryKey: words.key(ask.key),
      condition: words.condition(ask),
      ...returnContent(ask),
    }),
  );

operations.get_row = async (ask) =>
  written(
    await client.getRow({
      tableName: ask.table,
      primaryKey: words.key(ask.key),
      ...words.reading(ask),
    }),
  );

operations.get_range = async (ask) => {
  const { Direction } = TableStore;
  const reply = await client.getRange({
    tableName: ask.table,
    direction: ask.backward ? Direction.BACKWARD : Direction.FORWARD,
    inclusiveStartPrimaryKey: words.key(ask.start),
    exclusiveEndPrimaryKey: words.key(ask.end),
    limit: ask.limit,
    ...words.reading(ask),
  });
  const next = reply.nextStartPrimaryKey;
  return {
    rows: reply.rows.map(answers.row),
    next: next && answers.row({ primaryKey: next }),
    consumed: answers.consumed(reply.consumed && reply.consumed.capacityUnit),
  };
};

/** Answers for rows one after another, whatever their table: as many for each as were asked for. */
function byTable(asked, items) {
  let from = 0;
  return {
    tables: asked.map((count) => {
      const rows = items.slice(from, (from += count)).map((item) =>
        item.isOk
          ? { row: answers.rowOrNull(item), consumed: answers.consumed(item.capacityUnit) }
          : { error: { code: item.errorCode, message: item.errorMessage } },
      );
      return { rows };
    }),
  };
}

operations.batch_get = async (ask) => {
  const reply = await client.batchGetRow({
    tables: ask.tables.map((table) => ({
      tableName: table.table,
      primaryKey: table.keys.map(words.key),
      ...words.reading(table),
    })),
  });
  return byTable(ask.tables.map((table) => table.keys.length), reply.tables.flat());
};

function batchRow(change) {
  const [[kind, ask]] = Object.entries(change);
  const row = {
    type: kind.toUpperCase(),
    condition: words.condition(ask),
    primaryKey: words.key(ask.key),
    ...returnContent(ask),
  };
  if (kind === 'put') row.attributeColumns = words.columns(ask.columns || []);
  if (kind === 'update') row.attributeColumns = words.changes(ask.changes || []);
  return row;
}

operations.batch_write = async (ask) => {
  if (ask.atomic) throw new Unsupported('the SDK has no atomic batch');
  const reply = await client.batchWriteRow({
    tables: ask.tables.map(({ table, rows }) => ({ tableName: table, rows: rows.map(batchRow) })),
  });
  return byTable(ask.tables.map((table) => table.rows.length), reply.tables);
};

// Search indexes

operations.create_index = async (ask) => {
  await client.createSearchIndex({
    tableName: ask.table,
    indexName: ask.index,
    schema: {
      fieldSchemas: ask.fields.map(words.field),
      indexSetting: { routingFields: ask.routing },
      indexSort: ask.sort && words.sort(ask.sort),
    },
    timeToLive: ask.time_to_live_s,
    sourceIndexName: ask.source,
  });
  return {};
};

operations.update_index = async (ask) => {
  if (ask.switch_to || ask.weights) {
    throw new Unsupported('the SDK changes nothing of an index but its time to live');
  }
  await client.updateSearchIndex({
    tableName: ask.table,
    indexName: ask.index,
    timeToLive: ask.time_to_live_s,
  });
  return {};
};

operations.describe_index = async (ask) =>
  answers.index(await client.describeSearchIndex({ tableName: ask.table, indexName: ask.index }));

operations.list_indexes = async (ask) => {
  const { indices } = await client.listSearchIndex({ tableName: ask.table });
  return { indexes: indices.map((index) => index.indexName) };
};

operations.delete_index = async (ask) => {
  await client.deleteSearchIndex({ tableName: ask.table, indexName: ask.index });
  return {};
};

// Searches and scans

operations.search = async (ask) =>
  answers.search(
    await client.search({
      tableName: ask.table,
      indexName: ask.index,
      searchQuery: words.searchQuery(ask),
      columnToGet: words.columnsToGet(ask.columns),
      ...(ask.routed_to && { routingValues: ask.routed_to.map(words.key) }),
    }),
  );

operations.compute_splits = async (ask) => {
  const reply = await client.computeSplits({
    tableName: ask.table,
    searchIndexSplitsOptions: { indexName: ask.index },
  });
  return { session: Buffer.from(reply.sessionId).toString('hex'), splits: reply.splitsSize };
};

operations.parallel_scan = async (ask) => {
  const [currentParallelId, maxParallel] = ask.share || [];
  const reply = await client.parallelScan({
    tableName: ask.table,
    indexName: ask.index,
    columnToGet: words.columnsToGet(ask.columns),
    ...(ask.session && { sessionId: Buffer.from(ask.session, 'hex') }),
    scanQuery: {
      query: words.query(ask.query),
      limit: ask.limit,
      aliveTime: ask.alive_s,
      ...(ask.token && { token: Buffer.from(ask.token, 'hex') }),
      currentParallelId,
      maxParallel,
    },
  });
  return { rows: reply.rows.map(answers.row), next: answers.token(reply.nextToken) };
};

async function said({ do: operation, ...ask }) {
  try {
    return { answer: await operations[operation](ask) };
  } catch (error) {
    if (error instanceof Unsupported) return { unsupported: error.message };
    if (typeof error.code === 'number') return { error: answers.refusal(error) };
    console.error(error);
    return { failed: `${error.name}: ${error.message}` };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    emit(await said(JSON.parse(line)));
  }
}

main();
