#!/usr/bin/env python3
"""The profile that `profile suggest` prints says what was assumed anyway: an audit with it finds the same.

profiles.py HEADRACE CAPTURE_OR_FOLDER... [--one-of N]
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sweep  # noqa: E402

CAPTURES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz")


def captures_of(arguments):
    for argument in arguments:
        if os.path.isdir(argument):
            for name in sweep.share(n for n in os.listdir(argument) if n.endswith(CAPTURES)):
                yield os.path.join(argument, name)
        elif os.path.exists(argument):
            yield argument


def audit(headrace, capture, *options):
    p = subprocess.run([headrace, "audit", "--quiet", "--format", "ndjson", *options, capture],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError("status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace").strip()))
    found = []
    for line in p.stdout.decode("utf-8").splitlines():
        record = json.loads(line)
        if record.get("rule"):
            found.append((record["at"], record["rule"], record["verdict"], record["site"], str(record["client"]),
                          str(record["target"]), record["summary"]))
        elif record.get("type") == "exercise":
            found.append(("", record.get("slug") or record.get("id") or json.dumps(record, sort_keys=True),
                          str(record.get("exercised")), "", "", "", ""))
    return sorted(found)


def check(headrace, capture, folder):
    profile = os.path.join(folder, "profile.yaml")
    p = subprocess.run([headrace, "profile", "suggest", "--quiet", "-o", profile, capture],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 3):
        return ["profile suggest: status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace").strip())]
    without = audit(headrace, capture)
    given = audit(headrace, capture, "--profile", profile)
    return (["only without it: %s" % " | ".join(x) for x in without if x not in given] +
            ["only with it: %s" % " | ".join(x) for x in given if x not in without])


def main():
    headrace = os.path.abspath(sweep.ARGUMENTS[1])
    count = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for capture in captures_of(sweep.ARGUMENTS[2:]):
            count += 1
            try:
                why = check(headrace, capture, folder)
            except RuntimeError as error:
                why = [str(error)]
            if why:
                bad += 1
                print("%s: the suggested profile changes the findings:\n  %s" %
                      (os.path.basename(capture), "\n  ".join(why[:12])))
    if count == 0:
        print("skipped: there are no captures")
        return 77
    print("%d captures, %d changed by their own profile" % (count, bad))
    return 1 if bad else 0


sys.exit(main())
