#!/usr/bin/env python3
"""TCP and HTTP at their worst, through the whole program: each shape is a small capture, and what a
user is told of it: the exchanges, the ledger of what could not be seen, counters.

shapes.py HEADRACE [SHAPE...]

An exchange is told as METHOD target -> status, its bodies' bytes, its state where it is not complete,
"resync" where it was paired behind a loss, and its anomalies. A line of the ledger is its kind, count and
bytes.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import ACK, FIN, PSH, RST, SYN, Capture, Connection  # noqa: E402

SHAPES = []


def shape(exchanges, loss=(), **counters):
    """Of a function that writes the shape. Every line of the ledger is named, and some counters."""
    def keep(function):
        SHAPES.append((function.__name__, function, exchanges, sorted(loss), counters))
        return function
    return keep


def get(path, fields=b""):
    return b"GET %s HTTP/1.1\r\nHost: shop.test\r\n%s\r\n" % (path, fields)


def ok(body=b"ok", fields=b""):
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(body), body)


def bare(c):
    """A connection whose handshake the shape writes itself; both sides stand behind their SYN."""
    x = Connection(c, 0, opened=False)
    x.syn = lambda side, flags, data=b"", **more: x.send(side, data, flags, skip=-1, **more)
    x.seq = [1001, 5001]
    return x


# --- TCP -------------------------------------------------------------------------------------------


@shape(["GET /first -> 200 0/2"], overlaps_differing=1)
def overlap_of_what_was_delivered(c):
    x = Connection(c, 0)
    x.send(0, get(b"/first"))
    x.send(0, get(b"/other"))
    x.seq[0] += len(get(b"/first"))
    x.say(1, ok())


@shape(["GET /first -> 200 0/2"], overlaps_differing=1)
def overlap_of_what_is_held(c):
    """The first copy of a byte counts, also of one that had to wait for those before it."""
    x = Connection(c, 0)
    data = get(b"/first")
    x.send(0, data[4:], skip=4)
    x.send(0, get(b"/other"))
    x.seq[0] += len(data)
    x.say(1, ok())


@shape(["GET /a -> 200 0/2", "GET /b -> 200 0/2"])
def fast_open(c):
    """RFC 7413: the SYN bears the request."""
    x = bare(c)
    x.syn(0, SYN, get(b"/a"), ack=0)
    x.seq[0] += len(get(b"/a"))
    x.syn(1, SYN | ACK)
    x.say(1, ok())
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2"])
def fast_open_not_taken(c):
    x = bare(c)
    x.syn(0, SYN, get(b"/a"), ack=0)
    x.syn(1, SYN | ACK)
    x.say(0, get(b"/a"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2"], connections=1)
def simultaneous_open(c):
    x = bare(c)
    x.syn(0, SYN, ack=0)
    x.syn(1, SYN, ack=0)
    x.syn(0, SYN | ACK)
    x.syn(1, SYN | ACK)
    x.say(0, get(b"/a"))
    x.say(1, ok())


def again(c, isns, path):
    x = Connection(c, 0, opened=False)
    x.seq = list(isns)
    x.send(0, b"", SYN, ack=0)
    x.seq[0] += 1
    x.send(1, b"", SYN | ACK)
    x.seq[1] += 1
    x.say(0, get(path))
    x.say(1, ok())
    return x


@shape(["GET /a -> 200 0/2", "GET /b -> 200 0/2", "GET /c -> 200 0/2"], connections=3)
def port_reused(c):
    """Within a second: after both FINs, and after nobody closed. A sequence space that goes on (Linux) and one
    that begins elsewhere."""
    again(c, (1000, 5000), b"/a").close()
    c.wait(0.5)
    again(c, (9000, 12000), b"/b")
    c.wait(0.5)
    again(c, (3000000000, 7), b"/c")


@shape(["GET /a -> 200 0/2", "GET /b -> 200 0/2"], resets_ignored=2)
def forged_resets_out_of_window(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.send(1, b"", RST, skip=2 * 10**8)
    x.send(0, b"", RST, skip=-50)
    x.say(1, ok())
    c.wait(1)
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/3000", "GET /b -> 200 0/2"], resets_ignored=1)
def forged_reset_in_an_answer(c):
    """In the window, and the server talks on: it did not send it."""
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    data = ok(b"x" * 3000)
    x.say(1, data[:1000])
    x.send(1, b"", RST | ACK, skip=400)
    x.say(1, data[1000:])
    c.wait(1)
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2", "GET /b -> 200 0/2", "GET /c -> 200 0/2"], ["midstream 1 0"], connections=3)
def forged_reset_between(c):
    """When it was believed already, the side that is said to have sent it talks on."""
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, ok())
    x.send(0, b"", RST)
    c.wait(2)
    Connection(c, 1)  # on its frames the time-out runs
    for path in (b"/b", b"/c"):
        x.say(0, get(path))
        x.say(1, ok())


@shape(["GET /a -> 200 0/3000", "GET /b -> 200 0/2"], keep_alives=1)
def zero_window(c):
    """Probes without a byte (Linux) and with the next one (BSD), which comes again when the window opens."""
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    data = ok(b"x" * 3000)
    x.say(1, data[:1400])
    for _ in range(2):
        x.send(0, b"", ACK, window=0)
        c.wait(0.3)
    x.send(1, b"", ACK, skip=-1)
    x.send(0, b"", ACK, window=0)
    c.wait(5)
    x.send(1, data[1400:1401])
    x.send(0, b"", ACK, window=0)
    c.wait(5)
    x.send(0, b"", ACK, window=65535)
    x.say(1, data[1400:])
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> - 0/- gap loss", "GET /b -> - 0/- gap loss"], ["gap 1 80", "midstream 1 0", "one-sided 1 0"],
       requests=2, connections_one_sided=1)
def requests_alone(c):
    """That there were answers, the acknowledgements tell."""
    x = bare(c)
    for path in (b"/a", b"/b"):
        x.say(0, get(path))
        x.seq[1] += len(ok())
    x.send(0, b"", ACK)


@shape(["- - -> 200 -/2", "- - -> 404 -/0"], ["gap 1 100", "midstream 1 0", "one-sided 1 0"],
       responses_alone=2)
def responses_alone(c):
    x = bare(c)
    for answer in (ok(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"):
        x.seq[0] += 100
        x.say(1, answer)


# --- HTTP ------------------------------------------------------------------------------------------


@shape(["GET /%d -> 200 0/%d" % (i, len(str(i))) for i in range(400)])
def pipelining_of_hundreds(c):
    x = Connection(c, 0)
    x.say(0, b"".join(get(b"/%d" % i) for i in range(400)))
    x.say(1, b"".join(ok(b"%d" % i) for i in range(400)))


@shape(["POST /up -> 413 8/2", "GET /b -> 200 0/2"])
def response_before_the_requests_end(c):
    x = Connection(c, 0)
    x.say(0, b"POST /up HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf")
    x.say(1, b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    c.wait(0.2)
    x.say(0, b"more")
    x.say(0, get(b"/b"))
    x.say(1, ok())


def smuggled(c, fields, body, answers=1):
    """A request with those fields; then one that everybody reads alike."""
    x = Connection(c, 0)
    x.say(0, b"POST /a HTTP/1.1\r\nHost: shop.test\r\n" + fields + b"\r\n" + body)
    for _ in range(answers):
        x.say(1, ok())
    x.say(0, get(b"/next"))
    x.say(1, ok())


@shape(["POST /a -> 200 3/2 request-two-lengths", "GET /next -> 200 0/2"], ambiguous=0)
def two_lengths_equal(c):
    smuggled(c, b"Content-Length: 3\r\nContent-Length: 3\r\n", b"a=b")


@shape(["POST /a -> 200 3/2 request-two-lengths request-lengths-differ", "GET /hidden -> 200 0/2",
        "GET /next -> 200 0/2"], ["ambiguous 1 0"], ambiguous=1)
def two_lengths_different(c):
    """The first counts; a server that takes the second sees no /hidden."""
    body = b"a=b" + get(b"/hidden")
    smuggled(c, b"Content-Length: 3\r\nContent-Length: %d\r\n" % len(body), body, 2)


@shape(["POST /a -> 200 5/2 request-length-and-coding", "GET /hidden -> 200 0/2", "GET /next -> 200 0/2"],
       ["ambiguous 1 0"])
def length_and_chunked(c):
    """The coding counts, as in llhttp (RFC 9112 6.3)."""
    body = b"0\r\n\r\n" + get(b"/hidden")
    smuggled(c, b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body), body, 2)


@shape(["POST /a -> 200 5/2 request-bad-field request-odd-coding", "GET /next -> 200 0/2"], ["ambiguous 1 0"])
def coding_behind_a_space(c):
    smuggled(c, b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")


@shape(["POST /a -> 200 5/2 request-odd-coding", "GET /next -> 200 0/2"], ["ambiguous 1 0"])
def coding_twice(c):
    smuggled(c, b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")


@shape(["POST /a -> 200 5/2 request-obs-fold", "GET /next -> 200 0/2"])
def coding_in_a_folded_line(c):
    smuggled(c, b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n")


@shape(["POST /a -> 501 64/2 request-length-and-coding request-odd-coding"], ["ambiguous 1 0"])
def coding_unknown(c):
    """Nobody knows where it ends; servers refuse it and close. What is behind it is no request."""
    x = Connection(c, 0)
    x.say(0, b"POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n"
             b"0\r\n\r\n" + get(b"/x?0123456789012345678901"))
    x.say(1, b"HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
    x.close()


@shape(["POST /a -> 200 3/2 request-length-and-coding request-odd-coding", "GET /next -> 200 0/2"],
       ["ambiguous 1 0"])
def coding_identity(c):
    smuggled(c, b"Content-Length: 3\r\nTransfer-Encoding: identity\r\n", b"a=b")


@shape(["POST /a -> 200 3/2 request-bad-length", "GET /next -> 200 0/2"], ["ambiguous 1 0"])
def length_no_number(c):
    smuggled(c, b"Content-Length: +3, 3\r\n", b"a=b")


@shape(["GET /a -> 200 0/2 response-two-lengths response-lengths-differ", "GET /b -> 200 0/2 resync"],
       ["ambiguous 1 0", "gap 1 1"])
def two_lengths_in_an_answer(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/12 response-length-and-coding", "GET /b -> 200 0/2"], ambiguous=0)
def length_and_chunked_in_an_answer(c):
    """Servers that do so are many, and every client reads it alike."""
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2 request-bare-lf request-obs-fold response-bare-lf", "GET /b -> 200 0/2"], odd_heads=2)
def bare_lf_and_folded_lines(c):
    x = Connection(c, 0)
    x.say(0, b"GET /a HTTP/1.1\nHost: shop.test\nX-Note: one\n two\n\tthree\n\n")
    x.say(1, b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["POST /a -> 200 8/2 request-bare-lf", "GET /next -> 200 0/2"])
def bare_lf_in_chunks(c):
    smuggled(c, b"Transfer-Encoding: chunked\r\n", b"2\nok\n0\n\n")


@shape(["GET /a -> 200 0/2 request-bad-field", "GET /b -> 200 0/2"], odd_heads=1)
def lines_that_are_no_fields(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a", b"no field at all\r\nBad Name: x\r\n"))
    x.say(1, ok())
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2 request-fields-cut response-fields-cut", "GET /b -> 200 0/2"], fields_cut=2)
def header_flood(c):
    x = Connection(c, 0)
    many = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 60) for i in range(5000))
    x.say(0, get(b"/a", many))
    x.say(1, ok(fields=many))
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/1048553 response-truncated response-broken", "GET /b -> 200 0/2 resync"],
       ["gap 1 451449"], parse_errors=1)
def endless_chunk_extension(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"e" * 1500000)
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/102016", "GET /b -> 200 0/2"])
def many_chunk_extensions(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;name=value\r\nx\r\n" * 6000 +
          b"0;last\r\nX: y\r\n\r\n")
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /a -> 200 0/2", "GET /b -> 200 0/2"], interim_responses=3000)
def storm_of_interim_responses(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a"))
    x.say(1, b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 3000 + ok())
    x.say(0, get(b"/b"))
    x.say(1, ok())


@shape(["GET /ws -> 101 0/0"], ["not-http 1 34"], upgraded=1, bytes_not_http=34)
def websocket(c):
    """Whatever its frames hold is no HTTP."""
    x = Connection(c, 0)
    x.say(0, get(b"/ws", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    x.say(1, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    x.say(0, b"\x81\x90GET / HTTP/1.1\r\n")
    x.say(1, b"\x81\x0eHTTP/1.1 200\r\n")


@shape(["GET /a -> 101 0/0"], ["http2 1 49"], upgraded=1)
def h2c(c):
    x = Connection(c, 0)
    x.say(0, get(b"/a", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"))
    x.say(1, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + bytes(16))
    x.say(0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))


@shape([], ["http2 2 96"], connections_http2=2, bytes_http2=96)
def http2_prior_knowledge(c):
    for i in range(2):
        x = Connection(c, i)
        x.say(0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        x.say(1, bytes(15))


@shape([], ["tls 2 210"], connections_tls=2, bytes_tls=210)
def tls(c):
    for i in range(2):
        x = Connection(c, i, dport=443)
        x.say(0, b"\x16\x03\x01\x00\x60" + bytes(60))
        x.say(1, b"\x16\x03\x03\x00\x23" + bytes(35))


# --- what is told ----------------------------------------------------------------------------------


def records(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        raise SystemExit("%s: status %d: %s" % (" ".join(command), p.returncode, p.stderr.decode()))
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def dash(value):
    return "-" if value is None else value


def tell_exchange(x):
    words = ["%s %s -> %s %s/%s" % tuple(dash(x[k]) for k in (
        "method", "target", "status", "request_bytes", "response_bytes"))]
    words += [x["state"]] if x["state"] != "complete" else []
    words += ["resync"] if x["pairing"] != "certain" else []
    words += ["loss"] if x["loss"] else []
    return " ".join(words + x["anomalies"])


def check(headrace, folder, function, exchanges, loss, counters):
    capture, database = os.path.join(folder, "c.pcap"), os.path.join(folder, "db")
    with open(capture, "wb") as f:
        function(Capture(f))
    audited = records(headrace, "audit", "--quiet", "--db", database, "--format", "ndjson", capture)
    values = {r["name"]: r["value"] for r in audited if r.get("type") == "counter"}
    listed = [records(headrace, "list", what, "--db", database, "--format", "ndjson")
              for what in ("exchanges", "loss")]
    told = [tell_exchange(x) for x in listed[0]]
    ledger = sorted("%s %d %d" % (x["kind"], x["count"], x["bytes"]) for x in listed[1])
    if told != exchanges:
        yield "exchanges are\n  %s\nnot\n  %s" % ("\n  ".join(told), "\n  ".join(exchanges))
    if ledger != loss:
        yield "the ledger is %s, not %s" % (ledger, loss)
    for name, value in counters.items():
        if values[name] != value:
            yield "%s is %d, not %d" % (name, values[name], value)


def main():
    headrace, wanted = sys.argv[1], sys.argv[2:]
    bad = 0
    for name, *rest in SHAPES:
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems = list(check(headrace, folder, *rest))
        print("%s %s" % ("failed" if problems else "ok    ", name))
        for p in problems:
            print(p)
        bad += bool(problems)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
