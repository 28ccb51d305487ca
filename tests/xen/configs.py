# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration cases: small GRUB images stand for kernels, so that a guest lasts seconds.

A case is a file of tests/xen/cases or tests/bootcfg/cases:

  # what it is about
  @file PATH          the lines up to the next @ are its text
  @files PATH…        other files: a kernel, or (names with "initrd", and i and j) an initramfs
  @empty PATH…        empty files
  @grubenv PATH A=B|C=D
  @image PATH KIND    a kernel file of a kind of images.py; "fake-32": a 32-bit GRUB; "pvboot": the
                      image that grub-install makes, with its modules
  @layout NAME        of trees.LAYOUTS; else disk
  @loader NAME        of table.py; else bitfolk
  @unknown WHY        pvkprep may say that it cannot tell
  @blind WHY          pvkprep is not shown what decides: a wrong answer is no fault, but is counted
  @second             what follows is on a second disk
  @expect             not ours (what tests/bootcfg expects of the evaluator)

In a case of tests/bootcfg, @unknown is that suite's own; what it expects to be unknown may be so
here, and with a second disk, which --check of a tree is not shown, the answer may be wrong.

What came is compared with what --check said would be started; no case says what that is.
"""
import glob
import os
import re
import shutil

import images
import machine
import plans
import trees

UUIDS = ["11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-aaaaaaaaaaaa"]
LABELS = ["ROOT", "SECOND"]
FAKES = "abcdefgh"
# Directives of tests/bootcfg that no real loader can be told: variables set beforehand, a chosen
# entry, what cannot be known; and another loader's language.
FOREIGN = ("@set ", "@entry ", "@dialect pv-grub")


class Disk:
    def __init__(self):
        self.texts, self.images = {}, {}


class Case:
    def __init__(self, path, foreign=False):
        self.foreign = foreign
        self.name = re.sub(r"[^a-z0-9-]", "-", os.path.basename(path)[:-len(".case")].lower())
        self.disks, self.layout, self.loader = [Disk()], "disk", "bitfolk"
        self.unknown = self.blind = None
        self.about = ""
        self.parse(path)
        if foreign and self.layout == "second":
            self.blind = "the second disk is no part of the tree"

    def parse(self, path):
        current = None
        with open(path, encoding="utf-8", newline="") as lines:
            for line in lines:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "@file":
                    current = rest
                    self.disks[-1].texts[current] = ""
                elif re.match(r"@[a-z]", word):
                    current = None
                    self.directive(word[1:], rest)
                elif current:
                    self.disks[-1].texts[current] += line
                elif self.foreign and line.startswith("end: unknown"):
                    self.unknown = "it is not known to tests/bootcfg either"
                elif word == "#" and not self.about:
                    self.about = rest

    def directive(self, word, rest):
        disk = self.disks[-1]
        if word == "files":
            disk.images.update({name: None for name in rest.split()})
        elif word == "empty":
            disk.texts.update({name: "" for name in rest.split()})
        elif word == "image":
            name, kind = rest.split()
            disk.images[name] = kind
        elif word == "grubenv":
            name, _, values = rest.partition(" ")
            text = "# GRUB Environment Block\n" + values.replace("|", "\n") + "\n"
            disk.texts[name] = text.ljust(1024, "#")
        elif word == "second":
            self.disks.append(Disk())
            self.layout = "second"
        elif word == "unknown" and self.foreign:
            pass
        elif word in ("layout", "loader", "unknown", "blind"):
            setattr(self, word, rest)
        elif word not in ("expect", "dialect", "xen-only", "text-terminal"):
            raise ValueError("%s: @%s" % (self.name, word))


def is_initrd(name):
    return "initrd" in name or os.path.basename(name) in ("i", "j")


class ConfigPlan(plans.Plan):
    limit = 120
    at_once = 4
    per_machine = 90

    def __init__(self, case):
        self.case, self.name, self.guest, self.answer = case, case.name, None, {}
        self.trouble, self.letters = None, {}

    def describe(self):
        return "%-36s %-11s %-7s %s" % (self.name, self.case.loader, self.case.layout, self.case.about)

    def put_image(self, build, tree, number, name, kind, initrd):
        path = tree + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if kind is None and is_initrd(name):
            shutil.copy(initrd, path)
            return
        if kind == "pvboot":
            shutil.copy(build + "/loaders/pvboot", path)
            top = os.path.dirname(os.path.dirname(path))
            shutil.copytree(build + "/loaders/x86_64-xen", top + "/grub/x86_64-xen", dirs_exist_ok=True)
            shutil.copy(build + "/loaders/pvboot", top + "/grub/x86_64-xen/core.elf")
            return
        if kind == "fake-32":
            shutil.copy(build + "/loaders/fake-32", path)
            return
        letter = FAKES[len(self.letters) % len(FAKES)]
        self.letters[number, name] = letter
        with open(build + "/loaders/fake-" + letter, "rb") as fake, open(path, "wb") as out:
            out.write(images.make(kind or "elf", fake.read()))

    def make_tree(self, build, tree, disk, number):
        initrd = trees.Kernel(build, "cloud").initrd
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(tree)
        for name, text in disk.texts.items():
            text = re.sub(r"@UUID@", UUIDS[number], text)
            trees.write(tree + name, text)
        for name, kind in disk.images.items():
            self.put_image(build, tree, number, name, kind, initrd)

    def write_guest(self, tree):
        """A root file system's own files; all that is known of the devices."""
        lines = []
        for part in ("/", "/boot"):
            device = trees.device_of(self.case.layout, part)
            if device:
                lines.append("%s %s ext4 defaults 0 1\n" % (device[0], part))
        # One name for each file system is all that fstab has: the one that the configuration uses.
        texts = "".join(self.case.disks[0].texts.values())
        if re.search(r"--label|search.* -l |search_label", texts):
            lines = ["LABEL=%s / ext4 defaults 0 1\n" % LABELS[0]]
        elif re.search(r"uuid|search.* -u ", texts):
            lines = ["UUID=%s / ext4 defaults 0 1\n" % UUIDS[0]]
        trees.write(tree + "/etc/fstab", "".join(lines))
        trees.write(tree + "/etc/hostname", self.name + "\n")

    def make_disks(self, build, tree, out, pvkprep, profile):
        """The guest's trees, what --check says of the first, and disk images OUT.0, OUT.1 of them."""
        other = None
        for number, disk in enumerate(self.case.disks):
            where = tree + (".other" if number else "")
            self.make_tree(build, where, disk, number)
            other = where if number else None
        self.write_guest(tree)
        self.answer = plans.check(pvkprep, tree, profile)
        self.resolve(tree)
        return trees.make_images(tree, self.name, self.case.layout, out,
                                 other=other, labels=dict(zip(("/", "other"), LABELS)),
                                 uuids=dict(zip(("/", "other"), UUIDS)))

    def make(self, build, out, pool, pvkprep):
        tree = "%s/trees/%s" % (out, self.name)
        disks = self.make_disks(build, tree, "%s/%s" % (pool, self.name), pvkprep,
                                plans.PROFILES[self.case.loader])
        loader = self.case.loader
        if loader == "direct":
            loader = self.name + ".kernel"
            shutil.copy(tree + next(iter(self.case.disks[0].images)), pool + "/" + loader)
        self.guest = machine.Guest(self.name, 64, loader, [os.path.basename(disk) for disk in disks],
                                   "", limit=self.limit)
        shutil.rmtree(tree)
        shutil.rmtree(tree + ".other", ignore_errors=True)

    def resolve(self, tree):
        """Which of the small kernels is predicted: by its path, links followed."""
        boot = self.answer.get("boot")
        self.predicted = None
        if boot:
            wanted = os.path.realpath(tree + boot["kernel"])
            for (number, name), letter in self.letters.items():
                if number == 0 and os.path.realpath(tree + name) == wanted:
                    self.predicted = "fake " + letter
            self.predicted = self.predicted or boot["kernel"]

    def turn_round(self):
        self.predicted = None if self.predicted else "fake a"

    def started(self):
        return self.guest.marker if self.guest.outcome == "up" else None

    def happened(self):
        if self.guest is None or self.guest.outcome in (None, "late"):
            return "not known"
        return self.started() or "nothing"

    def predicts(self):
        """With "unknown" a kernel may be named all the same; it is a guess then."""
        if self.answer.get("verdict") == "unknown" and self.predicted != self.started():
            return "unknown"
        return self.predicted or "nothing"

    def is_judged(self):
        may_be_unknown = self.case.unknown is not None and self.answer.get("verdict") == "unknown"
        return super().is_judged() and not may_be_unknown and self.case.blind is None and \
            self.guest.outcome != "late"

    def agrees(self):
        """The right kernel, or none; and never "boots" without one."""
        if self.answer.get("verdict") == "boots" and not self.started():
            return False
        return self.predicts() == self.happened()

    def faults(self):
        if self.guest.outcome in (None, "late"):
            return ["not run to its end"]
        if self.agrees() or self.case.blind is not None or (
                self.case.unknown is not None and self.predicts() == "unknown"):
            return []
        return ["--check says %s (%s), started was %s" % (
            self.predicts(), self.answer.get("verdict"), self.happened())] + [
                "  %(severity)s %(code)s: %(message)s" % f for f in self.answer.get("findings", [])]

    def summary(self):
        return "%s started in %s s (%s), predicted %s" % (
            self.happened(), self.guest.seconds, self.guest.outcome, self.predicts())

    def result(self):
        return {"name": self.name, "about": self.case.about, "loader": self.case.loader,
                "layout": self.case.layout, "memory": 64, "outcome": self.guest.outcome,
                "seconds": self.guest.seconds, "starts": self.guest.starts,
                "crashes": self.guest.crashes, "happened": self.happened(),
                "predicted": self.predicts(), "agrees": self.agrees(), "faults": self.faults(),
                "check": self.answer}


def read_cases(directory, foreign=False):
    for path in sorted(glob.glob(directory + "/*.case")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if not any(word in text for word in FOREIGN):
            yield ConfigPlan(Case(path, foreign))


class KindCase(Case):
    """A kind of kernel file through a loader: the payload matrix."""

    def __init__(self, kind, loader):
        self.name = "kind-%s-%s" % (re.sub(r"[^a-z0-9-]", "-", kind.replace("+", "-and-")), loader.replace(".", ""))
        self.about = "a kernel file of kind %s through %s" % (kind, loader)
        self.disks, self.layout, self.loader = [Disk()], "disk", loader
        self.unknown = self.blind = None
        self.disks[0].texts["/boot/grub/grub.cfg"] = (
            "set timeout=0\nmenuentry 'A' {\n\tlinux /boot/a root=/dev/xvda ro console=hvc0\n\tinitrd /boot/i\n}\n")
        self.disks[0].images = {"/boot/a": kind, "/boot/i": None}


def kinds():
    for kind in images.KINDS:
        yield ConfigPlan(KindCase(kind, "bitfolk"))
    for loader in ("debian-2.06", "debian-2.12", "direct"):
        for kind in images.KINDS:
            if kind.startswith("bz-") or kind in ("elf", "gzip", "xz", "lz4", "elf-no-entry"):
                yield ConfigPlan(KindCase(kind, loader))


def all_plans(here):
    own = list(read_cases(here + "/cases"))
    theirs = list(read_cases(here + "/../bootcfg/cases", foreign=True))
    for plan in theirs:
        plan.name = "bootcfg-" + plan.name
    return own + list(kinds()) + theirs
