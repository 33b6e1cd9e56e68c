"""The same over other connections, through proxies, at other times, among other traffic."""
import calendar
import copy
import re
import time

import reconnect
from mutations.common import denial_json, go_redirect, h
from traffic import cookies


def header_case(traffic, rng):
    way = rng.choice((str.lower, str.upper, str.title))
    for m in traffic.messages():
        for f in m.fields:
            f[0] = way(f[0])
    return True


def header_order(traffic, rng):
    """Fields of one name keep their order."""
    for m in traffic.messages():
        names = [f[0].lower() for f in m.fields]
        rank = {n: rng.random() for n in names}
        m.fields.sort(key=lambda f: rank[f[0].lower()])
    return True


def proxy_fields(traffic, rng):
    """What nginx, Varnish and friends add."""
    n = 0
    for c in traffic.conversations:
        client = ".".join(str(int(h(repr(c.connection.ends[0]))[i:i + 2], 16)) for i in (0, 2, 4, 6))
        for q, r in c.exchanges():
            n += 1
            q.fields += [["X-Forwarded-For", client], ["X-Forwarded-Proto", "https"], ["Via", "1.1 edge-3 (squid/5.2)"],
                         ["X-Real-IP", client], ["Forwarded", "for=%s;proto=https" % client], ["X-Amzn-Trace-Id", "Root=1-" + h(str(n))[:24]]]
            if r is not None and r.status != 101:
                r.fields[0:0] = [["Server", "nginx/1.24.0"]] if r.get("server") is None else []
                r.fields += [["Via", "1.1 varnish"], ["X-Cache", "MISS"], ["X-Varnish", str(1000 + n)], ["X-Served-By", "cache-fra-1"],
                             ["X-Powered-By", "PHP/8.2"], ["Strict-Transport-Security", "max-age=31536000"],
                             ["X-Runtime", "0.0%d" % (n % 90)], ["X-Content-Type-Options", "nosniff"] if r.get("x-content-type-options") is None else ["X-Frame-Options", "DENY"],
                             ["Cache-Control", "private, no-cache"] if r.get("cache-control") is None else ["Pragma", "no-cache"]]
    return True


def request_ids(traffic, rng):
    """Each request has an id of the proxy, and the answer repeats it."""
    name = rng.choice(("X-Request-Id", "X-Correlation-ID", "X-Request-ID", "Request-Id", "X-Trace-Id"))
    if any(q.get(name) or r is not None and r.get(name) for q, r in traffic.exchanges()):
        return False
    for i, (q, r) in enumerate(traffic.exchanges()):
        q.fields.append([name, h(str(i), "id")[:32]])
        if r is not None and r.status != 101:
            r.fields.append([name, h(str(i), "id")[:32]])
    return True


def http10(traffic, rng):
    """An old proxy in front: HTTP/1.0 with Connection: keep-alive."""
    for c in traffic.conversations:
        if any(r.chunked or r.close or r.status < 200 or r.status == 101 or not r.whole for r in c.responses) or \
                any(q.get("transfer-encoding") or q.get("upgrade") for q in c.requests):
            continue
        for q in c.requests:
            q.first = q.first.replace("HTTP/1.1", "HTTP/1.0")
            if q.get("connection") is None:
                q.fields.append(["Connection", "keep-alive"])
        for r in c.responses:
            r.first = r.first.replace("HTTP/1.1", "HTTP/1.0")
            if r.get("connection") is None:
                r.fields.append(["Connection", "keep-alive"])
    return True


def late(traffic, rng):
    """The capture began in the middle."""
    return begin(traffic, rng.uniform(0.1, 0.7), 1)


def early(traffic, rng):
    return begin(traffic, 0, rng.uniform(0.3, 0.9))


def begin(traffic, a, b):
    inner = traffic.frames
    if traffic.has_doubts:
        return False

    def frames():
        out = inner()
        first, last = out[0].at, out[-1].at
        return [f for f in out if first + a * (last - first) <= f.at <= first + b * (last - first)]

    traffic.frames = frames
    return True


def one_connection_each(traffic, rng):
    traffic.frames = lambda: reconnect.reconnected(traffic, rng, False)


def proxy_pool(traffic, rng):
    """Everybody over a proxy's few connections."""
    traffic.frames = lambda: reconnect.reconnected(traffic, rng, True)


DATES = "%a, %d %b %Y %H:%M:%S GMT"


def stretched(traffic, factor, shift_s):
    """Declared lifetimes and dates follow."""
    start = min(p.frame.at for p in traffic.packets)

    def moved(text):
        try:
            t = calendar.timegm(time.strptime(text, DATES))
        except ValueError:
            return text
        return time.strftime(DATES, time.gmtime(start / 1e9 + shift_s + (t - start / 1e9) * factor))

    def seconds(m):
        return m.group(1) + (str(round(int(m.group(2)) * factor)) if int(m.group(2)) > 1 else m.group(2))

    for r in traffic.messages():
        for f in r.fields:
            name = f[0].lower()
            if name in ("date", "last-modified", "if-modified-since", "expires"):
                f[1] = moved(f[1])
            elif name == "set-cookie":
                f[1] = re.sub(r"((?i:max-age)=)(\d+)", seconds, f[1])
                f[1] = re.sub(r"((?i:expires)=)([^;]+)", lambda m: m.group(1) + moved(m.group(2)), f[1])
        if b"expires_in" in r.body and not r.get("content-encoding"):
            r.body = re.sub(rb'("expires_in": ?)(\d+)', lambda m: m.group(1) + str(round(int(m.group(2)) * factor)).encode(), r.body)
    reconnect.on_time(traffic, start, factor, shift_s * 10**9)


def slow(traffic, rng):
    """Ten times as long, at another time of the year."""
    stretched(traffic, 10, rng.randrange(-10**7, 10**7))


def fast(traffic, rng):
    stretched(traffic, 0.1, rng.randrange(-10**7, 10**7))


def answer(status, fields, body):
    head = ["HTTP/1.1 " + status] + ["%s: %s" % f for f in fields] + ["Content-Length: %d" % len(body), "", ""]
    return "\r\n".join(head).encode() + body


def bulk(traffic, rng):
    """As much again of what says nothing: assets, polls, probes, robots that are sent away."""
    host = next((q.get("host") for q in traffic.requests() if q.get("host")), "app")
    first, last = (f(p.frame.at for p in traffic.packets) for f in (min, max))
    page = b"<!doctype html><html><head><title>Robots</title></head><body>" + b"<p>text</p>" * 40 + b"</body></html>"
    denied = [(q, r) for q, r in traffic.exchanges() if r is not None and not cookies(q) and not q.get("authorization") and
              q.first.startswith("GET") and (denial_json(r) or go_redirect(r))]
    extras = []
    for i in range(len(traffic.requests())):
        start, took = rng.randrange(first, last), rng.randrange(200000, 30000000)
        agent = rng.choice(("kube-probe/1.28", "Googlebot/2.1", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101", "Prometheus/2.45"))
        verb, target, reply = "GET", "/", None
        kind = rng.randrange(7)
        if kind == 0:
            target, reply = "/assets/%x.js" % rng.randrange(40), answer("200 OK", [("Content-Type", "text/javascript"), ("Cache-Control", "public, max-age=86400"), ("ETag", '"a%d"' % i)], b"var a=1;" * 90)
        elif kind == 1:
            target, reply = "/readyz", answer("200 OK", [("Content-Type", "text/plain")], b"ok")
        elif kind == 2:
            target, reply = "/poll/status?since=%d" % i, answer("204 No Content", [], b"").replace(b"Content-Length: 0\r\n", b"")
        elif kind == 3:
            target, reply = "/blog/%d" % rng.randrange(30), answer("200 OK", [("Content-Type", "text/html")], page)
        elif kind == 4:
            target, reply = "/assets/%x.css" % rng.randrange(9), answer("304 Not Modified", [("ETag", '"c1"')], b"").replace(b"Content-Length: 0\r\n", b"")
        elif kind == 5:
            verb, target, reply = "POST", "/rum/beacon", answer("202 Accepted", [], b"")
        elif denied:
            q, r = rng.choice(denied)
            plain = copy.copy(r)  # a request's own id is nobody else's
            plain.fields = [f for f in r.fields if not f[0].lower().endswith(("-id", "varnish"))]
            target, reply = q.first.split(" ")[1], plain.bytes()
            if r.get("connection"):
                continue
        else:
            target, reply = "/missing%d" % i, answer("404 Not Found", [("Content-Type", "text/html")], b"<h1>404</h1>")
        body = b'{"t":%d}' % i if verb == "POST" else b""
        head = "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n" % (verb, target, host, agent)
        head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body) if body else ""
        extras.append(reconnect.Extra(start, head.encode() + b"\r\n" + body, reply, took))
    reconnect.with_extras(traffic, rng, extras)
