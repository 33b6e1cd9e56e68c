#!/usr/bin/env python3
"""A run that is killed at any moment leaves no trace of itself: the database is sound, holds what it held
before, and the same run again gives what an undisturbed one gives. One that is interrupted stores and
reports what is whole, with status 130.

killed.py HEADRACE CAPGEN
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
KILLS = 6
UNEQUAL = {"id", "capture_id", "session", "target"}


def listed(headrace, db):
    p = subprocess.run([headrace, "list", "exchanges", "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE,
                       check=True)
    rows = [json.loads(line) for line in p.stdout.decode().splitlines()]
    return sorted(json.dumps({k: v for k, v in r.items() if k not in UNEQUAL}) for r in rows)


def fail(text):
    print("seed %d: %s" % (SEED, text))
    sys.exit(1)


def main():
    headrace, capgen = [os.path.abspath(a) for a in sys.argv[1:3]]
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name, count in (("small.pcap", "500"), ("large.pcap", "6000")):
            subprocess.run([capgen, "traffic", "--exchanges", count, "--seed", count, "-o", name],
                           stderr=subprocess.DEVNULL, check=True)
        subprocess.run([headrace, "audit", "-q", "--db", "before.db", "small.pcap"], stdout=subprocess.DEVNULL)
        before = listed(headrace, "before.db")
        shutil.copy("before.db", "whole.db")
        begun = time.monotonic()
        subprocess.run([headrace, "audit", "-q", "--db", "whole.db", "large.pcap"], stdout=subprocess.DEVNULL)
        lasts = time.monotonic() - begun
        whole = listed(headrace, "whole.db")
        if len(whole) <= len(before):
            fail("the large capture added nothing")
        cut = 0
        for i in range(KILLS):
            db = "killed%d.db" % i
            shutil.copy("before.db", db)
            p = subprocess.Popen([headrace, "audit", "-q", "--db", db, "large.pcap"], stdout=subprocess.DEVNULL)
            time.sleep(lasts * (i + rng.random()) / KILLS)
            p.kill()
            cut += p.wait() == -signal.SIGKILL
            if subprocess.run([headrace, "db", "check", "-q", "--db", db]).returncode != 0:
                fail("after kill %d the database is not sound" % i)
            if listed(headrace, db) not in (before, whole):
                fail("after kill %d the database holds a part of the import" % i)
            subprocess.run([headrace, "audit", "-q", "--db", db, "large.pcap"], stdout=subprocess.DEVNULL)
            if listed(headrace, db) != whole:
                fail("repeated after kill %d, the import is another" % i)
            os.unlink(db)
        if cut == 0:
            fail("no run was killed: they all were too fast")
        kill_first(headrace, rng)
        interrupt(headrace, whole)
        os.chdir("/")
    return 0


def kill_first(headrace, rng):
    """The first import of a database goes straight into the file: killed, it is cut back to nothing."""
    begun = time.monotonic()
    subprocess.run([headrace, "audit", "-q", "--db", "first.db", "large.pcap"], stdout=subprocess.DEVNULL)
    lasts = time.monotonic() - begun
    whole = listed(headrace, "first.db")
    for i in range(KILLS):
        db = "first%d.db" % i
        p = subprocess.Popen([headrace, "audit", "-q", "--db", db, "large.pcap"], stdout=subprocess.DEVNULL)
        time.sleep(lasts * (i + rng.random()) / KILLS)
        p.kill()
        p.wait()
        if os.path.exists(db) and os.path.getsize(db) > 0:
            if subprocess.run([headrace, "db", "check", "-q", "--db", db]).returncode != 0:
                fail("after kill %d of a first import the database is not sound" % i)
            if listed(headrace, db) not in ([], whole):
                fail("after kill %d of a first import the database holds a part of it" % i)
        subprocess.run([headrace, "audit", "-q", "--db", db, "large.pcap"], stdout=subprocess.DEVNULL)
        if listed(headrace, db) != whole:
            fail("repeated after kill %d, the first import is another" % i)


def interrupt(headrace, whole):
    """SIGINT while a pipe still delivers: what came is stored."""
    with open("large.pcap", "rb") as f:
        data = f.read()
    p = subprocess.Popen([headrace, "audit", "-q", "--db", "stopped.db", "--format", "ndjson", "-"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(data[:len(data) // 2])
    p.stdin.flush()
    pipe, p.stdin = p.stdin, None  # stays open
    time.sleep(1)
    p.send_signal(signal.SIGINT)  # while it waits for more, which never comes
    try:
        out = p.communicate(timeout=60)[0].decode()
    except subprocess.TimeoutExpired:
        p.kill()
        fail("interrupted, it goes on waiting for its pipe")
    if p.returncode != 130:
        fail("interrupted, the status is %d" % p.returncode)
    pipe.close()
    summary = json.loads(out.splitlines()[-1])
    if summary["type"] != "summary" or not summary["partial"]:
        fail("interrupted, the report does not say that it is partial")
    stored = len(listed(headrace, "stopped.db"))
    if not 0 < stored < len(whole):
        fail("interrupted, %d of %d exchanges are stored" % (stored, len(whole)))


sys.exit(main())
