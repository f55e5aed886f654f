#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every check of `make check` passes a small good tree and fails the same tree with one thing made bad."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = """
library sodium: sodium.h
library posix: unistd.h sys/*.h
library cmocka: cmocka.h
library sqlite3: sqlite3.h
part src/base: ; sodium ;
part src/codec: base ; ; sqlite3
part apps/hub: liana ; ;
"""
GOOD = {
    "cmake/layers.txt": LAYERS,
    "include/liana/types.h": LICENCE + "#include <stdint.h>\n",
    "src/base/CMakeLists.txt": "lia_module(base EXTERN sodium)\n",
    "src/base/buf.c": LICENCE + '#include "base/buf.h"\n\n#include <sodium.h>\n#include <string.h>\n',
    "src/base/buf.h": LICENCE + '#include "liana/types.h"\n',
    "src/base/buf_test.c": LICENCE + '#include <cmocka.h>\n#include <unistd.h>\n#include "base/testing/test.h"\n',
    "src/codec/CMakeLists.txt": "lia_module(codec DEPENDS base TEST_EXTERN sqlite3)\n",
    "src/codec/bson.c": LICENCE + '#include "base/buf.h"\n',
    "src/codec/bson_test.c": LICENCE + "#include <sqlite3.h>\n",
    "apps/hub/CMakeLists.txt": "lia_module(hub DEPENDS liana)\n",
    "apps/hub/hub.c": LICENCE + '#include <liana/types.h>\n\n#include "hub/hub.h"\n',
}


class Tree(unittest.TestCase):
    """A scratch tree with the tools of the real one."""

    def setUp(self):
        self.tree = tempfile.mkdtemp(prefix="liana-checks-")
        self.addCleanup(shutil.rmtree, self.tree)
        for tool in ("check_format", "check_headers", "check_tidy"):
            self.copy(f"tools/{tool}")
        self.copy(".clang-format")
        self.copy(".clang-tidy")
        self.copy("cmake/banned.txt")
        for name, text in GOOD.items():
            self.write(name, text)

    def copy(self, name):
        target = os.path.join(self.tree, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(ROOT, name), target)

    def write(self, name, text):
        path = os.path.join(self.tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_check(self, *command):
        return subprocess.run(command, cwd=self.tree, capture_output=True, text=True, check=False)

    def passes(self, *command):
        run = self.run_check(*command)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def fails(self, says, *command):
        run = self.run_check(*command)
        self.assertNotEqual(run.returncode, 0, run.stdout)
        self.assertIn(says, run.stdout + run.stderr)


class Layers(Tree):
    COMMAND = (os.path.join(ROOT, "tools", "check_layers"), ".")

    def broken(self, name, text, says):
        self.passes(*self.COMMAND)
        self.write(name, text)
        self.fails(says, *self.COMMAND)

    def test_part_that_is_not_listed(self):
        self.broken("src/base/buf.c", '#include "codec/bson.h"\n#include <sodium.h>\n',
                    "src/base/buf.c:1: codec/bson.h: src/base may not include codec")

    def test_library_that_is_not_listed(self):
        self.broken("src/codec/bson.c", '#include "base/buf.h"\n#include <sodium.h>\n',
                    "src/codec/bson.c:2: sodium.h: src/codec may not use the library sodium")

    def test_library_of_tests_in_the_product(self):
        self.broken("src/codec/bson.c", "#include <sqlite3.h>\n", "may not use the library sqlite3")

    def test_platform_header(self):
        self.broken("src/codec/bson.c", "#include <sys/socket.h>\n", "may not use the library posix")

    def test_unknown_header(self):
        self.broken("src/base/buf.c", "#include <windows.h>\n", "no library of cmake/layers.txt has this header")

    def test_include_without_folder(self):
        self.broken("src/base/buf.c", '#include "buf.h"\n', "write the folder too")

    def test_test_helper_in_the_product(self):
        self.broken("src/codec/bson.c", '#include "base/testing/alloc.h"\n', "testing/ is for tests")

    def test_private_header_in_an_app(self):
        self.broken("apps/hub/hub.c", '#include "base/buf.h"\n', "apps/hub may not include base")

    def test_public_header_with_a_system_header(self):
        self.broken("include/liana/types.h", "#include <stdio.h>\n", "only stdbool, stddef and stdint")

    def test_public_header_with_a_private_one(self):
        self.broken("include/liana/types.h", '#include "base/buf.h"\n', "public headers only")

    def test_folder_without_a_row(self):
        self.broken("src/extra/x.c", "int lia_x;\n", "no row of cmake/layers.txt holds this folder")

    def test_linked_part_that_is_not_listed(self):
        self.broken("src/base/CMakeLists.txt", "lia_module(base DEPENDS codec EXTERN sodium)\n", "links codec")

    def test_included_part_that_is_not_linked(self):
        self.broken("src/codec/CMakeLists.txt", "lia_module(codec TEST_EXTERN sqlite3)\n", "does not name base")

    def test_row_that_lists_a_part_above_it(self):
        self.broken("cmake/layers.txt", LAYERS.replace("src/base: ;", "src/base: codec ;"), "no row above defines")


class Banned(Tree):
    COMMAND = (os.path.join(ROOT, "tools", "check_banned"), ".")

    def test_call(self):
        self.passes(*self.COMMAND)
        self.write("src/codec/bson.c", "void f(char *a)\n{\n    strcpy(a, a);\n}\n")
        self.fails("src/codec/bson.c:3: strcpy is banned here", *self.COMMAND)

    def test_call_that_one_folder_may_make(self):
        self.write("src/base/env.c", "long f(void) { return time(0); }\n")
        self.passes(*self.COMMAND)
        self.write("src/codec/bson.c", "long f(void) { return time(0); }\n")
        self.fails("time is banned here", *self.COMMAND)

    def test_names_in_comments_strings_and_members_do_not_count(self):
        self.write("src/codec/bson.c", '/* strcpy(a) */ char *s = "gets(";\nvoid f(void) { a.free(p); b->time(0); }\n')
        self.passes(*self.COMMAND)

    def test_tests_may_allocate_and_not_sleep(self):
        self.write("src/codec/bson_test.c", "void f(void) { free(malloc(1)); }\n")
        self.passes(*self.COMMAND)
        self.write("src/codec/bson_test.c", "void f(void) { usleep(1); }\n")
        self.fails("usleep is banned here", *self.COMMAND)


class Format(Tree):
    COMMAND = ("tools/check_format",)

    def setUp(self):
        super().setUp()
        for name in [name for name in GOOD if name.endswith((".c", ".h"))]:
            self.write(name, LICENCE)
        subprocess.run(["git", "init", "-q"], cwd=self.tree, check=True)

    def test_layout(self):
        self.passes(*self.COMMAND)
        self.write("src/base/buf.c", LICENCE + "int   lia_x(void);\n")
        self.fails("src/base/buf.c:2", *self.COMMAND)

    def test_licence(self):
        self.write("src/base/buf.c", "int lia_x(void);\n")
        self.fails("src/base/buf.c: its first lines lack SPDX", *self.COMMAND)


class Headers(Tree):
    COMMAND = ("tools/check_headers",)

    def test_header_that_needs_another(self):
        self.passes(*self.COMMAND)
        self.write("include/liana/types.h", "extern uint8_t liana_x;\n")
        self.fails("uint8_t", *self.COMMAND)

    def test_header_that_is_no_cplusplus(self):
        self.write("include/liana/types.h", "extern int new;\n")
        self.fails("new", *self.COMMAND)


class Docs(Tree):
    COMMAND = (os.path.join(ROOT, "tools", "check_docs"), ".")

    def test_link_that_leads_nowhere(self):
        self.write("README.md", "[a](cmake/layers.txt) [b](https://example.org/x)\n")
        self.passes(*self.COMMAND)
        self.write("README.md", "[a](cmake/layers.md)\n")
        self.fails("README.md: leads nowhere: cmake/layers.md", *self.COMMAND)


class Tidy(Tree):
    COMMAND = ("tools/check_tidy",)

    def test_finding(self):
        path = os.path.join(self.tree, "src/base/buf.c")
        self.write("build/dev/compile_commands.json", json.dumps([
            {"file": path, "directory": self.tree, "command": f"gcc -std=c17 -o {self.tree}/x.o -c {path}"}]))
        self.write("src/base/buf.c", "int lia_x(int a);\nint lia_x(int a)\n{\n    return a;\n}\n")
        self.passes(*self.COMMAND)
        self.passes(*self.COMMAND)
        self.write("src/base/buf.c", "int lia_x(int a);\nint lia_x(int a)\n{\n    return a - a;\n}\n")
        self.fails("misc-redundant-expression", *self.COMMAND)


class Symbols(Tree):
    COMMAND = os.path.join(ROOT, "tools", "check_symbols")

    def archive(self, code):
        self.write("x.c", code)
        subprocess.run(["gcc", "-fPIC", "-c", "x.c"], cwd=self.tree, check=True)
        subprocess.run(["ar", "rc", "x.a", "x.o"], cwd=self.tree, check=True)
        return os.path.join(self.tree, "x.a")

    def test_constants_are_clean(self):
        code = 'static const char *const t[] = {"a", "b"};\nconst char *lia_f(int i) { return t[i]; }\n'
        self.passes(self.COMMAND, self.archive(code))

    def test_name_without_prefix(self):
        self.fails("f: an external name begins with", self.COMMAND, self.archive("int f(void) { return 1; }\n"))

    def test_name_that_only_looks_like_ours(self):
        self.fails("lian_f: an external", self.COMMAND, self.archive("int lian_f(void) { return 1; }\n"))

    def test_writable_globals(self):
        for code in ("int lia_x;", "int lia_x = 1;", "static int x; int *lia_f(void) { return &x; }",
                     "static _Thread_local int x; int *lia_f(void) { return &x; }"):
            with self.subTest(code=code):
                self.fails("writable", self.COMMAND, self.archive(code + "\n"))

    def test_shared_library_exports_public_names_only(self):
        for name, check in (("liana_f", self.passes), ("lia_f", lambda *c: self.fails("only liana_ names", *c))):
            self.write("x.c", f"int {name}(void) {{ return 1; }}\n")
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", "x.so", "x.c"], cwd=self.tree, check=True)
            check(self.COMMAND, os.path.join(self.tree, "x.so"))


if __name__ == "__main__":
    unittest.main()
