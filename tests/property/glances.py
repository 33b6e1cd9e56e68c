#!/usr/bin/env python3
"""A glance tells at once what came in, however much is stored.

glances.py ROUNDS CAPGEN HEADRACE SESSIONS

Every session of the capture is served after its logout, flaps, lost its cookie at its login, is shown another's name, is
given to a second user, or is denied at once. Rounds that only take a glance must tell of nearly as much as the first;
once more where old days are deleted meanwhile, and with them what was learned, and from the first one on over a database
that another run filled.
"""
import os
import re
import subprocess
import sys
import tempfile

ALWAYS_GLANCE = "1000000"
RETAIN = "r1200"
COMPARING = "identity-mixup"
BEFORE = 6400 # sessions of the run before: so many that a look has a transaction of its own
FRAMES = "3000"
NEARLY_ALL = 0.9  # of what the first round found: each brings as much, but for the sessions that it cuts in two
BEGIN = """site: {host: shop.example, cookie: sid}
exchanges:
"""
SIGN_IN = """  - {at: %(s)dms, request: GET /account, response: {status: 303, location: /login}}
  - {at: %(t)dms, request: {line: POST /login, form: {username: %(c)s, password: x}},
     response: {status: 303, location: /account, set-cookie: $%(c)s}}
  - {at: %(u)dms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""
LATE = """  - {at: %(v)dms, request: {line: POST /logout, cookie: $%(c)s},
     response: {status: 303, location: /, delete-cookie: sid}}
  - {at: %(w)dms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""
FLAP = """  - {at: %(v)dms, request: {line: GET /account, cookie: $%(c)s}, response: {status: 303, location: /login}}
  - {at: %(w)dms, request: {line: GET /account, cookie: $%(c)s}, response: 200}
"""
MIXED = """  - {at: %(v)dms, request: {line: GET /api/me, cookie: $%(c)s}, response: {json: {username: %(c)s}}}
  - {at: %(w)dms, request: {line: GET /api/me, cookie: $%(c)s}, response: {json: {username: %(o)s}}}
"""
SHARED = """  - {at: %(v)dms, request: {line: POST /login, form: {username: %(c)s-b, password: x}},
     response: {status: 303, location: /account, set-cookie: $%(c)s}}
"""
LOST = """  - {at: %(s)dms, request: GET /account, response: {status: 303, location: /login}}
  - {at: %(t)dms, request: {line: POST /login, form: {username: %(c)s, password: x}},
     response: {status: 303, location: /account, set-cookie: $%(c)s}}
  - {at: %(v)dms, request: {line: GET /account, cookie: $%(c)s}, response: {status: 303, location: /login}}
"""
BARE = """  - {at: %(s)dms, request: GET /account, response: {status: 303, location: /login}}
  - {at: %(t)dms, request: {line: POST /login, form: {username: %(c)s, password: x}},
     response: {status: 303, location: /account}}
"""


STORIES = (SIGN_IN + FLAP, BARE, SIGN_IN + LATE, SIGN_IN + MIXED, SIGN_IN + FLAP, SIGN_IN + SHARED, LOST, SIGN_IN + LATE)
RULES = "post-logout-access|status-flap|missing-set-cookie|identity-mixup|shared-token|lost-login"


def fail(text):
    print(text)
    raise SystemExit(1)


def write_scenario(path, first, sessions, apart_ms):
    with open(path, "w", encoding="utf-8") as f:
        f.write(BEGIN)
        for i in range(first, first + sessions):
            at = i * apart_ms
            story = STORIES[i % len(STORIES)]
            f.write(story % {
                "c": "u%d" % i, "o": "u%d" % (i - 1), "s": at - 20, "t": at, "u": at + 20, "v": at + 50, "w": at + 80})


def check_verdicts(how, verdicts):
    """Of a rule that compares many: what was compared with a part only is not proven."""
    if how == "look" and verdicts - {"proven"}:
        fail("after a look a mix-up is %s" % " or ".join(sorted(verdicts)))
    if how == "glance" and "contradiction" not in verdicts:
        fail("at a glance every mix-up is %s" % " or ".join(sorted(verdicts)))


class Database:
    """Of one run after the other"""

    def __init__(self, capgen, scratch, name):
        self.capgen, self.names = capgen, [os.path.join(scratch, name + n) for n in (".yaml", ".pcap", ".key", ".db")]
        self.key, self.db = self.names[2:]
        with open(self.key, "wb") as f:
            f.write(bytes(range(32)))
        os.chmod(self.key, 0o600)

    def capture(self, first, sessions, apart_ms):
        scenario, capture = self.names[:2]
        write_scenario(scenario, first, sessions, apart_ms)
        subprocess.run([self.capgen, "scenario", scenario, "-o", capture], check=True, stderr=subprocess.DEVNULL)
        return capture

    def look_and_glance(self, rounds, capture, how):
        """@return for each round how it looked, and the findings after it"""
        told = subprocess.run([rounds, capture, self.db, self.key, FRAMES, how], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        for line in told.splitlines():
            check_verdicts(line.split()[0], set(re.findall(r"%s:[^:]+:(\S+)" % COMPARING, line)))
        return [(line.split()[0], set(re.findall("(?:%s):[^:]+" % RULES, line))) for line in told.splitlines()]


def check_restart(rounds, headrace, database, sessions):
    """What another run learned serves from the first round on."""
    first = database.capture(1, BEFORE, 100)
    subprocess.run([headrace, "audit", "--quiet", "--key-file", database.key, "--db", database.db, first],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = database.look_and_glance(rounds, database.capture(BEFORE + 1, sessions, 100), ALWAYS_GLANCE)
    known = len(told[-1][1]) - sessions
    if any(how != "glance" for how, _ in told[:-1]) or told[-1][0] != "look":
        fail("after a restart: " + " ".join(how for how, _ in told))
    if len(told[0][1]) < known + NEARLY_ALL * sessions / len(told):
        fail("after a restart the first round told of %d more" % (len(told[0][1]) - known))


def check(told, sessions):
    """@return how many glances there were"""
    known, step = set(), len(told[0][1])
    for number, (how, found) in enumerate(told, 1):
        if number < len(told) and len(found - known) < NEARLY_ALL * step:
            fail("round %d of %d: a %s told of %d more, the first of %d" % (number, len(told), how, len(found - known), step))
        known |= found
    if len(known) != sessions:
        fail("%d of %d were told of in the end" % (len(known), sessions))
    return sum(how == "glance" for how, _ in told)


def main():
    rounds, capgen, headrace = (os.path.abspath(path) for path in sys.argv[1:4])
    sessions = int(sys.argv[4])
    with tempfile.TemporaryDirectory() as scratch:
        always = Database(capgen, scratch, "always")
        told = always.look_and_glance(rounds, always.capture(1, sessions, 100), ALWAYS_GLANCE)
        glances = check(told, sessions)
        if glances != len(told) - 2:
            fail("%d glances in %d rounds" % (glances, len(told)))
        pruned = Database(capgen, scratch, "pruned")
        told = pruned.look_and_glance(rounds, pruned.capture(1, sessions, 1000), ALWAYS_GLANCE + RETAIN)
        after_deletion = check(told, sessions)
        if not len(told) / 2 < after_deletion < glances or len(told[-1][1]) > sessions / 2:
            fail("%d glances in %d rounds, %d findings are left" % (after_deletion, len(told), len(told[-1][1])))
        check_restart(rounds, headrace, Database(capgen, scratch, "restart"), sessions // 4)
    print("%d sessions, %d glances; %d where old days are deleted" % (sessions, glances, after_deletion))
    return 0


if __name__ == "__main__":
    sys.exit(main())
