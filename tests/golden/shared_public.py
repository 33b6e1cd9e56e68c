#!/usr/bin/env python3
"""The public captures beside the project: the exchanges are those of the oracle, none is invented, and
nothing crashes. What differs is listed here, each with its reason. Skipped (77) where the folder is
missing.

shared_public.py HEADRACE FOLDER
"""
import json
import os
import subprocess
import sys
import tempfile

# capture: (what may differ, why)
DIFFERENCES = {
    "sv-transform-dotprefix-uaf-8537-input": (
        {"host"}, "frame 4 holds a Host of 4096 bytes, which is told with its first 512; a name has at most 255"),
    "ndpi-ndpi-match-string-subprotocol-error": (
        {"false"}, "frames 1 to 7 are a connection that both sides close (FIN in 5 and 6); 57 minutes later frame 8, "
                   "a SYN with ACK of other numbers, and frame 9 open the next one on the same ports; the second "
                   "POST stands in frame 10, cut by the snap length, which the oracle takes for out of window, as a "
                   "fuzzer changed its numbers, but frame 11 acknowledges it"),
}


def problems(result):
    """What is wrong with a capture: misses, inventions, wrong fields."""
    wrong = {field for field, (right, asked) in result["fields"].items() if right < asked}
    if result["hit"] < result["want"]:
        wrong.add("missed")
    if result["false"] > 0:
        wrong.add("false")
    return wrong


def main():
    headrace, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    script = os.path.join(folder, "compare.py")
    if not os.path.exists(script):
        print("skipped: %s is not there" % script)
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        results = os.path.join(scratch, "results.json")
        p = subprocess.run([sys.executable, "-B", script, "-v", "--json", results, "--run",
                            "%s list exchanges --quiet --format ndjson {file}" % headrace],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = p.stdout.decode("utf-8", "replace")
        with open(results, encoding="utf-8") as f:
            per_capture = json.load(f)["captures"]
    bad = []
    if "crashes/timeouts: 0" not in text:
        bad.append("a crash or a time-out")
    for result in per_capture:
        name = result["id"]
        allowed, reason = DIFFERENCES.get(name, (set(), None))
        found = problems(result)
        bad += ["%s (%s): %s" % (name, result["kind"], what) for what in sorted(found - allowed)]
        if reason is not None:
            bad += ["%s: %s does not differ any more; drop it here" % (name, w) for w in allowed - found]
    if bad:
        print(text)
    for line in bad:
        print(line)
    print("%d captures, %d exchanges" % (len(per_capture), sum(r["hit"] for r in per_capture)))
    return 1 if bad else 0


sys.exit(main())
