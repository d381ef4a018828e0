'use strict';
// The driver's side of the contract: the fixture, canonical JSON, one line per step.

const fs = require('fs');
const { isDeepStrictEqual, inspect } = require('util');
const { Long } = require('tablestore');

// 64-bit integers are values of the SDK's own class; a plain number would be written as a double.
const Int64 = Long.fromNumber(0).constructor;

class Mismatch extends Error {}

function same(what, found, expected) {
  if (!isDeepStrictEqual(found, expected)) {
    const show = (value) => inspect(value, { depth: 8, breakLength: Infinity }).slice(0, 2000);
    throw new Mismatch(`${what}: found ${show(found)}, expected ${show(expected)}`);
  }
}

function holds(what, condition) {
  if (!condition) throw new Mismatch(what);
}

class Fixture {
  constructor(path) {
    this.data = JSON.parse(fs.readFileSync(path, 'utf8'));
    this.tables = new Map(this.data.tables.map((table) => [table.role, table]));
    this.index = this.data.index;
    this.baseVersionMs = this.data.base_version_ms;
  }

  name(role) {
    return this.tables.get(role).name;
  }

  rows(role) {
    return this.tables.get(role).rows;
  }
}

const integer = (value) => Long.fromString(String(value));

/** A canonical value as this SDK takes it. */
function toSdk({ type, value }) {
  switch (type) {
    case 'integer':
      return integer(value);
    case 'double':
      return Buffer.from(value, 'hex').readDoubleBE(0);
    case 'binary':
      return Buffer.from(value, 'hex');
    default:
      return value;
  }
}

/** A value of this SDK in canonical form. */
function fromSdk(value) {
  if (value instanceof Int64) return { type: 'integer', value: value.toString(10) };
  if (Buffer.isBuffer(value)) return { type: 'binary', value: value.toString('hex') };
  switch (typeof value) {
    case 'number': {
      const bits = Buffer.alloc(8);
      bits.writeDoubleBE(value, 0);
      return { type: 'double', value: bits.toString('hex') };
    }
    case 'boolean':
      return { type: 'boolean', value };
    case 'string':
      return { type: 'string', value };
    default:
      throw new Mismatch(`a value of the unexpected type ${typeof value}`);
  }
}

const keyToSdk = (row) => row.primary_key.map(({ name, value }) => ({ [name]: toSdk(value) }));
const columnsToSdk = (row) => row.columns.map(({ name, value }) => ({ [name]: toSdk(value) }));

/** A row in canonical form. */
function rowFromSdk({ primaryKey, attributes }) {
  return {
    primary_key: primaryKey.map(({ name, value }) => ({ name, value: fromSdk(value) })),
    columns: (attributes || []).map(({ columnName, columnValue, timestamp }) => {
      const cell = { name: columnName, value: fromSdk(columnValue) };
      if (timestamp !== null && timestamp !== undefined) cell.timestamp = timestamp.toString(10);
      return cell;
    }),
  };
}

function withoutTimestamps(rows) {
  return rows.map((row) => ({
    primary_key: row.primary_key,
    columns: row.columns.map(({ name, value }) => ({ name, value })),
  }));
}

function withColumns(rows, names) {
  return rows.map((row) => ({
    primary_key: row.primary_key,
    columns: row.columns.filter((cell) => names.includes(cell.name)),
  }));
}

/** The plain value of a fixture row's column, or undefined; integers of the fixture's columns are small. */
function column(row, name) {
  const cell = row.columns.find((candidate) => candidate.name === name);
  if (!cell) return undefined;
  return cell.value.type === 'integer' ? Number(cell.value.value) : toSdk(cell.value);
}

// Written at once: process.exit would cut off what a pipe has not taken yet.
function emit(line) {
  const bytes = Buffer.from(JSON.stringify(line) + '\n');
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const emitRows = (name, role, rows) => emit({ row_set: name, table: role, rows });

/** Runs every step, the ones after a failed one too, and says whether all went well. */
async function runSteps(steps) {
  const failed = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      const facts = (await step()) || {};
      emit({ step: name, ok: true, facts });
    } catch (error) {
      console.error(error);
      emit({ step: name, ok: false, reason: `${error.name}: ${error.message}` });
      failed.push(name);
    }
  }
  if (failed.length > 0) console.error(`failed steps: ${failed.join(', ')}`);
  return failed.length === 0;
}

function setting(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set`);
    process.exit(2);
  }
  return value;
}

module.exports = {
  Fixture,
  Mismatch,
  column,
  columnsToSdk,
  emit,
  emitRows,
  fromSdk,
  holds,
  integer,
  keyToSdk,
  rowFromSdk,
  runSteps,
  same,
  setting,
  toSdk,
  withColumns,
  withoutTimestamps,
};
