#!/usr/bin/env python3
"""A run that is interrupted stores and reports what is whole, with status 130.

interrupted.py HEADRACE CAPGEN
"""
import array
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import termios
import time

def exchanges(headrace, db):
    p = subprocess.run([headrace, "list", "exchanges", "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE,
                       check=True)
    return len(p.stdout.splitlines())


def fail(text):
    print(text)
    sys.exit(1)


def wait_until_read(pipe):
    """Until nothing of what was written to a pipe is left in it."""
    left = array.array("i", [1])
    while left[0] > 0:
        time.sleep(0.01)
        fcntl.ioctl(pipe, termios.FIONREAD, left)


def main():
    headrace, capgen = [os.path.abspath(a) for a in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        subprocess.run([capgen, "traffic", "--exchanges", "6000", "--seed", "6000", "-o", "large.pcap"],
                       stderr=subprocess.DEVNULL, check=True)
        subprocess.run([headrace, "audit", "-q", "--db", "whole.db", "large.pcap"], stdout=subprocess.DEVNULL)
        interrupt(headrace, exchanges(headrace, "whole.db"))
        os.chdir("/")
    return 0


def interrupt(headrace, whole):
    """SIGINT while a pipe still delivers: what came is stored."""
    with open("large.pcap", "rb") as f:
        data = f.read()
    p = subprocess.Popen([headrace, "audit", "-q", "--db", "stopped.db", "--format", "ndjson", "-"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(data[:len(data) // 2])
    p.stdin.flush()
    pipe, p.stdin = p.stdin, None  # stays open
    wait_until_read(pipe)
    p.send_signal(signal.SIGINT)  # while it waits for more, which never comes
    try:
        out = p.communicate(timeout=60)[0].decode()
    except subprocess.TimeoutExpired:
        p.kill()
        fail("interrupted, it goes on waiting for its pipe")
    if p.returncode != 130:
        fail("interrupted, the status is %d" % p.returncode)
    pipe.close()
    summary = json.loads(out.splitlines()[-1])
    if summary["type"] != "summary" or not summary["partial"]:
        fail("interrupted, the report does not say that it is partial")
    stored = exchanges(headrace, "stopped.db")
    if not 0 < stored < whole:
        fail("interrupted, %d of %d exchanges are stored" % (stored, whole))


sys.exit(main())
