#!/usr/bin/env python3
"""Bad input: one clear line on stderr that names the thing and the remedy, the status that is documented,
and what was stored before is still there.

bad_input.py HEADRACE
"""
import gzip
import json
import os
import re
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOOD = os.path.join(ROOT, "captures", "login-races.pcapng")
LAB = os.path.join(ROOT, "captures", "lab", "flap_S1_v1.pcap.gz")
PROFILE = "sites:\n  - hosts: [shop.example]\n    nonsense: 1\n"
RULE = "/*\nid: broken\ntitle: t\nseverity: high\nmeaning: m\n*/\nSELECT 1 FROM nowhere;\nSELECT 1 AS exercised;\n"


class Tester:
    def __init__(self, headrace):
        self.headrace = os.path.abspath(headrace)
        self.wrong = []

    def run(self, *args, stdin=None, user=None):
        command = [self.headrace] + list(args)
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_DB")}
        if user is not None:
            # Copies, for the project may lie where nobody else may look.
            shutil.copy(self.headrace, "program")
            shutil.copytree(os.path.join(ROOT, "rules"), "ours", dirs_exist_ok=True)
            env["HEADRACE_RULES"] = os.path.abspath("ours")
            command = ["setpriv", "--reuid=%d" % user, "--clear-groups", "--", "./program"] + list(args)
        return subprocess.run(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, timeout=120)

    def expect(self, name, status, words, *args, lines=1, **how):
        """One line on stderr with all of these words, this status, no finding lost on stdout."""
        p = self.run(*args, **how)
        text = p.stderr.decode("utf-8", "replace")
        said = [l for l in text.splitlines() if "the database is temporary" not in l]
        problem = None
        if p.returncode != status:
            problem = "status %d, not %d" % (p.returncode, status)
        elif len(said) != lines:
            problem = "%d lines, not %d" % (len(said), lines)
        elif not all(w.lower() in text.lower() for w in words):
            problem = "not all of %s" % ", ".join(words)
        elif re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
            problem = "control characters"
        if problem is not None:
            self.wrong.append("%s: %s: %s" % (name, problem, text.strip() or "(silence)"))
        return p.stdout.decode("utf-8", "replace")

    def check(self, name, truth):
        if not truth:
            self.wrong.append(name)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def captures(t):
    """What is not a whole capture: status 3, and the rest of the input counts."""
    with open(LAB, "rb") as f:
        whole = gzip.decompress(f.read())
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147)
    frame = struct.pack("<IIII", 1, 0, 4, 4) + b"abcd"
    t.expect("no file", 3, ["missing.pcap", "No such file"], "audit", "missing.pcap")
    t.expect("empty file", 3, ["empty.pcap", "empty"], "audit", write("empty.pcap", b""))
    t.expect("not a capture", 3, ["text.pcap"], "audit", write("text.pcap", b"GET / HTTP/1.1\r\n\r\n" * 9))
    out = t.expect("unknown link type", 3, ["link.pcap", "link type"], "audit", write("link.pcap", pcap + frame))
    t.check("unknown link type: that is no cut file", "ends in the middle" not in out)
    out = t.expect("truncated", 3, ["cut.pcap", "byte"], "audit", write("cut.pcap", whole[:len(whole) - 7]))
    t.check("truncated: what came before is reported", "exchanges" in out and "finding" in out)
    text = t.run("audit", "-q", "cut.pcap").stderr.decode()
    t.check("truncated: said once", text.count("what came before") == 1)
    packed = gzip.compress(whole)
    out = t.expect("broken gzip", 3, ["broken.gz"], "audit", write("broken.gz", packed[:len(packed) // 2]))
    t.check("broken gzip: what came before is reported", "exchanges" in out)
    for tool, magic in (("zstd", b"\x28\xb5\x2f\xfd"), ("lz4", b"\x04\x22\x4d\x18")):
        if t.run("audit", "-q", write("probe", magic)).stderr.count(b"was built without"):
            t.expect(tool + ", built without", 3, [tool, "unpack it first"], "audit", "probe")
        elif shutil.which(tool):
            packed = subprocess.run([tool, "-c"], input=whole, stdout=subprocess.PIPE, check=True).stdout
            out = t.expect("broken " + tool, 3, ["broken." + tool, "cut off at byte"], "audit",
                           write("broken." + tool, packed[:len(packed) * 3 // 4]))
            t.check("broken %s: what came before is reported" % tool, "exchanges" in out)
    out = t.expect("one bad of two", 3, ["missing.pcap"], "audit", "missing.pcap", GOOD)
    t.check("one bad of two: the other counts", "post-logout-access" in out)
    with open(GOOD, "rb") as f:
        good = f.read()
    # A further interface of an unknown link type, and a frame of it, behind all others.
    other = struct.pack("<IIHHII", 1, 20, 147, 0, 0, 20)
    with_interfaces = good + other + struct.pack("<IIIIIII4sI", 6, 36, 1,
                                                 0, 0, 4, 4, b"abcd", 36)
    out = t.expect("a further interface of an unknown link type", 1, [], "audit", write("more.pcapng", with_interfaces), lines=0)
    t.check("a further interface: its frame is counted", "1 frame of a link type" in out)
    t.check("a further interface: the others count", out.startswith("5 findings"))
    t.expect("two bad", 3, ["missing.pcap", "empty.pcap"], "audit", "missing.pcap", "empty.pcap", lines=2)
    t.expect("bytes of a terminal in a name", 3, ["x1b"], "audit", "\033[31mred.pcap")
    t.expect("stdin that is empty", 3, ["standard input"], "audit", "-")
    os.mkdir("nothing")
    t.expect("a folder without captures", 2, ["nothing"], "audit", "nothing")
    forbidden = write("forbidden.pcap", whole)
    os.chmod(forbidden, 0)
    if os.geteuid() != 0:
        t.expect("no permission", 3, ["forbidden.pcap", "denied"], "audit", forbidden)
    elif shutil.which("setpriv"):
        t.expect("no permission", 3, ["forbidden.pcap", "denied"], "audit", forbidden, user=65534)


def options(t):
    t.expect("no input", 2, ["no capture"], "audit")
    t.expect("unknown option", 2, ["--dbb", "--db", "audit --help"], "audit", "--dbb", "x", GOOD)
    t.expect("unknown command", 2, ["audti", "audit"], "audti")
    t.expect("unknown rule", 2, ["lost-logn", "lost-login"], "audit", "--rule", "lost-logn", GOOD)
    t.expect("unknown parameter", 2, ["nosuch"], "audit", "--set", "lost-login.nosuch=1", GOOD)
    t.expect("unknown format", 2, ["xml"], "audit", "--format", "xml", GOOD)
    t.expect("bad threshold", 2, ["severe"], "audit", "--fail-on", "severe", GOOD)
    text = t.run("audit", "--filter", "prot 80", GOOD).stderr.decode()
    t.check("a usage error is said alone", "temporary" not in text)
    t.expect("bad BPF", 2, ["filter", "prot 80"], "audit", "--filter", "prot 80", GOOD)
    t.expect("no folder of rules", 2, ["norules"], "audit", "--rules", "norules", GOOD)
    t.expect("no profile", 2, ["noprofile"], "audit", "--profile", "noprofile", GOOD)
    t.expect("wrong profile", 2, ["wrong.yaml:", "nonsense"], "audit", "--profile",
             write("wrong.yaml", PROFILE.encode()), GOOD)
    t.expect("output that cannot be", 4, ["nofolder/x"], "audit", "-o", "nofolder/x", GOOD)
    t.expect("no database", 2, ["headrace.db", "audit --db"], "list", "findings")
    t.expect("no database given", 2, ["none.db", "audit --db"], "show", "finding", "1", "--db", "none.db")
    t.check("a reader made a database", not os.path.exists("none.db") and not os.path.exists("headrace.db"))


def rules(t):
    os.mkdir("rules")
    write("rules/broken.sql", RULE.encode())
    out = t.expect("a broken rule", 2, ["broken.sql:", "nowhere"], "audit", "--rules", "rules", GOOD)
    t.check("a broken rule: the others ran", "post-logout-access" in out)
    t.check("a broken rule: the headline says so", "1 rule did not run" in out.split("finding")[0])
    t.check("a broken rule: its line says so", re.search(r"^  broken +did not run: .*nowhere", out, re.M | re.S))
    out = t.expect("a broken rule alone", 2, ["broken.sql:", "nowhere"],
                   "audit", "--rules", "rules", "--rule", "broken", GOOD)
    t.check("a broken rule alone: not exercised is another thing", "not exercised" not in out)
    out = t.expect("a broken rule, NDJSON", 2, ["nowhere"],
                   "audit", "--rules", "rules", "--format", "ndjson", GOOD)
    state = [x for x in map(json.loads, out.splitlines()) if x.get("type") == "exercise" and x["slug"] == "broken"]
    t.check("a broken rule, NDJSON: failed", len(state) == 1 and state[0]["state"] == "failed"
            and "nowhere" in state[0]["message"])
    t.expect("rules check", 2, ["broken.sql:"], "rules", "check", "rules")
    write("rules/broken.sql", b"not a rule")
    out = t.expect("no rule at all", 2, ["broken.sql:1"], "audit", "--rules", "rules", GOOD)
    t.check("no rule at all: the others ran", "post-logout-access" in out)


def databases(t):
    def facts():
        return t.run("list", "exchanges", "--db", "kept.db", "--format", "ndjson").stdout

    t.check("audit --db", t.run("audit", "--quiet", "--db", "kept.db", GOOD).returncode == 1)
    before = facts()
    t.check("exchanges are stored", len(before) > 1000)
    t.check("the database is private", stat.S_IMODE(os.stat("kept.db").st_mode) == 0o600)
    t.expect("a bad filter on a database", 2, ["filter"], "audit", "--db", "kept.db", "--filter", "((", LAB)
    t.expect("a missing capture on a database", 3, ["missing"], "audit", "--db", "kept.db", "missing.pcap")
    t.check("what was stored is still there", facts() == before)

    other = sqlite3.connect("other.db")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    with open("other.db", "rb") as f:
        untouched = f.read()
    t.expect("another program's database", 4, ["other.db"], "audit", "--db", "other.db", GOOD)
    t.expect("another program's database, read", 4, ["other.db"], "list", "findings", "--db", "other.db")
    with open("other.db", "rb") as f:
        t.check("another program's database was changed", f.read() == untouched)
    t.expect("not a database", 4, ["text.pcap"], "list", "findings", "--db", "text.pcap")

    shutil.copy("kept.db", "newer.db")
    newer = sqlite3.connect("newer.db")
    newer.execute("PRAGMA user_version = 999")
    newer.commit()
    newer.close()
    t.expect("a newer database", 4, ["newer.db", "newer"], "audit", "--db", "newer.db", GOOD)
    t.expect("a newer database, read", 4, ["newer.db", "newer"], "list", "findings", "--db", "newer.db")


def keys(t):
    """A database made with a key file opens with that one alone; equal keys give equal names."""
    def sessions(db):
        out = t.run("list", "sessions", "--db", db, "--format", "ndjson").stdout.decode()
        return sorted(json.loads(line)["session"] for line in out.splitlines())

    t.check("db key", t.run("db", "key", "-o", "a.key").returncode == 0)
    t.check("a key is private", stat.S_IMODE(os.stat("a.key").st_mode) == 0o600)
    t.check("a key is 32 bytes", os.path.getsize("a.key") == 32)
    with open("a.key", "rb") as f:
        first = f.read()
    t.expect("a key that is there", 4, ["a.key", "exists"], "db", "key", "-o", "a.key")
    with open("a.key", "rb") as f:
        t.check("a key is kept", f.read() == first)
    t.expect("a key without a file", 2, ["-o FILE"], "db", "key")
    t.run("db", "key", "-o", "b.key")
    for db, key in (("a1.db", "a.key"), ("a2.db", "a.key"), ("b.db", "b.key")):
        t.check("audit with a key", t.run("audit", "--db", db, "--key-file", key, GOOD).returncode == 1)
    t.check("equal keys, equal names", sessions("a1.db") == sessions("a2.db") != [])
    t.check("other keys, other names", sessions("a1.db") != sessions("b.db"))
    t.check("the same key again", t.run("audit", "--db", "a1.db", "--key-file", "a.key", LAB).returncode == 1)
    t.expect("another key", 4, ["a1.db", "--key-file"], "audit", "--db", "a1.db", "--key-file", "b.key", LAB)
    t.expect("no key", 4, ["a1.db", "--key-file"], "audit", "--db", "a1.db", LAB)
    t.expect("a key where there was none", 4, ["kept.db", "key"], "audit", "--db", "kept.db", "--key-file", "a.key", LAB)
    with open("a1.db", "rb") as f:
        t.check("the key is not in the database", first not in f.read())
    write("short.key", b"x" * 31)
    os.chmod("short.key", 0o600)
    shutil.copy("a.key", "open.key")
    os.chmod("open.key", 0o644)
    t.expect("a short key", 2, ["short.key", "32 bytes"], "audit", "--key-file", "short.key", GOOD)
    t.expect("a key that others read", 2, ["open.key", "chmod 600"], "audit", "--key-file", "open.key", GOOD)
    t.expect("no such key", 2, ["none.key", "No such file"], "audit", "--key-file", "none.key", GOOD)
    t.expect("a folder as key", 2, ["regular"], "audit", "--key-file", ".", GOOD)


def output(t):
    t.run("audit", "-q", "-o", "report.txt", GOOD)
    with open("report.txt", encoding="utf-8") as f:
        t.check("-o", "findings" in f.read())
    t.check("-o leaves nothing else", [f for f in os.listdir(".") if f.startswith("report")] == ["report.txt"])
    if os.path.exists("/dev/full"):
        t.expect("a full disk", 4, ["/dev/full"], "audit", "-q", "-o", "/dev/full", GOOD)
    reader, writer = os.pipe()
    os.close(reader)
    p = subprocess.run([t.headrace, "audit", "-q", "--format", "ndjson", GOOD], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    t.check("a reader that went away: %s" % p.stderr.decode(), p.stderr == b"" and p.returncode == 1)


def onto_input(t):
    """What is read is not written over, under whichever name."""
    shutil.copy(GOOD, "own.pcapng")
    os.symlink("own.pcapng", "link.md")
    t.run("audit", "-q", "--db", "own.db", "-o", "own.txt", "own.pcapng")
    read = [open(name, "rb").read() for name in ("own.pcapng", "own.db")]
    for args in (("audit", "--format", "json", "-o", "own.pcapng", "own.pcapng"),
                 ("audit", "-o", "new.html", "-o", "link.md", "own.pcapng"),
                 ("list", "sessions", "-o", "./own.pcapng", "own.pcapng"),
                 ("evidence", "3", "--db", "own.db", "-o", "own.pcapng")):
        t.expect("%s onto a capture" % args[0], 2, ["would write over the capture", args[0]], *args)
    for args in (("audit", "--db", "own.db", "--format", "json", "-o", "own.db", LAB),
                 ("report", "--db", "own.db", "--format", "text,html", "-o", "new.txt", "-o", "own.db"),
                 ("evidence", "3", "--db", "own.db", "-o", "own.db"),
                 ("show", "finding", "3", "--db", "own.db", "-o", "own.db"),
                 ("db", "info", "--db", "own.db", "-o", "own.db"),
                 ("list", "findings", "--db", "own.db", "-o", "own.db")):
        t.expect("%s onto the database" % args[0], 2, ["would write over the database", args[0]], *args)
    t.check("what is read is kept", read == [open(name, "rb").read() for name in ("own.pcapng", "own.db")])
    t.check("nothing else is left", not [f for f in os.listdir(".") if f.startswith(("new.", "own.pcapng.", "own.db."))])


def main():
    t = Tester(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        os.chdir(scratch)
        for part in (captures, options, rules, databases, keys, output, onto_input):
            part(t)
        os.chdir("/")
    for line in t.wrong:
        print(line)
    return 1 if t.wrong else 0


sys.exit(main())
