#!/usr/bin/env python3
"""A disk that is full: a small tmpfs. Whatever is written says so in a line, with status 4, and leaves no part of
a file: what -o named before stays what it was, a database holds what it held, and with room again the same run
gives what an undisturbed one gives, row by row.

full.py HEADRACE CAPGEN MIGRATE CAPTURE   skipped (77) where nothing may be mounted, not even in a namespace of its own
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from rows import difference, rows  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
DISK = "disk"
DB = DISK + "/tried.db"
NO_ROOM = "No space left on device"
NO_ROOM_DB = "no space left for the database; make room on the disk"


def fail(case, text):
    print("seed %d, %s: %s" % (SEED, case, text))
    sys.exit(1)


def own_namespace():
    """Mounts are gone with this process. Runs this program again in it, once."""
    if os.environ.get("HEADRACE_NAMESPACE") == "1":
        return
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        if subprocess.run(["unshare", *options, "mount", "-t", "tmpfs", "none", "/mnt"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ["HEADRACE_NAMESPACE"] = "1"
            os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    print("skipped: nothing may be mounted here")
    sys.exit(77)


def run(*command, env=None, out=subprocess.DEVNULL):
    p = subprocess.run(command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out,
                       stderr=subprocess.PIPE, timeout=300, check=False)
    return p.returncode, p.stderr.decode("utf-8", "replace")


class Disk:
    def __init__(self, kilobytes):
        self.kilobytes = kilobytes

    def __enter__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % self.kilobytes, "none", DISK], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", DISK], check=True)

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=64m", DISK], check=True)


def check_output(case, command, free_kilobytes):
    """-o on a disk with little room: an older file of that name stays."""
    with Disk(free_kilobytes + 4):
        with open(DISK + "/out", "w") as f:
            f.write("of yesterday\n")
        status, said = run(*command, "-o", DISK + "/out")
        if status != 4 or DISK + "/out" not in said or NO_ROOM not in said or said.count("\n") != 1:
            fail(case, "status %d: %s" % (status, said))
        if os.listdir(DISK) != ["out"]:
            fail(case, "left %s" % os.listdir(DISK))
        with open(DISK + "/out") as f:
            if f.read() != "of yesterday\n":
                fail(case, "the older file is another")


def check_outputs(headrace, capture):
    db = ["--db", "findings.db"]
    run(headrace, "audit", "-q", *db, capture)
    with open("ids", "w") as f:
        run(headrace, "list", "findings", *db, "--format", "ndjson", out=f)
    with open("ids") as f:
        ids = [str(json.loads(line)["id"]) for line in f]
    check_output("audit", [headrace, "audit", "-q", "--format", "html", capture], 8)
    check_output("list", [headrace, "list", "exchanges", *db, "--format", "ndjson"], 8)
    check_output("evidence", [headrace, "evidence", *ids, *db], 0)
    for style in ("text", "json", "ndjson", "sarif", "html", "md", "csv"):
        check_output("report as " + style, [headrace, "report", *db, "--format", style], 0)
    with open("/dev/full", "w") as full:
        status, said = run(headrace, "report", *db, out=full)
    if status != 4 or "standard output" not in said or NO_ROOM not in said:
        fail("standard output", "status %d: %s" % (status, said))


def audit(headrace, db):
    return run(headrace, "audit", "-q", "--key-file", "key", "--db", db, "second.pcap")


def check_sound(headrace, case, nothing, whole):
    """@return whether all of the import is stored"""
    have = {}
    if os.path.exists(DB) and os.path.getsize(DB) > 0:
        status, said = run(headrace, "db", "check", "-q", "--key-file", "key", "--db", DB)
        if status == 0:
            have = rows(DB)
        elif "an empty file" not in said:
            fail(case, "the database is not sound: %s" % said)
    left = {name: found for name, found in have.items() if found and name != "meta"}
    was = {name: found for name, found in nothing.items() if found and name != "meta"}
    if difference(left, was) and difference(have, whole):
        fail(case, "a part of the import is stored: %s" % difference(left, was))
    return not difference(have, whole)


def check_import(headrace, kilobytes, before):
    """@return the status of the run without room"""
    case = "import on %d KB, %s database" % (kilobytes, before or "no")
    whole = rows("whole-%s" % (before or "new"))
    with Disk(kilobytes) as disk:
        if before:
            shutil.copy(before, DB)
        status, said = audit(headrace, DB)
        if status not in (0, 1, 4) or status == 4 and (DB not in said or NO_ROOM_DB not in said):
            fail(case, "status %d: %s" % (status, said))
        is_whole = check_sound(headrace, case, rows(before) if before else {}, whole)
        if is_whole != (status != 4):
            fail(case, "status %d, and %s is stored" % (status, "all" if is_whole else "nothing"))
        disk.grow()
        status_again, said = audit(headrace, DB)
        if status_again not in (0, 1) or difference(rows(DB), whole):
            fail(case, "repeated: status %d, %s, %s" % (status_again, said, difference(rows(DB), whole)))
    return status


def check_imports(headrace, rng, before):
    """The last sizes have room for all of it: the point where it begins to fit lies between."""
    shutil.copy(before, "whole-" + before) if before else None
    name = "whole-%s" % (before or "new")
    audit(headrace, name)
    least = os.path.getsize(before) // 1024 + 4 if before else 0
    most = 3 * os.path.getsize(name) // 1024
    sizes = [least + 4 * int((most - least) / 4 * (i + rng.random()) / 12) for i in range(12)]
    statuses = [check_import(headrace, max(size, 4), before) for size in sizes]
    print("import into %s database: %s" % (before or "no", " ".join(map(str, statuses))))
    if 4 not in statuses or statuses[-1] == 4:
        fail("imports", "%s of %s KB" % (statuses, sizes))


def check_temporary(headrace):
    """Without --db the database lies in the folder for temporary files, as far as it does not fit into memory."""
    with Disk(16):
        status, said = run(headrace, "audit", "-q", "second.pcap", env={"TMPDIR": DISK, "SQLITE_TMPDIR": DISK})
        if status != 0 and (status != 4 or NO_ROOM_DB not in said):
            fail("temporary database", "status %d: %s" % (status, said))
        if os.listdir(DISK):
            fail("temporary database", "left %s" % os.listdir(DISK))


def check_migration(headrace, migrate):
    size = os.path.getsize("before.db") // 1024
    with Disk(size * 3 // 2) as disk:
        shutil.copy("before.db", DB)
        status, said = run(migrate, DB, "key")
        if status == 0 or DB + ".bak-v1" not in said or "make room" not in said:
            fail("migration", "status %d: %s" % (status, said))
        if difference(rows(DB), rows("before.db")) or [n for n in os.listdir(DISK) if ".bak" in n]:
            fail("migration", "left %s, %s" % (os.listdir(DISK), difference(rows(DB), rows("before.db"))))
        disk.grow()
        status, said = run(migrate, DB, "key")
        if status != 0 or not os.path.exists(DB + ".bak-v1"):
            fail("migration", "repeated: status %d: %s" % (status, said))


def main():
    own_namespace()
    headrace, capgen, migrate, capture = [os.path.abspath(a) for a in sys.argv[1:5]]
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        os.mkdir(DISK)
        for name, exchanges in (("first.pcap", "300"), ("second.pcap", "400")):
            subprocess.run([capgen, "traffic", "--exchanges", exchanges, "--seed", exchanges, "-o", name],
                           stderr=subprocess.DEVNULL, check=True)
        with open("key", "wb") as f:
            f.write(bytes(range(32)))
        os.chmod("key", 0o600)
        audit(headrace, "whole.db")
        run(headrace, "audit", "-q", "--key-file", "key", "--db", "before.db", "first.pcap")
        check_imports(headrace, rng, None)
        check_imports(headrace, rng, "before.db")
        check_temporary(headrace)
        check_migration(headrace, migrate)
        check_outputs(headrace, capture)
        os.chdir("/")
    return 0


sys.exit(main())
