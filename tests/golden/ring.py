#!/usr/bin/env python3
"""The ring of watch: evidence cut from it equals evidence cut from the capture; it keeps its bounds, goes on after a
restart, and a disk or folder that fails it never ends the watch unsaid.

ring.py HEADRACE CAPGEN CAPTURES_FOLDER
"""
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402


def fail(text):
    print(text)
    sys.exit(1)


class Place:
    """A folder with a capture and what a watch of it left."""

    def __init__(self, headrace, scratch, capture):
        self.headrace = headrace
        self.folder = tempfile.mkdtemp(dir=scratch)
        os.chmod(self.folder, 0o777)
        self.capture = os.path.join(self.folder, os.path.basename(capture))
        self.db = os.path.join(self.folder, "watch.db")
        self.ring = self.db + ".ring"
        shutil.copy(capture, self.capture)
        os.chmod(self.capture, 0o644)

    def run(self, *args):
        p = subprocess.run([self.headrace, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def watch(self, *args):
        status, out, said = self.run("watch", "-r", self.capture, "--db", self.db, *args)
        if status != 0:
            fail("watch %s: status %d, %s" % (" ".join(args), status, said))
        return [json.loads(line) for line in out.splitlines()], said

    def findings(self):
        return [json.loads(line) for line in
                self.run("list", "findings", "--db", self.db, "--format", "ndjson")[1].splitlines()]

    def evidence(self, *args):
        to = os.path.join(self.folder, "cut.pcapng")
        if os.path.exists(to):
            os.remove(to)
        status, _, said = self.run("evidence", "--db", self.db, "-o", to, *args)
        if not os.path.exists(to):
            return status, said, None
        with open(to, "rb") as f:
            return status, said, f.read()

    def hide(self):
        os.rename(self.capture, self.capture + ".gone")

    def show(self):
        os.rename(self.capture + ".gone", self.capture)

    def segments(self):
        return sorted(glob.glob(os.path.join(self.ring, "ring-*.pcapng")))

    def ring_bytes(self):
        return sum(os.path.getsize(p) for p in self.segments())


def check_equal(headrace, scratch, capture, *keep):
    """The capture is gone: the ring gives the same bytes."""
    p = Place(headrace, scratch, capture)
    p.watch(*keep)
    ids = [str(f["id"]) for f in p.findings()][:5]
    wanted = {i: p.evidence(i) for i in ids}
    p.hide()
    for i in ids:
        if p.evidence(i) != wanted[i] or wanted[i][0] != 0:
            fail("%s: finding %s: %s, then %s" % (capture, i, wanted[i][:2], p.evidence(i)[:2]))
    for path in p.segments() + [p.ring]:
        if os.stat(path).st_mode & 0o077 != 0:
            fail(path + " can be read by others")
    return len(ids)


def check_bounds(headrace, scratch, capture):
    p = Place(headrace, scratch, capture)
    p.watch("--keep", "64K")
    if not 32768 < p.ring_bytes() <= 65536:
        fail("64K are %d bytes" % p.ring_bytes())
    p.hide()
    ids = [str(f["id"]) for f in p.findings()][:8]
    said = [p.evidence(i) for i in ids]
    if not any("any more" in s[1] and s[0] == 3 for s in said):
        fail("nothing is told to be gone: %s" % [s[:2] for s in said])
    p.show()
    p.watch("--keep", "1G", "--keep", "300ms")
    if p.ring_bytes() >= os.path.getsize(p.capture):
        fail("all is kept, not the last 300 ms")
    shutil.rmtree(p.ring)
    p.hide()
    status, said, _ = p.evidence(ids[0])
    if status != 3 or "No such file" not in said:
        fail("a ring that is gone: status %d, %s" % (status, said))


def check_restart(headrace, scratch, first, second):
    """What an earlier watch kept serves what it found, and is pruned with the rest."""
    p, other = Place(headrace, scratch, first), Place(headrace, scratch, second)
    p.watch("--keep", "1G")
    own, p.capture = p.capture, other.capture
    p.watch("--keep", "1G")
    ids = [str(f["id"]) for f in p.findings()]
    wanted = {i: p.evidence(i) for i in ids}
    p.hide()
    os.remove(own)
    for i in ids:
        if p.evidence(i) != wanted[i] or wanted[i][0] != 0:
            fail("after a restart, finding %s: %s, then %s" % (i, wanted[i][:2], p.evidence(i)[:2]))
    if len(p.segments()) < 2:
        fail("the second watch has no segment of its own")
    p.show()
    last = p.segments()[-1]
    p.watch("--keep", "64K")
    if p.ring_bytes() > 65536 or p.segments()[-1] <= last:
        fail("the ring of earlier watches is not taken up: %s" % p.segments())


def check_trouble(headrace, scratch, capture):
    p = Place(headrace, scratch, capture)
    told = len(p.watch()[0])
    os.mkdir(p.ring, 0o700)
    open(os.path.join(p.ring, "ring-000000000003.pcapng"), "wb").write(b"no capture")
    open(os.path.join(p.ring, "ring-x.pcapng"), "wb").write(b"not ours")
    missing = os.path.join(p.folder, "missing", "ring")
    cases = [
        (["--keep", "1G", "--ring", missing], 4, "packets cannot be kept in " + missing),
        (["--ring", p.ring], 2, "--ring goes with --keep"),
        (["--keep", "1K"], 2, "--keep takes a size from 64K"),
        (["--keep", "much"], 2, "--keep takes a size from 64K"),
    ]
    if os.geteuid() == 0:  # it goes on as nobody, who may not write there
        cases.append((["--keep", "1G"], 4, "packets cannot be kept in %s: Permission denied" % p.ring))
    for args, status, text in cases:
        got, _, said = p.run("watch", "-r", p.capture, "--db", p.db, *args)
        if got != status or text not in said:
            fail("%s: status %d, %s" % (args, got, said))
    return told


def check_disk_full(headrace, scratch, capture):
    if os.geteuid() != 0:
        print("not root: no small disk can be mounted, and the full one is not tried")
        return
    p = Place(headrace, scratch, capture)
    disk = os.path.join(p.folder, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "none", disk],
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("no small disk can be mounted here, and the full one is not tried")
        return
    try:
        _, said = p.watch("--keep", "1G", "--ring", os.path.join(disk, "ring"))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    if said.count("No space left") != 1 or "the watch goes on" not in said:
        fail("a full disk: %s" % said)
    if not p.findings():
        fail("a full disk: nothing was found")


def check_evidence_dir(headrace, scratch, capture):
    """A file for each finding that is told, equal to what is cut from the ring afterwards."""
    p = Place(headrace, scratch, capture)
    folder = os.path.join(p.folder, "evidence")
    told, _ = p.watch("--keep", "1G", "--evidence-dir", folder)
    p.hide()
    for alert in told:
        if alert["evidence_file"] != os.path.join(folder, alert["fingerprint"] + ".pcapng"):
            fail("%s of %s" % (alert["evidence_file"], alert["fingerprint"]))
        with open(alert["evidence_file"], "rb") as f:
            if f.read() != p.evidence(str(alert["id"]))[2]:
                fail("%s is not the evidence of %d" % (alert["evidence_file"], alert["id"]))
        if os.stat(alert["evidence_file"]).st_mode & 0o077 or os.stat(folder).st_mode & 0o077:
            fail("evidence can be read by others")
    if sorted(os.listdir(folder)) != sorted({a["fingerprint"] + ".pcapng" for a in told}) or not told:
        fail("%d alerts, files %s" % (len(told), os.listdir(folder)))
    p.show()
    status, _, said = p.run("watch", "-r", p.capture, "--db", p.db, "--evidence-dir", folder)
    if status != 2 or "--evidence-dir goes with --keep" not in said:
        fail("--evidence-dir without --keep: %d, %s" % (status, said))
    missing = os.path.join(p.folder, "missing", "evidence")
    status, _, said = p.run("watch", "-r", p.capture, "--db", p.db, "--keep", "1G", "--evidence-dir", missing)
    if status != 4 or "evidence cannot be written to " + missing not in said:
        fail("no such folder: %d, %s" % (status, said))


def check_evidence_disk_full(headrace, scratch, capture):
    """What does not fit waits, and is written by a later watch."""
    p = Place(headrace, scratch, capture)
    disk, folder = os.path.join(p.folder, "disk"), os.path.join(p.folder, "disk", "evidence")
    os.mkdir(disk)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "none", disk],
                                           stderr=subprocess.DEVNULL).returncode != 0:
        print("no small disk can be mounted here, and the full one is not tried with evidence")
        return
    try:
        told, said = p.watch("--keep", "1G", "--evidence-dir", folder)
        few = os.listdir(folder)
        if said.count("No space left") != 1 or not 0 < len(few) < len(told) or any(".part" in n for n in few):
            fail("a full disk: %d of %d alerts have files, %s" % (len(few), len(told), said))
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        p.watch("--keep", "1G", "--evidence-dir", folder)
        if len(os.listdir(folder)) != len({a["fingerprint"] for a in told}):
            fail("room again: %d of %d have files" % (len(os.listdir(folder)), len(told)))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def check_hostile_fingerprint(headrace, scratch, capture):
    """A database from elsewhere names no file outside the folder."""
    p = Place(headrace, scratch, capture)
    folder = os.path.join(p.folder, "evidence")
    p.watch("--keep", "1G", "--evidence-dir", folder)
    ids = [f["id"] for f in p.findings()]
    written = set(os.listdir(folder))
    names = ["../escaped", "/tmp/escaped", "", "..", "a/b", "abc.pcapng", "\x00"]
    with sqlite3.connect(p.db) as db:
        for i, name in enumerate(names):
            db.execute("UPDATE findings SET fingerprint = ? WHERE id = ?", (name, ids[0]))
            db.execute("INSERT INTO alert_queue (sink, body, queued_at) VALUES (?, ?, 0)",
                       ("evidence:" + folder, '{"schema":1,"id":%d}' % ids[0]))
            db.commit()
            _, said = p.watch("--keep", "1G", "--evidence-dir", folder)
            if "holds no fingerprint of it" not in said or set(os.listdir(folder)) != written:
                fail("fingerprint %r: %s, files %s" % (name, said, set(os.listdir(folder)) - written))
    if glob.glob(os.path.join(p.folder, "*escaped*")) or glob.glob("/tmp/escaped*"):
        fail("a file is written outside")


def check_evidence_removed(headrace, scratch, capture):
    """The folder goes while the watch runs: that is said once, and the watch goes on."""
    p = Place(headrace, scratch, capture)
    folder, errors = os.path.join(p.folder, "evidence"), os.path.join(p.folder, "errors")
    with open(errors, "wb") as err:
        w = subprocess.Popen([headrace, "watch", "-r", p.capture, "--realtime", "--db", p.db, "--keep", "1G",
                              "--evidence-dir", folder], stdout=subprocess.PIPE, stderr=err)
    while len(os.listdir("/proc/%d/task" % w.pid)) < 5:  # those of all places that alerts go to are among them
        if w.poll() is not None:
            fail("it ended too early: " + open(errors).read())
        time.sleep(0.01)
    shutil.rmtree(folder)
    out, _ = w.communicate(timeout=120)
    said = open(errors).read()
    if w.returncode != 0 or not out or not p.findings():
        fail("a folder that is removed: status %d, %s" % (w.returncode, said))
    if said.count("evidence to evidence:%s: " % folder) != 1 or "No such file or directory" not in said:
        fail("a folder that is removed: %s" % said)


def main():
    leaks.ignore()
    headrace, capgen, folder = [os.path.abspath(a) for a in sys.argv[1:4]]
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        made = []
        for name in ("rises", "under_way"):
            scenario = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watched", name + ".yaml")
            made.append(os.path.join(scratch, name + ".pcap"))
            subprocess.run([capgen, "scenario", scenario, "-o", made[-1]], check=True, stderr=subprocess.DEVNULL)
        count = sum(check_equal(headrace, scratch, c, "--keep", "1G") for c in made)
        check_restart(headrace, scratch, made[0], made[1])
        check_trouble(headrace, scratch, made[0])
        check_hostile_fingerprint(headrace, scratch, made[0])
        check_evidence_removed(headrace, scratch, made[0])
        for capture in made:
            check_evidence_dir(headrace, scratch, capture)
        lab = sorted(glob.glob(os.path.join(folder, "lab", "postlogout_*_v1.pcap*")))[:1]
        for capture in lab:
            count += check_equal(headrace, scratch, capture, "--keep", "1G")
            count += check_equal(headrace, scratch, capture, "--keep", "10s", "--keep", "4M")
            check_bounds(headrace, scratch, capture)
            check_disk_full(headrace, scratch, capture)
            check_evidence_dir(headrace, scratch, capture)
            check_evidence_disk_full(headrace, scratch, capture)
        if not lab:
            print("captures of the lab are not here: bounds and the full disk are not tried")
        if count < 2:
            fail("only %d findings in all" % count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
