#!/usr/bin/env python3
"""Laws of importing: what the store holds depends on the traffic alone, not on how it was given.

imports.py HEADRACE CAPTURE...

For each capture: a second import changes nothing; parts cut between exchanges, imported one after the
other in any order, and parts cut anywhere but given together, come to the same as the whole file;
times shifted shift the results only.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402

# What depends on how the captures are split, and what names the database's own key.
UNEQUAL = {"id", "capture", "capture_id", "stream", "request_frame", "response_frame", "response_capture",
           "exchange", "frame", "session", "first_frame", "exchanges",
           "granted_frame", "without_frame", "denied_frame", "example_without", "why"}
SEED = int(os.environ.get("HEADRACE_SEED", "1"))


class Failed(Exception):
    pass


def run(headrace, *args):
    p = subprocess.run([headrace, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise Failed("%s: status %d: %s" % (" ".join(args), p.returncode, p.stderr.decode(errors="replace")))
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def plain(record, shift, keep):
    """A record without what may differ; redacted values depend on the database's key."""
    out = {}
    for k, v in record.items():
        if k in UNEQUAL or k == "fingerprint" and not keep:
            continue
        if k == "evidence":
            v = [plain(e, shift, keep) for e in v]
        elif k.endswith("_at") or k == "at":
            v = moved(v, shift)
        elif isinstance(v, str):
            v = redact(v)
        out[k] = v
    return out


def redact(text):
    out, i = "", 0
    while i < len(text):
        if text[i] == "~" and len(text) >= i + 17 and all(c in "0123456789abcdef" for c in text[i + 1:i + 17]):
            out, i = out + "~", i + 17
        else:
            out, i = out + text[i], i + 1
    return out


def nanoseconds(text):
    from datetime import datetime, timezone
    base = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(base.timestamp()) * 10**9 + int(text[20:29])


def moved(text, shift):
    return None if text is None else nanoseconds(text) - shift


def content(headrace, db, shift=0, keep=True):
    """Everything that people can read in a database, in an order that does not depend on row ids.
    Times are moved back by shift; a fingerprint holds a time, so it is left out unless keep."""
    out = []
    for what in ("exchanges", "findings", "sessions", "endpoints"):
        for r in run(headrace, "list", what, "--format", "ndjson", "--db", db):
            p = plain(r, shift, keep)
            if what == "endpoints":
                p = {k: v for k, v in p.items() if not k.startswith("example")}
            if what == "sessions":
                p.pop("name", None)
            out.append(what + " " + json.dumps(p, sort_keys=True))
    return sorted(out)


def same(name, want, got):
    if want == got:
        return
    lost = [x for x in want if x not in set(got)][:3]
    new = [x for x in got if x not in set(want)][:3]
    raise Failed("%s:\n%s\n%s" % (name, "\n".join("  lost " + x for x in lost), "\n".join("  new  " + x for x in new)))


def quiet_moments(headrace, db):
    """Times at which no exchange is open, in ns; one without an answer is, until its connection's end."""
    ends = {x["stream"]: nanoseconds(x["last_at"])
            for x in run(headrace, "list", "streams", "--format", "ndjson", "--db", db)}
    spans = []
    for x in run(headrace, "list", "exchanges", "--format", "ndjson", "--db", db):
        times = [nanoseconds(x[k]) for k in ("request_at", "request_end_at", "response_at", "response_end_at") if x[k]]
        times += [ends[x["stream"]]] if x["state"] != "complete" else []
        spans.append((min(times), max(times)))
    spans.sort()
    end, out = spans[0][1], []
    for a, b in spans:
        if a > end + 2:
            out.append((end + a) // 2)
        end = max(end, b)
    return out


def audit(headrace, db, *captures):
    """One key for all databases of a folder: sessions keep their names."""
    key = os.path.join(os.path.dirname(db), "key")
    if not os.path.exists(key):
        run(headrace, "db", "--quiet", "key", "-o", key)
    run(headrace, "audit", "--quiet", "--format", "ndjson", "--key-file", key, "--db", db, *captures)


def check(headrace, capture, folder):
    link, frames = captool.read(capture)
    frames.sort(key=lambda f: f.at)
    rng = random.Random(SEED)

    def path(name):
        return os.path.join(folder, name)

    def part(name, some):
        captool.write(path(name), link, some)
        return path(name)

    whole = part("whole.pcap", frames)
    audit(headrace, path("whole.db"), whole)
    want = content(headrace, path("whole.db"))
    audit(headrace, path("whole.db"), whole)
    same("a second import", want, content(headrace, path("whole.db")))

    moments = quiet_moments(headrace, path("whole.db"))
    for n, at in enumerate(rng.sample(moments, min(3, len(moments)))):
        a = part("a%d.pcap" % n, [f for f in frames if f.at <= at])
        b = part("b%d.pcap" % n, [f for f in frames if f.at > at])
        for name, order in (("in order", (a, b)), ("the later one first", (b, a))):
            db = path("parts%d%s.db" % (n, name[:2]))
            for p in order:
                audit(headrace, db, p)
            same("cut between exchanges, " + name, want, content(headrace, db))
        audit(headrace, path("both%d.db" % n), b, a)
        same("cut between exchanges, given together", want, content(headrace, path("both%d.db" % n)))

    some = sorted(rng.sample(moments, min(4, len(moments))))
    edges = [frames[0].at - 1] + some + [frames[-1].at]
    pieces = [part("k%d.pcap" % n, [f for f in frames if a < f.at <= b])
              for n, (a, b) in enumerate(zip(edges, edges[1:]))]
    rng.shuffle(pieces)
    for p in pieces:
        audit(headrace, path("pieces.db"), p)
    order = " ".join(os.path.basename(p) for p in pieces)
    same("cut between exchanges, imported as " + order, want, content(headrace, path("pieces.db")))

    cut = rng.randrange(1, len(frames))
    a, b = part("x.pcap", frames[:cut]), part("y.pcap", frames[cut:])
    audit(headrace, path("any.db"), a, b)
    same("cut after frame %d, given together" % cut, want, content(headrace, path("any.db")))

    shift = 86400 * 10**9 + 12345
    later = part("later.pcap", [f._replace(at=f.at + shift) for f in frames])
    audit(headrace, path("later.db"), later)
    same("shifted times", content(headrace, path("whole.db"), keep=False),
         content(headrace, path("later.db"), shift, keep=False))


def main():
    headrace, captures = sys.argv[1], sys.argv[2:]
    bad = 0
    for capture in captures:
        if not os.path.exists(capture):
            print("skipped: %s is missing" % capture)
            sys.exit(77)
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(headrace, capture, folder)
                print("ok     %s" % capture)
            except Failed as e:
                bad += 1
                print("failed %s (HEADRACE_SEED=%d): %s" % (capture, SEED, e))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
