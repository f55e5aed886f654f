#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the build into a scratch prefix and compiles the README's program against it, outside the tree."""
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
CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(outside LANGUAGES C)
find_package(liana 0.1 REQUIRED)
foreach(kind liana static)
    add_executable(with_${kind} main.c)
    target_link_libraries(with_${kind} PRIVATE liana::${kind})
endforeach()
"""


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def cache(name):
    """A variable of the build's CMake cache."""
    match = re.search(rf"^{name}:\w+=(.*)$", read(BUILD, "CMakeCache.txt"), re.MULTILINE)
    return match.group(1) if match else ""


def readme_block(language):
    return re.search(rf"^```{language}\n(.*?)^```", read(ROOT, "README.md"), re.MULTILINE | re.DOTALL).group(1)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="liana-install-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.prefix = os.path.join(cls.scratch, "prefix")
        cls.run_in(cls.scratch, "cmake", "--install", BUILD, "--prefix", cls.prefix, umask=0o022)
        with open(os.path.join(cls.scratch, "main.c"), "w", encoding="utf-8") as file:
            file.write(readme_block("c"))
        cls.compiler = cache("CMAKE_C_COMPILER")
        cls.sanitize = cache("LIANA_SANITIZE")
        cls.libdir = os.path.join(cls.prefix, cache("CMAKE_INSTALL_LIBDIR") or "lib")
        os.environ["PKG_CONFIG_PATH"] = os.path.join(cls.libdir, "pkgconfig")

    @staticmethod
    def run_in(folder, *command, **options):
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **options)
        if run.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {run.returncode}\n{run.stdout}{run.stderr}")
        return run.stdout

    def flags(self):
        return [f"-fsanitize={self.sanitize}"] if self.sanitize else []

    def pkg_config(self, *options):
        return self.run_in(self.scratch, "pkg-config", *options, "liana").split()

    def runs(self, program):
        """The program prints what the README says, in a folder of its own, twice: the second time the store is there."""
        folder = tempfile.mkdtemp(dir=self.scratch)
        expected = [json.loads(line) for line in readme_block("text").splitlines()]
        environment = dict(os.environ, LD_LIBRARY_PATH=self.libdir)
        printed = self.run_in(folder, program, env=environment)
        self.assertEqual([json.loads(line) for line in printed.splitlines()], expected)
        self.run_in(folder, program, env=environment)

    def compile(self, name, *libraries):
        program = os.path.join(self.scratch, name)
        self.run_in(self.scratch, self.compiler, "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *self.flags(),
                    "main.c", *self.pkg_config("--cflags"), *libraries, "-o", program)
        self.runs(program)

    def test_pkg_config(self):
        self.compile("shared", *self.pkg_config("--libs"))

    def test_pkg_config_static(self):
        libraries = ["-l:libliana.a" if flag == "-lliana" else flag for flag in self.pkg_config("--static", "--libs")]
        self.compile("static", *libraries)

    def test_cmake_package(self):
        folder = os.path.join(self.scratch, "cmake")
        os.mkdir(folder)
        shutil.copy(os.path.join(self.scratch, "main.c"), folder)
        with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(CMAKE_PROJECT)
        self.run_in(folder, "cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                    f"-DCMAKE_C_COMPILER={self.compiler}", f"-DCMAKE_C_FLAGS={' '.join(self.flags())}")
        self.run_in(folder, "cmake", "--build", "build")
        for kind in ("liana", "static"):
            self.runs(os.path.join(folder, "build", f"with_{kind}"))

    def test_everybody_may_read_it(self):
        for folder, _, files in os.walk(self.prefix):
            for path in [folder, *(os.path.join(folder, name) for name in files)]:
                mode = os.stat(path).st_mode & 0o777
                self.assertEqual(mode & 0o044, 0o044, f"{path}: {mode:o}")
                self.assertEqual(mode & 0o022, 0, f"{path}: {mode:o}")

    def test_what_the_shell_and_man_look_for(self):
        share = os.path.join(self.prefix, "share")
        for name in ("bash-completion/completions/liana", "zsh/site-functions/_liana",
                     "fish/vendor_completions.d/liana.fish"):
            self.assertIn("complete", read(share, name))
        pages = os.listdir(os.path.join(share, "man", "man1"))
        listed = re.findall(r"^\.BR liana\\-(\w+)", read(share, "man", "man1", "liana.1"), re.MULTILINE)
        self.assertEqual(sorted(pages), sorted(["liana.1", *(f"liana-{command}.1" for command in listed)]))

    def installed(self):
        """A copy of what is installed, somewhere else: nothing of it knows its place."""
        place = os.path.join(tempfile.mkdtemp(dir=self.scratch), "moved")
        shutil.copytree(self.prefix, place)
        return place

    def test_the_command_finds_its_connector(self):
        place = self.installed()
        liana = os.path.join(place, "bin", "liana")
        store = os.path.join(place, "store")
        self.run_in(place, liana, "init", store)
        command = [liana, "mongo", "--once", store, "not a URI"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("MongoDB URI", run.stderr)

        shutil.rmtree(os.path.join(place, os.path.relpath(self.libdir, self.prefix), "liana"))
        for command in (command, [liana, "hub", "--mongo=mongodb://127.0.0.1/", store]):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual((run.returncode, run.stdout), (4, ""), run.stderr)
            self.assertIn("liana-mongo.so", run.stderr)
        self.assertIn("liana", self.run_in(place, liana, "version"))

    def test_versions_agree(self):
        header = read(self.prefix, "include", "liana", "liana.h")
        version = ".".join(re.search(rf"LIANA_VERSION_{part} (\d+)", header).group(1)
                           for part in ("MAJOR", "MINOR", "PATCH"))
        self.assertEqual(self.pkg_config("--modversion"), [version])


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BUILD, "libliana.so")):
        print("skipped: src/api has no liana_open yet, so there is no library to install")
        sys.exit(77)
    unittest.main()
