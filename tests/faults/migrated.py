#!/usr/bin/env python3
"""A migration that is killed at any moment leaves the database as it was or brought up as a whole, with a whole
copy of the old one wherever the copy has its name; the same run again brings it up, and leaves no part of a copy.
The moments are counted, not timed: they are drawn from those of an undisturbed run, some of each phase.

migrated.py HEADRACE CAPGEN MIGRATE KILLER.SO [MOMENTS]   MOMENTS of each phase, and twice as many of the others;
                                                          HEADRACE_SEED chooses others
"""
import glob
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from moments import draw, read_moments  # noqa: E402
from rows import difference, rows  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
DB = "tried.db"
COPY = DB + ".bak-v1"
PHASES = {
    "copying": ("pwrite %s.part*" % COPY, "sync %s.part*" % COPY, "truncate %s.part*" % COPY,
                "unlink %s.part*" % COPY),
    "naming": ("rename %s" % COPY,),
    "keeping the name": ("sync home",),
    "stepping": ("pwrite %s-wal" % DB,),
    "commit": ("step COMMIT", "sync %s-wal" % DB),
    "checkpoint": ("pwrite %s" % DB, "truncate %s" % DB, "sync %s" % DB, "unlink %s-wal" % DB),
}


def fail(kill, text):
    print("seed %d, killed at %s: %s" % (SEED, kill, text))
    sys.exit(1)


def put_back():
    for name in glob.glob(DB + "*"):
        os.unlink(name)
    shutil.copy("before.db", DB)


def migrate(program, library=None, kill=None, count=None):
    env = dict(os.environ)
    if library is not None:
        env.update(LD_PRELOAD=library, HEADRACE_KILL=kill or "")
    if count is not None:
        env["HEADRACE_KILL_COUNT"] = count
    return subprocess.run([program, DB, "key"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)


def version():
    db = sqlite3.connect(DB)
    found, = db.execute("PRAGMA user_version").fetchone()
    sound, = db.execute("PRAGMA integrity_check").fetchone()
    db.close()
    return found, sound


def check(kill, headrace, before, whole):
    """@return whether it is brought up"""
    found, sound = version()
    if sound != "ok":
        fail(kill, "the database is not sound: %s" % sound)
    if found not in (1, 3):
        fail(kill, "its version is %d" % found)
    wrong = difference(rows(DB), before if found == 1 else whole)
    if wrong:
        fail(kill, "of version %d, but %s" % (found, wrong))
    if found == 3 and not os.path.exists(COPY):
        fail(kill, "brought up, without a copy")
    for name in [COPY] if os.path.exists(COPY) else []:
        wrong = difference(rows(name), before)
        if wrong:
            fail(kill, "the copy is another: %s" % wrong)
    for name in ([DB] if found == 1 else []) + [n for n in [COPY] if os.path.exists(n)]:
        p = subprocess.run([headrace, "db", "check", "-q", "--key-file", "key", "--db", name],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        if p.returncode != 0:
            fail(kill, "%s is not sound: %s" % (name, p.stdout.decode()))
    return found == 3


def try_kill(headrace, program, library, kill, before, whole):
    put_back()
    p = migrate(program, library, kill)
    if p.returncode != -signal.SIGKILL:
        fail(kill, "status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace")))
    up = check(kill, headrace, before, whole)
    if not up:
        p = migrate(program)
        if p.returncode != 0:
            fail(kill, "repeated: status %d, %s" % (p.returncode, p.stderr.decode("utf-8", "replace")))
        if not check(kill, headrace, before, whole):
            fail(kill, "repeated, it is not brought up")
    if glob.glob("*.part*"):
        fail(kill, "left %s" % " ".join(glob.glob("*.part*")))
    return up


def main():
    headrace, capgen, program, library = [os.path.abspath(a) for a in sys.argv[1:5]]
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        os.mkdir(os.path.join(scratch, "home"))
        os.chdir(os.path.join(scratch, "home"))
        subprocess.run([capgen, "traffic", "--exchanges", "400", "--seed", "1", "-o", "a.pcap"],
                       stderr=subprocess.DEVNULL, check=True)
        with open("key", "wb") as f:
            f.write(bytes(range(32)))
        os.chmod("key", 0o600)
        subprocess.run([headrace, "audit", "-q", "--key-file", "key", "--db", "before.db", "a.pcap"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = rows("before.db")
        put_back()
        p = migrate(program, library, count="moments")
        whole = rows(DB)
        if p.returncode != 0 or not difference(before, whole):
            fail("nothing", "status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace")))
        for phase, moments in read_moments("moments", PHASES).items():
            if not moments:
                fail("nothing", "no moment is one of %s" % phase)
            drawn = draw(rng, moments, count if phase in PHASES else 2 * count)
            up = sum(try_kill(headrace, program, library, "%d:%s" % (nth, moment), before, whole)
                     for moment, nth in drawn)
            print("%s: %d moments, killed at %d, brought up %d" % (phase, len(moments), len(drawn), up))
        os.chdir("/")
    return 0


sys.exit(main())
