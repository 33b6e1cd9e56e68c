#!/usr/bin/env python3
"""A connection that is left out under overload lowers the verdict that it could explain, and no other.

shed.py HEADRACE ROUNDS CAPGEN SCENARIO
"""
import json
import os
import subprocess
import sys
import tempfile


def fail(text):
    print(text)
    sys.exit(1)


def listed(headrace, db, thing):
    p = subprocess.run([headrace, "list", thing, "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def verdicts(headrace, db):
    """By client, of what came after a logout."""
    return {f["client"]: (f["verdict"], f["caveats"]) for f in listed(headrace, db, "findings")
            if f["rule"] == "post-logout-access"}


def main():
    headrace, rounds, capgen, scenario = [os.path.abspath(a) for a in sys.argv[1:5]]
    dave, alice, carol = "198.51.100.6", "198.51.100.7", "198.51.100.9"
    with tempfile.TemporaryDirectory() as scratch:
        capture, key, whole, shed = (os.path.join(scratch, n) for n in ("c.pcap", "key", "whole.db", "shed.db"))
        subprocess.run([capgen, "scenario", scenario, "-o", capture], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([headrace, "db", "key", "--quiet", "-o", key], check=True)
        subprocess.run([rounds, capture, whole, key, "7", "0"], check=True, stdout=subprocess.DEVNULL)
        told = verdicts(headrace, whole)
        if {c: v for c, (v, _) in told.items()} != {dave: "proven", alice: "proven"}:
            fail("with all connections: %s" % told)
        exchanges = listed(headrace, whole, "exchanges")
        logout = [x for x in exchanges if x["client"] == alice and x["role"] == "logout"][0]
        last = [x for x in exchanges if x["client"] == carol][-1]
        subprocess.run([rounds, capture, shed, key, "7", "0", str(logout["response_frame"]), str(last["request_frame"])],
                       check=True, stdout=subprocess.DEVNULL)
        left = verdicts(headrace, shed)
        if left[dave] != told[dave] or left[alice][0] in ("proven", None) or left[alice][1] == told[alice][1]:
            fail("with one connection left out: %s, not %s" % (left, told))
        if len(listed(headrace, shed, "exchanges")) != len(exchanges) - 1:
            fail("another number of exchanges than all but one")
        losses = [x for x in listed(headrace, shed, "loss") if x["kind"] == "shed"]
        if not losses or sum(x["count"] for x in losses) < 5 or not all(x["hides_exchanges"] for x in losses):
            fail("the losses are %s" % losses)
    return 0


if __name__ == "__main__":
    sys.exit(main())
