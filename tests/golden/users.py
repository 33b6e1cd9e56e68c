#!/usr/bin/env python3
"""Which names of users a database keeps: those with which somebody got in, and none with --redact-users.

users.py HEADRACE CAPGEN
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

REFUSED = """
exchanges:
  - {request: {line: POST /login, form: {username: hunter2hunter2, password: alice}}, response: 401}
  - {request: {line: POST /login, form: {username: alice, password: wrong}}, response: 401}
"""
LET_IN = """
start: 2024-05-02T08:00:00Z
exchanges:
  - {request: {line: POST /login, form: {username: alice, password: hunter2hunter2}},
     response: {status: 303, location: /account, set-cookie: $a}}
  - {request: {line: GET /account, cookie: $a}, response: 200}
"""


def names(database):
    with sqlite3.connect(database) as db:
        return sorted(row[0] for row in db.execute("SELECT name FROM users"))


def main():
    headrace, capgen = (os.path.abspath(path) for path in sys.argv[1:3])
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        captures = {}
        for name, text in (("refused", REFUSED), ("let-in", LET_IN)):
            captures[name] = os.path.join(folder, name + ".pcap")
            with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as scenario:
                scenario.write(text)
            subprocess.run([capgen, "scenario", scenario.name, "-o", captures[name]], check=True)

        def audit(database, *arguments):
            subprocess.run([headrace, "audit", "--quiet", "--db", database, *arguments], check=False,
                           stdout=subprocess.DEVNULL)
            return names(database)

        def expect(what, found, plain, hidden):
            shown = [name for name in found if not name.startswith("~")]
            if shown != plain or len(found) != len(plain) + hidden:
                bad.append("%s: %s" % (what, found))

        one, other, redacted = (os.path.join(folder, name) for name in ("one.db", "other.db", "redacted.db"))
        expect("nobody got in", audit(one, captures["refused"]), [], 2)
        expect("one did, later", audit(one, captures["let-in"]), ["alice"], 1)
        audit(other, captures["let-in"])
        expect("one did, before", audit(other, captures["refused"]), ["alice"], 1)
        expect("from the beginning", audit(redacted, "--redact-users", *captures.values()), [], 2)
        expect("names that were there", audit(one, "--redact-users", captures["let-in"]), [], 2)
        with open(one, "rb") as file:
            if b"alice" in file.read():
                bad.append("a name is left in the file")
        check = subprocess.run([headrace, "db", "check", "--db", one], stdout=subprocess.PIPE, check=False)
        if check.returncode != 0:
            bad.append("db check: %s" % check.stdout.decode("utf-8", "replace"))
    print("\n".join(bad) if bad else "names are kept as they should be")
    return 1 if bad else 0


sys.exit(main())
