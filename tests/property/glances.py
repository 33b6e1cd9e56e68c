#!/usr/bin/env python3
"""A glance tells at once what came in, however much is stored.

glances.py ROUNDS CAPGEN SESSIONS

Every session of the capture is served after its logout, or flaps. Rounds that only take a glance must tell
of nearly as much as the first.
"""
import os
import re
import subprocess
import sys
import tempfile

ALWAYS_GLANCE = "1000000"
FRAMES = "3000"
NEARLY_ALL = 0.9  # of what the first round found: each brings as much, but for the sessions that it cuts in two
BEGIN = """site: {host: shop.example, cookie: sid}
exchanges:
  - {at: 0ms, request: GET /account, response: {status: 303, location: /login}}
"""
SIGN_IN = """  - {at: %(t)d00ms, request: {line: POST /login, form: {username: %(c)s, password: x}},
     response: {status: 303, location: /account, set-cookie: $%(c)s}}
  - {at: %(t)d20ms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""
LATE = """  - {at: %(t)d50ms, request: {line: POST /logout, cookie: $%(c)s},
     response: {status: 303, location: /, delete-cookie: sid}}
  - {at: %(t)d80ms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""
FLAP = """  - {at: %(t)d50ms, request: {line: GET /account, cookie: $%(c)s}, response: {status: 303, location: /login}}
  - {at: %(t)d80ms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""


def fail(text):
    print(text)
    raise SystemExit(1)


def write_scenario(path, sessions):
    with open(path, "w", encoding="utf-8") as f:
        f.write(BEGIN)
        for i in range(1, sessions + 1):
            f.write((SIGN_IN + (FLAP if i % 4 == 0 else LATE)) % {"t": i, "c": "u%d" % i})


def main():
    rounds, capgen, sessions = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        scenario, capture, key = (os.path.join(scratch, n) for n in ("s.yaml", "s.pcap", "key"))
        write_scenario(scenario, sessions)
        subprocess.run([capgen, "scenario", scenario, "-o", capture], check=True, stderr=subprocess.DEVNULL)
        with open(key, "wb") as f:
            f.write(bytes(range(32)))
        told = subprocess.run([rounds, capture, os.path.join(scratch, "s.db"), key, FRAMES, ALWAYS_GLANCE], check=True,
                              stdout=subprocess.PIPE).stdout.decode().splitlines()
    glances, before, step = 0, 0, None
    for number, line in enumerate(told, 1):
        glances += line.startswith("glance")
        found = len(re.findall("post-logout-access:|status-flap:", line))
        step = step or found
        if number < len(told) and found - before < NEARLY_ALL * step:
            fail("round %d of %d: a %s told of %d more, the first of %d" % (
                number, len(told), line.split()[0], found - before, step))
        before = found
    if before != sessions:
        fail("%d of %d were told of in the end" % (before, sessions))
    if glances < len(told) - 2 or glances < 10:
        fail("%d glances in %d rounds" % (glances, len(told)))
    print("%d sessions, %d glances" % (sessions, glances))
    return 0


if __name__ == "__main__":
    sys.exit(main())
