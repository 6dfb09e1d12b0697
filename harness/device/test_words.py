#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""--help, man pages and shell completion say what the programs take: the tables
that commands pass to getopt_long(), read by a library that is preloaded. And
what is installed serves: man pages, the model library from outside the tree."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# Commands with a table of their own, as they are called.
VARIANTS = {"guest": ["launch"], "verify": ["", "--type sev", "--type aeb"],
            "certs": ["export"]}
NAME = re.compile(r"--([a-z][a-z0-9-]*)")
# Below the prefix; from the third on they are text.
INSTALLED = ("bin/swpsp", "lib/libpspmodel.a",
             "lib/pkgconfig/pspmodel.pc",
             "include/psp/psp.h", "share/man/man1/swpsp.1",
             "share/bash-completion/completions/swpsp",
             "lib/systemd/system/swpsp.service",
             "share/doc/swpsp/devices.conf",
             "lib/systemd/system/swpsp.socket", "lib/sysusers.d/swpsp.conf",
             "lib/tmpfiles.d/swpsp.conf", "lib/udev/rules.d/60-swpsp.rules")


def out(*argv, **kwargs):
    p = tst.run(*argv, **kwargs)
    assert p.returncode == 0, (argv, p.stdout, p.stderr)
    return p.stdout


def commands():
    return re.findall(r"^  ([a-z-]+) ", out(tst.SWPSP, "--help"), re.M)


def calls():
    """(command, the words it is called with)."""
    return [(c, [c] + v.split()) for c in commands()
            for v in VARIANTS.get(c, [""])]


def without_asides(text):
    """Help mentions other commands' options in `...`."""
    return re.sub(r"`[^`]*`", "", text)


class Words(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="swpsp-words-")
        cls.preload = os.path.join(cls.dir, "options.so")
        out("cc", "-shared", "-fPIC", "-o", cls.preload,
            os.path.join(HERE, "preload/options.c"))
        cls.man = {}
        folder = os.path.join(tst.TOP, "sim/man")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text = re.sub(r"\\f[A-Z]|\\f\([A-Z]{2}", "", f.read())
                cls.man[name] = text.replace("\\-", "-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def table(self, words):
        text = out(tst.SWPSP, *words,
                   env={**os.environ, "LD_PRELOAD": self.preload})
        rows = [line.split() for line in text.splitlines()]
        self.assertTrue(rows, words)
        return {name: int(takes) for name, takes in rows}

    def help(self, words):
        return out(tst.SWPSP, *words, "--help")

    def complete(self, *words):
        script = ('PATH=$1:$PATH; . sim/dist/swpsp.bash; shift; '
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swpsp; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return out("bash", "-c", script, "bash", os.path.dirname(tst.SWPSP),
                   "swpsp", *words, cwd=tst.TOP).split()

    def test_make_builds_what_readme_calls(self):
        env = {k: v for k, v in os.environ.items() if "MAKE" not in k}
        plan = out("make", "-nB", "BUILD=debug", "all", cwd=tst.TOP, env=env)
        with open(os.path.join(tst.TOP, "README.md"), encoding="utf-8") as f:
            called = set(re.findall(r"build/debug/(?:bin|client)/[\w-]+",
                                    f.read()))
        self.assertIn("build/debug/client/sev_report", called)
        for path in called:
            self.assertIn('"LD %s"' % path, plan)

    def test_help_names_each_option(self):
        for command, words in calls():
            with self.subTest(words):
                named = set(NAME.findall(self.help(words)))
                self.assertEqual(set(self.table(words)) - named - {"help"},
                                 set())
        self.assertIn("run", commands())

    def test_help_names_no_other_option(self):
        for command, words in calls():
            with self.subTest(words):
                named = set(NAME.findall(without_asides(self.help(words))))
                self.assertEqual(named - set(self.table(words)), set())

    def test_man_pages_name_each_command_and_option(self):
        text = "\n".join(self.man.values())
        for command, words in calls():
            with self.subTest(words):
                self.assertTrue(re.search(r"swpsp[ -]%s\b" % command, text),
                                "in no man page")
                missing = [o for o in self.table(words) if not re.search(
                    r"--%s(?![a-z0-9-])" % re.escape(o), text)]
                self.assertEqual([o for o in missing if o != "help"], [])

    def test_man_pages_name_no_other_option(self):
        known = {"version"}
        for _, words in calls():
            known |= set(self.table(words))
        foreign = {"preserve-credentials", "cert"}  # nsenter, curl
        for name, text in self.man.items():
            with self.subTest(name):
                self.assertEqual(set(NAME.findall(text)) - known - foreign,
                                 set())

    def test_completion_knows_each_command_and_option(self):
        self.assertEqual(set(self.complete("")) - {"--help", "--version"},
                         set(commands()))
        for command, words in calls():
            with self.subTest(words):
                self.assertEqual(
                    set(self.table(words)) -
                    {w[2:] for w in self.complete(*words, "--")} - {"help"},
                    set())

    def test_completion_completes_each_value_as_a_value(self):
        for _, words in calls():
            for option, takes in self.table(words).items():
                if takes == 1:
                    with self.subTest((words, option)):
                        got = self.complete(*words, "--" + option, "--")
                        self.assertEqual(got, [])

    def test_man_pages_render_without_a_warning(self):
        if shutil.which("man") is None:
            self.skipTest("no man")
        for name in self.man:
            with self.subTest(name):
                path = os.path.join(tst.TOP, "sim/man", name)
                p = tst.run("man", "-l", "--warnings=w", path,
                            env={**os.environ, "LC_ALL": "C.UTF-8",
                                 "MANWIDTH": "80", "MANROFFSEQ": ""})
                self.assertEqual((p.returncode, p.stderr), (0, ""))
                self.assertIn("NAME", p.stdout)
                if shutil.which("mandoc") is not None:
                    p = tst.run("mandoc", "-Tlint", "-Werror", path)
                    self.assertEqual(p.returncode, 0, p.stdout)


# Powers a chip of the model on, and asks for its platform status before and
# after SNP_INIT. Knows only what is installed.
EMBEDDER = r"""
#include <psp/psp.h>
#include <stdio.h>
#include <string.h>

static unsigned char memory[1 << 20];

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    (void)host;
    if (size > sizeof(memory) || spa > sizeof(memory) - size) {
        return -1;
    }
    memcpy(buf, memory + spa, size);
    return 0;
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    (void)host;
    if (size > sizeof(memory) || spa > sizeof(memory) - size) {
        return -1;
    }
    memcpy(memory + spa, buf, size);
    return 0;
}

static int entropy(void *host, void *buf, size_t size)
{
    (void)host;
    memset(buf, 0x5a, size);
    return 0;
}

int main(void)
{
    const struct psp_host_ops ops = {
        .mem_read = mem_read, .mem_write = mem_write, .entropy = entropy};
    struct psp_config config = {.profile = *psp_profile_by_name("genoa"),
                                .memory_size = sizeof(memory)};
    struct psp_command_info info;
    struct psp *psp;

    if (psp_create(&config, &ops, NULL, &psp) != PSP_OK ||
        !psp_command_info(0x04, &info)) {
        return 1;
    }
    printf("%s %d", info.name, (int)psp_execute(psp, 0x04, 0x1000));
    printf(" %d", memory[0x1002]);
    printf(" %d", (int)psp_execute(psp, 0x81, 0));
    printf(" %d\n", (int)psp_execute(psp, 0x81, 0));
    psp_destroy(psp);
    return 0;
}
"""


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="swpsp-install-")
        out("make", "--no-print-directory", "-C", tst.TOP,
            "BUILD=" + os.path.basename(tst.BUILD), "DESTDIR=" + cls.dir,
            "PREFIX=/opt/x", "install-files",
            env={k: v for k, v in os.environ.items()
                 if not k.startswith("MAKE")})
        cls.top = os.path.join(cls.dir, "opt/x")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def read(self, name):
        with open(os.path.join(self.top, name), encoding="utf-8") as f:
            return f.read()

    def test_files_are_where_their_readers_look(self):
        for name in INSTALLED:
            self.assertTrue(os.path.isfile(os.path.join(self.top, name)), name)
        self.assertEqual(os.listdir(self.dir), ["opt"])
        self.assertIn("ExecStart=/opt/x/bin/swpsp serve",
                      self.read("lib/systemd/system/swpsp.service"))
        for name in INSTALLED[2:]:
            self.assertNotIn("@PREFIX@", self.read(name), name)
            self.assertNotIn("@VERSION@", self.read(name), name)
        out(os.path.join(self.top, "bin/swpsp"), "--version")

    def test_each_document_that_a_page_names_is_installed(self):
        folder = os.path.join(self.top, "share/man/man1")
        have = os.listdir(os.path.join(self.top, "share/doc/swpsp"))
        pages = os.listdir(folder)
        for page in pages:
            text = self.read("share/man/man1/" + page).replace("\\-", "-")
            for name in re.findall(r"\b([A-Z_]+\.md)\b", text):
                self.assertIn(name, have, page)
            for name in re.findall(r"^\.BR (swpsp[a-z-]*) \(1\)", text, re.M):
                self.assertIn(name + ".1", pages, page)

    @unittest.skipIf(tst.COVERAGE, "the library wants gcov's")
    def test_a_program_elsewhere_embeds_the_model(self):
        folder = tempfile.mkdtemp(prefix="swpsp-embed-")
        self.addCleanup(shutil.rmtree, folder)
        source = os.path.join(folder, "embed.c")
        with open(source, "w", encoding="ascii") as f:
            f.write(EMBEDDER)
        env = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": self.dir,
               "PKG_CONFIG_PATH": os.path.join(self.top, "lib/pkgconfig")}
        flags = out("pkg-config", "--cflags", "--libs", "--static", "pspmodel",
                    env=env).split()
        program = os.path.join(folder, "embed")
        out("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o",
            program, source, *flags, cwd=folder)
        name, status, state, first, again = out(program).split()
        self.assertEqual((name, status, state), ("PLATFORM_STATUS", "0", "0"))
        self.assertEqual(first, "0")
        self.assertNotEqual(again, "0")  # INVALID_PLATFORM_STATE
        p = tst.run("pkg-config", "--modversion", "pspmodel", env=env)
        self.assertIn(p.stdout.strip(), out(tst.SWPSP, "--version"))


if __name__ == "__main__":
    tst.main()
