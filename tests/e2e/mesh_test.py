# SPDX-License-Identifier: Apache-2.0
"""A mesh of real processes with circles in it: everybody writes, peers are killed, stopped and started again.

What a command was told to be committed is there in the end, once, in every store: counters are the sum of what was
acknowledged, documents are equal. One peer holds a part of the documents only. LIANA_SEED repeats the choices.
"""
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIANA = pathlib.Path(os.environ.get("LIANA_BUILD", ROOT / "build" / "dev")) / "apps" / "cli" / "liana"
SEED = int(os.environ.get("LIANA_SEED", "1"), 0)
PEERS = 5
NARROW = PEERS - 1  # holds documents with k < 5
COUNTERS = 3
WRITES = 150  # of each peer
REST_SECONDS = 120


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def liana(*words):
    return subprocess.run([LIANA, *words], capture_output=True, text=True, check=False)


def drain(stream):
    with stream:
        stream.read()


class Mesh:
    def __init__(self, folder, rng):
        self.folder = folder
        self.ports = free_ports(PEERS)
        links = [(i, rng.randrange(i)) for i in range(1, PEERS)] + [(PEERS - 1, 0), (2, 0)]
        self.dials = [{b for a, b in links if a == i} for i in range(PEERS)]
        self.running = [None] * PEERS
        liana("key", folder / "key")

    def store(self, i):
        return self.folder / f"s{i}"

    def start(self, i):
        words = [LIANA, "peer", self.store(i), "--create", "--database=mesh", f"--key-file={self.folder / 'key'}",
                 f"--listen=127.0.0.1:{self.ports[i]}", f"--durability={'normal' if i % 2 else 'full'}",
                 "--subscribe=counters"]
        words.append("--subscribe=" + ("SELECT * FROM docs WHERE k < 5" if i == NARROW else "docs"))
        words += [f"--dial=127.0.0.1:{self.ports[other]}" for other in self.dials[i]]
        self.running[i] = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.running[i].stdout:
            if " is peer " in line:
                break
        else:
            raise AssertionError(f"peer {i} does not start")
        threading.Thread(target=drain, args=(self.running[i].stdout,)).start()

    def disturb(self, i, rng):
        how = rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        self.running[i].send_signal(how)
        if how == signal.SIGSTOP:
            self.exec((i + 1) % PEERS, "UPDATE counters APPLY n INCREMENT BY 0 WHERE _id = -1")  # some time passes
            self.running[i].send_signal(signal.SIGCONT)
        else:
            self.running[i].wait()
            self.start(i)

    def exec(self, i, statement):
        return liana("exec", self.store(i), statement).returncode == 0

    def documents(self, i, collection):
        run = liana("export", "--form=relaxed", self.store(i), collection)
        return {d["_id"]: d for d in map(json.loads, run.stdout.splitlines())}

    def end(self):
        for run in filter(None, self.running):
            run.send_signal(signal.SIGCONT)
            run.kill()
            run.wait()


class Writer(threading.Thread):
    def __init__(self, mesh, i):
        super().__init__()
        self.mesh, self.i, self.rng = mesh, i, random.Random(SEED * PEERS + i)
        self.acknowledged, self.unsure = [0] * COUNTERS, [0] * COUNTERS
        self.inserted = set()
        self.done = 0

    def run(self):
        for self.done in range(WRITES):
            other = f"{self.rng.randrange(PEERS)}-{self.rng.randrange(self.done + 1)}"
            k = self.rng.randrange(10)
            kind = self.rng.random()
            if kind < 0.4:
                c, by = self.rng.randrange(COUNTERS), self.rng.randrange(1, 9)
                told = self.mesh.exec(self.i, f"UPDATE counters APPLY n INCREMENT BY {by} WHERE _id = {c}")
                (self.acknowledged if told else self.unsure)[c] += by
            elif kind < 0.8:
                mine = f"{self.i}-{self.done}"
                if self.mesh.exec(self.i, f"INSERT INTO docs DOCUMENTS ({{'_id': '{mine}', 'k': {k}}})"):
                    self.inserted.add(mine)
            elif kind < 0.95:
                self.mesh.exec(self.i, f"UPDATE docs SET k = {k} WHERE _id = '{other}'")
            else:
                self.mesh.exec(self.i, "UPDATE docs SET k = k + 1 WHERE k < 3")


class AMesh(unittest.TestCase):
    def at_rest(self, mesh):
        whole = [(mesh.documents(i, "docs"), mesh.documents(i, "counters")) for i in range(PEERS)]
        wanted = {key: d for key, d in whole[0][0].items() if d["k"] < 5}
        part = {key: d for key, d in whole[NARROW][0].items() if d["k"] < 5}
        if all(w == whole[0] for w in whole[:NARROW]) and part == wanted and whole[NARROW][1] == whole[0][1]:
            return whole[0]
        return None

    def test_what_was_acknowledged_is_everywhere_once(self):
        rng = random.Random(SEED)
        scratch = tempfile.TemporaryDirectory(prefix="liana-mesh-")
        self.addCleanup(scratch.cleanup)
        mesh = Mesh(pathlib.Path(scratch.name), rng)
        self.addCleanup(mesh.end)
        for i in range(PEERS):
            mesh.start(i)
        zeros = ", ".join(f"({{'_id': {c}, 'n': 0}})" for c in range(COUNTERS))
        self.assertTrue(mesh.exec(0, f"INSERT INTO counters DOCUMENTS {zeros}"))
        until = time.monotonic() + REST_SECONDS
        while any(len(mesh.documents(i, "counters")) < COUNTERS for i in range(PEERS)):
            self.assertLess(time.monotonic(), until, "the counters do not arrive")
        writers = [Writer(mesh, i) for i in range(PEERS)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            mesh.disturb(rng.randrange(PEERS), rng)
        until = time.monotonic() + REST_SECONDS
        while not (rest := self.at_rest(mesh)):
            self.assertLess(time.monotonic(), until, f"seed {SEED}: stores differ")
        docs, counters = rest
        self.assertLessEqual(set().union(*(w.inserted for w in writers)), set(docs), f"seed {SEED}")
        for c in range(COUNTERS):
            told = sum(w.acknowledged[c] for w in writers)
            self.assertGreaterEqual(counters[c]["n"], told, f"seed {SEED}")
            self.assertLessEqual(counters[c]["n"], told + sum(w.unsure[c] for w in writers), f"seed {SEED}")


if __name__ == "__main__":
    unittest.main()
