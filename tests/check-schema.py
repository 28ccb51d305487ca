#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates what pvkprep prints with --json against schema/*.json. Speaks TAP.

usage: check-schema.py PVKPREP KERNEL...   (KERNEL: packaged images to work on copies of)

Stricter than the schemas themselves: a field that they do not describe is a failure here, so that
none is forgotten.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import jsonschema

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def make_strict(node):
    """additionalProperties: false wherever properties are listed."""
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object":
            node.setdefault("additionalProperties", False)
        for child in node.values():
            make_strict(child)
    elif isinstance(node, list):
        for child in node:
            make_strict(child)


def load_schema(name):
    with open(os.path.join(SOURCE, "schema", name), encoding="ascii") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    make_strict(schema)
    return jsonschema.Draft7Validator(schema)


class Checks:
    def __init__(self, program):
        self.program = program
        self.count = 0
        self.failed = 0

    def result(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"# {problem}")

    def run(self, name, schema, status, expect, *arguments):
        """expect(document) answers what else is wrong with it, or nothing."""
        done = subprocess.run(
            [self.program, *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
        problems = []
        if done.returncode != status:
            problems.append(f"exit status {done.returncode}, not {status}")
        try:
            document = json.loads(done.stdout)
        except ValueError as error:
            problems.append(f"not JSON: {error}")
        else:
            for error in schema.iter_errors(document):
                problems.append(f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
            if not problems:
                problems += expect(document)
        self.result(name, problems)


def expect_all(key, *values):
    def look(document):
        kernels = document if isinstance(document, list) else document["kernels"]
        found = sorted({str(kernel.get(key)) for kernel in kernels})
        return [] if found == sorted(values) else [f"{key}: {found}, not {sorted(values)}"]

    return look


def expect_boot(starts):
    def look(document):
        return [] if (document["boot"] is not None) == starts else [f"boot: {document['boot']}"]

    return look


def expect_empty(document):
    return [f"kernels: {document['kernels']}"] if document["kernels"] else []


def main():
    checks = Checks(os.path.abspath(sys.argv[1]))
    inspect, kernels, check = (load_schema(name) for name in ("inspect.json", "kernels.json", "check.json"))
    with tempfile.TemporaryDirectory() as root:
        boot = os.path.join(root, "boot")
        os.mkdir(boot)
        checks.run("--list of an empty /boot", kernels, 0, expect_empty, "--list", "--root", root)
        tree = ["--root", root]
        good = [os.path.join(boot, f"vmlinuz-6.{i}") for i, _ in enumerate(sys.argv[2:])]
        for target, kernel in zip(good, sys.argv[2:]):
            shutil.copyfile(kernel, target)
            os.chmod(target, 0o644)
        menu = os.path.join(boot, "grub")
        os.mkdir(menu)
        with open(os.path.join(menu, "grub.cfg"), "w", encoding="ascii") as file:
            file.write("set timeout=1\nmenuentry 'Linux' {\n linux /boot/vmlinuz-6.0 root=/dev/xvda1 ro\n}\n")
        checks.run("--check, nothing prepared", check, 1, expect_boot(False), "--check", *tree)
        checks.run("--inspect of packaged images", inspect, 0, expect_all("container", "bzimage"), "--inspect", *good)
        checks.run("--prepare, dry run", kernels, 0, expect_all("outcome", "would-prepare"), "--prepare", "-n", *tree)
        checks.run("--prepare", kernels, 0, expect_all("outcome", "prepared"), "--prepare", *tree)
        checks.run("--prepare again", kernels, 0, expect_all("outcome", "already"), "--prepare", *tree)
        checks.run("--list of prepared images", kernels, 0, expect_all("state", "prepared"), "--list", *tree)
        checks.run("--inspect of prepared images", inspect, 0, expect_all("container", "elf"), "--inspect", *good)
        checks.run("--check, all prepared, no initrd", check, 3, expect_boot(True), "--check", *tree)
        checks.run("--restore, dry run", kernels, 0, expect_all("outcome", "would-restore"), "--restore", "-n", *tree)
        checks.run("--restore", kernels, 0, expect_all("outcome", "restored"), "--restore", *tree)
        checks.run("--restore again", kernels, 0, expect_all("outcome", "packaged"), "--restore", *tree)
        for target in good:
            os.truncate(target, os.path.getsize(target) // 2)
        with open(os.path.join(boot, "vmlinuz-0.text"), "wb") as file:
            file.write(b"no kernel, \xff\x1b[31m\n" * 100)
        os.mkdir(os.path.join(boot, "vmlinuz-0.directory"))
        with open(os.path.join(root, "self"), "wb") as file, open(checks.program, "rb") as program:
            file.write(program.read())
        checks.run("--prepare of damaged images", kernels, 1, expect_all("outcome", "failed"), "--prepare", *tree)
        checks.run("--list of damaged images", kernels, 1, expect_all("state", "damaged", "unreadable"), "--list", *tree)
        checks.run("--inspect of damaged images", inspect, 1, expect_all("loadable", "False"), "--inspect", *good)
        checks.run(
            "--inspect of an ELF file that is no kernel",
            inspect,
            0,
            expect_all("loadable", "False"),
            "--inspect",
            os.path.join(root, "self"),
        )
    print(f"1..{checks.count}")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
