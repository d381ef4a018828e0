"""The driver's side of the contract: the fixture, canonical JSON, one line per step."""

import json
import os
import struct
import sys
import traceback


class Mismatch(Exception):
    """What was read is not what was expected."""


def same(what, found, expected):
    if found != expected:
        raise Mismatch("%s: found %r, expected %r" % (what, found, expected))


def true(what, holds):
    if not holds:
        raise Mismatch(what)


class Fixture:
    """The tables, rows and names that the runner chose."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.data = json.load(file)
        self.tables = {table["role"]: table for table in self.data["tables"]}
        self.index = self.data["index"]
        self.base_version_ms = self.data["base_version_ms"]

    def name(self, role):
        return self.tables[role]["name"]

    def rows(self, role):
        return self.tables[role]["rows"]


def to_sdk(value):
    """A canonical value as this SDK takes it: bytes would be a string, bytearray is binary."""
    kind, text = value["type"], value["value"]
    if kind == "integer":
        return int(text)
    if kind == "double":
        return struct.unpack(">d", bytes.fromhex(text))[0]
    if kind == "binary":
        return bytearray.fromhex(text)
    return text


def from_sdk(value):
    """A value of this SDK in canonical form. bool comes before int, being one."""
    if isinstance(value, bool):
        return {"type": "boolean", "value": value}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    if isinstance(value, float):
        return {"type": "double", "value": struct.pack(">d", value).hex()}
    if isinstance(value, str):
        return {"type": "string", "value": value}
    if isinstance(value, (bytes, bytearray)):
        return {"type": "binary", "value": bytes(value).hex()}
    raise Mismatch("a value of the unexpected type %s" % type(value).__name__)


def key_to_sdk(row):
    return [(column["name"], to_sdk(column["value"])) for column in row["primary_key"]]


def columns_to_sdk(row):
    return [(cell["name"], to_sdk(cell["value"])) for cell in row["columns"]]


def row_from_sdk(primary_key, columns):
    """A row in canonical form."""
    cells = []
    for name, value, timestamp in columns or []:
        cell = {"name": name, "value": from_sdk(value)}
        if timestamp is not None:
            cell["timestamp"] = str(timestamp)
        cells.append(cell)
    return {
        "primary_key": [{"name": c[0], "value": from_sdk(c[1])} for c in primary_key],
        "columns": cells,
    }


def without_timestamps(rows):
    return [
        {
            "primary_key": row["primary_key"],
            "columns": [{"name": c["name"], "value": c["value"]} for c in row["columns"]],
        }
        for row in rows
    ]


def with_columns(rows, names):
    return [
        {
            "primary_key": row["primary_key"],
            "columns": [c for c in row["columns"] if c["name"] in names],
        }
        for row in rows
    ]


def column(row, name):
    """The plain value of a fixture row's column, or None."""
    for cell in row["columns"]:
        if cell["name"] == name:
            return to_sdk(cell["value"])
    return None


def emit(line):
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), flush=True)


def emit_rows(name, role, rows):
    emit({"row_set": name, "table": role, "rows": rows})


class Steps:
    """The named steps in the order in which they run."""

    def __init__(self):
        self.steps = []

    def __call__(self, step):
        self.steps.append((step.__name__, step))
        return step

    def run(self):
        """Runs every step, the ones after a failed one too, and says whether all went well."""
        failed = []
        for name, step in self.steps:
            try:
                facts = step() or {}
            except Exception as error:  # whatever the SDK raises is the step's result
                traceback.print_exc()
                reason = "%s: %s" % (type(error).__name__, error)
                emit({"step": name, "ok": False, "reason": reason})
                failed.append(name)
            else:
                emit({"step": name, "ok": True, "facts": facts})
        if failed:
            print("failed steps: %s" % ", ".join(failed), file=sys.stderr)
        return not failed


def setting(name):
    value = os.environ.get(name)
    if not value:
        sys.exit("%s is not set" % name)
    return value
