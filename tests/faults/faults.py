#!/usr/bin/env python3
"""A run that the system fails (no memory, a disk that is full, reads, writes and syncs that go wrong) says so
and leaves the database sound, with all of the import or with nothing of it; the same run again gives what an
undisturbed one gives, row by row. Of a capture that cannot be read further, what
came before is stored. Interrupted and short reads and writes change nothing at all.

faults.py HEADRACE CAPGEN FAULTS.SO [POINTS]   POINTS of each kind; HEADRACE_SEED chooses others
"""
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from rows import difference, rows  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
KINDS = ("memory", "read", "write", "full", "sync", "name")


class Tester:
    def __init__(self, headrace, library, capture):
        self.headrace = headrace
        self.library = library
        self.capture = capture

    def audit(self, db, fault=None, count=None):
        env = dict(os.environ)
        if fault is not None or count is not None:
            env["LD_PRELOAD"] = self.library
            env["HEADRACE_FAULT"] = fault or ""
        if count is not None:
            env["HEADRACE_FAULT_COUNT"] = count
        return subprocess.run([self.headrace, "audit", "-q", "--key-file", "key", "--db", db, self.capture], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)

    def check(self, db):
        return subprocess.run([self.headrace, "db", "check", "-q", "--key-file", "key", "--db", db],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def fail(fault, text):
    print("seed %d, %s: %s" % (SEED, fault, text))
    sys.exit(1)


def put_back(before, db):
    for suffix in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(db + suffix):
            os.unlink(db + suffix)
    if before is not None:
        shutil.copy(before, db)


def try_fault(t, fault, before, whole):
    """One run under a fault, what it leaves, and the run again."""
    db = "tried.db"
    put_back(before, db)
    p = t.audit(db, fault)
    said = p.stderr.decode("utf-8", "replace")
    if p.returncode < 0 and p.returncode != -signal.SIGABRT or p.returncode == -signal.SIGABRT and "out of memory" not in said:
        fail(fault, "ended by signal %d: %s" % (-p.returncode, said))
    have = {}
    if os.path.exists(db) and os.path.getsize(db) > 0:
        c = t.check(db)
        if c.returncode == 0:
            have = rows(db)
        elif b"an empty file" not in c.stdout:  # left before the first table was made: as good as no file
            fail(fault, "the database is not sound: %s (the run: %d, %s)" % (c.stdout.decode(), p.returncode, said))
    if p.returncode in (0, 1):
        wrong = difference(have, whole)
        if wrong:
            fail(fault, "status %d, but %s" % (p.returncode, wrong))
    elif not said:
        fail(fault, "status %d and not a word" % p.returncode)
    elif p.returncode in (4, -signal.SIGABRT):
        nothing = rows(before) if before is not None else {"meta": have.get("meta", [])}
        if difference({k: v for k, v in have.items() if v}, {k: v for k, v in nothing.items() if v}) and \
                difference(have, whole):
            fail(fault, "a part of the import is stored: %s" % difference(have, nothing))
    elif p.returncode not in (2, 3):
        fail(fault, "status %d: %s" % (p.returncode, said))
    return p.returncode, bool(have) and p.returncode == 3


def repeat(t, fault, whole):
    db = "tried.db"
    p = t.audit(db)
    if p.returncode not in (0, 1):
        fail(fault, "repeated: status %d, %s" % (p.returncode, p.stderr.decode("utf-8", "replace")))
    wrong = difference(rows(db), whole)
    if wrong:
        fail(fault, "repeated, the import is another: %s" % wrong)


def try_all(t, rng, before, points):
    """Faults of each kind all over the run that turns the database before into another one."""
    put_back(before, "whole.db")
    p = t.audit("whole.db", count="counts")
    if p.returncode not in (0, 1):
        fail("none", "status %d: %s" % (p.returncode, p.stderr.decode()))
    whole = rows("whole.db")
    with open("counts") as f:
        counts = {k: int(n) for k, n in (line.split() for line in f)}
    statuses = {}
    for kind in KINDS:
        if counts[kind] == 0:
            fail(kind, "the program makes no such call")
        for i in range(points):
            nth = 1 + int(counts[kind] * (i + rng.random()) / points)
            fault = "%s:%d" % (kind, nth)
            status, partial = try_fault(t, fault, before, whole)
            statuses.setdefault(kind, []).append(status)
            if not partial:  # what a capture gave before it could not be read stays by right
                repeat(t, fault, whole)
    for i in range(points):
        fault = "noise:%d" % (SEED * 1000 + i)
        if try_fault(t, fault, before, whole)[0] not in (0, 1):
            fail(fault, "what is no error was one")
    for kind, seen in statuses.items():
        print("%s: %d calls, ended with %s" % (kind, counts[kind], " ".join(map(str, seen))))


def try_captures(t, rng, before, points):
    """A capture that cannot be read to its end: status 3, its name, and all that a file cut there gives."""
    with open(t.capture, "rb") as f:
        data = f.read()
    for i in range(points):
        size = 24 + int((len(data) - 24) * (i + rng.random()) / points)
        fault = "capture:%d" % size
        put_back(before, "tried.db")
        p = t.audit("tried.db", fault)
        said = p.stderr.decode("utf-8", "replace")
        if p.returncode != 3 or t.capture not in said or os.strerror(errno.EIO) not in said:
            fail(fault, "status %d: %s" % (p.returncode, said))
        c = t.check("tried.db")
        if c.returncode != 0:
            fail(fault, "the database is not sound: %s" % c.stdout.decode())
        with open("cut.pcap", "wb") as f:
            f.write(data[:size])
        put_back(before, "cut.db")
        Tester(t.headrace, t.library, "cut.pcap").audit("cut.db")
        have, want = rows("tried.db"), rows("cut.db")
        for tables in (have, want):
            tables.pop("captures")  # the name, the size and the error
        wrong = difference(have, want)
        if i > 0 and not want["exchanges"]:
            fail(fault, "the part that can be read has no exchanges")
        if wrong:
            fail(fault, "what came before is not what is stored: %s" % wrong)


def main():
    headrace, capgen, library = [os.path.abspath(a) for a in sys.argv[1:4]]
    points = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name, count in (("first.pcap", "120"), ("second.pcap", "160")):
            subprocess.run([capgen, "traffic", "--exchanges", count, "--seed", count, "-o", name],
                           stderr=subprocess.DEVNULL, check=True)
        with open("key", "wb") as f:
            f.write(bytes(range(32)))
        os.chmod("key", 0o600)
        try_all(Tester(headrace, library, "second.pcap"), rng, None, points)
        Tester(headrace, library, "first.pcap").audit("before.db")
        try_all(Tester(headrace, library, "second.pcap"), rng, "before.db", points)
        try_captures(Tester(headrace, library, "second.pcap"), rng, None, max(points, 3))
        try_captures(Tester(headrace, library, "second.pcap"), rng, "before.db", max(points, 3))
        os.chdir("/")
    return 0


sys.exit(main())
