#!/usr/bin/env python3
"""Several processes on one database: a second writer waits, or says that it cannot; who reads sees the state
before the import, whole, and never keeps it from its end. Only while a new database is filled do readers wait.

together.py HEADRACE CAPGEN
"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from rows import difference, rows  # noqa: E402


def fail(text):
    print(text)
    sys.exit(1)


class Import:
    """One that reads a pipe, and so lasts until finish(), in the middle of its transaction."""
    def __init__(self, headrace, db, capture):
        with open(capture, "rb") as f:
            self.data = f.read()
        self.half = len(self.data) // 2
        self.process = subprocess.Popen([headrace, "audit", "-q", "--key-file", "key", "--db", db, "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.process.stdin.write(self.data[:self.half])
        self.process.stdin.flush()
        while not is_locked(db):
            if self.process.poll() is not None:
                fail("the import ended early: %s" % self.process.stderr.read().decode())
            time.sleep(0.01)

    def finish(self, what):
        said = self.process.communicate(self.data[self.half:], timeout=100)[1].decode()
        if self.process.returncode not in (0, 1):
            fail("%s: the import ended with status %d: %s" % (what, self.process.returncode, said))


def is_locked(db):
    """Whether somebody writes there."""
    if not os.path.exists(db) or not os.path.getsize(db):
        return False
    c = sqlite3.connect("file:%s?mode=rw" % db, uri=True, timeout=0, isolation_level=None)
    try:
        if not c.execute("SELECT 1 FROM sqlite_schema WHERE name = 'captures'").fetchall():
            return False
        c.execute("BEGIN IMMEDIATE")
        c.execute("ROLLBACK")
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        c.close()


def begin(headrace, db, capture):
    return subprocess.Popen([headrace, "audit", "-q", "--key-file", "key", "--db", db, capture],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def has_open(process, path):
    folder = "/proc/%d/fd" % process.pid
    links = []
    for fd in os.listdir(folder):
        try:
            links.append(os.readlink(os.path.join(folder, fd)))
        except FileNotFoundError:  # closed since
            pass
    return os.path.realpath(path) in links


def refused(process, what):
    said = process.communicate(timeout=100)[1].decode()
    if process.returncode != 4 or said.count("\n") != 1 or "locked by another process; try again" not in said:
        fail("%s: status %d, %r" % (what, process.returncode, said))


def on_an_existing_database(headrace):
    shutil.copy("before.db", "a.db")
    before = rows("a.db")
    reader = sqlite3.connect("a.db", timeout=0, isolation_level=None)
    reader.execute("BEGIN")
    seen = reader.execute("SELECT count(*), max(id) FROM exchanges").fetchall()
    first = Import(headrace, "a.db", "second.pcap")
    second = begin(headrace, "a.db", "third.pcap")
    wrong = difference(rows("a.db"), before)
    if wrong:
        fail("a reader sees a part of an import: %s" % wrong)
    for command in (["db", "check", "-q", "--key-file", "key"], ["list", "exchanges"], ["report"]):
        p = subprocess.run([headrace, *command, "--db", "a.db"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)
        if p.returncode not in (0, 1):
            fail("%s during an import: status %d, %s" % (command, p.returncode, p.stderr.decode()))
    refused(second, "a second import")
    second = begin(headrace, "a.db", "third.pcap")
    while not has_open(second, "a.db-wal"):
        time.sleep(0.01)
    first.finish("beside a reader")
    said = second.communicate(timeout=100)[1].decode()
    if second.returncode not in (0, 1):
        fail("a second import did not wait: status %d, %s" % (second.returncode, said))
    if reader.execute("SELECT count(*), max(id) FROM exchanges").fetchall() != seen:
        fail("a reader sees an import inside its transaction")
    reader.execute("COMMIT")
    if difference(rows("a.db"), rows("whole.db")):
        fail("two imports at once: %s" % difference(rows("a.db"), rows("whole.db")))
    reader.close()


def on_a_new_database(headrace):
    """Who comes meanwhile is told after a while that it is locked, and the import goes on."""
    first = Import(headrace, "b.db", "first.pcap")
    listing = subprocess.Popen([headrace, "list", "exchanges", "--db", "b.db"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    reader = sqlite3.connect("b.db", timeout=0, isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM exchanges").fetchall()
    except sqlite3.OperationalError as e:
        if "locked" not in str(e):
            raise
    second = begin(headrace, "b.db", "third.pcap")
    if listing.wait(timeout=100) != 0:  # it may have come just before the import began, which goes around it then
        refused(listing, "a reader of a new database")
    refused(second, "a second import into a new database")
    first.finish("a new database beside a reader")
    reader.close()
    if difference(rows("b.db"), rows("before.db")):
        fail("a new database beside a reader: %s" % difference(rows("b.db"), rows("before.db")))


def on_an_empty_database(headrace):
    """With a reader in it from before, the import of a database without rows has to go around it."""
    for capture in ("empty.pcap", "first.pcap"):
        if capture == "first.pcap":
            reader = sqlite3.connect("c.db", timeout=0, isolation_level=None)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM exchanges").fetchall()
        p = begin(headrace, "c.db", capture)
        said = p.communicate(timeout=100)[1].decode()
        if p.returncode not in (0, 1):
            fail("an empty database beside a reader: status %d, %s" % (p.returncode, said))
    if reader.execute("SELECT count(*) FROM exchanges").fetchall() != [(0,)]:
        fail("a reader of an empty database sees an import inside its transaction")
    reader.close()


def main():
    headrace, capgen = [os.path.abspath(a) for a in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name, exchanges in (("first.pcap", "120"), ("second.pcap", "400"), ("third.pcap", "100")):
            subprocess.run([capgen, "traffic", "--exchanges", exchanges, "--seed", exchanges, "-o", name],
                           stderr=subprocess.DEVNULL, check=True)
        with open("first.pcap", "rb") as f, open("empty.pcap", "wb") as to:
            to.write(f.read(24))
        with open("key", "wb") as f:
            f.write(bytes(range(32)))
        os.chmod("key", 0o600)
        for db, captures in (("before.db", ["first.pcap"]), ("whole.db", ["first.pcap", "second.pcap", "third.pcap"])):
            for capture in captures:
                with open(capture, "rb") as f:  # its name and size are stored, and a pipe has none
                    subprocess.run([headrace, "audit", "-q", "--key-file", "key", "--db", db,
                                    capture if capture == "third.pcap" else "-"], input=f.read(),
                                   stdout=subprocess.DEVNULL)
        on_an_existing_database(headrace)
        on_a_new_database(headrace)
        on_an_empty_database(headrace)
        os.chdir("/")
    return 0


sys.exit(main())
