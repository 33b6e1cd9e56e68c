#!/usr/bin/env python3
"""Law: how frames are wrapped is nothing to the evidence. In every link and tunnel the same frames are cut out, and
anonymized they give the same exchanges with none of the secrets; where what wraps them is not known, they
are blanked and that is said.

evidence.py HEADRACE CAPTURE   (Ethernet)
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captool  # noqa: E402
import encapsulations  # noqa: E402

NOT_REWRITTEN = {"TZSP"}  # tags of a mirror may hold anything
SECRET = re.compile(rb"(?i)(?:password|username|sid|session_id)=([\w-]{4,})")
SHOWN = ("request_at", "request_end_at", "response_at", "response_end_at", "method", "status", "request_bytes",
         "response_bytes", "state", "client_port", "server_port")


def run(*args):
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if p.returncode not in (0, 1):
        raise SystemExit("%s: %s" % (args, p.stderr.decode()))
    return p


def exchanges(headrace, path):
    p = run(headrace, "list", "exchanges", "--format", "ndjson", "-q", path)
    return [[x[k] for k in SHOWN] for x in map(json.loads, p.stdout.splitlines())]


def shape(path):
    return [(at, wire, len(data)) for at, wire, data in captool.read(path)[1]]


def main():
    headrace, capture = sys.argv[1:3]
    link, frames = captool.read(capture)
    wrong = []
    want = None
    with tempfile.TemporaryDirectory() as folder:
        path, db, out = (os.path.join(folder, n) for n in ("capture", "db", "out"))
        for name, (number, change) in [("Ethernet", (link, lambda d: d))] + list(encapsulations.LINKS.items()):
            with open(path, "wb") as f:
                f.write(captool.pcap_bytes(number, encapsulations.relink(frames, change)))
            for old in (db, out):
                if os.path.exists(old):
                    os.remove(old)
            run(headrace, "audit", "-q", "--db", db, path)
            found = run(headrace, "list", "findings", "--db", db, "--format", "ndjson").stdout.splitlines()
            ids = [json.loads(line)["id"] for line in found][:3]
            run(headrace, "evidence", "--db", db, "-o", out, *ids)
            raw = open(out, "rb").read()
            cut = shape(out)
            got = exchanges(headrace, out)
            want = want or got
            if got != want or not got:
                wrong.append("%s: %d exchanges, not %d" % (name, len(got), len(want)))
            p = run(headrace, "evidence", "--db", db, "-o", out, "--anonymize", *ids)
            blanked = b"blanked in part" in p.stderr
            if blanked != (name in NOT_REWRITTEN):
                wrong.append("%s: %s" % (name, p.stderr.decode().strip()))
            if shape(out) != cut:
                wrong.append("%s: anonymized, its frames have other times or lengths" % name)
            data = open(out, "rb").read().lower()
            secrets = set(SECRET.findall(raw))
            if not secrets:
                wrong.append("%s: no secret to look for" % name)
            for secret in secrets:
                if secret.lower() in data:
                    wrong.append("%s: %s stands in it" % (name, secret.decode()))
            if not blanked and exchanges(headrace, out) != got:
                wrong.append("%s: anonymized, it has other exchanges" % name)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
