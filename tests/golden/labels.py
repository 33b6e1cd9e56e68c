#!/usr/bin/env python3
"""Findings against labels: each labelled occurrence of the rules there are is found at its exchange,
and nothing else is.

labels.py HEADRACE FOLDER   reads every FOLDER/NAME.json with its capture
"""
import calendar
import glob
import json
import os
import subprocess
import sys
import time

RULES = ("post-logout-access", "missing-set-cookie", "status-flap", "lost-login", "revived-session", "identity-mixup",
         "execution-after-redirect", "unanswered-request")
# A symptom of a session may be told at another of its exchanges: any time of the story will do.
OF_SESSION = {"status-flap", "lost-login"}
SLACK_NS = 1_010_000


def nanoseconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(text[20:29])


def audit(headrace, capture):
    p = subprocess.run([headrace, "audit", "--quiet", "--format", "ndjson", capture], stdout=subprocess.PIPE)
    records = [json.loads(line) for line in p.stdout.decode().splitlines()]
    findings = [r for r in records if r.get("rule")]
    firm = any(f["verdict"] != "suspect" for f in findings)
    if p.returncode != (1 if firm else 0):
        raise SystemExit("%s: status %d with%s a firm finding" % (capture, p.returncode, "" if firm else "out"))
    return findings


def matches(finding, occurrence, slug):
    client = "%s:%d" % (finding["client"], finding["client_port"])
    at = nanoseconds(finding["at"])
    if client == occurrence["client"] and finding["method"] == occurrence["method"] and \
            abs(at - occurrence["request_time"] * 1e9) < SLACK_NS:
        return True
    if slug not in OF_SESSION:
        return False
    times = [at] + [nanoseconds(e["at"]) for e in finding["evidence"] if e["at"]]
    theirs = [occurrence[k] * 1e9 for k in ("request_time", "denied_at", "grant_before", "grant_after")
              if occurrence.get(k)]
    return any(abs(a - b) < SLACK_NS for a in times for b in theirs)


def score(label, findings):
    """Lines that say what is wrong."""
    wrong = []
    entries = {e["symptom"]: e for e in label["expected"]}
    allowed = {e["symptom"] for e in label["allowed"]}
    for slug in RULES:
        left = [f for f in findings if f["rule"] == slug]
        entry = entries.get(slug, {"occurrences": [], "min": 0})
        found = 0
        for o in entry["occurrences"]:
            hit = next((f for f in left if matches(f, o, slug)), None)
            if hit is not None:
                left.remove(hit)
                found += 1
            elif o.get("certain", True) and slug not in OF_SESSION:
                wrong.append("missed %s %s %s %s" % (slug, o["client"], o["method"], o["path"]))
        if found < entry["min"]:
            wrong.append("found %d of %d %s" % (found, entry["min"], slug))
        if slug not in allowed:
            wrong += ["extra  %s %s %s %s" % (slug, f["verdict"], f["at"], f["summary"]) for f in left]
    return wrong


def main():
    headrace, folder = sys.argv[1:3]
    labels = sorted(glob.glob(os.path.join(folder, "*.json")))
    if not labels:
        raise SystemExit("no labels in %s" % folder)
    bad = 0
    for path in labels:
        with open(path) as f:
            label = json.load(f)
        wrong = score(label, audit(headrace, os.path.join(folder, label["capture"])))
        print("%-6s %s" % ("failed" if wrong else "ok", label["capture"]))
        for line in wrong[:20]:
            print("       " + line)
        bad += bool(wrong)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
