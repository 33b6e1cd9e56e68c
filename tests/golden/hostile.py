#!/usr/bin/env python3
"""A capture whose every string is a script, a quote, a formula, Markdown or a control sequence stays text in
every format of a report.

hostile.py HEADRACE CAPGEN SCENARIO
"""
import base64
import csv
import hashlib
import html.parser
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import schema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402

CAPTURE = "x'><b onclick=alert(9)>.pcapng"
TAGS = set("""html head meta link title style body a header nav main section h1 h2 h3 h4 h5 p strong span table caption
    colgroup col thead tbody tr th td dl dt dd div details summary code article time ol ul li pre footer script
    svg rect line path text tspan circle""".split())
VOID = {"meta", "link", "col"}


# What is shown of the comment below.
COMMENT = "<script>alert('c')</script> \\x1b[2J\\xe2\\x80\\xae=1+1 \\xff"


def comment(path):
    """Adds a section that is nothing but a comment."""
    text = b"<script>alert('c')</script>\n\x1b[2J\xe2\x80\xae=1+1\r\n\xff"
    options = struct.pack("<HH", 1, len(text)) + text + bytes(-len(text) % 4) + bytes(4)
    with open(path, "ab") as f:
        f.write(captool.block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options))


class Page(html.parser.HTMLParser):
    """Which elements and attributes there are, and whether they are nested well."""

    def __init__(self):
        super().__init__()
        self.wrong, self.open, self.text, self.ids = [], [], "", []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.wrong.append("an element %s" % tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "src", "srcset", "formaction"):
                self.wrong.append("an attribute %s" % name)
            if name == "href" and not re.match(r"#[a-z-]+$|data:,$", value):
                self.wrong.append("a link to %s" % value)
            if name == "id":
                self.ids.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append("</%s> closes something else" % tag)

    def handle_data(self, data):
        self.text += data if self.open[-1:] != ["script"] else ""


def check_structure(text):
    """What is wrong with the elements of a page, and its text."""
    page = Page()
    page.feed(text)
    page.close()
    wrong = page.wrong + ["%s is not closed" % t for t in page.open]
    wrong += ["two elements of id %s" % i for i in set(page.ids) if page.ids.count(i) > 1]
    if text.count("<script>") != 1 or text.count("<style>") != 1:
        wrong.append("more than one script or style")
    for kind in ("style", "script"):  # the page's policy lets in nothing else
        own = re.search("<%s>(.*?)</%s>" % (kind, kind), text, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        if "%s-src 'sha256-%s'" % (kind, digest) not in text:
            wrong.append("the policy does not let in the page's own %s" % kind)
    return wrong, page.text


def check_page(text):
    wrong, shown = check_structure(text)
    for string in ("<script>alert(document.domain)</script>", "</title></svg><script>alert('u')</script>]]>",
                   "a'><script>alert(1)</script>", CAPTURE, '"onmouseover="alert(2)"/*_`[x](javascript:alert(3))`_*|@all'):
        if string not in shown:
            wrong.append("%s is not shown as text" % string)
    return wrong


def check_markdown(text):
    """No markup from the capture: what is special there stands as a character reference."""
    wrong = []
    own = re.sub(r"</?(details|summary|code)>|<!-- -->", "", text)
    wrong += ["Markdown has %s" % m for m in re.findall(r"<[^ ][^\n]{0,30}", own)]
    wrong += ["Markdown has a link %s" % m for m in re.findall(r"\[[^]]*\]\([^)]*\)|https?://\S+|@\w+", own)]
    return wrong


def check_csv(text, is_report=True):
    if not text.startswith("\ufeff"):
        return ["csv: no byte order mark: a spreadsheet takes it for another coding"]
    text = text[1:]
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if is_report and not text.startswith('"id","rule",'):
        return ["csv: the first line does not show a spreadsheet what separates cells"]
    return ["a spreadsheet would run %s" % c for r in rows for c in r
            if c[:1] in ("=", "+", "@", "\t") or c[:1] == "-" and not c[1:].isdigit()]


def check(headrace, capgen, scenario, scratch):
    def run(*args):
        p = subprocess.run([headrace] + list(args), cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if p.returncode not in (0, 1):
            raise SystemExit("%s ended with %d: %s" % (args, p.returncode, p.stderr.decode()))
        return p.stdout.decode()

    subprocess.run([capgen, "scenario", scenario, "-o", os.path.join(scratch, CAPTURE)], check=True)
    comment(os.path.join(scratch, CAPTURE))
    formats = ("html", "md", "csv", "sarif", "json", "text")
    run("audit", "--quiet", "--db", "h.db", "--format", ",".join(formats), "-o", "reports/", CAPTURE)
    read = {}
    for name in os.listdir(os.path.join(scratch, "reports")):
        with open(os.path.join(scratch, "reports", name), encoding="utf-8", newline="") as f:
            read[name.split(".")[1]] = f.read()
    wrong = check_page(read["html"]) + check_markdown(read["md"]) + check_csv(read["csv"])
    wrong += schema.problems(json.loads(read["sarif"]), schema.load("tests/golden/sarif.schema.json"), "sarif")
    wrong += schema.problems(json.loads(read["json"]), schema.load("src/report/report.schema.json"), "report")
    if len(json.loads(read["json"])["findings"]) < 3:
        wrong.append("there should be three findings at least")
    for name in ("table", "csv", "ndjson"):
        listed = run("list", "captures", "--db", "h.db", "--format", name)
        read["list of captures as %s" % name] = listed.replace("\r\n", "\n")
        if COMMENT not in listed and name == "table":
            wrong.append("the comment is not in the %s of captures: %s" % (name, listed))
        wrong += check_csv("\ufeff" + listed, False) if name == "csv" else []
    for name in read:
        if name in ("csv", "sarif", "json"):
            continue
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", read[name]):
            wrong.append("a control character in %s" % name)
    # The same store and arguments give the same bytes.
    os.environ["SOURCE_DATE_EPOCH"] = "1800000000"
    for folder in ("one/", "two/"):
        run("report", "--db", "h.db", "--format", ",".join(formats), "-o", folder, "--baseline", "2026-03-02", "--tz", "UTC")
    for name in os.listdir(os.path.join(scratch, "one")):
        with open(os.path.join(scratch, "one", name), "rb") as f, open(os.path.join(scratch, "two", name), "rb") as g:
            if f.read() != g.read():
                wrong.append("%s differs from run to run" % name)
    return wrong


def main():
    headrace, capgen, scenario = [os.path.abspath(a) for a in sys.argv[1:4]]
    with tempfile.TemporaryDirectory() as scratch:
        wrong = check(headrace, capgen, scenario, scratch)
    for line in wrong[:40]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
