# SPDX-License-Identifier: Apache-2.0
"""tools/verify_retail.py against stores and a MongoDB made by hand: it passes what is right and sees each alteration.

The stores are folders of BSON dumps behind a stand-in for `liana export`; MongoDB is $MONGODB_URI or a SecantusDB.
"""
import contextlib
import datetime
import importlib.util
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import uuid

try:
    import bson
    import pymongo
    from bson import Decimal128, Int64
except ImportError:
    print("skipped: pymongo is missing (tools/setup makes build/venv)", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("verify_retail", ROOT / "tools" / "verify_retail.py")
verify_retail = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify_retail)

LINES = (
    "\ufeffInvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
    "1001,A1, Tea \u2615 for two ,6,2010-12-01 08:26:00,2.50,17850.0,United Kingdom\r\n"
    '1001,a1,"two\r\nlines, ""quoted""",-3,2010-12-01 08:27:00,1234567890123456789012345678.901234,17850.0,France\r\n'
    "C1002,A1,,-1,2010-12-02 00:00:00,,,Eire\r\n"
    "1003,P,,1,2010-12-03 10:00:00,0,12346,\r\n"
    "1001,A1,other,2,2010-12-01 08:28:00,0.00,,United Kingdom\r\n"
)


def utc(*parts):
    return datetime.datetime(*parts, tzinfo=datetime.timezone.utc)


def right():
    """What LINES must become, field by field by hand."""
    sales = [
        {"_id": "1001", "date": utc(2010, 12, 1, 8, 26), "customerId": 17850, "country": "United Kingdom", "till": 1,
         "cancelled": False, "lines": [
             {"line": 1, "stockCode": "A1", "description": " Tea \u2615 for two ", "quantity": 6,
              "unitPrice": Decimal128("2.50")},
             {"line": 2, "stockCode": "a1", "description": 'two\r\nlines, "quoted"', "quantity": -3,
              "unitPrice": Decimal128("1234567890123456789012345678.901234")},
             {"line": 3, "stockCode": "A1", "description": "other", "quantity": 2, "unitPrice": Decimal128("0.00")}]},
        {"_id": "C1002", "date": utc(2010, 12, 2), "country": "Eire", "till": 2, "cancelled": True, "lines": [
            {"line": 1, "stockCode": "A1", "quantity": -1}]},
        {"_id": "1003", "date": utc(2010, 12, 3, 10), "customerId": 12346, "till": 3, "cancelled": False, "lines": [
            {"line": 1, "stockCode": "P", "quantity": 1, "unitPrice": Decimal128("0")}]},
    ]
    stock = [{"_id": "A1", "description": " Tea \u2615 for two ", "onHand": Int64(93)},
             {"_id": "a1", "description": 'two\r\nlines, "quoted"', "onHand": Int64(103)},
             {"_id": "P", "onHand": Int64(99)}]
    return {"sales": {d["_id"]: d for d in sales}, "stock": {d["_id"]: d for d in stock}}


def start_mongodb(folder):
    """(URI, process or None); the server says by itself which port it got."""
    if os.environ.get("MONGODB_URI"):
        return os.environ["MONGODB_URI"], None
    server = subprocess.Popen([ROOT / "build/venv/bin/secantusd-py", "--port", "0", "--storage-path", folder],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r"listening on (\S+:\d+)", line)
        if found:
            return f"mongodb://{found[1]}/", server
    raise RuntimeError("secantusd-py ended before it listened")


class VerifyRetail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.uri, cls.server = start_mongodb(os.path.join(cls.scratch.name, "mongodb"))
        cls.client = pymongo.MongoClient(cls.uri)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        if cls.server:
            cls.server.terminate()
            cls.server.wait()
            cls.server.stderr.close()
        cls.scratch.cleanup()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch.name))
        self.database = self.client[f"liana_test_{uuid.uuid4().hex[:12]}"]
        self.addCleanup(self.client.drop_database, self.database.name)
        (self.folder / "lines.csv").write_bytes(LINES.encode("utf-8"))
        liana = self.folder / "liana"
        liana.write_text('#!/bin/sh\n[ "$1 $2" = "export --format=bson" ] && exec cat "$3/$4.bson"\n')
        liana.chmod(0o755)
        self.stores = {"till 1": right(), "back office": right()}
        self.mongodb = right()

    def run_json(self):
        return {"data": "lines.csv", "start": 100, "liana": "liana",
                "stores": [{"name": name, "path": name} for name in self.stores],
                "mongodb": {"uri": self.uri, "database": self.database.name}}

    def write(self, run=None):
        (self.folder / "run.json").write_text(json.dumps(run or self.run_json()))
        for name, collections in self.stores.items():
            (self.folder / name).mkdir()
            for collection, documents in collections.items():
                dump = b"".join(d if isinstance(d, bytes) else bson.encode(d) for d in documents.values())
                (self.folder / name / f"{collection}.bson").write_bytes(dump)
        for collection, documents in self.mongodb.items():
            self.database[collection].insert_many(documents.values())

    def verify(self):
        """(exit code, what it printed)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            sys_argv, verify_retail.sys.argv = verify_retail.sys.argv, ["verify_retail", str(self.folder)]
            try:
                code = verify_retail.main()
            finally:
                verify_retail.sys.argv = sys_argv
        return code, out.getvalue()

    def sees(self, *texts):
        self.write()
        code, out = self.verify()
        self.assertEqual(code, 1, out)
        for text in texts:
            self.assertIn(text, out)
        self.assertIn(f"{len(texts)} differences", out)

    def test_what_is_right_passes(self):
        self.write()
        code, out = self.verify()
        self.assertEqual(code, 0, out)
        self.assertIn("3 sales of 5 lines, 3 stock items", out)

    def test_without_mongodb(self):
        self.write(self.run_json() | {"mongodb": None})
        code, out = self.verify()
        self.assertEqual(code, 0, out)
        self.assertIn("no MongoDB", out)

    def test_order_of_fields_does_not_count_but_bytes_between_stores_do(self):
        reversed_sale = dict(reversed(right()["sales"]["1003"].items()))
        self.mongodb["sales"]["1003"] = reversed_sale
        self.write()
        self.assertEqual(self.verify()[0], 0)
        self.setUp()
        self.stores["back office"]["sales"]["1003"] = reversed_sale
        self.sees("back office, sales: '1003': not the same bytes as in till 1")

    def test_one_altered_byte_in_one_store(self):
        raw = bytearray(bson.encode(right()["sales"]["1001"]))
        raw[raw.index(b"Tea")] = ord("S")
        self.stores["back office"]["sales"]["1001"] = bytes(raw)
        self.sees("back office, sales: '1001': lines.0.description: must be string ' Tea \u2615 for two ', is "
                  "string ' Sea \u2615 for two '", "back office, sales: '1001': not the same bytes")

    def test_every_altered_byte_of_a_store_is_seen(self):
        raw = bson.encode(right()["stock"]["a1"])
        self.write(self.run_json() | {"mongodb": None})
        for index in range(len(raw)):
            altered = bytearray(raw)
            altered[index] ^= 0x01
            path = self.folder / "till 1" / "stock.bson"
            path.write_bytes(path.read_bytes().replace(raw, altered))
            self.assertIn(self.verify()[0], (1, 2), f"byte {index}")
            path.write_bytes(path.read_bytes().replace(altered, raw))

    def test_one_altered_document_in_mongodb(self):
        self.mongodb["stock"]["A1"]["onHand"] = Int64(94)
        self.sees("MongoDB, stock: 'A1': onHand: must be int64 93, is int64 94")

    def test_types_are_exact(self):
        self.mongodb["stock"]["A1"]["onHand"] = 93
        self.mongodb["sales"]["1003"]["customerId"] = Int64(12346)
        self.mongodb["sales"]["1003"]["till"] = 3.0
        self.mongodb["sales"]["1001"]["lines"][0]["unitPrice"] = Decimal128("2.5")
        self.sees("onHand: must be int64 93, is int32 93", "customerId: must be int32 12346, is int64 12346",
                  "till: must be int32 3, is double '0000000000000840'",
                  "lines.0.unitPrice: must be decimal128 2.50, is decimal128 2.5")

    def test_digits_of_a_long_price(self):
        self.mongodb["sales"]["1001"]["lines"][1]["unitPrice"] = Decimal128("1234567890123456789012345678.901235")
        self.sees("lines.1.unitPrice: must be decimal128 1234567890123456789012345678.901234")

    def test_missing_and_unexpected(self):
        del self.stores["till 1"]["sales"]["C1002"]
        del self.mongodb["stock"]["a1"]
        self.mongodb["stock"]["ghost"] = {"_id": "ghost", "onHand": Int64(1)}
        self.mongodb["stock"][7] = {"_id": 7}
        del self.mongodb["sales"]["C1002"]["country"]
        self.mongodb["sales"]["1003"]["_liana"] = {}
        self.mongodb["sales"]["1001"]["lines"].pop()
        self.sees("till 1, sales: 'C1002' is missing", "MongoDB, stock: 'a1' is missing",
                  "MongoDB, stock: 'ghost' must not be there", "MongoDB, stock: a document whose _id is int32",
                  "'C1002': country: is missing, must be string 'Eire'", "'1003': _liana: must not be there",
                  "'1001': lines: must have 3 elements, has 2")

    def test_twice_in_one_store(self):
        self.stores["till 1"]["stock"]["again"] = right()["stock"]["P"]
        self.sees("till 1, stock: 'P' is there twice")

    def test_a_field_twice(self):
        once = bson.encode(right()["stock"]["P"])
        field = b"\x02_id\0\x02\0\0\0P\0"
        raw = (len(once) + len(field)).to_bytes(4, "little") + once[4:-1] + field + b"\0"
        self.stores["till 1"]["stock"]["P"] = raw
        self.sees("a document that does not read: field '_id' twice", "till 1, stock: 'P' is missing")

    def test_what_cannot_be_checked(self):
        self.write()
        (self.folder / "till 1" / "sales.bson").write_bytes(b"\x05\0\0")
        code, out = self.verify()
        self.assertEqual((code, "the export is no BSON at byte 0" in out), (2, True), out)
        (self.folder / "till 1" / "sales.bson").unlink()
        code, out = self.verify()
        self.assertEqual((code, "export --format=bson" in out), (2, True), out)
        (self.folder / "lines.csv").write_text("InvoiceNo,StockCode\n1,2\n")
        code, out = self.verify()
        self.assertEqual((code, "no column Description" in out), (2, True), out)

    def test_a_mongodb_that_is_not_there(self):
        self.write(self.run_json() | {"mongodb": {"uri": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100",
                                                  "database": "x"}})
        code, out = self.verify()
        self.assertEqual((code, "MongoDB at" in out), (2, True), out)

    def test_many_differences_are_counted_not_printed(self):
        for n in range(50):
            self.mongodb["stock"][f"x{n}"] = {"_id": f"x{n}"}
        self.write()
        code, out = self.verify()
        self.assertEqual(code, 1)
        self.assertEqual(out.count("must not be there"), verify_retail.SHOWN)
        self.assertIn("MongoDB, stock: and 30 more", out)
        self.assertIn("50 differences", out)


if __name__ == "__main__":
    unittest.main()
