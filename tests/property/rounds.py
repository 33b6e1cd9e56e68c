#!/usr/bin/env python3
"""Live equals offline: what a watch stores, however its rounds fall, is what audit stores for the same frames.

rounds.py HEADRACE ROUNDS FILE_OR_FOLDER... [--one-of N]

Each capture is read in three to ten rounds, a number drawn for each (HEADRACE_SEED), and by audit.
"""
import glob
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402
import sweep  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
UNEQUAL = {"id", "exchange", "capture_id", "evidence"}  # row ids; evidence is compared without them
THINGS = ("findings", "exchanges", "sessions", "endpoints", "streams", "loss")
SITE = "FROM %s t JOIN sites s ON s.id = t.site_id ORDER BY 1, 2, 3, 4"
OF_ENDPOINT = "FROM %s t JOIN endpoints e ON e.id = t.endpoint_id JOIN sites s ON s.id = e.site_id ORDER BY 1, 2, 3, 4"
LEARNED = {  # what no list shows, without row ids
    "decisions": "SELECT s.name, t.what, t.value, t.reason, t.from_profile " + SITE % "decisions",
    "carriers": "SELECT s.name, t.kind, t.name, t.is_session " + SITE % "carriers",
    "login counts": "SELECT s.name, t.quarter, t.outcome, t.has_token, t.logins " + SITE % "login_counts",
    "status": "SELECT s.name, e.method, e.path, t.quarter, t.status, t.exchanges "
              + OF_ENDPOINT.replace("3, 4", "3, 4, 5") % "(SELECT * FROM endpoint_status WHERE exchanges > 0)",
    "often": "SELECT s.name, e.method, e.path, t.quarter, t.sessions " + OF_ENDPOINT % "endpoint_often",
}


def run(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1, 3):  # 3: the capture is cut
        raise SystemExit("seed %d: %s: %s" % (SEED, " ".join(command), p.stderr.decode(errors="replace")))
    return p.stdout.decode()


def rows(headrace, db, thing):
    out = []
    for line in run(headrace, "list", thing, "--db", db, "--format", "ndjson").splitlines():
        r = json.loads(line)
        evidence = [{k: v for k, v in e.items() if k != "exchange"} for e in r.get("evidence", [])]
        out.append(json.dumps([{k: v for k, v in r.items() if k not in UNEQUAL}, evidence], sort_keys=True))
    return sorted(out)


def summed(losses):
    """What is blind is added up by round: the sums count."""
    sums = {}
    for line in losses:
        r = json.loads(line)[0]
        if r["kind"] in ("tls", "http2", "not-http", "undecoded"):
            n = sums.setdefault(r["kind"], [0, 0])
            n[0] += r["bytes"]
            n[1] += r["count"]
        else:
            sums[line] = 1
    return sorted(map(str, sums.items()))


def learned(db, thing):
    c = sqlite3.connect(db)
    out = c.execute(LEARNED[thing]).fetchall()
    c.close()
    return out


def exercised(headrace, db):
    """How often the situation of each rule occurred."""
    report = run(headrace, "report", "--db", db, "--format", "ndjson")
    return [line for line in report.splitlines() if '"type":"exercise"' in line]


def compare(headrace, rounds, capture, frames, scratch):
    key, live, offline = [os.path.join(scratch, n) for n in ("key", "live.db", "offline.db")]
    for db in (live, offline):
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(db + suffix):
                os.remove(db + suffix)
    run(rounds, capture, live, key, str(frames))
    run(headrace, "audit", "--quiet", "--db", offline, "--key-file", key, capture)
    for thing in THINGS:
        a, b = rows(headrace, offline, thing), rows(headrace, live, thing)
        if thing == "loss":
            a, b = summed(a), summed(b)
        if a != b:
            return "%s differ: only audit has %s; only rounds have %s" % (
                thing, sorted(set(a) - set(b))[:3], sorted(set(b) - set(a))[:3])
    for thing in LEARNED:
        a, b = learned(offline, thing), learned(live, thing)
        if a != b:
            return "%s differ: only audit has %s; only rounds have %s" % (
                thing, sorted(set(a) - set(b), key=str)[:3], sorted(set(b) - set(a), key=str)[:3])
    a, b = exercised(headrace, offline), exercised(headrace, live)
    if a != b:
        return "exercised: audit %s; rounds %s" % (sorted(set(a) - set(b))[:4], sorted(set(b) - set(a))[:4])
    if subprocess.run([headrace, "db", "check", "--quiet", "--db", live]).returncode != 0:
        return "the database is not sound"
    return None


def main():
    headrace, rounds = (os.path.abspath(a) for a in sweep.ARGUMENTS[1:3])
    rng = random.Random(SEED)
    captures = []
    for place in sweep.ARGUMENTS[3:]:
        if not os.path.exists(place):
            print("%s is not there: nothing to compare in it" % place)
            return 77
        inside = sweep.share(glob.glob(os.path.join(place, "*.pcap*")))
        captures += inside if os.path.isdir(place) else [place]
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "key"), "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(bytes(rng.randrange(256) for _ in range(32)))
        for capture in captures:
            frames = len(captool.read(capture)[1]) // rng.choice((2, 5, 9)) + 1
            why = compare(headrace, rounds, capture, frames, scratch)
            if why is not None:
                print("seed %d: %s, %d frames a round: %s" % (SEED, os.path.basename(capture), frames, why))
                wrong += 1
    print("%d captures, %d differ" % (len(captures), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
