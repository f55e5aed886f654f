#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands as a person or a script meets them: results, exit codes, and what bad input says."""
import fcntl
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import termios
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("LIANA_BUILD", os.path.join(ROOT, "build", "dev"))
LIANA = os.path.join(BUILD, "apps", "cli", "liana")


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="liana-cli-")
        self.addCleanup(shutil.rmtree, self.folder)

    def liana(self, *words, code=0, data=""):
        run = subprocess.run([LIANA, *words], cwd=self.folder, input=data, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, code, f"liana {' '.join(words)}\n{run.stdout}{run.stderr}")
        return run

    def out(self, *words, **options):
        return self.liana(*words, **options).stdout

    def refused(self, code, status, *words, **options):
        """Fails with the status, and says it on stderr, for people and for programs."""
        run = self.liana(*words, code=code, **options)
        self.assertIn(status, run.stderr)
        self.assertEqual(run.stdout, "")
        if "data" not in options:
            error = json.loads(self.liana(words[0], "--json", *words[1:], code=code).stderr)
            self.assertEqual(error["error"]["status"], status)
        return run.stderr

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def count(self, collection):
        return json.loads(self.out("exec", "s", f"SELECT COUNT(*) AS n FROM {collection}"))["n"]


class Stores(Cli):
    def test_init_makes_a_store_once(self):
        self.assertIn("database", self.out("init", "s", "--database=shop"))
        self.refused(4, "LIANA_EEXISTS", "init", "s")

    def test_a_name_is_kept_in_the_store(self):
        self.liana("init", "s", "--name=till 7")
        self.assertEqual(json.loads(self.out("status", "--json", "s"))["store"]["name"], "till 7")
        self.assertEqual(json.loads(self.out("init", "--json", "other"))["name"], "other")

    def test_a_store_that_is_not_there(self):
        self.assertIn("nowhere", self.refused(4, "LIANA_ENOTFOUND", "exec", "nowhere", "SELECT * FROM c"))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nowhere")))

    def test_a_store_that_a_command_is_at_is_waited_for(self):
        self.liana("init", "s")
        for words in (["exec", "s", "SELECT COUNT(*) AS n FROM c"], ["peer", "s"]):
            with self.subTest(words[0]):
                lock = sqlite3.connect(os.path.join(self.folder, "s", "store.lock"), isolation_level=None)
                lock.execute("BEGIN EXCLUSIVE")
                run = subprocess.Popen([LIANA, *words], cwd=self.folder, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
                self.addCleanup(run.communicate)
                self.addCleanup(run.terminate)
                with self.assertRaises(subprocess.TimeoutExpired):
                    run.wait(0.3)
                lock.close()
                self.assertTrue(run.stdout.readline())
                run.terminate()
                run.wait()

    def test_a_foreign_file(self):
        os.mkdir(os.path.join(self.folder, "s"))
        self.write("s/store.db", b"this is no database at all, but long enough to be read as one" * 20)
        message = self.refused(1, "LIANA_EFOREIGN", "status", "s")
        self.assertIn("store.db", message)

    def test_a_damaged_document(self):
        self.liana("init", "s")
        self.liana("exec", "s", "INSERT INTO shop DOCUMENTS ({'_id': 1, 'a': 'x'}), ({'_id': 2, 'a': 'y'})")
        with sqlite3.connect(os.path.join(self.folder, "s", "store.db")) as db:
            db.execute("UPDATE c1 SET body = x'0500000001' WHERE rowid = 1")
        db.close()
        for command in (["exec", "s", "SELECT * FROM shop"], ["exec", "s", "SELECT a FROM shop"],
                        ["exec", "s", "UPDATE shop SET b = 1"], ["export", "s", "shop"],
                        ["export", "--format=bson", "s", "shop"]):
            self.assertIn("shop: a stored document is damaged", self.refused(1, "LIANA_ECORRUPT", *command))
        self.assertIn("shop: a stored document is damaged", self.out("doctor", "s", code=1))

    def test_status_and_doctor(self):
        self.liana("init", "s")
        self.liana("exec", "s", "INSERT INTO c DOCUMENTS ({'_id': 1}), ({'_id': 2})")
        status = json.loads(self.out("status", "--json", "s"))
        self.assertEqual([(c["name"], c["documents"]) for c in status["collections"]], [("c", 2)])
        self.assertIn("c: 2 of 2 read", self.out("doctor", "s"))
        self.assertNotIn("to be looked at", self.out("status", "s"))
        self.liana("exec", "s", "UPDATE c APPLY n INCREMENT BY 9223372036854775807 WHERE _id = 1")
        self.liana("exec", "s", "UPDATE c APPLY n INCREMENT BY 1 WHERE _id = 1")
        self.assertEqual(json.loads(self.out("status", "--json", "s"))["flagged"], {"too_large": 0, "clamped": 1})
        self.assertIn("0 too large, 1 beyond int64", self.out("status", "s"))
        self.assertIn("1 with a counter beyond int64: system:flagged", self.out("doctor", "s", code=3))
        flagged = json.loads(self.out("exec", "s", "SELECT * FROM system:flagged"))
        self.assertEqual(flagged["clamped"], [["n"]])


class Statements(Cli):
    def setUp(self):
        super().setUp()
        self.liana("init", "s")

    def test_rows_are_json_lines(self):
        self.liana("exec", "s", "INSERT INTO c DOCUMENTS ({'_id': 'b', 'n': 2}), ({'_id': 'a', 'n': 1})")
        rows = self.out("exec", "s", "SELECT * FROM c ORDER BY n")
        self.assertEqual(rows, '{"_id":"a","n":1}\n{"_id":"b","n":2}\n')

    def test_no_rows_are_no_line(self):
        for statement in ("SELECT * FROM c", "/* all */ select * from c"):
            done = self.liana("exec", "s", "--json", statement)
            self.assertEqual((done.stdout, done.returncode), ("", 0))
            self.assertIn("0 rows", self.liana("exec", "s", statement).stderr)
        self.assertIn("0 documents changed", self.liana("exec", "s", "DELETE FROM c").stderr)

    def test_an_eviction_says_what_waits(self):
        self.liana("exec", "s", "INSERT INTO c DOCUMENTS ({'_id': 1}), ({'_id': 2})")
        said = self.liana("exec", "s", "EVICT FROM c WHERE _id = 1").stderr
        self.assertIn("0 documents changed", said)
        self.assertIn("1 document stays: it is not known to be held by a keeper", said)
        self.assertIn("2 documents stay: they are not", self.liana("exec", "s", "EVICT FROM c").stderr)
        said = json.loads(self.out("exec", "--json", "s", "EVICT FROM c"))
        self.assertEqual((said["mutations"], said["waiting"]), (0, 2))
        said = self.liana("exec", "s", "EVICT FROM c FORCE").stderr
        self.assertIn("2 documents changed", said)
        self.assertNotIn("stay", said)

    def test_parameters(self):
        self.liana("exec", "s", "-p", '{"d": {"_id": 1, "price": {"$numberDecimal": "2.50"}}}',
                   "INSERT INTO c DOCUMENTS (:d)")
        self.assertIn("2.50", self.out("exec", "s", "-p", '{"min": 2}', "SELECT * FROM c WHERE price > :min"))
        self.refused(2, "LIANA_EPARAM", "exec", "s", "SELECT * FROM c WHERE price > :nothing")

    def test_errors_say_where(self):
        message = self.refused(2, "LIANA_ESYNTAX", "exec", "s", "SELECT * FROM c WHERE")
        self.assertRegex(message, r"1:\d+|line 1")

    def test_a_document_as_deep_as_can_be(self):
        deep = '{"_id": 1, "a": ' + '{"a": ' * 99 + "{}" + "}" * 100
        self.liana("import", "s", "deep", data=deep)
        self.assertEqual(json.loads(self.out("exec", "s", "SELECT * FROM deep")), json.loads(deep))
        message = self.refused(1, "LIANA_EDEPTH", "exec", "s", "SELECT {'x': a} AS y FROM deep")
        self.assertEqual(len(message.splitlines()), 1)
        self.refused(1, "LIANA_EDEPTH", "exec", "s", "UPDATE deep SET b = {'x': a}")

    def test_a_transaction_is_all_or_nothing(self):
        self.liana("exec", "s", "-t", "INSERT INTO c DOCUMENTS ({'_id': 1}); INSERT INTO c DOCUMENTS ({'_id': 1})",
                   code=4)
        self.liana("exec", "s", "-t", "INSERT INTO c DOCUMENTS ({'_id': 2})", "INSERT INTO c DOCUMENTS ({'_id': 3})")
        self.assertEqual(self.out("exec", "s", "SELECT _id FROM c ORDER BY _id"), '{"_id":2}\n{"_id":3}\n')

    def test_a_script_from_standard_input(self):
        script = "-- two statements; in one\nINSERT INTO c DOCUMENTS ({'_id': ';'});\nSELECT _id FROM c"
        self.assertEqual(self.out("exec", "s", "--file=-", data=script), '{"_id":";"}\n')

    def test_the_shell_goes_on_after_an_error(self):
        script = ("INSERT INTO c DOCUMENTS ({'_id': 1});\nnonsense;\n.begin\nDELETE FROM c;\n.rollback\n"
                  "SELECT *\n  FROM c;\n.quit\nSELECT 'never' FROM c;\n")
        run = self.liana("shell", "s", data=script)
        self.assertEqual(run.stdout, '{"_id":1}\n')
        self.assertIn("LIANA_ESYNTAX", run.stderr)


class Import(Cli):
    def setUp(self):
        super().setUp()
        self.liana("init", "s")

    def rows(self):
        return [json.loads(line) for line in
                self.out("exec", "s", "--form=canonical", "SELECT * FROM c ORDER BY _id").splitlines()]

    def test_csv_with_all_its_dirt(self):
        self.write("f.csv", b"\xef\xbb\xbfid,text,n\r\n1,\"a \"\"b\"\"\r\nc\",007\r\n\r\n2, x ,\r\n3,\xc3\xa9,-1.5")
        self.liana("import", "s", "c", "f.csv", "--id=id")
        self.assertEqual(self.rows(), [
            {"_id": {"$numberInt": "1"}, "text": 'a "b"\r\nc', "n": "007"},
            {"_id": {"$numberInt": "2"}, "text": " x "},
            {"_id": {"$numberInt": "3"}, "text": "é", "n": {"$numberDouble": "-1.5"}},
        ])

    def test_blank_and_null(self):
        self.write("f.csv", "_id,a,b\n1,,NA\n")
        self.liana("import", "s", "c", "f.csv", "--null=NA", "--blank=null")
        self.assertEqual(self.rows(), [{"_id": {"$numberInt": "1"}, "a": None, "b": None}])

    def test_a_bad_line_stops_with_its_number(self):
        self.write("f.csv", "_id,n\n1,1\n2,x\n3,3\n")
        run = self.liana("import", "s", "c", "f.csv", "--types=n:int32", code=1)
        self.assertIn("f.csv:3: column n: 'x' is no int32", run.stderr)
        self.assertIn("--skip=2", run.stderr)
        self.assertEqual(self.count("c"), 1)

    def test_bad_lines_are_skipped_and_counted(self):
        self.write("f.json", '{"_id": 1}\n{"_id": \n\n{"_id": 1}\n{"_id": 3, "a": 1, "a": 2}\n{"_id": 4}\n[5]')
        run = self.liana("import", "s", "c", "f.json", "--on-error=skip", code=3)
        for line in ("f.json:2:", "f.json:4:", "f.json:5:", "f.json:7:"):
            self.assertIn(line, run.stderr)
        self.assertEqual([row["_id"] for row in self.rows()], [{"$numberInt": "1"}, {"$numberInt": "4"}])

    def test_an_import_goes_on(self):
        self.write("f.csv", "_id,n\n1,1\n2,x\n3,3\n")
        self.liana("import", "s", "c", "f.csv", "--types=n:int32", code=1)
        self.write("f.csv", "_id,n\n1,1\n2,2\n3,3\n")
        self.liana("import", "s", "c", "f.csv", "--types=n:int32", "--skip=2")
        self.assertEqual(self.count("c"), 3)

    def test_conflicts(self):
        self.write("f.json", '{"_id": 1, "a": 1, "b": 1}\n')
        self.write("g.json", '{"_id": 1, "a": 2}\n{"_id": 2}\n')
        self.liana("import", "s", "c", "f.json")
        self.liana("import", "s", "c", "g.json", code=1)
        self.liana("import", "s", "c", "g.json", "--on-conflict=keep")
        self.assertEqual(self.rows()[0], {"_id": {"$numberInt": "1"}, "a": {"$numberInt": "1"}, "b": {"$numberInt": "1"}})
        self.liana("import", "s", "c", "g.json", "--on-conflict=update")
        self.assertEqual(self.rows()[0], {"_id": {"$numberInt": "1"}, "a": {"$numberInt": "2"}, "b": {"$numberInt": "1"}})
        self.liana("import", "s", "c", "g.json", "--on-conflict=replace")
        self.assertEqual(self.rows()[0], {"_id": {"$numberInt": "1"}, "a": {"$numberInt": "2"}})

    def test_malformed_csv(self):
        self.write("f.csv", 'a,b\n1,"open\n')
        self.refused(2, "LIANA_ECSV", "import", "s", "c", "f.csv")
        self.write("g.csv", "a,b\n1\n")
        self.assertIn("g.csv:2:", self.liana("import", "s", "c", "g.csv", code=1).stderr)
        self.write("h.csv", "a,a\n1,2\n")
        self.refused(2, "LIANA_EDUPFIELD", "import", "s", "c", "h.csv")
        self.refused(2, "LIANA_EINVAL", "import", "s", "c", "g.csv", "--id=nothing")

    def test_not_utf8(self):
        self.write("f.csv", b"_id,a\n1,\xff\n2,b\n")
        run = self.liana("import", "s", "c", "f.csv", "--on-error=skip", code=3)
        self.assertIn("f.csv:2:", run.stderr)
        self.assertEqual(self.count("c"), 1)

    def test_bson_comes_back_unchanged(self):
        self.write("f.json", '{"_id": {"$oid": "5ca4bbcea2dd94ee58162a68"}, "d": {"$numberDecimal": "2.50"}, "x": []}\n')
        self.liana("import", "s", "c", "f.json")
        self.liana("export", "s", "c", "--format=bson", "--out=f.bson")
        self.liana("import", "s", "again", "f.bson")
        self.assertEqual(self.out("export", "s", "again"), self.out("export", "s", "c"))
        with open(os.path.join(self.folder, "f.bson"), "rb") as file:
            whole = file.read()
        self.write("cut.bson", whole[:-3])
        self.refused(1, "LIANA_EBSON", "import", "s", "cut", "cut.bson")

    def test_files_that_cannot_be_read(self):
        self.assertIn("missing.json", self.refused(4, "LIANA_ENOTFOUND", "import", "s", "c", "missing.json"))
        self.refused(2, "LIANA_EINVAL", "import", "s", "c", ".")


class Streams(Cli):
    """Where results go and input comes from: pipes that close, full disks, signals."""

    ROWS = 5000  # more than any buffer on the way

    def setUp(self):
        super().setUp()
        self.liana("init", "s")
        self.write("f.csv", "_id,text\n" + "".join(f"{i},a text of some length\n" for i in range(self.ROWS)))

    def start(self, *words, **options):
        run = subprocess.Popen([LIANA, *words], cwd=self.folder, stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        return run

    def first_byte(self, *words):
        """What `liana ... | head -c 1` does; answers the exit code and the errors."""
        run = self.start(*words, stdout=subprocess.PIPE)
        run.stdout.buffer.read(1)
        run.stdout.close()
        return run.wait(), run.stderr.read()

    def test_a_reader_that_leaves_is_no_failure(self):
        self.liana("import", "s", "c", "f.csv")
        self.assertEqual(self.first_byte("export", "--quiet", "s", "c"), (0, ""))
        self.assertEqual(self.first_byte("export", "--quiet", "--format=bson", "s", "c"), (0, ""))
        self.assertEqual(self.first_byte("exec", "--quiet", "s", "SELECT * FROM c"), (0, ""))
        # What is done does not depend on who reads along.
        statements = ("SELECT * FROM c", "INSERT INTO d DOCUMENTS ({'_id': 1})")
        self.assertEqual(self.first_byte("exec", "--quiet", "-t", "s", *statements), (0, ""))
        self.assertEqual(self.count("d"), 1)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_a_full_disk_is_said(self):
        self.liana("import", "s", "c", "f.csv")
        self.liana("exec", "s", "INSERT INTO small DOCUMENTS ({'_id': 1})")
        for words in (["export", "s", "small"], ["export", "s", "c"], ["exec", "s", "SELECT * FROM c"], ["help"],
                      ["--help"], ["status", "s"], ["version"], ["completion", "bash"], ["init", "new"],
                      ["exec", "-t", "s", "SELECT * FROM c", "DELETE FROM c"]):
            with self.subTest(words), open("/dev/full", "w", encoding="ascii") as full:
                run = self.start(*words, stdout=full)
                self.assertEqual(run.wait(), 1)
                self.assertEqual(re.findall(r"liana: standard output: .*\((\w+)\)", run.stderr.read()), ["LIANA_EFULL"])
        self.assertEqual(self.count("c"), self.ROWS)

    def test_a_device_or_a_pipe_stays_what_it_is(self):
        self.liana("exec", "s", "INSERT INTO c DOCUMENTS ({'_id': 1})")
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        run = self.start("export", "s", "c", "--out=pipe")
        with open(pipe, encoding="ascii") as file:
            self.assertEqual(json.loads(file.read()), {"_id": {"$numberInt": "1"}})
        self.assertEqual(run.wait(), 0)
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))

    def test_a_file_is_whole_or_not_there(self):
        self.write("out.json", "before")
        self.refused(2, "LIANA_ESYNTAX", "export", "s", "--query=nonsense", "--out=out.json")
        with open(os.path.join(self.folder, "out.json"), encoding="ascii") as file:
            self.assertEqual(file.read(), "before")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out.json.part")))

    def test_a_signal_ends_an_import_that_waits(self):
        for form, first in (("json", '{"_id": 1}\n'), ("csv", "_id\n1\n")):
            with self.subTest(form):
                reading, writing = os.pipe()
                run = self.start("import", "s", form, f"--format={form}", "--batch=1", stdin=reading)
                os.close(reading)
                os.write(writing, first.encode())
                while self.waiting_bytes(writing):  # until it has read them
                    pass
                run.send_signal(signal.SIGINT)
                self.assertEqual(run.wait(), 130)
                self.assertIn("To go on from here: --skip=", run.stderr.read())
                os.close(writing)

    @staticmethod
    def waiting_bytes(pipe):
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)

    def test_progress_is_for_terminals(self):
        for words in (["import", "s", "c", "f.csv"], ["export", "s", "c", "--out=o.json"]):
            self.assertNotIn("\r", self.liana(*words).stderr)

    def test_a_collection_that_is_not_there_is_no_empty_one(self):
        self.liana("exec", "s", "INSERT INTO emptied DOCUMENTS ({'_id': 1})", "DELETE FROM emptied")
        self.assertEqual(self.out("export", "s", "emptied"), "")
        self.assertIn("'emtied'", self.refused(4, "LIANA_ENOTFOUND", "export", "s", "emtied"))
        self.refused(4, "LIANA_ENOTFOUND", "export", "s", "emtied", "--out=out.json")
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith("out.json")])
        # A statement asks what there is, and an answer of nothing is one.
        self.assertEqual(self.out("exec", "s", "SELECT * FROM emtied"), "")
        self.assertEqual(self.out("export", "s", "--query=SELECT * FROM emtied"), "")

    def test_a_closed_output_is_no_file_of_the_store(self):
        run = subprocess.run([LIANA, "exec", "s", "INSERT INTO c DOCUMENTS ({'_id': 1})", "SELECT * FROM c"],
                             cwd=self.folder, preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("standard output: Bad file descriptor", run.stderr)
        self.assertIn("c: 1 of 1 read", self.out("doctor", "s"))

    def test_a_terminal_that_is_gone_ends_a_peer_in_order(self):
        peer = self.start("peer", "s", "--open", stdout=subprocess.PIPE)
        peer.stdout.readline()
        peer.send_signal(signal.SIGHUP)
        self.assertEqual(peer.wait(), 0)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "s", "control.sock")))

    def test_an_error_in_the_options_is_json_too(self):
        for words in (["exec", "--bogus", "--json", "s"], ["exec", "--json", "--bogus", "s"], ["import", "--json"]):
            run = self.liana(*words, code=2)
            self.assertEqual(json.loads(run.stderr.splitlines()[0])["error"]["status"], "LIANA_EINVAL")

    def test_how_long_deletes_are_remembered_is_checked(self):
        for command in ("peer", "hub"):
            self.assertIn("--tombstone-ttl=DAYS", self.out("help", command))
            self.assertIn("\\-\\-tombstone\\-ttl", self.out("help", "--man", command))
            for days in ("-1", "soon", "99999999999"):
                self.assertIn("tombstone-ttl", self.refused(2, "LIANA_EINVAL", command, "s", f"--tombstone-ttl={days}"))

    def test_links_need_a_trust(self):
        self.assertIn("--key-file", self.refused(2, "LIANA_EINVAL", "peer", "s", "--listen=127.0.0.1:0"))

    def test_lists_have_an_end_that_is_said(self):
        addresses = [f"--dial=127.0.0.1:{port}" for port in range(1, 66)]
        self.refused(1, "LIANA_ELIMIT", "peer", "s", "--open", *addresses)


class Keys(Cli):
    def test_a_key_is_made_once_and_for_its_owner(self):
        self.liana("key", "k")
        self.assertEqual(os.stat(os.path.join(self.folder, "k")).st_mode & 0o777, 0o600)
        self.refused(4, "LIANA_EEXISTS", "key", "k")

    def test_the_whole_key_counts(self):
        """A file that only begins like a key is none."""
        self.liana("key", "k")
        with open(os.path.join(self.folder, "k"), encoding="ascii") as file:
            key = file.read().strip()
        last = "A" if key[-1] != "A" else "B"
        for name, text in (("cut", key[:40]), ("other", key[:-1] + last), ("hex", "0" * 64)):
            self.write(name, text)
            os.chmod(os.path.join(self.folder, name), 0o600)
            self.refused(2, "LIANA_EINVAL", "peer", "s", "--create", f"--key-file={name}")


class Terminal(Cli):
    def test_text_from_outside_cannot_drive_it(self):
        self.assertIn(r"k\x1b[2J\x9b2Jé: a new", self.liana("key", "k\x1b[2J\x9b2Jé").stderr)
        with subprocess.Popen([LIANA, "peer", "s\x1b[2J", "--create", "--open"], cwd=self.folder,
                              stdout=subprocess.PIPE, text=True) as peer:
            line = peer.stdout.readline()
            peer.terminate()
        self.assertTrue(line.startswith(r"s\x1b[2J is peer "), line)


class WithoutMongoDB(Cli):
    """libmongoc is loaded where it is needed, and says nothing by itself even there."""

    def over_a_stale_file(self, *words):
        """Starts liana in a process for whose id there are shared counters of libmongoc, as a killed one leaves them."""
        environment = {name: value for name, value in os.environ.items() if name != "MONGOC_DISABLE_SHM"}
        run = subprocess.Popen(["sh", "-c", ': >"/dev/shm/mongoc-$$"; exec "$0" "$@"', LIANA, *words], cwd=self.folder,
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: os.path.exists(f"/dev/shm/mongoc-{run.pid}") and os.remove(f"/dev/shm/mongoc-{run.pid}"))
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        return run

    @unittest.skipUnless(os.access("/dev/shm", os.W_OK), "there is no /dev/shm")
    def test_commands_that_have_nothing_to_do_with_it(self):
        run = self.over_a_stale_file("version")
        self.assertEqual(run.communicate()[1], "")
        self.assertNotIn("mongoc", subprocess.run(["ldd", LIANA], capture_output=True, text=True, check=True).stdout)

    @unittest.skipUnless(os.access("/dev/shm", os.W_OK), "there is no /dev/shm")
    def test_the_connector_is_quiet_too(self):
        self.liana("init", "s")
        run = self.over_a_stale_file("mongo", "--json", "s", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
        for line in run.stdout:
            if "unreachable" in line:
                break
        run.send_signal(signal.SIGINT)
        _, err = run.communicate()
        self.assertNotIn("counters", err)
        self.assertEqual(run.returncode, 0)


class MongoUri(Cli):
    """Where the URI comes from, and who gets to see the password in it."""

    URI = "mongodb://u:secret@127.0.0.1:1/?serverSelectionTimeoutMS=50"

    def setUp(self):
        super().setUp()
        self.liana("init", "s")

    def follow(self, *words, **environment):
        """`liana mongo ...` until it says that nobody is there; answers its words as others see them, and what it said."""
        env = {name: value for name, value in os.environ.items() if name != "MONGODB_URI"} | environment
        run = subprocess.Popen([LIANA, *words], cwd=self.folder, env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.kill)
        said = ""
        for line in run.stdout:
            said += line
            if "unreachable" in line:
                break
        with open(f"/proc/{run.pid}/cmdline", encoding="utf8") as file:
            seen = file.read()
        run.send_signal(signal.SIGTERM)
        said += run.communicate()[0]
        self.assertEqual(run.returncode, 0, said)
        self.assertIn("127.0.0.1:1", said)
        self.assertNotIn("secret", seen + said)
        return said

    def test_a_word_is_masked_and_warned_of(self):
        for command in (["mongo", "s", self.URI], ["hub", "s", f"--mongo={self.URI}"]):
            self.assertIn("--mongo-file", self.follow(*command))

    def test_it_stands_in_a_file(self):
        self.write("uri", self.URI + "\r\n")
        os.chmod(os.path.join(self.folder, "uri"), 0o640)
        for command in ("mongo", "hub"):
            self.assertIn("chmod 600", self.refused(1, "LIANA_EINSECURE", command, "s", "--mongo-file=uri"))
        os.chmod(os.path.join(self.folder, "uri"), 0o600)
        for command in ("mongo", "hub"):
            self.assertNotIn("everybody", self.follow(command, "s", "--mongo-file=uri"))

    def test_it_stands_in_the_environment(self):
        self.assertNotIn("everybody", self.follow("mongo", "s", MONGODB_URI=self.URI))

    def test_files_with_no_uri_in_them(self):
        self.write("none", "\n")
        self.write("long", "mongodb://" + "h" * 5000)
        for name, status, code in (("none", "LIANA_EINVAL", 2), ("long", "LIANA_EINVAL", 2), ("lost", "LIANA_ENOTFOUND", 4)):
            self.assertIn(name, self.refused(code, status, "mongo", "s", f"--mongo-file={name}"))
        self.refused(2, "LIANA_EINVAL", "mongo", "s", "mongodb://h/", "--mongo-file=none")
        self.refused(2, "LIANA_EINVAL", "hub", "s", "--collection=c")
        self.refused(2, "LIANA_EINVAL", "hub", "s", "--mongo-settle")

    def test_a_password_that_does_not_parse(self):
        self.assertNotIn("secret", self.refused(2, "LIANA_EINVAL", "mongo", "s", "mongodb://u:more:secret@h/"))


class Served(Cli):
    """Commands on a store that a running peer holds."""

    def setUp(self):
        super().setUp()
        self.liana("init", "s")
        self.peer = subprocess.Popen([LIANA, "peer", "s", "--open", "--listen=127.0.0.1:0"], cwd=self.folder,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        for line in self.peer.stdout:  # until it is ready
            if " is peer " in line:
                break

    def stop(self):
        self.peer.send_signal(signal.SIGTERM)
        self.peer.communicate()

    def test_every_command_works_on_it(self):
        self.write("f.csv", "_id,n\n1,1\n2,2\n")
        self.liana("import", "s", "c", "f.csv")
        self.assertEqual(self.out("exec", "s", "SELECT n FROM c ORDER BY n DESC"), '{"n":2}\n{"n":1}\n')
        self.assertEqual(len(self.out("export", "s", "c").splitlines()), 2)
        self.assertTrue(json.loads(self.out("status", "--json", "s"))["sync"]["running"])
        self.assertIn("c: 2 of 2 read", self.liana("doctor", "s", code=0).stdout)
        self.assertEqual(json.loads(self.out("exec", "--json", "s", "EVICT FROM c"))["waiting"], 2)
        self.liana("exec", "-t", "s", "DELETE FROM c; nonsense", code=2)
        self.assertEqual(self.count("c"), 2)

    def test_what_apps_say_is_shown(self):
        uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"
        self.liana("init", "h")
        hub = subprocess.Popen([LIANA, "hub", "--json", "h", f"--mongo={uri}", "-s", "a `strange` name"], cwd=self.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(hub.communicate)
        self.addCleanup(hub.terminate)
        for line in hub.stdout:
            if "unreachable" in line:
                break
        self.assertRegex(self.out("status", "h"), r'(?m)^apps\n  mongo +.*state "unreachable"')

    def test_it_cannot_be_made_again(self):
        self.refused(5, "LIANA_EBUSY", "init", "s")


if __name__ == "__main__":
    unittest.main()
