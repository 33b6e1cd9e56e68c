#!/usr/bin/env python3
"""A run that is killed at any moment leaves no trace of itself: the database is sound, holds what it held
before or all of the import, and the same run again gives what an undisturbed one gives, row by row. The moments
are counted, not timed: they are drawn from those of an undisturbed run, some of each phase.

killed.py HEADRACE CAPGEN KILLER.SO [MOMENTS]   MOMENTS of each phase, and twice as many of the others;
                                                HEADRACE_SEED chooses others
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from moments import draw, read_moments  # noqa: E402
from rows import difference, rows  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
DB = "tried.db"
FILES = [DB + suffix for suffix in ("", "-wal", "-shm", "-journal")]

# What tells a phase: its moments, or with a * their beginnings. Those of no phase are one of their own.
PHASES = {
    "reading": ("read second.pcap",),
    "storing": ("step INSERT OR FAIL INTO exchanges*", "step INSERT OR FAIL INTO token_uses*",
                "step INSERT INTO sessions*", "step INSERT INTO marks*"),
    "writing ahead": ("pwrite tried.db-wal", "pwrite tried.db-journal"),
    "index building": ("step CREATE INDEX*",),
    "analysis": ("step SELECT x.id, x.endpoint_id*", "step DELETE FROM operations*",
                 "step INSERT OR FAIL INTO operations*", "step UPDATE sessions SET order_state*"),
    "rules": ("step WITH*", "step SAVEPOINT findings", "step RELEASE findings",
              "step INSERT OR IGNORE INTO main.rule*"),
    "commit": ("step COMMIT", "sync tried.db-wal", "sync tried.db-journal", "truncate tried.db-journal",
               "unlink tried.db-journal"),
    # A first import is written here, too, and not at a checkpoint only.
    "checkpoint": ("pwrite tried.db", "truncate tried.db", "sync tried.db", "unlink tried.db-wal"),
}


class Tester:
    def __init__(self, headrace, library):
        self.headrace = headrace
        self.library = library

    def audit(self, db, capture, kill=None, count=None):
        env = dict(os.environ)
        if kill is not None or count is not None:
            env["LD_PRELOAD"] = self.library
            env["HEADRACE_KILL"] = kill or ""
        if count is not None:
            env["HEADRACE_KILL_COUNT"] = count
        return subprocess.run([self.headrace, "audit", "-q", "--key-file", "key", "--db", db, capture], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)

    def check(self, db):
        return subprocess.run([self.headrace, "db", "check", "-q", "--key-file", "key", "--db", db],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)


def fail(kill, text):
    print("seed %d, killed at %s: %s" % (SEED, kill, text))
    sys.exit(1)


def put_back(before):
    for name in FILES:
        if os.path.exists(name):
            os.unlink(name)
    if before is not None:
        shutil.copy(before, DB)


def without_empty(tables):
    return {name: found for name, found in tables.items() if found}


def try_kill(t, kill, before, whole):
    """One run that is killed, what it leaves, and the run again. @return whether it came to be killed"""
    put_back(before)
    p = t.audit(DB, "second.pcap", kill)
    if p.returncode not in (-signal.SIGKILL, 0, 1):
        fail(kill, "status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace")))
    have = {}
    if os.path.exists(DB) and os.path.getsize(DB) > 0:
        c = t.check(DB)
        if c.returncode == 0:
            have = without_empty(rows(DB))
        elif before is not None or b"an empty file" not in c.stdout:  # as good as no file
            fail(kill, "the database is not sound: %s" % c.stdout.decode())
    nothing = rows(before) if before is not None else {"meta": have.get("meta", [])}
    if difference(have, without_empty(nothing)) and difference(have, without_empty(whole)):
        fail(kill, "a part of the import is stored: %s" % difference(have, without_empty(nothing)))
    again = t.audit(DB, "second.pcap")
    if again.returncode not in (0, 1):
        fail(kill, "repeated: status %d, %s" % (again.returncode, again.stderr.decode("utf-8", "replace")))
    c = t.check(DB)
    if c.returncode != 0:
        fail(kill, "repeated, the database is not sound: %s" % c.stdout.decode())
    wrong = difference(rows(DB), whole)
    if wrong:
        fail(kill, "repeated, the import is another: %s" % wrong)
    return p.returncode == -signal.SIGKILL


def try_all(t, rng, before, count):
    put_back(before)
    p = t.audit(DB, "second.pcap", count="moments")
    if p.returncode not in (0, 1):
        fail("nothing", "status %d: %s" % (p.returncode, p.stderr.decode()))
    whole = rows(DB)
    put_back(before)
    t.audit(DB, "second.pcap")
    wrong = difference(rows(DB), whole)
    if wrong:
        fail("nothing", "watched, the import is another: %s" % wrong)
    for phase, moments in read_moments("moments", PHASES).items():
        if not moments:
            fail("nothing", "no moment is one of %s" % phase)
        drawn = draw(rng, moments, count if phase in PHASES else 2 * count)
        killed = sum(try_kill(t, "%d:%s" % (nth, moment), before, whole) for moment, nth in drawn)
        print("%s database, %s: %d moments, killed at %d of %d" % ("new" if before is None else "existing", phase,
                                                                    len(moments), killed, len(drawn)))
        # Threads may come to a moment less often than before, but not so all the time.
        if killed * 2 < len(drawn) or killed == 0:
            fail(phase, "only %d of %d runs were killed" % (killed, len(drawn)))


def main():
    headrace, capgen, library = [os.path.abspath(a) for a in sys.argv[1:4]]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name, exchanges in (("first.pcap", "120"), ("second.pcap", "400")):
            subprocess.run([capgen, "traffic", "--exchanges", exchanges, "--seed", exchanges, "-o", name],
                           stderr=subprocess.DEVNULL, check=True)
        with open("key", "wb") as f:
            f.write(bytes(range(32)))
        os.chmod("key", 0o600)
        t = Tester(headrace, library)
        try_all(t, rng, None, count)
        t.audit("before.db", "first.pcap")
        try_all(t, rng, "before.db", count)
        os.chdir("/")
    return 0


sys.exit(main())
