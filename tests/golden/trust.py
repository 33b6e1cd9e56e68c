#!/usr/bin/env python3
"""What a running watch gave up, seen from outside, and that it works all the same: other users, folders that they may not
write, relative paths, every kind of alert.

trust.py HEADRACE CAPTURE RULES
"""
import ctypes
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

PATIENCE = 60
NOBODY = 65534
NONE = "0" * 16


def fail(text):
    print(text)
    sys.exit(1)


def wait_for(what, condition):
    for _ in range(PATIENCE * 50):
        if condition():
            return
        time.sleep(0.02)
    fail("in vain: " + what)


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return {k: v.split() for k, v in (line.split(":", 1) for line in f if ":" in line)}


def is_instrumented(program):
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()  # the leak checker needs more calls than the filter lets through


class Watch:
    def __init__(self, command, folder, **more):
        self.errors = os.path.join(folder, "errors")
        with open(self.errors, "wb") as err:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err, **more)
        self.pid = self.process.pid

    def said(self):
        with open(self.errors, encoding="utf-8") as f:
            return f.read()

    def wait_until_confined(self):
        wait_for("a confined process", lambda: self.process.poll() is not None or (
            status_of(self.pid)["Seccomp"] == ["2"] and int(status_of(self.pid)["Threads"][0]) > 1))
        if self.process.poll() is not None:
            fail("watch ended with %d: %s" % (self.process.returncode, self.said()))

    def end(self, number=signal.SIGTERM):
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        if status != 0:
            fail("%s: status %d: %s" % (" ".join(self.process.args), status, self.said()))


def check_status(pid, uid, wanted):
    status = status_of(pid)
    wanted = {"NoNewPrivs": ["1"], "CapInh": [NONE], "CapPrm": [NONE], "CapEff": [NONE], "CapAmb": [NONE],
              "Umask": ["0077"], "Uid": [str(uid)] * 4, **wanted}
    for name, value in wanted.items():
        if status[name] != value:
            fail("process %d: %s is %s, not %s" % (pid, name, status[name], value))


def child_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return int(f.read().split()[0])


def has_landlock():
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1) >= 0  # its version


def check_supervised(headrace, scratch, rules):
    """The process that reads packets, and the one that starts programs."""
    folder, secret = os.path.join(scratch, "given"), os.path.join(scratch, "elsewhere")
    for f in (folder, secret):
        os.mkdir(f, 0o755)
    profile, other = os.path.join(folder, "profile.yaml"), os.path.join(secret, "profile.yaml")
    for path in (profile, other):
        with open(path, "w", encoding="utf-8") as f:
            f.write("sites:\n  - hosts: [shop.example]\n")
        os.chmod(path, 0o644)
    temporary = os.path.join(scratch, "temporary")
    os.mkdir(temporary)
    os.chmod(temporary, 0o1777)
    w = Watch([headrace, "watch", "-i", "lo", "--db", os.path.join(folder, "x.db"), "--profile", profile, "--rules", rules,
               "--alert", "exec:/bin/true"], folder, env=dict(os.environ, TMPDIR=temporary))
    w.wait_until_confined()
    given_up = {"Gid": [str(NOBODY)] * 4, "Groups": [], "CapBnd": [NONE]}
    check_status(w.pid, NOBODY, {"Seccomp": ["2"], **given_up})
    check_status(child_of(w.pid), NOBODY, given_up)
    kept = os.listdir("/proc/%d/fd" % child_of(w.pid))
    if sorted(set(kept) - {"0", "1", "2"}) != ["3"]:
        fail("the process that starts programs keeps descriptors %s" % kept)
    # Everybody may read the other profile, except for Landlock: the process is asked to, by a link.
    w.process.send_signal(signal.SIGHUP)
    wait_for("a reload: " + w.said(), lambda: "read anew" in w.said())
    os.unlink(profile)
    os.symlink(other, profile)
    w.process.send_signal(signal.SIGHUP)
    wait_for("a second reload", lambda: w.said().count("read anew") == 2 or "stays in use" in w.said())
    if has_landlock() and "Permission denied" not in w.said():
        fail("a file outside the given folders can be read: " + w.said())
    if not has_landlock():
        print("this kernel has no Landlock: that files outside cannot be read is not looked at")
    w.end()


def findings(headrace, db, **more):
    p = subprocess.run([headrace, "list", "findings", "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE, check=True,
                       **more)
    return sorted(json.loads(line)["fingerprint"] for line in p.stdout.decode().splitlines())


def check_folder_of_root(headrace, scratch, capture, wanted):
    """The database lies where only root may make files; it is used twice, and read by others meanwhile."""
    folder = os.path.join(scratch, "of-root")
    os.mkdir(folder, 0o755)
    db = os.path.join(folder, "x.db")
    for _ in range(2):
        Watch([headrace, "watch", "--quiet", "-r", capture, "--db", db], folder).end(None)
        if findings(headrace, db) != wanted:
            fail("in a folder of root's: other findings")
        if stat.S_IMODE(os.stat(db).st_mode) != 0o600:
            fail("the database can be read by others")
    if subprocess.run([headrace, "db", "check", "--quiet", "--db", db]).returncode != 0:
        fail("in a folder of root's: the database is not sound")


def check_links(headrace, scratch, capture):
    """What a link of somebody else leads to does not change hands."""
    folder = os.path.join(scratch, "links")
    os.mkdir(folder, 0o755)
    victim, alerts = os.path.join(folder, "victim"), os.path.join(folder, "alerts")
    with open(victim, "wb"):
        pass
    os.symlink(victim, alerts)
    Watch([headrace, "watch", "--quiet", "-r", capture, "--db", os.path.join(folder, "x.db"), "--alert",
           "file:" + alerts], folder).end(None)
    if os.stat(victim).st_uid != 0:
        fail("a link's target was given to the user who goes on")


def check_relative(headrace, scratch, capture, rules, wanted):
    folder = os.path.join(scratch, "relative")
    os.mkdir(folder, 0o755)
    shutil.copytree(rules, os.path.join(folder, "mine"))
    for name in os.listdir(os.path.join(folder, "mine")):
        if name != "status-flap.sql":
            path = os.path.join(folder, "mine", name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.copy(capture, os.path.join(folder, "capture"))
    subprocess.run([headrace, "db", "key", "--quiet", "-o", "key"], check=True, cwd=folder)
    command = [headrace, "watch", "-r", "capture", "--db", "x.db", "--rules", "mine", "--key-file", "key", "--alert",
               "file:alerts", "--alert", "syslog", "--alert", "exec:/bin/cat"]
    w = Watch(command + ["--realtime"], folder, cwd=folder)
    w.wait_until_confined()
    w.process.send_signal(signal.SIGHUP)
    wait_for("a reload: " + w.said(), lambda: "read anew" in w.said())
    w.end()
    Watch(command, folder, cwd=folder).end(None)
    if findings(headrace, os.path.join(folder, "x.db")) != wanted:
        fail("with relative paths: other findings")
    with open(os.path.join(folder, "alerts"), encoding="utf-8") as f:
        if not f.read():
            fail("with relative paths: no alerts in the file")


def check_users(headrace, scratch, rules):
    """root that stays root, and somebody who may read packets and nothing else."""
    folder = os.path.join(scratch, "users")
    os.mkdir(folder, 0o777)
    os.chmod(folder, 0o777)
    w = Watch([headrace, "watch", "-i", "lo", "--user", "root", "--db", os.path.join(folder, "root.db")], folder)
    w.wait_until_confined()
    check_status(w.pid, 0, {"Seccomp": ["2"], "CapBnd": [NONE]})
    w.end()
    if shutil.which("setcap") is None or shutil.which("setpriv") is None:
        print("there is no setcap or setpriv: capabilities of files are not tried")
        return
    program = os.path.join(folder, "headrace")
    shutil.copy(headrace, program)
    os.chmod(program, 0o755)
    if subprocess.run(["setcap", "cap_net_raw+ep", program]).returncode != 0:
        print("files cannot have capabilities here: they are not tried")
        return
    w = Watch([program, "watch", "-i", "lo", "--db", os.path.join(folder, "user.db"), "--alert", "exec:/bin/true"], folder,
              user=NOBODY, group=NOBODY, extra_groups=[], env=dict(os.environ, HEADRACE_RULES=rules))
    w.wait_until_confined()
    check_status(w.pid, NOBODY, {"Seccomp": ["2"]})
    check_status(child_of(w.pid), NOBODY, {})
    w.end()


def main():
    headrace, capture, rules = map(os.path.abspath, sys.argv[1:4])
    if os.geteuid() != 0:
        print("skipped: only root has something to give up")
        return 77
    if is_instrumented(headrace):
        print("skipped: the leak checker needs more calls than the filter lets through")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        reached = os.path.join(scratch, "capture.pcapng")  # nobody may not reach every folder of ours
        shutil.copy(capture, reached)
        shutil.copytree(rules, os.path.join(scratch, "rules"))
        own_rules = os.path.join(scratch, "rules")
        audited = os.path.join(scratch, "audited.db")
        subprocess.run([headrace, "audit", "--quiet", "--db", audited, reached], stdout=subprocess.DEVNULL)
        wanted = findings(headrace, audited)
        check_supervised(headrace, scratch, own_rules)
        check_folder_of_root(headrace, scratch, reached, wanted)
        check_links(headrace, scratch, reached)
        check_relative(headrace, scratch, reached, own_rules, wanted)
        check_users(headrace, scratch, own_rules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
