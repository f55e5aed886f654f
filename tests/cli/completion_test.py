#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is made from the table of commands: the completion of the shells, in the shells, and the man pages."""
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("LIANA_BUILD", os.path.join(ROOT, "build", "dev"))
FOLDER = os.path.join(BUILD, "apps", "cli")
LIANA = os.path.join(FOLDER, "liana")
PATIENCE_S = 30


def liana(*words):
    return subprocess.run([LIANA, *words], capture_output=True, text=True, check=True).stdout


def commands():
    """The commands that `liana help` lists."""
    return re.findall(r"^    (\w+) +\S", liana("help"), re.MULTILINE)


def options(command):
    """The long options that `liana COMMAND --help` lists, with "=" behind those that take a value."""
    text = re.search(r"^Options.*", liana("help", command), re.MULTILINE | re.DOTALL)[0]
    return re.findall(r"^    (?:-\w,|   ) (--[\w-]+=?)", text, re.MULTILINE)


def candidates(*words):
    return [line.split("\t")[0] for line in liana("complete", "--", *words).splitlines()]


class Tables(unittest.TestCase):
    def test_every_command_and_option_is_offered(self):
        self.assertEqual(candidates(""), commands())
        for command in commands():
            with self.subTest(command):
                self.assertGreaterEqual(len(options(command)), 4)
                self.assertEqual(candidates(command, "--"), options(command))

    def test_every_command_and_option_is_in_the_man_pages(self):
        overview = liana("help", "--man").replace("\\-", "-")
        for command in commands():
            with self.subTest(command):
                self.assertIn(f".BR liana-{command} (1)", overview)
                page = liana("help", "--man", command).replace("\\-", "-")
                for option in options(command):
                    self.assertRegex(page, rf"(?m)^\.B (-\w, )?{option}")
                for code in (0, 1, 2, 3, 4, 5, 130):
                    self.assertIn(f".B {code}\n", page)

    @unittest.skipUnless(shutil.which("groff"), "there is no groff")
    def test_the_man_pages_are_well_formed(self):
        for command in ["", *commands()]:
            page = liana("help", "--man", *command.split())
            run = subprocess.run(["groff", "-man", "-ww", "-z"], input=page, capture_output=True, text=True, check=True)
            self.assertEqual(run.stderr, "", command)

    def test_internal_commands_are_not_shown(self):
        for command in ("till", "complete"):
            self.assertNotIn(command, commands())
            self.assertIn(command, liana("help", command))

    def test_help_fits_a_terminal(self):
        for command in commands():
            for line in liana("help", command).splitlines():
                self.assertLessEqual(len(line), 80, f"{command}: {line}")

    def test_values_and_operands(self):
        self.assertEqual(candidates("import", "--format=c"), ["--format=csv"])
        self.assertEqual(candidates("import", "--format", ""), ["json", "csv", "bson"])
        self.assertEqual(candidates("import", "s", "c", ""), [":files"])
        self.assertEqual(candidates("import", ""), [":folders"])
        self.assertEqual(candidates("import", "s", ""), [])
        self.assertEqual(candidates("export", "-o", ""), [":files"])
        self.assertEqual(candidates("help", "ver"), ["version"])
        self.assertEqual(candidates("completion", "z"), ["zsh"])
        self.assertEqual(candidates("demo", ""), ["retail"])
        self.assertEqual(candidates("key", "--", "--"), [":files"])
        self.assertEqual(candidates("nonsense", ""), [])


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *words, **options):
        try:
            self.ours, theirs = pty.openpty()
        except OSError as error:
            raise unittest.SkipTest(f"there is no terminal to be had: {error}") from error
        self.child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options)
        os.close(theirs)
        self.seen = ""

    def type(self, text):
        os.write(self.ours, text.encode())

    def until(self, pattern):
        """Waits for what it prints; answers the match and forgets what was before."""
        end = time.monotonic() + PATIENCE_S
        while not (match := re.search(pattern, self.seen)):
            if not select.select([self.ours], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{pattern} does not come: {self.seen!r}")
            self.seen += os.read(self.ours, 4096).decode(errors="replace")
        self.seen = self.seen[match.end():]
        return match

    def end(self):
        self.child.kill()
        self.child.wait()
        os.close(self.ours)


class Shells(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="liana-completion-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {"PATH": FOLDER + os.pathsep + os.environ["PATH"], "HOME": self.folder, "TERM": "dumb",
                            "LC_ALL": "C.UTF-8", "ZDOTDIR": self.folder}
        os.mkdir(os.path.join(self.folder, "my store"))
        for name in ("stock.csv", "sales 1.json"):
            with open(os.path.join(self.folder, name), "w", encoding="ascii"):
                pass

    def shell(self, *words):
        terminal = Terminal(*words, cwd=self.folder, env=self.environment)
        self.addCleanup(terminal.end)
        return terminal

    # What is typed before a tab, and the words that the command line then has.
    CASES = (
        ("liana compl\t", ["liana", "completion"]),
        ("liana import my\t c --form\tcs\t", ["liana", "import", "my store", "c", "--format=csv"]),
        ("liana import s c --on-error=sk\tst\t", ["liana", "import", "s", "c", "--on-error=skip", "stock.csv"]),
        ("liana peer s -l h:1 --durability=n\t", ["liana", "peer", "s", "-l", "h:1", "--durability=normal"]),
        ("liana peer s -l h:1 --key-file=st\t", ["liana", "peer", "s", "-l", "h:1", "--key-file=stock.csv"]),
        ("liana export --out=sa\t", ["liana", "export", "--out=sales 1.json"]),
        ("liana help sta\t", ["liana", "help", "status"]),
    )

    def complete(self, terminal, typed):
        """Types, and lets the shell print the words instead of running them."""
        terminal.type(typed + "\x01printf '<%s>' \x05; echo ' end'\r")
        words = re.findall(r"<([^>]*)>", terminal.until(r"\r\n((?:<[^>]*>)+) end\r\n")[1])
        return [word.removesuffix("/") for word in words]  # some shells take it away again behind a folder

    def check(self, terminal):
        for typed, words in self.CASES:
            with self.subTest(typed):
                self.assertEqual(self.complete(terminal, typed), words)

    def test_bash(self):
        terminal = self.shell("bash", "--norc", "--noprofile", "-i")
        terminal.type("source <(liana completion bash); bind 'set bell-style none'; echo re''ady\r")
        terminal.until(r"ready\r\n")
        self.check(terminal)

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh(self):
        terminal = self.shell("zsh", "-f", "-i")
        terminal.type("autoload -U compinit && compinit -D && source <(liana completion zsh); bindkey -e; echo re''ady\r")
        terminal.until(r"ready\r\n")
        self.check(terminal)

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish(self):
        for typed, words in self.CASES[:1] + self.CASES[2:4]:
            line = typed[:typed.index("\t")]
            script = f"liana completion fish | source; complete -C '{line}'"
            run = subprocess.run(["fish", "--no-config", "-c", script], cwd=self.folder, env=self.environment,
                                 capture_output=True, text=True, check=True)
            found = [answer.split("\t")[0] for answer in run.stdout.splitlines()]
            self.assertIn(words[len(line.split()) - 1], found, line)


if __name__ == "__main__":
    unittest.main()
