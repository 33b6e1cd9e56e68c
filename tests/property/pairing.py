#!/usr/bin/env python3
"""Laws of pairing: whatever the network and the capture point do to the frames, no exchange gets a
response that was not its own, none is missing whose own bytes are whole, and correct servers give
no finding.

pairing.py HEADRACE CAPGEN [EXCHANGES]

The generator's truth file says which frames hold the bytes of which exchange. HEADRACE_SEED chooses
other captures.
"""
import json
import os
import subprocess
import sys
import tempfile

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
SEEDS = 3
# A frame counts as reordered when a later one of its connection overtakes it, which about half of
# those chosen meet: so 2 % of the frames here are 1 % in the capture.
FAULTS = {
    "clean": [],
    "1 % reordered": ["--reorder", "2%"],
    "0.1 % lost": ["--loss", "0.1%"],
    "1 % lost": ["--loss", "1%"],
    "5 % lost": ["--loss", "5%"],
    "1 % doubled": ["--duplicate", "1%"],
    "all three": ["--reorder", "2%", "--loss", "0.1%", "--duplicate", "1%"],
    "all three, worse": ["--reorder", "10%", "--loss", "2%", "--duplicate", "10%"],
}
SIZES = ["1000", "5000"]  # bodies of one segment, and of several
SHOWN = 5                 # problems printed of a capture


def run(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise SystemExit("%s: status %d: %s" % (" ".join(command), p.returncode, p.stderr.decode()))
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def owners(truth):
    """frame -> (index of the exchange, part)"""
    out = {}
    for i, x in enumerate(truth):
        for part in ("request", "response"):
            for frame in x[part + "_frames"]:
                out[frame] = (i, part)
    return out


def name(x):
    return "%s %s of %s:%d" % (x["method"], x["target"], x["client"], x["client_port"])


def wrong_pairs(listed, truth, owner):
    """Yields what is said wrongly; fills `answered`: index of truth -> the listed exchange."""
    seen = set()
    for e in listed:
        ends = {}
        for part in ("request", "response"):
            frame = e[part + "_frame"]
            if frame is None:
                continue
            if owner.get(frame, (None, None))[1] != part:
                yield "frame %d holds no %s" % (frame, part)
                continue
            ends[part] = owner[frame][0]
            if (ends[part], part) in seen:
                yield "the %s in frame %d stands in two exchanges" % (part, frame)
            seen.add((ends[part], part))
        if len(ends) == 2 and ends["request"] != ends["response"]:
            yield "%s has the response of %s" % (name(truth[ends["request"]]), name(truth[ends["response"]]))
        if "response" in ends and e["status"] != truth[ends["response"]]["status"]:
            yield "frame %d: status %s" % (e["response_frame"], e["status"])
        if "request" in ends and (e["method"], e["target"]) != (
                truth[ends["request"]]["method"], truth[ends["request"]]["target"]):
            yield "frame %d: %s %s" % (e["request_frame"], e["method"], e["target"])


def missing(listed, truth, in_order):
    times = ["request_at", "response_at"] + (["request_end_at", "response_end_at"] if in_order else [])
    found = {(e["request_frame"], e["response_frame"]): e for e in listed}
    for x in truth:
        if not x["whole"]:
            continue
        e = found.get((min(x["request_frames"], default=None), min(x["response_frames"], default=None)))
        if e is None and not in_order:  # the first byte need not be in the first frame
            e = next((found[q, a] for q in x["request_frames"] for a in x["response_frames"]
                      if (q, a) in found), None)
        if e is None:
            yield "missing: %s, frames %s and %s" % (name(x), x["request_frames"], x["response_frames"])
            continue
        if e["state"] != "complete" or e["loss"] or e["response_bytes"] != x["response_bytes"]:
            yield "%s is %s, loss %s, %s bytes; it is whole with %d" % (
                name(x), e["state"], e["loss"], e["response_bytes"], x["response_bytes"])
        for key in times:
            if e[key] != x.get(key, e[key]):
                yield "%s: %s is %s, was %s" % (name(x), key, e[key], x[key])


def problems(headrace, capture, truth, in_order):
    listed = run(headrace, "list", "exchanges", "--format", "ndjson", capture)
    yield from wrong_pairs(listed, truth, owners(truth))
    yield from missing(listed, truth, in_order)
    for finding in run(headrace, "audit", "--format", "ndjson", capture):
        if "rule" in finding:
            yield "a finding where the servers are correct: %s %s, %s" % (
                finding["verdict"], finding["rule"], finding["summary"])


def main():
    headrace, capgen = sys.argv[1:3]
    exchanges = sys.argv[3] if len(sys.argv) > 3 else "1500"
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        capture, truth_file = os.path.join(folder, "c.pcap"), os.path.join(folder, "truth")
        for fault, options in FAULTS.items():
            for size in SIZES:
                for seed in range(SEED, SEED + SEEDS):
                    subprocess.run([capgen, "traffic", "--exchanges", exchanges, "--connections", "40",
                                    "--size", size, "--seed", str(seed), *options, "-o", capture,
                                    "--truth", truth_file], check=True, stderr=subprocess.DEVNULL)
                    with open(truth_file) as f:
                        truth = [json.loads(line) for line in f]
                    if len(truth) != int(exchanges):
                        raise SystemExit("%d exchanges in the truth file" % len(truth))
                    found = list(problems(headrace, capture, truth, "--reorder" not in options))
                    bad += bool(found)
                    print("%s %s, bodies of about %s bytes, seed %d: %d problems" %
                          ("failed" if found else "ok    ", fault, size, seed, len(found)))
                    for problem in found[:SHOWN]:
                        print("       " + problem)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
