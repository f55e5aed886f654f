# SPDX-License-Identifier: Apache-2.0
"""`liana demo retail` end to end: real processes, real TLS, a real MongoDB server, kills and cuts.

On generated data and on the real file; its exit codes; ^C; and that the verification sees one altered byte in one
store and one altered document in MongoDB.
"""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

try:
    import pymongo
except ImportError:
    print("skipped: pymongo is missing (tools/setup makes build/venv)", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIANA = pathlib.Path(os.environ.get("LIANA_BUILD", ROOT / "build" / "dev")) / "apps" / "cli" / "liana"
REAL = ROOT.parent / "shared" / "data" / "retail" / "online-retail-2010-12-01_08.csv"
VERIFY = [sys.executable, ROOT / "tools" / "verify_retail.py"]


def environment(**changes):
    """Without MONGODB_URI: each run has a server of its own, so that tests do not meet in one database."""
    env = {name: value for name, value in os.environ.items() if name != "MONGODB_URI"}
    return env | changes


def number(text, what):
    found = re.search(what, text)
    return int(found[1]) if found else None


class Demo(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name) / "run"

    def run_demo(self, *args, env=None, cwd=ROOT):
        run = subprocess.run([LIANA, "demo", "retail", f"--folder={self.folder}", *args], cwd=cwd,
                             env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=250)
        self.assertEqual(list(self.folder.glob("*/control.sock")), [], "a process is left")
        return run.returncode, run.stdout

    def check_summary(self, out, invoices):
        self.assertIn(f"sold: {invoices} of {invoices} invoices", out)
        self.assertIn("SIGKILL: till 2, inside its sale", out)
        self.assertIn("5 stores and MongoDB hold exactly what the sales lines say", out)
        self.assertGreaterEqual(number(out, r"with (\d+) of \d+ invoices unsold") * 4, invoices)
        self.assertGreaterEqual(number(out, r"link was cut: (\d+)") * 905, 200 * invoices)
        self.assertGreaterEqual(number(out, r"till 2 was down: +(\d+)") * 905, 20 * invoices)
        self.assertGreater(number(out, r"till 2 recovered: +(\d+)"), 0)

    def test_generated_data(self):
        code, out = self.run_demo("--invoices=150", "--seed=11", "--start=-5")
        self.assertEqual(code, 0, out)
        self.assertIn("seed 11", out)
        self.check_summary(out, 150)

    def test_the_seed_chooses_the_moment_of_the_kill(self):
        """Between two statements, and within the commit: whether that was in time is for the disk to say."""
        for seed, moment, fate in ((3, r" behind line \d+", " not"), (2, r", \d+ us into the commit", "( not)?")):
            with self.subTest(seed):
                code, out = self.run_demo("--invoices=60", f"--seed={seed}", "--no-mongodb")
                self.assertEqual(code, 0, out)
                self.assertRegex(out, rf"SIGKILL: till 2, inside its sale \d+{moment}")
                self.assertRegex(out, f"killed had{fate} been committed")
                self.folder = self.folder.parent / f"after-{seed}"

    def test_the_real_file(self):
        if not REAL.exists():
            if os.environ.get("CI"):
                self.fail(f"{REAL} is missing")
            self.skipTest(f"{REAL} is not there")
        code, out = self.run_demo(f"--data={REAL}")
        self.assertEqual(code, 0, out)
        self.check_summary(out, 905)

    def test_without_mongodb(self):
        code, out = self.run_demo("--invoices=60", "--no-mongodb")
        self.assertEqual(code, 0, out)
        self.assertIn("without MongoDB, as asked", out)
        self.assertIn("5 stores, no MongoDB hold exactly", out)

    def test_small_shops(self):
        for invoices in (2, 3, 4, 7):
            self.folder = self.folder.parent / f"run-{invoices}"
            code, out = self.run_demo(f"--invoices={invoices}", "--no-mongodb")
            self.assertEqual(code, 0, out)
            self.assertIn("SIGKILL: till 2, inside its sale", out)

    def test_an_address_that_is_none(self):
        code, out = self.run_demo("--invoices=10", env=environment(MONGODB_URI="nonsense"))
        self.assertEqual(code, 3, out)
        self.assertIn("WITHOUT MONGODB: MongoDB URI", out)

    def test_a_database_name_that_no_server_takes(self):
        for name in ("", "a b", "a.b", "x" * 64):
            code, out = self.run_demo("--invoices=10", f"--db={name}")
            self.assertEqual(code, 2, out)
            self.assertIn("LIANA_EINVAL", out)

    def test_json_is_all_that_stands_on_stdout(self):
        run = subprocess.run([LIANA, "demo", "retail", f"--folder={self.folder}", "--invoices=60", "--no-mongodb",
                              "--json"], env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        summary = json.loads(run.stdout)
        self.assertTrue(summary["holds"])
        self.assertEqual([store["sales"] for store in summary["stores"]], [60] * 5)
        self.assertEqual(len(summary["links"]), 4)
        self.assertIn("SIGKILL: till 2", run.stderr)

    def test_quiet_is_the_summary_alone(self):
        code, out = self.run_demo("--invoices=60", "--no-mongodb", "--quiet")
        self.assertEqual(code, 0, out)
        self.assertNotIn("SIGKILL", out)
        self.assertIn("invoices committed while the link was cut", out)
        self.assertTrue(out.splitlines()[-1].startswith("all of it holds"), out)

    def test_a_reader_that_leaves(self):
        run = subprocess.Popen([LIANA, "demo", "retail", f"--folder={self.folder}", "--invoices=60", "--no-mongodb"],
                               env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        run.stdout.readline()
        run.stdout.close()
        self.assertEqual((run.wait(), run.stderr.read()), (0, ""))
        run.stderr.close()

    def test_a_mongodb_that_cannot_be_had(self):
        uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"
        code, out = self.run_demo("--invoices=60", env=environment(MONGODB_URI=uri))
        self.assertEqual(code, 3, out)
        self.assertIn("WITHOUT MONGODB", out)
        self.assertIn("5 stores, no MongoDB hold exactly", out)

    def test_bad_data(self):
        path = pathlib.Path(tempfile.mkstemp(dir=self.folder.parent)[1])
        path.write_text("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
                        "1,A,x,many,2010-12-01 08:26:00,1,1,\n")
        code, out = self.run_demo(f"--data={path}", "--no-mongodb")
        self.assertEqual(code, 1, out)
        self.assertIn("line 2, Quantity", out)
        code, out = self.run_demo("--data=/no/such/file", "--no-mongodb")
        self.assertEqual(code, 1, out)
        self.assertIn("/no/such/file", out)

    def test_nothing_is_left_of_a_run_that_did_not_begin(self):
        scratch = self.folder.parent
        run = subprocess.run([LIANA, "demo", "retail", "--data=/dev/null", "--no-mongodb"], stdin=subprocess.DEVNULL,
                             env=environment(TMPDIR=str(scratch)), capture_output=True, text=True)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertEqual(list(scratch.iterdir()), [])

    def keep(self, *args):
        """A demo that is left running, once it is."""
        demo = subprocess.Popen([LIANA, "demo", "retail", f"--folder={self.folder}", "--keep", *args], cwd=ROOT,
                                env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.kill)
        out = ""
        for line in demo.stdout:
            out += line
            if "^C ends it" in line:
                return demo
        self.fail(out)

    def verify(self):
        run = subprocess.run([*VERIFY, self.folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.returncode, run.stdout

    def alter_a_byte(self, store):
        """One byte of one stored sale. Answers the function that puts it back."""
        db = sqlite3.connect(self.folder / store / "store.db", timeout=10)
        tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                  if re.fullmatch(r"c\d+", name)]
        for table in tables:
            for key, body in db.execute(f"SELECT key, body FROM {table} WHERE body IS NOT NULL ORDER BY key"):
                at = body.find(b"stockCode\0")
                if at >= 0:
                    altered = bytearray(body)
                    altered[at + len(b"stockCode\0") + 4] ^= 1
                    with db:
                        db.execute(f"UPDATE {table} SET body = ? WHERE key = ?", (bytes(altered), key))

                    def put_back():
                        with db:
                            db.execute(f"UPDATE {table} SET body = ? WHERE key = ?", (body, key))
                        db.close()
                    return put_back
        self.fail("no sale in the store")

    def test_what_is_altered_is_seen(self):
        demo = self.keep("--invoices=60")
        code, out = self.verify()
        self.assertEqual(code, 0, out)

        put_back = self.alter_a_byte("till-3")
        code, out = self.verify()
        self.assertEqual(code, 1, out)
        self.assertIn("till 3, sales", out)
        put_back()
        self.assertEqual(self.verify()[0], 0)

        uri = re.search(r'"uri" : "([^"]*)"', (self.folder / "run.json").read_text())[1]
        with pymongo.MongoClient(uri) as client:
            sales = client["liana_retail"]["sales"]
            sale = sales.find_one()
            sales.update_one({"_id": sale["_id"]}, {"$set": {"till": 9}})
            code, out = self.verify()
            self.assertEqual(code, 1, out)
            self.assertIn(f"MongoDB, sales: {sale['_id']!r}: till: must be int32", out)
            sales.replace_one({"_id": sale["_id"]}, sale)
            self.assertEqual(self.verify()[0], 0)

        demo.send_signal(signal.SIGINT)
        self.assertEqual(demo.wait(60), 0)
        self.assertEqual(list(self.folder.glob("*/control.sock")), [])

    def test_a_database_in_use_is_left_alone(self):
        self.keep("--invoices=60")
        uri = re.search(r'"uri" : "([^"]*)"', (self.folder / "run.json").read_text())[1]
        self.folder = self.folder.parent / "second"
        code, out = self.run_demo("--invoices=60", env=environment(MONGODB_URI=uri))
        self.assertEqual(code, 4, out)
        self.assertIn("--drop", out)
        self.assertNotIn("SIGKILL", out)
        code, out = self.run_demo("--invoices=60", "--db=another", env=environment(MONGODB_URI=uri))
        self.assertEqual(code, 0, out)

    def test_stopped_in_the_middle(self):
        demo = subprocess.Popen([LIANA, "demo", "retail", f"--folder={self.folder}"], cwd=ROOT, env=environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(demo.stdout.close)
        for line in demo.stdout:
            if line.startswith("CUT"):
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        self.assertEqual(demo.wait(60), 130, rest)
        self.assertIn("stopped", rest)
        self.assertEqual(list(self.folder.glob("*/control.sock")), [])


if __name__ == "__main__":
    unittest.main()
