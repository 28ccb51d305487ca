# SPDX-License-Identifier: GPL-2.0-or-later
"""A Xen machine under QEMU's software emulation, and the PV guests that it runs.

QEMU starts Xen as a multiboot kernel, Xen a dom0 of one initramfs (dom0/init), which takes orders
and relays the guests' consoles over a virtio port: QEMU's standard input and output. All that the
guests need lies as files on one ext4 disk. Policy is here, dom0 decides nothing.
"""
import base64
import ctypes
import glob
import os
import re
import select
import signal
import struct
import subprocess
import time

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x00-\x08\x0e-\x1f]")
USUAL_START = 10.0  # seconds until dom0 is ready on two idle cores; all patience is scaled by it


def clean(raw):
    """A console's text without what moves the cursor, one blank for each run of them."""
    return re.sub(r" {2,}", " ", ESCAPES.sub(" ", raw.decode("utf-8", "replace")))


def ask_for_short_slices(pid):
    """pvgrub reads 4 KiB at a time and waits for each, so that dom0 and guest take turns thousands of
    times a second. On a busy machine each turn waits for the others' time slices; threads that ask for
    short ones wait less, and get no more in all (Linux 6.12 and later; elsewhere nothing happens)."""
    sched_setattr, size, nanoseconds = 314, 56, 100000
    for task in glob.glob("/proc/%d/task/*" % pid):
        thread = int(os.path.basename(task))
        try:
            nice = os.getpriority(os.PRIO_PROCESS, thread)
        except ProcessLookupError:
            continue
        attributes = struct.pack("<IIQiIQQQII", size, 0, 0, nice, 0, nanoseconds, 0, 0, 0, 0)
        LIBC.syscall(sched_setattr, thread, attributes, 0)


class FairClock:
    """Seconds as QEMU had them: when its threads got a third of the processor time that they wanted,
    a second counts a third. Silence on a busy machine means nothing."""

    def __init__(self, pid):
        self.pid, self.seconds, self.last, self.seen = pid, 0.0, time.monotonic(), {}

    def share(self):
        """Of the time since the last call in which a thread wanted to run, the part in which it did;
        by the first two numbers of its schedstat: nanoseconds run, nanoseconds waited."""
        ran = waited = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.pid):
            try:
                with open(path, encoding="ascii") as file:
                    numbers = [int(word) for word in file.read().split()[:2]]
            except (OSError, ValueError):
                continue
            before = self.seen.get(path, (0, 0))
            self.seen[path] = numbers
            ran += numbers[0] - before[0]
            waited += numbers[1] - before[1]
        return ran / (ran + waited) if ran else 1.0

    def now(self):
        now = time.monotonic()
        if now - self.last > 0.2:
            self.seconds += (now - self.last) * self.share()
            self.last = now
        return self.seconds


class Guest:
    """One start of a guest.

    `stop_at` is a pattern that ends it at once (a refusal after which nothing but waiting comes).
    Without one it ends when it says that it is up, when it is gone, when its console has been
    silent for long, or at its time limit.
    """

    order = "start"

    def __init__(self, name, memory, kernel, disks, cmdline="", stop_at=None, limit=150):
        self.name, self.memory, self.kernel, self.disks = name, memory, kernel, disks
        self.cmdline, self.limit, self.starts, self.crashes = cmdline, limit, 0, []
        self.stop_at = re.compile(stop_at) if stop_at else None
        self.forget()

    def forget(self):
        self.raw, self.outcome, self.marker, self.gone, self.reboots = b"", None, None, False, 0
        # On the fair clock, but for the time that is reported.
        self.began = self.heard = self.ended = self.started = self.seconds = None

    def crash(self):
        """Where a Linux that was started crashed, if it came so far as to say it; or None."""
        if self.outcome not in ("gone", "waits", "silent"):
            return None
        if self.outcome == "gone" and not self.console.strip():
            return "before its first word"
        where = re.search(r"RIP: \w+:(\S+)", self.console) or re.search(
            r"(Kernel panic[^\n]{0,80}|general protection fault|BUG:[^\n]{0,80}|Oops)", self.console)
        return where and where[1].strip()

    def crashes_alike(self):
        """The place in which it crashed more than once."""
        return next((place for place in self.crashes if self.crashes.count(place) > 1), None)

    @property
    def console(self):
        return clean(self.raw)

    def judge(self, now, patience):
        """What has become of it, or None while that is open."""
        text = self.console
        up = re.search(r"GUEST-UP (fake \w|[\w.-]+)", text)
        if up:
            self.marker = up[1]
            return "up"
        if "GUEST-LOST" in text:
            return "lost"
        if self.gone:
            return "gone"
        if self.stop_at and self.stop_at.search(text):
            return "refused"
        # A menu that counts down is not silent; one that does not waits for a key, and for ever.
        latest = re.split(r"Booting |Falling back|GUEST-UP|PVGRUB", text)[-1]
        if "both default and fallback entries" in latest:
            return "waits"
        at_menu = "keys to select which" in latest or "grub>" in latest
        if now - self.heard > (9 if at_menu else 40) * patience:
            return "waits"
        if now - self.began > self.limit * patience:
            return "late"
        return None


class Machine:
    """`consoles` is a directory; there a guest's console can be watched while it runs."""

    def __init__(self, parts, pool, out, consoles, memory=2048, dom0_memory=768, log=lambda text: None):
        self.log, self.patience, self.guests, self.buffer = log, 1.0, {}, b""
        self.consoles = consoles
        self.versions = self.ready = None
        os.makedirs(out, exist_ok=True)
        command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512", "-machine", "pc",
            "-cpu", "qemu64", "-smp", "2", "-m", str(memory), "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-monitor", "none",
            "-serial", "file:" + os.path.join(out, "xen.log"),
            "-kernel", parts + "/xen", "-append",
            "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning "
            "dom0_mem=%dM,max:%dM dom0_max_vcpus=1 dom0_vcpus_pin" % (dom0_memory, dom0_memory),
            "-initrd", "%s console=hvc0 quiet panic=1 rdinit=/init,%s" % (
                parts + "/vmlinux", parts + "/initrd"),
            "-drive", "if=none,id=pool,format=raw,file=%s,snapshot=on,cache=unsafe" % pool,
            "-device", "virtio-blk-pci,drive=pool",
            "-chardev", "stdio,id=orders,signal=off", "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=orders",
        ]
        self.started = time.monotonic()
        # A process group of its own, and its death with ours: nothing is left behind.
        self.qemu = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(os.path.join(out, "qemu.log"), "wb"), start_new_session=True,
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        os.set_blocking(self.qemu.stdout.fileno(), False)
        self.clock = FairClock(self.qemu.pid)

    def close(self):
        if self.qemu.poll() is None:
            try:
                os.killpg(self.qemu.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.qemu.wait()

    def order(self, *words):
        self.qemu.stdin.write((" ".join(words) + "\n").encode())
        self.qemu.stdin.flush()

    def listen(self, seconds):
        """Takes in what dom0 says, for at most so long. False when the machine has ended."""
        if not select.select([self.qemu.stdout], [], [], seconds)[0]:
            return True
        data = self.qemu.stdout.read(65536)
        if not data:
            return False
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.take(line.decode("ascii", "replace").strip())
        return True

    def take(self, line):
        word, _, rest = line.partition(" ")
        if word == "@ready":
            self.versions, self.ready = rest, time.monotonic() - self.started
            ask_for_short_slices(self.qemu.pid)
            self.patience = max(1.0, self.clock.now() / USUAL_START)
            return
        name, _, rest = rest.partition(" ")
        guest = self.guests.get(name)
        if word == "@dead":
            self.log("dom0: " + line)
        elif guest is None or (guest.ended is not None and word != "@stopped"):
            return
        elif word == "@out":
            self.hear(guest, base64.b64decode(rest))
            guest.heard = self.clock.now()
        elif word == "@started":
            guest.began = guest.heard = self.clock.now()
            guest.started = time.monotonic()
        elif word == "@failed":
            self.hear(guest, ("xl: %s\n" % rest).encode())
            guest.outcome = "rejected"
        elif word == "@rebooted":
            guest.reboots += 1
        elif word == "@gone":
            guest.gone = True
        elif word == "@stopped":
            del self.guests[name]

    def hear(self, guest, data):
        guest.raw += data
        with open("%s/%s" % (self.consoles, guest.name), "ab") as file:
            file.write(data)

    def wait_ready(self, limit):
        while self.ready is None:
            if not self.listen(1.0) or time.monotonic() - self.started > limit:
                return False
        return True

    def begin(self, guest):
        guest.forget()
        guest.starts += 1
        guest.began = guest.heard = self.clock.now()
        guest.started = time.monotonic()
        self.guests[guest.name] = guest
        self.order(guest.order, guest.name, str(guest.memory), guest.kernel, ",".join(guest.disks),
                   guest.cmdline)

    def is_for_another_try(self, guest):
        """QEMU's emulation makes a Linux that is in order crash now and then (a fault at iretq in
        do_sync_core was seen). What is wrong with a kernel itself crashes each time, and alike."""
        place = guest.crash()
        if not place:
            return False
        guest.crashes.append(place)
        self.log("CRASH %d of %s: %s" % (len(guest.crashes), guest.name, place))
        if guest.starts == 3:
            return False
        kept = "%s/%s" % (self.consoles, guest.name)
        if os.path.exists(kept):
            os.replace(kept, "%s.crash-%d" % (kept, guest.starts))
        return True

    def run(self, guests, at_once, limit, done):
        """Runs them all, `at_once` together; done(guest) for each. False when time ran out."""
        waiting = list(guests)
        while waiting or self.guests:
            now = time.monotonic()
            if now - self.started > limit or self.qemu.poll() is not None:
                return False
            for guest in list(waiting):
                if len(self.guests) < at_once and guest.name not in self.guests:
                    waiting.remove(guest)
                    self.begin(guest)
            if not self.listen(0.5):
                return False
            now = self.clock.now()
            for guest in list(self.guests.values()):
                if guest.ended is None:
                    guest.outcome = guest.outcome or guest.judge(now, self.patience)
                    if guest.outcome:
                        guest.ended = now
                        guest.seconds = round(time.monotonic() - guest.started, 1)
                        self.order("stop", guest.name)
                        if self.is_for_another_try(guest):
                            waiting.append(guest)
                        else:
                            done(guest)
        return True

    def off(self):
        try:
            self.order("off")
            self.qemu.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.close()
