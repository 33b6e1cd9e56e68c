#!/usr/bin/env python3
"""What a capture lacks never makes a finding more certain.

deleting.py HEADRACE CUTS CAPTURE|FOLDER...   (HEADRACE_SEED=clock: other cuts each time)

Frames are deleted at random (single ones, runs, a share of all; the beginning or the end of the capture)
and no finding may be `proven` that was not in the whole capture. Each connection keeps at least one frame,
and what goes is not exactly its beginning or its end: nobody could notice that.
"""
import collections
import glob
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402

# Told once of a session and endpoint: the exchange that tells it may be another one of the same story.
OF_SESSION = {"status-flap", "session-shared-by-clients"}
LINK_HEADER = {1: 14, 113: 16, 276: 20}


def connection(link, data):
    """(address, port) of both ends in one order, or None where it is no TCP over IPv4 or IPv6."""
    at = LINK_HEADER.get(link)
    if at is None or len(data) < at + 40:
        return None
    if data[at] >> 4 == 4:
        protocol, tcp = data[at + 9], at + (data[at] & 15) * 4
        ends = data[at + 12:at + 16], data[at + 16:at + 20]
    else:
        protocol, tcp = data[at + 6], at + 40
        ends = data[at + 8:at + 24], data[at + 24:at + 40]
    if protocol != 6 or len(data) < tcp + 4:
        return None
    return tuple(sorted(zip(ends, struct.unpack(">HH", data[tcp:tcp + 4]))))


class Capture:
    def __init__(self, path):
        self.name = os.path.basename(path)
        self.link, self.frames = captool.read(path)
        self.frames.sort(key=lambda f: f.at)
        self.of = [connection(self.link, f.data) for f in self.frames]
        self.by_connection = collections.defaultdict(list)
        for i, c in enumerate(self.of):
            if c is not None:
                self.by_connection[c].append(i)

    def can_be_noticed(self, gone):
        """Drops from `gone` what nobody could notice. Changes and returns it."""
        for frames in self.by_connection.values():
            lost = [i for i in frames if i in gone]
            if not lost:
                continue
            n = len(lost)
            if n == len(frames) or lost == frames[:n] or lost == frames[-n:]:
                gone.difference_update(lost)
        return gone


def kinds_of_cut(rng, capture):
    """(name, frames that are left)"""
    frames, n = capture.frames, len(capture.frames)
    kind = rng.choice(("one", "run", "runs", "share", "connection", "late", "early"))
    if kind in ("late", "early"):
        at = rng.randrange(1, n)
        return "%s %d" % (kind, at), frames[at:] if kind == "late" else frames[:at]
    if kind == "one":
        gone = {rng.randrange(n)}
    elif kind == "share":
        rate = rng.choice((0.002, 0.01, 0.05, 0.2))
        gone = {i for i in range(n) if rng.random() < rate}
    elif kind == "connection":
        some = rng.choice(list(capture.by_connection.values()))
        a, b = sorted(rng.randrange(len(some)) for _ in range(2))
        gone = set(some[a:b + 1])
    else:
        gone = set()
        for _ in range(1 if kind == "run" else rng.randrange(2, 6)):
            at = rng.randrange(n)
            gone.update(range(at, min(n, at + rng.choice((2, 3, 5, 10, 40, 200)))))
    gone = capture.can_be_noticed(gone)
    return "%s (%d frames)" % (kind, len(gone)), [f for i, f in enumerate(frames) if i not in gone]


def proven(headrace, key_file, path):
    """With one key file, equal sessions have equal names."""
    p = subprocess.run([headrace, "audit", "--quiet", "--key-file", key_file, "--format", "ndjson", path],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise SystemExit("status %d: %s" % (p.returncode, p.stderr.decode(errors="replace")))
    findings = (json.loads(line) for line in p.stdout.decode().splitlines())
    return [f for f in findings if f.get("rule") and f["verdict"] == "proven"]


def key(f):
    if f["rule"] in OF_SESSION:
        return (f["rule"], f["site"], f["session"], f["method"], f["target"])
    if f["method"] is None:  # the request is gone, and with it its time and perhaps the site's name
        return (f["rule"], f["client"], f["client_port"])
    return (f["rule"], f["site"], f["client"], f["client_port"], f["at"])


def keys(findings):
    return {key(f) for f in findings} | {(f["rule"], f["client"], f["client_port"]) for f in findings}


def check(headrace, captures, cuts, seed, folder):
    rng = random.Random(seed)
    key_file = os.path.join(folder, "key")
    if not os.path.exists(key_file):
        subprocess.run([headrace, "db", "--quiet", "key", "-o", key_file], check=True)
    cut_file = os.path.join(folder, "cut.pcap")
    bad = firm = 0
    for n in range(cuts):
        capture = captures[n % len(captures)]
        if n < len(captures):
            captool.write(cut_file, capture.link, capture.frames)
            capture.want = keys(proven(headrace, key_file, cut_file))
        name, frames = kinds_of_cut(rng, capture)
        captool.write(cut_file, capture.link, frames)
        got = proven(headrace, key_file, cut_file)
        firm += len(got)
        for f in (f for f in got if key(f) not in capture.want):
            bad += 1
            print("cut %d, %s, %s: %s %s: %s" % (n, capture.name, name, f["at"], f["rule"], f["summary"]))
            keep = os.environ.get("HEADRACE_KEEP")
            if keep:
                captool.write(os.path.join(keep, "cut%d.pcap" % n), capture.link, frames)
    print("%d cuts of %d captures, %d proven findings in them, %d of them new (HEADRACE_SEED=%d)" %
          (cuts, len(captures), firm, bad, seed))
    if firm == 0:
        raise SystemExit("nothing was proven in any of them: this shows nothing")
    return bad


def main():
    headrace, cuts, paths = sys.argv[1], int(sys.argv[2]), []
    for given in sys.argv[3:]:
        if not os.path.exists(given):
            print("skipped: %s is not there" % given)
            return 77
        inside = sorted(glob.glob(os.path.join(given, "*.pcap*")))
        paths += inside if os.path.isdir(given) else [given]
    given = os.environ.get("HEADRACE_SEED", "1")
    seed = time.time_ns() % 10**9 if given == "clock" else int(given)
    with tempfile.TemporaryDirectory() as folder:
        bad = check(headrace, [Capture(p) for p in paths], cuts, seed, folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
