#!/usr/bin/env python3
"""What a report of a day or a site says of losses: those of the capture as a whole are told as such, never as
the day's or the site's own.

spans.py HEADRACE
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import Capture, Connection  # noqa: E402

ALL_SITES, BEYOND = "counted for all sites together", "in a time that goes beyond this report's"
WHOLE = "Captures are told as a whole: their numbers are of "
BOTH = "all sites, and of what lies before and after this report's time, too."

# Arguments of the report, losses (kind, count, of all sites, beyond the span), sentences that it has and has not
CASES = [
    ([], {("tls", 2, 0, 0), ("gap", 1, 0, 0)}, [], [WHOLE, ALL_SITES, BEYOND]),
    (["--day", "2023-11-14"], {("tls", 2, 0, 2)}, [WHOLE + "what lies", BEYOND], [ALL_SITES]),
    (["--day", "2023-11-15"], {("tls", 2, 0, 2), ("gap", 1, 0, 0)}, [WHOLE + "what lies", BEYOND], [ALL_SITES]),
    (["--since", "2023-11-14", "--until", "2023-11-16"], {("tls", 2, 0, 0), ("gap", 1, 0, 0)}, [],
     [WHOLE, ALL_SITES, BEYOND]),
    (["--site", "shop.test"], {("tls", 2, 2, 0)}, [WHOLE + "all sites.", ALL_SITES], [BEYOND]),
    (["--site", "blog.test"], {("tls", 2, 2, 0), ("gap", 1, 0, 0)}, [WHOLE + "all sites.", ALL_SITES], [BEYOND]),
    (["--site", "shop.test", "--day", "2023-11-14"], {("tls", 2, 2, 2)}, [WHOLE + BOTH, ALL_SITES, BEYOND], []),
    # Not an exchange of that site on that day: whose the encrypted ones are is not known.
    (["--site", "shop.test", "--day", "2023-11-15"], {("tls", 2, 2, 2)}, [WHOLE + BOTH, ALL_SITES, BEYOND],
     ["Most of this traffic"]),
]


def encrypted(capture, number):
    x = Connection(capture, number, dport=443)
    x.say(0, b"\x16\x03\x01\x00\x60" + bytes(60))
    x.say(1, b"\x16\x03\x03\x00\x23" + bytes(35))


def write(path):
    """An evening of one site and the morning after of another one, with a hole."""
    with open(path, "wb") as f:
        c = Capture(f)
        x = Connection(c, 0)
        x.get("/a")
        encrypted(c, 1)
        x.get("/b")
        c.wait(8 * 3600)
        encrypted(c, 2)
        y = Connection(c, 3, server="192.0.2.2")
        y.get("/c", host="blog.test")
        y.seq[0] += 100
        y.get("/d", host="blog.test")


def run(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise SystemExit("%s: status %d: %s" % (" ".join(command), p.returncode, p.stderr.decode()))
    return p.stdout.decode()


def check(headrace, db, args, losses, has, lacks):
    told = json.loads(run(headrace, "report", "--db", db, "--tz", "UTC", "--format", "json", *args))["losses"]
    told = {(x["kind"], x["count"], x["all_sites"], x["beyond_span"]) for x in told}
    if told != losses:
        yield "the losses are %s, not %s" % (sorted(told), sorted(losses))
    for name in ("text", "md", "html"):
        text = " ".join(run(headrace, "report", "--db", db, "--tz", "UTC", "--format", name, *args).split())
        text = text.replace("&#39;", "'").replace("&#x27;", "'")
        yield from ("%s does not say: %s" % (name, s) for s in has if s not in text)
        yield from ("%s says: %s" % (name, s) for s in lacks if s in text)


def check_ledger(headrace, db):
    """A phone is spared the hours without traffic and loss: of this day all but one."""
    page = run(headrace, "report", "--db", db, "--tz", "UTC", "--format", "html", "--day", "2023-11-15")
    ledger = page.split('<table class="heat ledger">')[1].split("</table>")[0]
    columns = re.findall("<col( class=\"idle\")?>", ledger)
    if len(columns) != 26 or [i for i, idle in enumerate(columns) if not idle] != [0, 1, 8]:
        yield "the ledger's columns are %s" % columns
    if [len(re.findall("<t[hd]", row)) for row in ledger.split("<tr>")[1:]] != [26] * 4:
        yield "the ledger's rows are not as wide as its columns: %s" % ledger


def main():
    headrace, bad = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as folder:
        capture, db = os.path.join(folder, "c.pcap"), os.path.join(folder, "a.db")
        write(capture)
        run(headrace, "audit", "--quiet", "--db", db, "-o", os.path.join(folder, "r.txt"), capture)
        for case in CASES:
            for problem in check(headrace, db, *case):
                print("%s: %s" % (" ".join(case[0]) or "all", problem))
                bad += 1
        for problem in check_ledger(headrace, db):
            print(problem)
            bad += 1
    return 1 if bad else 0


sys.exit(main())
