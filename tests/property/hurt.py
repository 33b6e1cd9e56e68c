#!/usr/bin/env python3
"""Captures made to hurt: each grows one thing that Headrace keeps. Whatever it is, memory stays under
a limit, the work grows as the capture does, and the output says what was cut.

hurt.py HEADRACE [--scale N] [--growth] [SHAPE...]

Without options the captures are small and memory and counters are looked at. --scale N makes them N
times as large (1000 gives the figures: a million half-open connections). --growth needs valgrind: it
counts the instructions of audit, report and evidence at one, two and four times the size, so that
neither load nor what every run costs plays a part: what is added by the last doubling is twice what
the one before added where the work is linear, and four times where it is quadratic.
"""
import argparse
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import ACK, CLIENT, RST, SERVER, SYN, Capture, Connection, packed  # noqa: E402

MEMORY_LIMIT = 256 << 20  # bytes; the promise of the whole program
REPORT_LIMIT = 104 << 20  # bytes; of a report of 60,000 findings


def sid(n):
    return "%032x" % (n * 0x9e3779b97f4a7c15f39cc0605cedc835 % 2**128)


def word(n):
    """A path segment that no template swallows."""
    out = ""
    while True:
        out += "bcdfghjklmnpqrstvwxz"[n % 20] + "aeiou"[n // 20 % 5]
        n //= 100
        if n == 0:
            return out


# --- the shapes: name -> (function(capture, n), sizes at scale 1, counters that must be reached) ---

def half_open(c, n):
    for i in range(n):
        Connection(c, i, opened=False).send(0, b"", SYN, ack=0)


def silent(c, n):
    for i in range(n):
        Connection(c, i)


def half_asked(c, n):
    for i in range(n):
        Connection(c, i).say(0, b"POST /upload HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 90000\r\n\r\n" + b"x" * 600)


def refused(c, n):
    for i in range(n):
        x = Connection(c, i, server="192.0.%d.%d" % (i // 250 % 250, i % 250), opened=False)
        x.send(0, b"", SYN, ack=0)
        x.seq[0] += 1
        x.send(1, b"", RST | ACK)


def gap(c, n):
    """A hole of ten bytes, and behind it one segment in every megabyte, gigabytes far."""
    x = Connection(c, 0)
    x.ask("GET", "/big")
    x.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    for i in range(n):
        x.send(1, b"y" * 1000, skip=10 + i * 10**6 % 2**29)
        if i % 500 == 499:
            x.seq[1] += 2**28


def dense_gap(c, n):
    """The same without further holes: all of it is there but ten bytes."""
    x = Connection(c, 0)
    x.ask("GET", "/big")
    x.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    x.seq[1] += 10
    for _ in range(n):
        x.say(1, b"y" * 1400)


def many_gaps(c, n):
    """Every second request lost."""
    x = Connection(c, 0)
    for i in range(n):
        x.ask("GET", "/item/%d" % i)
        x.answer()
        x.seq[0] += 100
        x.seq[1] += 100


def single_bytes(c, n):
    x = Connection(c, 0)
    x.MSS = 1
    x.ask("GET", "/" + "a" * 100)
    x.answer(body=b"b" * n)
    x.ask("GET", "/last")
    x.answer()


def shuffled_bytes(c, n):
    """One byte per segment, each thousand backwards."""
    x = Connection(c, 0)
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n + b"b" * n
    x.ask("GET", "/")
    for at in range(0, len(data), 1000):
        piece = data[at:at + 1000]
        for i in reversed(range(len(piece))):
            x.send(1, piece[i:i + 1], skip=i)
        x.seq[1] += len(piece)


def fields(c, n):
    x = Connection(c, 0)
    x.ask("GET", "/", ["X-%d: %d" % (i, i) for i in range(n)])
    x.answer(fields=["Set-Cookie: c%d=%s" % (i, sid(i)) for i in range(n)])
    x.ask("GET", "/", ["Cookie: " + "; ".join("c%d=%s" % (i, sid(i)) for i in range(n))])
    x.answer()


def endless_head(c, n):
    for i in range(20):
        Connection(c, i).say(0, b"GET / HTTP/1.1\r\nX: " + b"a" * (n * 50))
        Connection(c, 100 + i).say(0, b"GET /" + b"a" * (n * 50))


def chunk_extensions(c, n):
    x = Connection(c, 0)
    x.ask("GET", "/")
    x.say(1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"a" * (n * 100) + b"\r\nb\r\n" +
          b"1;a=b\r\nc\r\n" * n + b"0\r\n" + b"X-Trailer: t\r\n" * n + b"\r\n")
    x.ask("GET", "/after")
    x.answer()


def interim(c, n):
    x = Connection(c, 0)
    x.ask("GET", "/")
    for _ in range(n):
        x.say(1, b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    x.answer()


def boundary(c, n):
    """A delimiter of n bytes, looked for in a content that is nothing but its beginning."""
    x = Connection(c, 0)
    x.say(0, b"POST /login HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\nContent-Type: multipart/form-data;"
             b" boundary=%s\r\n\r\n%s" % (2 * n, b"a" * n, b"a" * 2 * n))
    x.answer()


def bombs(c, n):
    size = n * 10**4
    zeros = bytes(size)
    coded = [("gzip", gzip.compress(zeros, mtime=0)), ("deflate", zlib.compress(zeros)),
             ("gzip, gzip", gzip.compress(gzip.compress(zeros, mtime=0), mtime=0))]
    coded.append((", ".join(["gzip"] * 50), coded[0][1]))
    for name, command in (("zstd", ["zstd", "-c"]), ("br", ["brotli", "-c"])):
        try:
            coded.append((name, subprocess.run(command, input=zeros, stdout=subprocess.PIPE, check=True).stdout))
        except OSError:
            pass
    for i, (name, body) in enumerate(coded):
        x = Connection(c, i)
        for _ in range(20):
            x.ask("GET", "/bomb")
            x.answer(fields=["Content-Encoding: " + name], body=body)


def sessions(c, n):
    for i in range(n):
        if i % 100 == 0:
            x = Connection(c, i)
        x.login("user%d" % i, sid(i))
        x.get("/home", sid(i))


def open_sessions(c, n):
    """Every session is used at the beginning and at the end, and so is remembered in between."""
    x = Connection(c, 0)
    for i in range(n):
        x.login("user%d" % (i % 10), sid(i))
    for i in range(n):
        x.get("/home", sid(i))


def sites(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.get("/", host=word(i) + ".test")


def kin(c, n):
    """Sites of one domain, with the cookie of the domain."""
    x = Connection(c, 0)
    for i in range(n):
        host = word(i) + ".shop.test"
        x.login("ann%d" % i, sid(i), host=host)
        x.get("/home", sid(i), host=host)
        x.get("/home", sid(i // 2), host=host)
        x.get("/home", sid(i // 2), 302, host=host)


def endpoints(c, n):
    x = Connection(c, 0)
    x.login("ann", sid(0))
    for i in range(n):
        x.get("/" + word(i), sid(0))


def posted_endpoints(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.login("ann", sid(i))
        x.ask("POST", "/" + word(i), ["Cookie: session_id=" + sid(i)], b"username=a&password=b")
        x.answer(302, ["Location: /" + word(i + 1)])


def one_connection(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.get("/item/%d" % i)


def pipelined(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.ask("GET", "/item/%d" % i)
    for i in range(n):
        x.answer()


def unanswered(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.ask("GET", "/item/%d" % i)


def answers_only(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.answer()


def cycles(c, n):
    """One session: signed in and out again and again under one token."""
    x = Connection(c, 0)
    for _ in range(n):
        x.login("ann", sid(0))
        x.get("/home", sid(0))
        x.logout(sid(0))
        x.get("/home", sid(0), 302)


def after_logout(c, n):
    """One session served on and on after its logout: n findings."""
    x = Connection(c, 0)
    for i in range(20):
        x.login("ann%d" % i, sid(i))
        x.get("/home", sid(i))
        x.logout(sid(i))
        x.get("/home", sid(i), 302)
    x.login("ann", sid(99))
    x.get("/home", sid(99))
    x.logout(sid(99))
    for _ in range(n):
        x.get("/home", sid(99))


def flapping(c, n):
    x = Connection(c, 0)
    for i in range(20):
        x.login("ann%d" % i, sid(i))
        x.get("/home", sid(i))
        x.get("/home", sid(1000 + i), 302)
    x.login("ann", sid(99))
    for i in range(n):
        x.get("/home", sid(99), 302 if i % 2 else 200)


def overlapping(c, n):
    """Everything of one session at one time: n connections ask, then n answers come."""
    all_of_them = [Connection(c, i) for i in range(n)]
    first = Connection(c, n)
    first.login("ann", sid(0))
    for i, x in enumerate(all_of_them):
        if i % 3 == 0:
            x.ask("POST", "/login", ["Cookie: session_id=" + sid(0)], b"username=ann&password=pw")
        elif i % 3 == 1:
            x.ask("POST", "/logout", ["Cookie: session_id=" + sid(0)])
        else:
            x.ask("GET", "/home", ["Cookie: session_id=" + sid(0)])
    for i, x in enumerate(all_of_them):
        if i % 3 == 0:
            x.answer(302, ["Location: /home", "Set-Cookie: session_id=%s; HttpOnly" % sid(0)])
        elif i % 3 == 1:
            x.answer(302, ["Location: /login"])
        elif i % 2:
            x.answer()
        else:
            x.answer(302, ["Location: /login"])


def open_logins(c, n):
    """A session that is served after its logout, and then signed in by n requests at one time."""
    all_of_them = [Connection(c, i) for i in range(n)]
    first = Connection(c, n)
    first.login("ann", sid(0))
    first.logout(sid(0))
    first.get("/home", sid(0))
    for x in all_of_them:
        x.ask("POST", "/login", ["Cookie: session_id=" + sid(0)], b"username=ann&password=pw")
    first.get("/home", sid(0))
    for x in all_of_them:
        x.answer(302, ["Location: /home", "Set-Cookie: session_id=%s; HttpOnly" % sid(0)])
    first.get("/home", sid(0))


def overlapping_logins(c, n):
    """As many users sign in at one time, each twice; then each is asked who they are."""
    all_of_them = [Connection(c, i) for i in range(n)]
    for i, x in enumerate(all_of_them):
        x.ask("POST", "/login", (), b"username=user%d&password=pw" % (i // 2))
    for i, x in enumerate(all_of_them):
        x.answer(302, ["Location: /home", "Set-Cookie: session_id=%s; HttpOnly" % sid(i)])
    for i, x in enumerate(all_of_them):
        x.get("/home", sid(i), 302 if i % 2 else 200)


def lossy(c, n):
    """Findings on n connections, each of which lost something before and after them."""
    def loss(x):
        x.get("/logo.png")
        x.seq[0] += 700
        x.seq[1] += 700
        x.get("/logo.png")
    for i in range(n):
        x = Connection(c, i)
        loss(x)
        c.wait(60)
        x = Connection(c, n + i)
        x.login("ann%d" % i, sid(i))
        x.get("/home", sid(i))
        x.get("/home", sid(n + i), 302)
        x.logout(sid(i))
        x.get("/home", sid(i), 200 if i % 2 else 302)
        c.wait(60)
        x = Connection(c, 2 * n + i)
        loss(x)
        c.wait(60)


def refused_logins(c, n):
    """Logins that fail with a new cookie, which is served; each tenth session ten times."""
    for i in range(n):
        x = Connection(c, i)
        if i < 50:
            x.login("ann", sid(n + i))
            x.get("/home", sid(n + i))
            x.get("/home", sid(2 * n + i), 302)
        x.ask("POST", "/login", (), b"username=user%d&password=pw" % i)
        x.answer(403, ["Set-Cookie: session_id=%s; HttpOnly; Path=/" % sid(i)])
        for _ in range(10 if i % 10 == 0 else 1):
            x.get("/home", sid(i))


def failing_again(c, n):
    """One session whose login fails again and again, and that is served each time."""
    x = Connection(c, 0)
    for i in range(50):
        x.login("ann%d" % i, sid(i))
        x.get("/home", sid(i))
        x.get("/home", sid(i + 1000), 302)
    x.get("/home", sid(99), 302)
    for _ in range(n):
        x.ask("POST", "/login", ["Cookie: session_id=" + sid(99)], b"username=bob&password=pw")
        x.answer(401)
        x.get("/home", sid(99))


def carried_logins(c, n):
    """Logins that fail under cookies that were denied before, and are served then."""
    x = Connection(c, 0)
    for i in range(50):
        x.login("ann%d" % i, sid(i))
        x.get("/home", sid(i))
    for i in range(100, 100 + n):
        x.get("/home", sid(i), 302)
        x.ask("POST", "/login", ["Cookie: session_id=" + sid(i)], b"username=user%d&password=pw" % (i // 2))
        x.answer(401)
        x.get("/home", sid(i))


def foreign(c, n):
    """Everybody's account page shows a number of theirs, and now and then that of the one before."""
    for i in range(n):
        x = Connection(c, i)
        x.login("user%d" % i, sid(i))
        for k in range(4):
            x.ask("GET", "/account", ["Cookie: session_id=" + sid(i)])
            x.answer(body=b'<p>Account <b>%s</b></p><p>%s</p>' % (
                b"ACC-%s" % sid(i)[:10].encode(),
                b"ACC-%s" % sid(i - 1)[:10].encode() if k == 2 and i % 5 == 4 else b"nothing"))


def one_value(c, n):
    """One number on everybody's page."""
    for i in range(n):
        x = Connection(c, i)
        x.login("user%d" % i, sid(i))
        for _ in range(3):
            x.ask("GET", "/account", ["Cookie: session_id=" + sid(i)])
            x.answer(body=b"<p>Account <b>ACC-0123456789</b></p>")


def rotating(c, n):
    """One chain: every answer gives the next value."""
    x = Connection(c, 0)
    x.login("ann", sid(0))
    for i in range(n):
        x.ask("GET", "/home", ["Cookie: session_id=" + sid(i)])
        x.answer(fields=["Set-Cookie: session_id=%s; HttpOnly; Path=/" % sid(i + 1)])
    x.logout(sid(n))
    x.get("/home", sid(n), 302)


def shared(c, n):
    """One token, many users and clients."""
    for i in range(n):
        x = Connection(c, 60000 * i)
        x.login("user%d" % i, sid(0))
        x.get("/home", sid(0))


def one_user(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.login("ann", sid(i))
        x.get("/home", sid(i))
        x.logout(sid(i))


def carriers(c, n):
    x = Connection(c, 0)
    for i in range(n):
        x.ask("GET", "/", ["Cookie: %s=%s" % (word(i), sid(i)), "X-%s-Token: %s" % (word(i), sid(i))])
        x.answer(fields=["Set-Cookie: %s=%s" % (word(i), sid(i + 1))])


def lost_logins(c, n):
    """Logins that lose their cookie, in many connections at one time: n findings."""
    x = Connection(c, 0)
    for i in range(50):
        x.login("ann", sid(i))
        x.get("/home", sid(i))
        x.get("/home", sid(i + 1000), 302)
    for i in range(n):
        x.ask("POST", "/login", (), b"username=ann&password=pw")
        x.answer(302, ["Location: /home"])
        x.get("/home", None, 302)


def eager_redirects(c, n):
    """Every redirect says more than that: n findings of one endpoint."""
    x = Connection(c, 0)
    for i in range(n):
        x.ask("POST", "/login", (), b"username=ann&password=pw")
        x.answer(302, ["Location: /home", "Set-Cookie: session_id=%s; HttpOnly" % sid(i)], b"welcome ann")
        x.get("/home", sid(i))


def prefixes(c, n):
    """Redirects of which every segment may be a proxy's prefix, and texts that nearly repeat them."""
    x = Connection(c, 0)
    for _ in range(20):
        x.ask("GET", "/a" * n)
        x.answer(302, ["Location: " + "/a" * n + "/z"], b"<html><p>" + b"/a" * 1000 + b"</p></html>")


def request_ids(c, n):
    """One request id on everything."""
    x = Connection(c, 0)
    for i in range(n):
        x.ask("GET", "/item/%d" % i, ["X-Request-Id: 0123456789abcdef"])
        x.answer(fields=["X-Request-Id: 0123456789abcdef"], body=b"<html>hello ann %d</html>" % i)


def cuts(c, n):
    """A server that cuts everybody off at once, again and again."""
    for at in range(0, n, 50):
        some = [Connection(c, at + i) for i in range(50)]
        for x in some:
            x.get("/home")
        c.wait(1)
        for x in some:
            x.send(1, b"", RST | ACK)
        c.wait(200)


def not_http(c, n):
    for i in range(n):
        x = Connection(c, i, dport=443)
        x.say(0, b"\x16\x03\x01\x02\x00" + bytes(500))
        x.close()


def fragments(c, n):
    for i in range(n):
        c.ip(packed(CLIENT), packed(SERVER), 6, bytes(64), more=True, offset=0, ident=i & 0xffff)
        c.ip(struct.pack(">I", 0x0a000000 + i), packed(SERVER), 6, bytes(64), more=True, offset=65000, ident=7)


def overlapping_fragments(c, n):
    for i in range(n):
        c.ip(packed(CLIENT), packed(SERVER), 6, bytes(64), more=True, offset=i * 8 % 60000, ident=1)
        c.ip(packed(CLIENT), packed(SERVER), 6, bytes(1200), more=True, offset=0, ident=1)


def reused(c, n):
    """One 4-tuple, a new connection each time."""
    for i in range(n):
        x = Connection(c, 0, opened=False)
        x.seq = [1000 + i * 100003, 5000 + i * 100003]
        x.send(0, b"", SYN, ack=0)
        x.seq[0] += 1
        x.send(1, b"", SYN | ACK)
        x.seq[1] += 1
        x.get("/")
        x.send(1, b"", RST | ACK)


# Findings that each of the n has: without them a shape shows nothing of what many cost.
FINDINGS = {"after-logout": 1, "lost-logins": 1, "eager-redirects": 1}

SHAPES = {
    # name: (function, n at scale 1, counters that must not be 0 at scale 1)
    "half-open": (half_open, 1000, []),
    "silent": (silent, 1000, ["connections_evicted"]),
    "half-asked": (half_asked, 1000, ["connections_evicted", "kept_bytes_peak"]),
    "refused": (refused, 1000, []),
    "gap": (gap, 500, ["gaps"]),
    "dense-gap": (dense_gap, 3500, ["budget_gaps"]),
    "many-gaps": (many_gaps, 200, ["gaps"]),
    "single-bytes": (single_bytes, 1000, []),
    "shuffled-bytes": (shuffled_bytes, 3000, ["out_of_order"]),
    "fields": (fields, 400, ["fields_cut", "tokens_dropped", "parts_unread"]),
    "endless-head": (endless_head, 2000, []),
    "chunk-extensions": (chunk_extensions, 1000, []),
    "interim": (interim, 500, ["interim_responses"]),
    "boundary": (boundary, 2000, []),
    "bombs": (bombs, 100, ["contents_cut"]),
    "sessions": (sessions, 400, ["tokens_forgotten"]),
    "open-sessions": (open_sessions, 400, []),
    "sites": (sites, 100, []),
    "kin": (kin, 100, ["twins_cut"]),
    "endpoints": (endpoints, 200, []),
    "posted-endpoints": (posted_endpoints, 200, []),
    "one-connection": (one_connection, 1000, []),
    "pipelined": (pipelined, 2000, ["waiting_dropped"]),
    "unanswered": (unanswered, 2000, ["waiting_dropped"]),
    "answers-only": (answers_only, 500, ["responses_alone"]),
    "cycles": (cycles, 100, []),
    "after-logout": (after_logout, 100, []),
    "flapping": (flapping, 100, []),
    "overlapping": (overlapping, 99, []),
    "open-logins": (open_logins, 70, ["orders_unknown"]),
    "overlapping-logins": (overlapping_logins, 100, []),
    "lossy": (lossy, 100, []),
    "refused-logins": (refused_logins, 100, []),
    "failing-again": (failing_again, 100, []),
    "carried-logins": (carried_logins, 100, []),
    "foreign": (foreign, 50, []),
    "one-value": (one_value, 50, []),
    "rotating": (rotating, 100, []),
    "shared": (shared, 100, []),
    "one-user": (one_user, 100, []),
    "carriers": (carriers, 200, []),
    "lost-logins": (lost_logins, 100, []),
    "eager-redirects": (eager_redirects, 100, []),
    "prefixes": (prefixes, 200, []),
    "request-ids": (request_ids, 200, []),
    "cuts": (cuts, 200, []),
    "not-http": (not_http, 500, ["connections_tls"]),
    "fragments": (fragments, 5000, ["fragments_dropped"]),
    "overlapping-fragments": (overlapping_fragments, 1000, ["fragments_overlapping"]),
    "reused": (reused, 500, []),
}


# Bounds that small captures are to reach.
OPTIONS = {"half-asked": ["--max-kept", "256K"], "silent": ["--max-connections", "500"],
           "sessions": ["--max-tokens", "100"]}


GROWTH_LIMIT = 2.6  # of instructions added by doubling twice; n log n stays below
FLAT = 20 * 10**6   # what is added by less is not looked at


def instructions(command, folder):
    log = os.path.join(folder, "instructions")
    p = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-file=" + log,
                        *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if p.returncode not in (0, 1):
        raise SystemExit("status %d of %s" % (p.returncode, command[1]))
    with open(log) as f:
        return int(re.search(r"Collected : (\d+)", f.read())[1])


def costs(headrace, shape, n, folder, options):
    """Instructions by command."""
    capture, database = os.path.join(folder, "hurt.pcap"), os.path.join(folder, "hurt.db")
    with open(capture, "wb", buffering=1 << 20) as f:
        SHAPES[shape][0](Capture(f), n)
    out = {"audit": instructions([headrace, "audit", "--quiet", "--db", database, "-o", "/dev/null", *options,
                                  capture], folder),
           "report": instructions([headrace, "report", "--db", database, "-o", "/dev/null"], folder)}
    findings = subprocess.run([headrace, "list", "findings", "--db", database, "--format", "ndjson"],
                              stdout=subprocess.PIPE, check=False).stdout
    ids = [str(json.loads(line)["id"]) for line in findings.splitlines()]
    if len(ids) >= n / 4:
        out["evidence"] = instructions([headrace, "evidence", "--db", database, *ids, "-o",
                                        os.path.join(folder, "hurt.pcapng")], folder)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    return out


def growth(headrace, shape, n, folder, options):
    """@return texts, problems"""
    one, two, four = (costs(headrace, shape, n * k, folder, options) for k in (1, 2, 4))
    texts, problems = [], []
    for command in four:
        if command in one and command in two:
            first, second = two[command] - one[command], four[command] - two[command]
            texts.append("%s %.2f G x %.2f" % (command, four[command] / 1e9, second / max(first, 1)))
            if second > FLAT and second > GROWTH_LIMIT * first:
                problems.append("%s grows faster than its input" % command)
    return texts, problems


class Outcome:
    def __init__(self, headrace, shape, n, folder, options):
        capture = os.path.join(folder, "hurt.pcap")
        database = os.path.join(folder, "hurt.db")
        with open(capture, "wb", buffering=1 << 20) as f:
            SHAPES[shape][0](Capture(f), n)
        self.size = os.path.getsize(capture)
        with open(os.path.join(folder, "out"), "w+b") as out:
            p = subprocess.Popen([headrace, "audit", "--quiet", "--format", "ndjson", "--db", database,
                                  *options, capture],
                                 stdout=out)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.counters, self.findings = {}, 0
            for line in out:
                record = json.loads(line)
                self.findings += "rule" in record
                if record.get("type") == "counter":
                    self.counters[record["name"]] = record["value"]
        self.status = p.returncode
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024
        self.stored = os.path.getsize(database)
        self.report_peak = 0
        if self.findings > 0:
            p = subprocess.Popen([headrace, "report", "--db", database, "--format", "sarif", "-o", "/dev/null"])
            self.report_peak = os.wait4(p.pid, 0)[2].ru_maxrss * 1024
            p.returncode = 0
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))


def main():
    parser = argparse.ArgumentParser(usage="hurt.py HEADRACE [--scale N] [--growth] [--any-memory] [SHAPE...]")
    parser.add_argument("headrace")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--any-memory", action="store_true", help="of the sanitizers, which have shadows of their own")
    parser.add_argument("shapes", nargs="*")
    args = parser.parse_intermixed_args()
    bad = 0
    for shape in args.shapes or SHAPES:
        n = int(SHAPES[shape][1] * args.scale)
        options = OPTIONS.get(shape, []) if args.scale == 1 else []
        with tempfile.TemporaryDirectory() as folder:
            one = Outcome(args.headrace, shape, n, folder, options)
            text = "%-22s n %8d %7.1f MB in, %7.1f MB stored, %6d findings, cpu %7.2f s, peak %4d MB" % (
                shape, n, one.size / 1e6, one.stored / 1e6, one.findings, one.cpu, one.peak >> 20)
            problems = []
            if one.status not in (0, 1):
                problems.append("status %d" % one.status)
            if one.peak > MEMORY_LIMIT and not args.any_memory:
                problems.append("peak %d MB" % (one.peak >> 20))
            if one.report_peak > REPORT_LIMIT and not args.any_memory:
                problems.append("report's peak %d MB" % (one.report_peak >> 20))
            problems += ["%s is 0" % k for k in SHAPES[shape][2] if not one.counters.get(k)]
            if one.findings < FINDINGS.get(shape, 0) * n:
                problems.append("fewer findings than its sessions have")
            if args.growth:
                texts, worse = growth(args.headrace, shape, n, folder, options)
                text += ", added by doubling: " + ", ".join(texts)
                problems += worse
        print("%s %s" % ("failed" if problems else "ok    ", text), flush=True)
        for p in problems:
            print("       " + p)
        bad += bool(problems)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
