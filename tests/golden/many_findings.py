#!/usr/bin/env python3
"""A database of a thousand findings: each format of its report takes less than two seconds of a processor, and the
page shows the first few of each problem, not a thousand pictures.

many_findings.py HEADRACE [FINDINGS]    FINDINGS: that many instead, and prints what each format took
"""
import json
import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import Capture, Connection  # noqa: E402

FORMATS = ("html", "md", "text", "json", "ndjson", "sarif", "csv")
SECONDS = 2.0
PAGES = 40


def write_capture(path, findings):
    """Sessions that are served once more after their logout, spread over pages of a site."""
    with open(path, "wb") as out:
        c = Capture(out)
        for page in range(PAGES):
            Connection(c, page).get("/page%d" % page, status=401)
        for i in range(findings):
            c.wait(1)
            x = Connection(c, PAGES + i)
            sid = "%032x" % (0x9e3779b97f4a7c15f39cc0605cedc834 * (i + 1) % 2**128)
            x.login("user%d" % (i % 50), sid)
            x.get("/page%d" % (i % PAGES), sid)
            x.logout(sid)
            x.get("/page%d" % (i % PAGES), sid)


def cost(argv):
    """@return seconds of a processor"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    headrace = os.path.abspath(sys.argv[1])
    findings = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with open(headrace, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        capture, db = os.path.join(scratch, "many.pcap"), os.path.join(scratch, "many.db")
        write_capture(capture, findings)
        subprocess.run([headrace, "audit", "-q", "--db", db, "-o", os.path.join(scratch, "audit.json"), capture],
                       check=False)
        with open(os.path.join(scratch, "audit.json"), encoding="utf-8") as f:
            found = len(json.load(f)["findings"])
        if found < findings:
            wrong.append("%d findings, there should be %d" % (found, findings))
        for name in FORMATS:
            path = os.path.join(scratch, "report." + name)
            took = cost([headrace, "report", "--db", db, "--format", name, "-o", path])
            if len(sys.argv) > 2:
                print("%d findings as %s: %.2f s, %.1f MB" % (found, name, took, os.path.getsize(path) / 1e6))
            elif took > SECONDS and not is_sanitized:
                wrong.append("%s took %.1f s" % (name, took))
        with open(os.path.join(scratch, "report.html"), encoding="utf-8") as f:
            page = f.read()
        pictures = page.count('<svg class="timeline"')
        if not 2 * PAGES <= pictures <= 8 * PAGES:  # each is there for a page and for a phone
            wrong.append("%d pictures of %d problems" % (pictures, PAGES))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
