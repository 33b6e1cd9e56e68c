#!/usr/bin/env python3
"""Contracts: every line of NDJSON is one object that its JSON Schema describes, with the keys in the
schema's order; CSV has the same columns; only findings have the key `rule`; every schema is met.

contracts.py HEADRACE CAPGEN CAPTURE...   (and a generated capture with losses)
"""
import collections
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

import schema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402

THINGS = {"findings": "finding", "exchanges": "exchange", "sessions": "session", "streams": "stream",
          "endpoints": "endpoint", "captures": "capture", "loss": "loss"}
LIVE = {"loss_alert"}  # of interfaces: tests/live


def run(*args, env=None):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    if p.returncode not in (0, 1):
        raise SystemExit("%s ended with %d: %s" % (" ".join(args), p.returncode, p.stderr.decode()))
    return p.stdout.decode("utf-8")


def check(line, schemas, expected_type, seen):
    record = json.loads(line)
    is_finding = "rule" in record
    if is_finding == ("type" in record):
        return ["exactly one of `rule` and `type` must be there: " + line]
    kind = ("alert" if "update" in record else "finding") if is_finding else record["type"]
    if expected_type not in (None, kind):
        return ["%s where %s is listed" % (kind, expected_type)]
    if kind not in schemas:
        return ["no schema for %s" % kind]
    seen.add(kind)
    wrong = schema.problems(record, schemas[kind], kind)
    if list(record) != list(schemas[kind]["properties"]):
        wrong.append("%s: the keys are %s" % (kind, ", ".join(record)))
    return wrong


def check_csv(text, properties):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    columns = [k for k in properties if k not in ("schema", "type")]
    wrong = [] if rows[0] == columns else ["the columns are %s" % ",".join(rows[0])]
    wrong += ["%d cells in a row of CSV" % len(r) for r in rows if len(r) != len(columns)]
    wrong += ["a spreadsheet would run %s" % c for r in rows[1:] for c in r
              if c[:1] in ("=", "+", "@", "\t") or c[:1] == "-" and not c[1:].isdigit()]
    return wrong


def check_document(headrace, capture, schemas, seen):
    """The same report as one document of JSON, and as SARIF, compared with one that has other problems."""
    with tempfile.TemporaryDirectory() as scratch:
        old = os.path.join(scratch, "old.json")
        formats = {"json": os.path.join(scratch, "r.json"), "sarif": os.path.join(scratch, "r.sarif")}
        run(headrace, "audit", "--quiet", "-o", old, capture)
        with open(old, encoding="utf-8") as f:
            document = json.load(f)
        wrong = schema.problems(document, schemas["report"], "report")
        for i, finding in enumerate(document["findings"]):
            finding["group"] = "%032x" % i if i % 2 else finding["group"]
        with open(old, "w", encoding="utf-8") as f:
            json.dump(document, f)
        run(headrace, "audit", "--quiet", "--baseline", old, "--format", "json,sarif", "-o", formats["json"],
            "-o", formats["sarif"], capture)
        read = {}
        for name, path in formats.items():
            with open(path, encoding="utf-8") as f:
                read[name] = json.load(f)
    wrong += schema.problems(read["json"], schemas["report"], "report")
    wrong += schema.problems(read["sarif"], schema.load(os.path.join("tests", "golden", "sarif.schema.json")), "sarif")
    results = read["sarif"]["runs"][0]["results"]
    states = collections.Counter(r["baselineState"] for r in results)
    if states["absent"] != len(read["json"]["gone"]) or states["new"] != read["json"]["summary"]["new"]:
        wrong.append("SARIF and JSON do not agree on what is new and gone")
    seen.update(["report"] + ["gone"] * (len(read["json"]["gone"]) > 0))
    return wrong


def check_behind(headrace, capture):
    """What was not judged as a whole is told in every format, and of the span that it is of alone."""
    def says(text):
        return "judged as a whole" in " ".join(text.split()) or '"behind":true' in text

    with tempfile.TemporaryDirectory() as scratch:
        db = os.path.join(scratch, "a.db")
        run(headrace, "audit", "--quiet", "--db", db, "-o", os.path.join(scratch, "r.txt"), capture)

        def told(*args):
            return {f: says(run(headrace, "report", "--db", db, "--format", f, *args))
                    for f in ("text", "md", "html", "json", "ndjson", "sarif")}
        wrong = ["%s says that %s is not judged" % (f, capture) for f, is_told in told().items() if is_told]
        if not run(headrace, "db", "info", "--db", db).endswith("judged as a whole   yes\n"):
            wrong.append("db info does not say that all was judged")
        known = sqlite3.connect(db)
        known.execute("UPDATE sites SET is_changed = 1")  # as by a watch that is told to end
        last = known.execute("SELECT max(request_at) FROM exchanges").fetchone()[0]
        known.execute("UPDATE learning SET last_exchange = (SELECT max(id) FROM exchanges WHERE request_at < ?)",
                      (last - 10**9,))
        known.commit()
        known.close()
        wrong += ["%s does not say what is not judged" % f for f, is_told in told().items() if not is_told]
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last // 10**9 - 2))
        wrong += ["%s says it of what was judged, too" % f for f, is_told in told("--until", before).items() if is_told]
        wrong += ["%s does not say it of the end" % f for f, is_told in told("--since", before).items() if not is_told]
        if "judged as a whole   no:" not in run(headrace, "db", "info", "--db", db):
            wrong.append("db info does not say what is not judged")
    return wrong


def main():
    headrace, capgen = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as scratch:
        lossy = os.path.join(scratch, "lossy.pcap")
        subprocess.run([capgen, "traffic", "--exchanges", "300", "--connections", "10", "--loss", "1%", "-o", lossy],
                       check=True)
        return check_all(headrace, sys.argv[3:] + [lossy])


def check_all(headrace, captures):
    schemas = schema.load_all()
    seen, wrong = set(), check_behind(headrace, captures[0])
    for capture in captures:
        for line in run(headrace, "audit", "--quiet", "--format", "ndjson", capture).splitlines():
            wrong += check(line, schemas, None, seen)
        wrong += check_document(headrace, capture, schemas, seen)
        with tempfile.TemporaryDirectory() as scratch:
            db = os.path.join(scratch, "watch.db")
            for line in run(headrace, "watch", "--quiet", "--db", db, "-r", capture, env=leaks.ignored()).splitlines():
                wrong += check(line, schemas, "alert", seen)
        for thing, kind in THINGS.items():
            text = run(headrace, "list", thing, "--quiet", "--format", "ndjson", capture)
            for line in text.splitlines():
                wrong += check(line, schemas, kind, seen)
            sheet = run(headrace, "list", thing, "--quiet", "--format", "csv", capture)
            wrong += check_csv(sheet, schemas[kind]["properties"])
            if len(list(csv.reader(io.StringIO(sheet, newline="")))) - 1 != len(text.splitlines()):
                wrong.append("CSV and NDJSON of %s have different numbers of rows" % thing)
    wrong += ["no record met the schema of %s" % s for s in set(schemas) - seen - LIVE]
    for line in sorted(set(wrong))[:40]:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
