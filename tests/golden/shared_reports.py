#!/usr/bin/env python3
"""Every labelled capture gives a report in every format: the page is nested well, JSON and SARIF are what their schemas
say. Skipped (77) where the captures are not there.

shared_reports.py HEADRACE FOLDER
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import hostile
import schema

REPORT = os.path.join("src", "report", "report.schema.json")
SARIF = os.path.join("tests", "golden", "sarif.schema.json")


def check(headrace, capture, scratch):
    p = subprocess.run([headrace, "audit", "--quiet", "--format", "html,json,sarif,md,csv,text", "-o", scratch, capture],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        return ["status %d: %s" % (p.returncode, p.stderr.decode())]
    read = {}
    for name in ("html", "json", "sarif", "md"):
        with open(os.path.join(scratch, "report." + name), encoding="utf-8") as f:
            read[name] = f.read()
    with open(os.path.join(scratch, "report.txt"), encoding="utf-8") as f:
        text = f.read()
    document, sarif = json.loads(read["json"]), json.loads(read["sarif"])
    wrong = hostile.check_structure(read["html"])[0] + hostile.check_markdown(read["md"])
    wrong += schema.problems(document, schema.load(REPORT), "report")
    wrong += schema.problems(sarif, schema.load(SARIF), "sarif")
    wrong += ["a span that says nothing: %s" % m for m in re.findall(r".*\b0\.0 m?s\b.*", text)]
    wrong += ["a group of several sessions has one user: %s" % m for m in re.findall(r"^  \S+ of .*", text, re.M)]
    if len(sarif["runs"][0]["results"]) != len(document["findings"]):
        wrong.append("SARIF and JSON differ in the number of findings")
    return wrong


def main():
    headrace, folder = sys.argv[1:3]
    captures = sorted(glob.glob(os.path.join(folder, "*.pcap*")))
    if not captures:
        print("no captures in %s" % folder)
        return 77
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        for capture in captures:
            for line in check(headrace, capture, scratch)[:5]:
                print("%s: %s" % (os.path.basename(capture), line))
                bad += 1
    print("%d captures, %d problems" % (len(captures), bad))
    return 1 if bad else 0


sys.exit(main())
