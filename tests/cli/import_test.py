#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's commands on the real data sets, with the row counts that the data's own page gives, and values by hand."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("LIANA_BUILD", os.path.join(ROOT, "build", "dev"))
DATA = os.path.join(ROOT, "..", "shared", "data")
COUNTS = {"airports": 7698, "machines": 10000, "flights": 20013, "accounts": 1746, "customers": 500, "theaters": 1564}


def readme_commands():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.search(r"^```sh\n(liana init.*?)^```", file.read(), re.MULTILINE | re.DOTALL).group(1)


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="liana-import-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.environment = dict(os.environ, DATA=os.path.abspath(DATA),
                               PATH=os.path.join(BUILD, "apps", "cli") + os.pathsep + os.environ["PATH"])
        run = subprocess.run(["sh", "-e", "-c", readme_commands()], cwd=cls.folder, env=cls.environment,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise AssertionError(f"exit {run.returncode}\n{run.stdout}{run.stderr}")
        cls.printed = run.stdout

    def liana(self, *words):
        return subprocess.run(["liana", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              check=True).stdout

    def rows(self, statement):
        return [json.loads(line) for line in self.liana("exec", "store", "--form=canonical", statement).splitlines()]

    def test_every_row_is_there(self):
        for collection, count in COUNTS.items():
            with self.subTest(collection):
                self.assertEqual(self.rows(f"SELECT COUNT(*) AS n FROM {collection}"),
                                 [{"n": {"$numberLong": str(count)}}])

    def test_the_query_of_the_readme(self):
        self.assertIn('"New York"', self.printed)

    def test_values_have_their_types(self):
        [jfk] = self.rows("SELECT * FROM airports WHERE iata = 'JFK'")
        self.assertEqual(jfk["_id"], {"$numberInt": "3797"})
        self.assertEqual(jfk["latitude"], {"$numberDouble": "40.63980103"})
        self.assertEqual(jfk["altitude"], {"$numberInt": "13"})
        self.assertEqual(jfk["utcOffset"], {"$numberInt": "-5"})
        self.assertNotIn("id", jfk)

    def test_flights_are_what_the_file_says(self):
        path = os.path.join(DATA, "aviation", "flights-nyc-2013-01-01_23.csv")
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        cancelled = sum(line["dep_time"] == "NA" for line in lines)
        without_tail = sum(line["tailnum"] == "" for line in lines)
        self.assertEqual((cancelled, without_tail), (187, 71))
        self.assertEqual(self.rows("SELECT COUNT(*) AS n FROM flights WHERE dep_time IS NULL"),
                         [{"n": {"$numberLong": str(cancelled)}}])
        self.assertEqual(self.rows("SELECT COUNT(*) AS n FROM flights WHERE tailnum IS MISSING"),
                         [{"n": {"$numberLong": str(without_tail)}}])
        first = self.rows("SELECT * FROM flights ORDER BY _id LIMIT 1")[0]
        self.assertEqual(list(first["_id"]), ["year", "month", "day", "carrier", "flight"])

    def test_an_export_is_the_file(self):
        source = os.path.join(DATA, "mongodb", "sample_mflix", "theaters.json")
        with open(source, encoding="utf-8") as file:
            expected = sorted(json.dumps(json.loads(line)) for line in file)
        with open(os.path.join(self.folder, "theaters.json"), encoding="utf-8") as file:
            exported = sorted(json.dumps(json.loads(line)) for line in file)
        self.assertEqual(exported, expected)

    def test_column_names_with_blanks_and_brackets(self):
        [reading] = self.rows("SELECT `Air temperature [K]` AS k FROM machines WHERE _id = 1")
        self.assertEqual(reading, {"k": {"$numberDouble": "298.1"}})


if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print("skipped: ../shared/data is not there")
        sys.exit(1 if os.environ.get("CI") else 77)
    unittest.main()
