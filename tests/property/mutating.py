#!/usr/bin/env python3
"""What another site would have called its things, and how it would have said the same, changes no finding.

mutating.py HEADRACE TRIALS FOLDER...   (HEADRACE_SEED=clock: others each time; HEADRACE_KEEP=DIR keeps what fails)

Each FOLDER has captures with labels, and may have a score.py of its own. Each trial takes a capture, changes it in some of
the ways of mutations.py, and compares the findings with the label, changed alike; every fourth puts three sites into one
capture. --ways A,B: these ways alone, each capture of the folders once.
"""
import collections
import glob
import importlib.util
import ipaddress
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import captool  # noqa: E402
import mutations  # noqa: E402
import reconnect  # noqa: E402
import sites  # noqa: E402
from traffic import Traffic  # noqa: E402

LARGEST_BYTES = 2000000  # of a capture: more takes long and shows no more


def loaded(path):
    spec = importlib.util.spec_from_file_location("scoring_" + re.sub(r"\W", "_", path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Folder:
    """labels: [path]; wrong(label, records): what the folder's own scoring says."""

    def __init__(self, path):
        own = os.path.join(path, "score.py")
        self.own = loaded(own) if os.path.exists(own) else None
        self.plain = loaded(os.path.join(HERE, "..", "golden", "labels.py"))
        self.labels = [p for p in sorted(glob.glob(os.path.join(path, "*.json"))) if os.path.getsize(capture_of(p)[0]) < LARGEST_BYTES]

    def wrong(self, label, records):
        if self.own is None:
            known = {e["symptom"] for e in label["expected"] + label["allowed"]} | set(self.plain.RULES)
            return [w.replace("found ", "missed ") if w.startswith("found ") else w for w in self.plain.score(label, records)] + \
                ["extra  %s %s %s %s" % (f["rule"], f["verdict"], f["at"], f["summary"]) for f in records if f["rule"] not in known]
        return self.own.score(label, [self.own.Finding(r) for r in records])[1]


def capture_of(path):
    with open(path) as f:
        label = json.load(f)
    return os.path.join(os.path.dirname(path), label.get("pcap") or label["capture"]), label


def audit(headrace, capture):
    p = subprocess.run([headrace, "audit", "--quiet", "--format", "ndjson", capture], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise SystemExit("%s: status %d: %s" % (capture, p.returncode, p.stderr.decode(errors="replace")))
    records = [json.loads(line) for line in p.stdout.decode().splitlines()]
    for r in records:
        if r.get("target"):
            r["target"] = re.sub(r";\w+=[^/?]*", "", r["target"])
    return [r for r in records if r.get("rule")]


def changed(path, ways, rng):
    """@return traffic, the ways that applied"""
    capture, label = capture_of(path)
    traffic, done = Traffic(capture, label), []
    for way in sorted(ways, key=list(mutations.ALL).index):
        if mutations.fits(way, os.path.basename(path)) and mutations.ALL[way](traffic, rng) is not False:
            done.append(way)
    return traffic, done


def judged(folder, path, traffic, done, records):
    return ["%s as %s: %s" % (os.path.basename(path)[:-5], "+".join(done), w) for w in folder.wrong(traffic.label, records)
            if not (w.startswith("missed") and mutations.may_miss(done, os.path.basename(path)))]


def alone(headrace, folder, path, ways, rng, scratch):
    traffic, done = changed(path, ways, rng)
    captool.write(scratch, traffic.link, traffic.made())
    return done, judged(folder, path, traffic, done, audit(headrace, scratch))


def beside(headrace, chosen, rng, scratch):
    """Several sites in one capture, each with names and addresses of its own. chosen: [(folder, path)]"""
    parts, frames, all_done = [], [], []
    for i, (folder, path) in enumerate(chosen):
        ways = [w for w in rng.sample(sorted(mutations.ALL), rng.choice((0, 2, 5))) if w not in ("slow", "fast", "host_name")]
        traffic, done = changed(path, ways, rng)
        hosts = sites.rehost(traffic, i + 1)
        start = sites.start(traffic)
        reconnect.on_time(traffic, start, 1, 1795380000 * 10**9 - start + rng.randrange(2 * 10**9))
        sites.readdress(traffic, 10 + i, rng.choice((None, 80, 8080)))
        frames += traffic.made()
        parts.append((folder, path, traffic, done, hosts))
        all_done += done
    captool.write(scratch, parts[0][2].link, sorted(frames, key=lambda f: f.at))
    records, bad = audit(headrace, scratch), []
    for i, (folder, path, traffic, done, hosts) in enumerate(parts):
        networks = [ipaddress.ip_network(n % (10 + i)) for n in ("10.%d.0.0/16", "2001:db8:%x::/48")]
        mine = [r for r in records if r["site"] in hosts or r["client"] and any(ipaddress.ip_address(r["client"]) in n for n in networks)]
        records = [r for r in records if r not in mine]
        bad += ["beside others, " + w for w in judged(folder, path, traffic, done, mine)]
    return all_done, bad + ["extra, of no site: %s %s" % (r["rule"], r["summary"]) for r in records]


def trials(headrace, folders, count, seed, scratch, only):
    """@return per way, how often it was tried and how often something was wrong; what was"""
    everything = [(f, p) for f in folders for p in f.labels]
    ethernet = [x for x in everything if captool.read(capture_of(x[1])[0])[0] == 1]
    tried, failed, lines = collections.Counter(), collections.Counter(), []
    for n in range(len(everything) if only else count):
        rng = random.Random("%d %d" % (seed, n))
        folder, path = everything[n] if only else rng.choice(everything)
        if n % 4 == 3 and not only and len(ethernet) >= 3:
            done, bad = beside(headrace, rng.sample(ethernet, 3), rng, scratch)
        else:
            ways = only or rng.sample(sorted(mutations.ALL), rng.choice((1, 2, 4, 8, 12)))
            done, bad = alone(headrace, folder, path, ways, rng, scratch)
        tried.update(done)
        failed.update(done if bad else ())
        lines += ["trial %d: %s" % (n, w) for w in bad[:6]] + (["  and %d more" % (len(bad) - 6)] if len(bad) > 6 else [])
        if bad and os.environ.get("HEADRACE_KEEP"):
            os.replace(scratch, os.path.join(os.environ["HEADRACE_KEEP"], "trial%d.pcap" % n))
    return tried, failed, lines


def main():
    headrace, count, paths, only = os.path.abspath(sys.argv[1]), int(sys.argv[2]), sys.argv[3:], None
    if "--ways" in paths:
        at = paths.index("--ways")
        only, paths = paths[at + 1].split(","), paths[:at] + paths[at + 2:]
    for path in paths:
        if not os.path.exists(path):
            print("skipped: %s is not there" % path)
            return 77
    given = os.environ.get("HEADRACE_SEED", "1")
    seed = time.time_ns() % 10**9 if given == "clock" else int(given)
    with tempfile.TemporaryDirectory() as scratch:
        tried, failed, lines = trials(headrace, [Folder(p) for p in paths], count, seed, os.path.join(scratch, "changed.pcap"), only)
    print("\n".join(lines))
    print("%-24s %6s %6s" % ("way", "tried", "wrong"))
    for way in mutations.ALL:
        print("%-24s %6d %6d" % (way, tried[way], failed[way]))
    print("HEADRACE_SEED=%d" % seed)
    if not tried:
        raise SystemExit("nothing was changed: this shows nothing")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
