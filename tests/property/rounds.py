#!/usr/bin/env python3
"""Live equals offline: what a watch stores, however its rounds fall, is what audit stores for the same frames.

rounds.py HEADRACE ROUNDS FILE_OR_FOLDER... [--one-of N]

Each capture is read in three to ten rounds, a number drawn for each (HEADRACE_SEED), and by audit: once with
each round judging all that is known, once with glances in all rounds but the first and the last, and once in the
last as well, with what is left done by an audit that brings nothing new.
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
ALWAYS_GLANCE = "1000000"
VERDICTS = ("suspect", "contradiction", "proven")
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


def run(*command, good=(0, 1, 3)):  # 3: the capture is cut
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in good:
        raise SystemExit("seed %d: %s: %s" % (SEED, " ".join(command), p.stderr.decode(errors="replace")))
    return p.stdout.decode()


def rows(headrace, db, thing):
    out = []
    for line in run(headrace, "list", thing, "--db", db, "--format", "ndjson").splitlines():
        r = json.loads(line)
        evidence = [{k: v for k, v in e.items() if k != "exchange"} for e in r.get("evidence", [])]
        out.append(json.dumps([{k: v for k, v in r.items() if k not in UNEQUAL}, evidence], sort_keys=True))
    return sorted(out)


BLIND = ("tls", "http2", "not-http", "undecoded")


def summed(losses):
    """What is blind is added up by round: the sums count."""
    sums = {}
    for line in losses:
        r = json.loads(line)[0]
        if r["kind"] in BLIND:
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


def remove(db):
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(db + suffix):
            os.remove(db + suffix)


def rounds_told(told):
    """How each round looked, and its findings with the rank of their verdicts."""
    out = []
    for line in told.splitlines():
        how, *findings = line.split()
        out.append((how, {f.rsplit(":", 1)[0]: VERDICTS.index(f.rsplit(":", 1)[1]) for f in findings}))
    return out


def compare_glances(glancing, looking):
    """A glance tells later than a look, but nothing else.

    @return what it should not have told, how many were told at glances, and how many of these there were
    """
    known, early, glances = {}, 0, 0
    for number, ((how, got), (_, want)) in enumerate(zip(rounds_told(glancing), rounds_told(looking))):
        wrong = {f: v for f, v in got.items() if v > want.get(f, -1) and v > known.get(f, -1)}
        if wrong:
            return "round %d: told after a %s, but not with all looked at: %s" % (number, how, sorted(wrong)), early, glances
        glances += how == "glance"
        early += len(set(got) - set(known)) if how == "glance" else 0
        known = got
    return None, early, glances


def compare(headrace, live, offline):
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


def check(headrace, rounds, capture, frames, scratch):
    """@return as compare_glances(), and what differs in the end"""
    key, live, offline = [os.path.join(scratch, n) for n in ("key", "live.db", "offline.db")]
    remove(offline)
    run(headrace, "audit", "--quiet", "--db", offline, "--key-file", key, capture)
    told = {}
    shares = ["0", ALWAYS_GLANCE, ALWAYS_GLANCE + "g"]
    if not any('"kind": "%s"' % kind in line for kind in BLIND for line in rows(headrace, offline, "loss")):
        shares.append(ALWAYS_GLANCE + "h")  # else the audit that follows has other sums, and its capture stays
    for share in shares:
        remove(live)
        told[share] = run(rounds, capture, live, key, str(frames), share, good=(0,))
        if share.endswith("h"):
            run(headrace, "audit", "--quiet", "--db", live, "--key-file", key, capture)
        why = compare(headrace, live, offline)
        if why is not None:
            return "share %s: %s" % (share, why), 0, 0
    few, more = (told[s].count("look") for s in (ALWAYS_GLANCE, ALWAYS_GLANCE + "g"))
    if told[ALWAYS_GLANCE].count("glance") > 3 and more <= few:
        return "what is new does not make for more looks: %d and %d" % (few, more), 0, 0
    return compare_glances(told[ALWAYS_GLANCE], told["0"])


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
    wrong = early = glances = 0
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "key"), "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(bytes(rng.randrange(256) for _ in range(32)))
        for capture in captures:
            frames = len(captool.read(capture)[1]) // rng.choice((2, 5, 9)) + 1
            why, found, looks = check(headrace, rounds, capture, frames, scratch)
            early += found
            glances += looks
            if why is not None:
                print("seed %d: %s, %d frames a round: %s" % (SEED, os.path.basename(capture), frames, why))
                wrong += 1
    print("%d captures, %d differ; %d findings at %d glances" % (len(captures), wrong, early, glances))
    return 1 if wrong or (early == 0 and glances > 2) else 0


if __name__ == "__main__":
    sys.exit(main())
