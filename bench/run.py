#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every benchmark, prints a table and writes build/bench.json.

    bench/run.py [BUILD] [NAME...]      BUILD is build/release, a NAME one row of bench/benches.def or `counts`, `sizes`

Times are compared within one run of build/release/bench/liana_bench; instructions are counted by valgrind's callgrind.
Without the shared data, or without valgrind, what needs them is left out and said; where CI is set that is a failure.
"""
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import data  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.join(ROOT, "..", "shared", "data")
SCRATCH = os.path.join(ROOT, "build", "bench")
COPYING = ("*memcpy*", "*memmove*")

# name, numerator, denominator (rows of bench/counts.def), the functions within which to count, functions left out,
# reference, description
RATIOS = [
    ("insert_batch_instructions_vs_sqlite", "insert_liana", "insert_sqlite",
     ("bench_app_insert_batch", "bench_sqlite_insert"), (), "plain SQLite = 1",
     "Instructions of insert_batch_vs_sqlite, kernel and disk not counted, 2,000 documents."),
    ("merge_instructions_1mb_vs_10kb", "merge_values_1m", "merge_values_10k", ("lia_doc_merge",), COPYING, "at most 3",
     "Instructions, memcpy left out, of merging a segment that changes one of 20 fields into a document of 1 MB "
     "(texts of 50,000 letters), over those at 10 KB (500 letters)."),
    ("merge_instructions_10000_vs_100_fields", "merge_fields_1m", "merge_fields_10k", ("lia_doc_merge",), COPYING, "none",
     "The same for a flat document of 1 MB with 10,000 fields over one of 10 KB with 100: BSON has no index, so all "
     "fields before the one that changes are stepped over. It costs a fraction of the copy, which is left out here."),
]


class Missing(Exception):
    """Something optional is not there."""


def fail_in_ci(why):
    print(f"bench: {why}", file=sys.stderr)
    if os.environ.get("CI"):
        sys.exit(1)


def program(build):
    return os.path.join(build, "bench", "liana_bench")


def run_benches(build, names, folder):
    command = [program(build)] + (["--data", folder] if folder else []) + names
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


# ---- instructions ----

def self_cost(path, left_out):
    """The sum of a callgrind file's own costs, but for functions that match `left_out`."""
    names, total, counts, is_call = {}, 0, True, False
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"fn=\((\d+)\)(?: (.*))?", line)
            if match:
                name = names.setdefault(match[1], match[2])
                counts = not any(fnmatch.fnmatch(name, pattern) for pattern in left_out)
            elif re.match(r"cfn=\((\d+)\) ", line):
                match = re.match(r"cfn=\((\d+)\) (.*)", line)
                names.setdefault(match[1], match[2])
            elif line.startswith("calls="):
                is_call = True  # the next line is the callee's cost
            elif re.match(r"[+*\-\d]", line):
                if counts and not is_call:
                    total += int(line.split()[1])
                is_call = False
    return total


def count(build, name, within, left_out):
    path = os.path.join(SCRATCH, f"callgrind.{name}")
    toggles = [f"--toggle-collect={function}" for function in within]
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}", *toggles, program(build), "--count",
                    name], stderr=subprocess.DEVNULL, check=True)
    total = self_cost(path, left_out)
    if total == 0:
        sys.exit(f"bench: nothing was counted for {name}")
    return total


def run_counts(build):
    if not shutil.which("valgrind"):
        raise Missing("instructions are not counted: valgrind is not installed")
    for name, over, under, within, left_out, reference, description in RATIOS:
        above, below = (count(build, row, within, left_out) for row in (over, under))
        yield {"name": name, "value": above / below, "unit": "ratio of instructions", "reference": reference, "runs": 1,
               "description": f"{description} Here: {above:,} and {below:,}."}


# ---- sizes ----

def run_sizes(build):
    library = os.path.join(build, "libliana.so")
    if not os.path.exists(library):
        raise Missing(f"the library is not measured: there is no {library}")
    stripped = os.path.join(SCRATCH, "libliana.so")
    subprocess.run(["strip", "-o", stripped, library], check=True)
    own = os.path.getsize(stripped)
    needed = re.findall(r"=> (/\S+)", subprocess.run(["ldd", library], stdout=subprocess.PIPE, text=True, check=True).stdout)
    rows = (("library_bytes", own, "at most 3,000,000", "libliana.so, stripped."),
            ("library_bytes_with_system", own + sum(map(os.path.getsize, needed)), "none",
             f"The same with the {len(needed)} system libraries that it loads, the C library among them."))
    for name, value, reference, description in rows:
        yield {"name": name, "value": value, "unit": "bytes", "reference": reference, "runs": 1, "description": description}


# ---- the table ----

def show(value):
    return f"{value:,.2f}" if value < 1000 and value != int(value) else f"{value:,.0f}"


def print_table(results):
    width = max(len(result["name"]) for result in results)
    for result in results:
        print(f"{result['name']:{width}}  {show(result['value']):>12}  {result['unit']:<22} {result['reference']}")


def main():
    arguments = sys.argv[1:]
    build = os.path.abspath(arguments.pop(0)) if arguments else os.path.join(ROOT, "build", "release")
    os.makedirs(os.path.join(SCRATCH, "tmp"), exist_ok=True)
    os.environ["TMPDIR"] = os.path.join(SCRATCH, "tmp")
    folder = os.path.join(SCRATCH, "data")
    if not data.prepare(SHARED, folder):
        fail_in_ci(f"figures of real data are left out: there is no {SHARED}")
        folder = None
    parts = {"counts": run_counts, "sizes": run_sizes}
    names = [name for name in arguments if name not in parts]
    results = run_benches(build, names, folder) if names or not arguments else []
    for name, run in parts.items():
        if not arguments or name in arguments:
            try:
                results += run(build)
            except Missing as why:
                fail_in_ci(why)
    print_table(results)
    path = os.path.join(ROOT, "build", "bench.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({result.pop("name"): result for result in results}, file, indent=2)
        file.write("\n")
    print(f"bench: {path}")


if __name__ == "__main__":
    main()
