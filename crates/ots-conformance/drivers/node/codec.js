'use strict';
// The SDK's codec of rows and queries, asked from outside: one question a line on stdin, one line of answers on
// stdout, as drivers/python/codec.py does it. Buffers are hex.

const readline = require('readline');
const TableStore = require('tablestore');
const { emit, integer, rowFromSdk, toSdk } = require('./contract.js');

const SPECIAL_KEYS = {
  inf_min: TableStore.INF_MIN,
  inf_max: TableStore.INF_MAX,
  auto_increment: TableStore.PK_AUTO_INCR,
};

const keyToSdk = (columns) =>
  columns.map(([name, value]) => ({ [name]: SPECIAL_KEYS[value.type] || toSdk(value) }));

/** Name, value, and version if there is one: a number, which is what the SDK takes. */
function cellToSdk([name, value, version]) {
  return { [name]: toSdk(value), ...(version !== null && { timestamp: Number(version) }) };
}

function changeToSdk(kind, [name, value, version]) {
  switch (kind) {
    case 'PUT':
      return cellToSdk([name, value, version]);
    case 'DELETE':
      return { [name]: Number(version) };
    case 'DELETE_ALL':
      return name;
    default:
      return { [name]: toSdk(value) };
  }
}

function encodeRow({ kind, primary_key, cells }) {
  const builder = TableStore.PlainBufferBuilder;
  const key = keyToSdk(primary_key);
  switch (kind) {
    case 'key':
      return builder.serializePrimaryKey(key);
    case 'delete':
      return builder.serializeForDeleteRow(key);
    case 'put':
      return builder.serializeForPutRow(key, cells.map(cellToSdk));
    default: {
      const groups = cells.map(([how, those]) => ({
        [how]: those.map((cell) => changeToSdk(how, cell)),
      }));
      return builder.serializeForUpdateRow(key, groups);
    }
  }
}

// The SDK computes too little room for some updates, and says "The buffer is full"; and too much for
// others and for bounds, and sends zeros after the row. What it writes doesn't depend on the room.
const { computeUpdateRowSize } = TableStore.PlainBufferBuilder;
const { getBuffer } = TableStore.PlainBufferOutputStream.prototype;
TableStore.PlainBufferBuilder.computeUpdateRowSize = function roomy(key, groups) {
  const cells = groups.reduce((sum, group) => sum + Object.values(group)[0].length, 0);
  return computeUpdateRowSize.call(this, key, groups) + 32 * cells;
};
TableStore.PlainBufferOutputStream.prototype.getBuffer = function written() {
  return getBuffer.call(this).subarray(0, this.pos);
};

function decodeRows(hex) {
  const buffer = Buffer.from(hex, 'hex');
  const stream = new TableStore.PlainBufferInputStream({ buffer, offset: 0, limit: buffer.length });
  return new TableStore.PlainBufferCodedInputStream(stream).readRows().map(rowFromSdk);
}

/**
 * What a description stands for: `{"enum": "Type.NAME"}` is what it says, `{"type": .., "value": ..}` a
 * canonical value, and everything else itself.
 */
function build(node) {
  if (Array.isArray(node)) return node.map(build);
  if (node === null || typeof node !== 'object') return node;
  if ('enum' in node) {
    const [type, name] = node.enum.split('.');
    if (!(name in TableStore[type])) throw new Error(`the SDK has no ${node.enum}`);
    return TableStore[type][name];
  }
  if ('type' in node) return toSdk(node);
  return Object.fromEntries(Object.entries(node).map(([name, part]) => [name, build(part)]));
}

function encodeQuery(asked) {
  const message = TableStore.encoder._makeQuery(build(asked));
  return Object.getPrototypeOf(message).constructor.encode(message).finish();
}

const QUESTIONS = {
  encode_row: (asked) => encodeRow(asked).toString('hex'),
  encode_query: (asked) => encodeQuery(asked).toString('hex'),
  decode_row: (hex) => decodeRows(hex)[0],
  decode_rows: decodeRows,
};

function answer(question, asked) {
  try {
    return { ok: question(asked) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { ask, cases } = JSON.parse(line);
  emit({ answers: cases.map((asked) => answer(QUESTIONS[ask], asked)) });
});
