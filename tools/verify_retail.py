#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/verify_retail.py [options] RUN - checks what `liana demo retail` left behind.

RUN is the folder of a run that is still there (`liana demo retail --keep` prints it), or its run.json:

    {"data": "lines.csv", "start": 1000000, "liana": "/path/of/liana",
     "stores": [{"name": "till 1", "path": "till-1"}, ...],
     "mongodb": {"uri": "mongodb://...", "database": "liana_retail"} or null}

(relative paths are relative to the folder). From the sales lines alone it works out every document of `sales` and
`stock`, reads what each running store holds (`liana export`) and what MongoDB holds (raw BSON), and compares:

  * each store and MongoDB with the expectation: the same documents, field by field, exact BSON types and values;
    the order of fields does not count;
  * the stores with each other: every document byte for byte.

Nothing of Liana's own code is used beside the export command. Exit code: 0 all is as it must be; 1 there are
differences (each is printed, at most 20 per place); 2 it could not be checked, and why.
"""
import argparse
import csv
import datetime
import decimal
import json
import os
import pathlib
import struct
import subprocess
import sys

VENV = pathlib.Path(__file__).resolve().parent.parent / "build" / "venv" / "bin" / "python"
try:
    import pymongo
    from bson import Decimal128
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument
except ImportError:
    if VENV.exists() and pathlib.Path(sys.executable) != VENV:
        os.execv(VENV, [str(VENV), *sys.argv])
    sys.exit("verify_retail: pymongo is missing; tools/setup makes build/venv, which has it")

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
COLLECTIONS = ("sales", "stock")
SHOWN = 20

# A value is (BSON type name, comparable): exactly equal or different. Documents are {name: value} in any order.
STRING, DOCUMENT, ARRAY, BOOL, DATE, INT32, INT64, DECIMAL = (
    "string", "document", "array", "bool", "date", "int32", "int64", "decimal128")


# Types that must not be there, with their length, so that a difference can name them.
OTHER_TYPES = {0x01: ("double", 8), 0x07: ("objectId", 12), 0x0a: ("null", 0), 0x11: ("timestamp", 8)}


class Unverifiable(Exception):
    """Something needed for the check is missing or unreadable."""


# ---------------------------------------------------------------- what must be there

def int32(text, where):
    value = decimal.Decimal(text)
    if value != value.to_integral_value() or not -2**31 <= value < 2**31:
        raise Unverifiable(f"{where}: {text!r} is no 32-bit integer")
    return (INT32, int(value))


def date(text):
    utc = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return (DATE, round(utc.timestamp() * 1000))


def price(text):
    number = decimal.Decimal(text)
    if len(number.as_tuple().digits) > 34:
        raise Unverifiable(f"price {text!r} has more than 34 digits")
    return (DECIMAL, number.as_tuple())


def read_lines(path):
    """The sales lines as dicts of the non-empty fields."""
    csv.field_size_limit(sys.maxsize)
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        header = next(rows, [])
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise Unverifiable(f"{path}: no column {', '.join(missing)}")
        twice = [name for name in COLUMNS if header.count(name) > 1]
        if twice:
            raise Unverifiable(f"{path}: two columns {', '.join(twice)}")
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise Unverifiable(f"{path}, line {rows.line_num}: {len(row)} fields, the header has {len(header)}")
            yield {name: text for name, text in zip(header, row) if text != "" and name in COLUMNS}


def sale(index, number, first):
    """The document of an invoice without lines, from its first line."""
    fields = {
        "_id": (STRING, number),
        "till": (INT32, index % 3 + 1),
        "cancelled": (BOOL, number.startswith("C")),
        "lines": (ARRAY, []),
    }
    if "InvoiceDate" in first:
        fields["date"] = date(first["InvoiceDate"])
    if "CustomerID" in first:
        fields["customerId"] = int32(first["CustomerID"], f"invoice {number}, CustomerID")
    if "Country" in first:
        fields["country"] = (STRING, first["Country"])
    return (DOCUMENT, fields)


def sale_line(count, line, number):
    fields = {"line": (INT32, count)}
    if "StockCode" in line:
        fields["stockCode"] = (STRING, line["StockCode"])
    if "Description" in line:
        fields["description"] = (STRING, line["Description"])
    if "Quantity" in line:
        fields["quantity"] = int32(line["Quantity"], f"invoice {number}, line {count}, Quantity")
    if "UnitPrice" in line:
        fields["unitPrice"] = price(line["UnitPrice"])
    return (DOCUMENT, fields)


def expect(path, start):
    """{collection: {id: document}} as the sales lines demand it."""
    sales, stock = {}, {}
    for line in read_lines(path):
        number = line.get("InvoiceNo")
        if number is None:
            raise Unverifiable(f"{path}: a line without InvoiceNo")
        if number not in sales:
            sales[number] = sale(len(sales), number, line)
        lines = sales[number][1]["lines"][1]
        lines.append(sale_line(len(lines) + 1, line, number))
        if "StockCode" in line:
            item = stock.setdefault(line["StockCode"], {"sold": 0, "description": None})
            item["sold"] += lines[-1][1].get("quantity", (INT32, 0))[1]
            item["description"] = item["description"] or line.get("Description")
    return {"sales": sales, "stock": {code: stock_item(code, item, start) for code, item in stock.items()}}


def stock_item(code, item, start):
    fields = {"_id": (STRING, code), "onHand": (INT64, start - item["sold"])}
    if item["description"]:
        fields["description"] = (STRING, item["description"])
    return (DOCUMENT, fields)


# ---------------------------------------------------------------- what is there

def text_at(data, at):
    """The string with a length before it (bsonspec.org), and the position behind it."""
    length, = struct.unpack_from("<i", data, at)
    end = at + 4 + length
    if length < 1 or end > len(data) or data[end - 1] != 0:
        raise ValueError("a string that does not fit")
    return data[at + 4:end - 1].decode("utf-8"), end


def value_at(kind, data, at):
    """The value of BSON type `kind` at a position, and the position behind it."""
    if kind == 0x02:
        text, end = text_at(data, at)
        return (STRING, text), end
    if kind in (0x03, 0x04):
        length, = struct.unpack_from("<i", data, at)
        inner = read_document(data[at:at + length])
        if kind == 0x04:
            if list(inner) != [str(i) for i in range(len(inner))]:
                raise ValueError("an array whose names do not count from 0")
            return (ARRAY, list(inner.values())), at + length
        return (DOCUMENT, inner), at + length
    if kind == 0x08:
        return (BOOL, {0: False, 1: True}[data[at]]), at + 1
    if kind == 0x09:
        return (DATE, struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0x10:
        return (INT32, struct.unpack_from("<i", data, at)[0]), at + 4
    if kind == 0x12:
        return (INT64, struct.unpack_from("<q", data, at)[0]), at + 8
    if kind == 0x13:
        return (DECIMAL, Decimal128.from_bid(bytes(data[at:at + 16])).to_decimal().as_tuple()), at + 16
    if kind in OTHER_TYPES:
        name, length = OTHER_TYPES[kind]
        return (name, data[at:at + length].hex()), at + length
    raise ValueError(f"a value of BSON type 0x{kind:02x}, which no sale and no stock item has")


def read_document(data):
    """{name: value} of the raw bytes of one document; ValueError if they are not exactly that."""
    if len(data) < 5 or struct.unpack_from("<i", data)[0] != len(data) or data[-1] != 0:
        raise ValueError("a document whose length is wrong")
    fields, at = {}, 4
    while data[at] != 0:
        kind, end = data[at], data.index(b"\0", at + 1)
        name = data[at + 1:end].decode("utf-8")
        if name in fields:
            raise ValueError(f"field {name!r} twice")
        fields[name], at = value_at(kind, data, end + 1)
    if at != len(data) - 1:
        raise ValueError("bytes behind the end")
    return fields


def split_dump(data, where):
    """The documents of a BSON dump, one behind the other."""
    at = 0
    while at < len(data):
        length = struct.unpack_from("<i", data, at)[0] if at + 4 <= len(data) else -1
        if length < 5 or at + length > len(data):
            raise Unverifiable(f"{where}: the export is no BSON at byte {at}")
        yield data[at:at + length]
        at += length


def export(liana, store, collection):
    command = [str(liana), "export", "--format=bson", str(store), collection]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if run.returncode != 0:
        text = run.stderr.decode("utf-8", "replace").strip()
        raise Unverifiable(f"{' '.join(command)} answered {run.returncode}: {text}")
    return list(split_dump(run.stdout, f"{store}, {collection}"))


def mongodb_documents(settings):
    patience = {} if "serverselectiontimeoutms" in settings["uri"].lower() else {"serverSelectionTimeoutMS": 10000}
    client = pymongo.MongoClient(settings["uri"], **patience)
    raw = CodecOptions(document_class=RawBSONDocument)
    try:
        database = client.get_database(settings["database"], codec_options=raw)
        return {name: [bytes(d.raw) for d in database[name].find({})] for name in COLLECTIONS}
    except pymongo.errors.PyMongoError as error:
        raise Unverifiable(f"MongoDB at {settings['uri']}: {error}") from error
    finally:
        client.close()


# ---------------------------------------------------------------- comparing

def show(value):
    kind, held = value
    if kind == DECIMAL:
        return f"{kind} {decimal.Decimal(held)}"
    if kind == DATE:
        return f"{kind} {held} ms"
    text = f"{kind} {held!r}" if kind not in (DOCUMENT, ARRAY) else f"{kind} of {len(held)}"
    return text if len(text) <= 120 else text[:117] + "..."


def differences(path, want, have):
    """Where two values differ, one text each."""
    if want == have:
        return
    if want[0] != have[0] or want[0] not in (DOCUMENT, ARRAY):
        yield f"{path}: must be {show(want)}, is {show(have)}"
    elif want[0] == ARRAY:
        if len(want[1]) != len(have[1]):
            yield f"{path}: must have {len(want[1])} elements, has {len(have[1])}"
        for index, pair in enumerate(zip(want[1], have[1])):
            yield from differences(f"{path}.{index}", *pair)
    else:
        for name in want[1].keys() | have[1].keys():
            inner = f"{path}.{name}" if path else name
            if name not in have[1]:
                yield f"{inner}: is missing, must be {show(want[1][name])}"
            elif name not in want[1]:
                yield f"{inner}: must not be there, is {show(have[1][name])}"
            else:
                yield from differences(inner, want[1][name], have[1][name])


class Report:
    """Counts and prints differences; stops printing a place's after the first SHOWN."""

    def __init__(self):
        self.total = 0
        self.places = {}

    def add(self, place, text):
        self.total += 1
        self.places[place] = self.places.get(place, 0) + 1
        if self.places[place] <= SHOWN:
            print(f"DIFFERENT {place}: {text}")

    def close(self):
        for place, count in self.places.items():
            if count > SHOWN:
                print(f"DIFFERENT {place}: and {count - SHOWN} more")


def check_place(report, place, expected, documents, checked):
    """Compares the raw documents of one place with the expectation. Answers {id: raw}.
    `checked` holds bytes already found right under an id: equal bytes need no second look."""
    held = {}
    for raw in documents:
        try:
            fields = checked.get(raw) or read_document(raw)
        except (ValueError, KeyError, IndexError, struct.error) as error:
            report.add(place, f"a document that does not read: {error} ({raw[:60].hex()}...)")
            continue
        kind, key = fields.get("_id", (None, None))
        if kind != STRING:
            report.add(place, f"a document whose _id is {kind}, not a string")
        elif key in held:
            report.add(place, f"{key!r} is there twice")
        else:
            held[key] = raw
            check_document(report, place, key, expected.get(key), fields, checked, raw)
    for key in expected:
        if key not in held:
            report.add(place, f"{key!r} is missing")
    return held


def check_document(report, place, key, want, fields, checked, raw):
    if raw in checked:
        return
    if want is None:
        report.add(place, f"{key!r} must not be there")
        return
    found = list(differences("", want, (DOCUMENT, fields)))
    for text in found:
        report.add(place, f"{key!r}: {text}")
    if not found:
        checked[raw] = fields


def check_bytes(report, collection, stores):
    """Every document has the same bytes in every store."""
    (first, reference), *others = stores
    for name, held in others:
        for key, raw in held.items():
            if key in reference and reference[key] != raw:
                report.add(f"{name}, {collection}", f"{key!r}: not the same bytes as in {first} "
                           f"({len(raw)} against {len(reference[key])})")


def verify(run, folder):
    report = Report()
    expected = expect(folder / run["data"], run["start"])
    mongodb = mongodb_documents(run["mongodb"]) if run.get("mongodb") else None
    lines = sum(len(d[1]["lines"][1]) for d in expected["sales"].values())
    print(f"expected from {run['data']}: {len(expected['sales'])} sales of {lines} lines, "
          f"{len(expected['stock'])} stock items")
    for collection in COLLECTIONS:
        stores, checked = [], {}
        for store in run["stores"]:
            place = f"{store['name']}, {collection}"
            raws = export(folder / run["liana"], folder / store["path"], collection)
            stores.append((store["name"], check_place(report, place, expected[collection], raws, checked)))
        check_bytes(report, collection, stores)
        if mongodb is not None:
            check_place(report, f"MongoDB, {collection}", expected[collection], mongodb[collection], checked)
    report.close()
    places = f"{len(run['stores'])} stores" + (" and MongoDB" if mongodb is not None else ", no MongoDB")
    if report.total:
        print(f"verify_retail: {report.total} differences in {places}")
        return 1
    print(f"verify_retail: {places} hold exactly what the sales lines say")
    return 0


def main():
    about = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(usage=about[0].split(" - ")[0], description=about[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", type=pathlib.Path, help="the run's folder, or its run.json")
    path = parser.parse_args().run
    if path.is_dir():
        path = path / "run.json"
    decimal.getcontext().prec = 50
    try:
        return verify(json.loads(path.read_text(encoding="utf-8")), path.parent)
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError, decimal.InvalidOperation, KeyError,
            ValueError, TypeError, Unverifiable) as error:
        print(f"verify_retail: cannot check: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
