"""Other cookies and tokens, and other places for them."""
import base64
import hashlib
import json
import re
import urllib.parse

from mutations.common import PROTECTED, b64, go_redirect, h, is_login, one_json, plain_redirect, timed
from traffic import cookies, issued, rewrite, set_cookies

COOKIE_NAMES = ("connect.sid", "__Host-s", "JSESSIONID", "auth", "x", "_app_key", "PHPSESSID", "ASP.NET_SessionId",
                "laravel_session", "_k3", "ci_session", "user_session", "u", "__Secure-id", "wtf", "sess", "tk", "SSID",
                "beaker.session.id", "PLAY_SESSION", "_forum_session", "vsid", "ticket", "a1b2", "MYAPP", "sessionid")


def cookie_name(traffic, rng, name=None):
    old = traffic.carrier
    if old is None:
        return False
    name = name or rng.choice(COOKIE_NAMES)
    taken = {n for q in traffic.requests() for n, _ in cookies(q)}
    if name in taken:
        return False
    for q in traffic.requests():
        pairs = cookies(q)
        if any(n == old for n, _ in pairs):
            set_cookies(q, [[name if n == old else n, v] for n, v in pairs])
    for r in traffic.responses():
        for f in r.fields:
            if f[0].lower() == "set-cookie" and f[1].startswith(old + "="):
                f[1] = name + f[1][len(old):]
                if name.startswith("__") and "; Secure" not in f[1]:
                    f[1] += "; Secure"
    traffic.carrier = name
    return True


def tokens(traffic):
    found = {}
    for q in traffic.requests():
        for _, v in cookies(q):
            if len(v) >= 16:
                found[v] = None
        a = q.get("authorization")
        if a and a.startswith("Bearer "):
            found[a[7:]] = None
    for r in traffic.responses():
        for _, v in issued(r):
            if len(v) >= 16:
                found[v] = None
        for v in re.findall(r'"(?:access_token|refresh_token)":"([^"]+)"', r.body.decode("latin-1")):
            found[v] = None
    return list(found)


SHAPES = {
    "hex16": lambda d: d.hex()[:16],
    "hex32": lambda d: d.hex()[:32],
    "hex64": lambda d: d.hex(),
    "hex40": lambda d: d.hex()[:40],
    "base64url": lambda d: b64(d),
    "base64": lambda d: base64.b64encode(d[:20]).decode(),
    "uuid": lambda d: "-".join((d.hex()[:8], d.hex()[8:12], "4" + d.hex()[13:16], "a" + d.hex()[17:20], d.hex()[20:32])),
    "short8": lambda d: b64(d)[:8].replace("-", "x").replace("_", "y"),
    "decimal": lambda d: str(int(d[:8].hex(), 16)),
    "signed": lambda d: "s%3A" + b64(d[:18]) + "." + urllib.parse.quote(base64.b64encode(hashlib.sha256(d).digest()).decode()[:43], safe=""),
    "dotted": lambda d: b64(d[:18]) + "." + "ZxK1aQ" + "." + b64(hashlib.sha1(d).digest()),
    "quoted": lambda d: d.hex()[:26],
    "piped": lambda d: "2|1:0|10:1700000000|3:sid|" + d.hex()[:24] + "|" + d.hex(),
}


def token_shape(traffic, rng, make=None):
    """One-time codes and csrf values are no cookies and stay. make: a token of 32 bytes"""
    names = {}
    make = make or SHAPES[rng.choice(sorted(SHAPES))]
    for t in tokens(traffic):
        names[t] = make(hashlib.sha256(t.encode() + b"salt").digest())
    if not names:
        return False
    pattern = re.compile(r"(?<![\w-])(?:%s)(?![\w-])" % "|".join(re.escape(t) for t in sorted(names, key=len, reverse=True)))
    for m in traffic.messages():
        rewrite(m, lambda text: pattern.sub(lambda x: names[x.group()], text))
    traffic.change_label(("token", "leaked_token", "revived_token"), lambda t: names.get(t, t))
    return True


def jwt(traffic, rng):
    """Tokens of their own, which say who they are for: named in findings, and nothing else changes."""
    def make(d):
        body = {"sub": d.hex()[:10], "iat": 1795370000, "jti": d.hex()[10:30]}
        return b64(b'{"alg":"HS256","typ":"JWT"}') + "." + b64(json.dumps(body).encode()) + "." + b64(hashlib.sha256(d).digest())

    return token_shape(traffic, rng, make)


def jars(traffic):
    """{request: name of the browser}: by session where one is known, else by connection."""
    out = {}
    for c in traffic.conversations:
        for q, r in c.exchanges():
            mine = [v for n, v in cookies(q) if n == traffic.carrier]
            mine += [v for n, v in issued(r) if n == traffic.carrier and v] if r is not None else []
            out[q] = mine[-1] if mine else "%r" % (c.connection.ends[0],)
    return out


def innocent_cookies(traffic, rng):
    """Tracking, consent and language: other programs' cookies, which stay over logins and logouts."""
    salt, where = str(rng.random()), rng.choice(("before", "after", "around"))
    for q, jar in jars(traffic).items():
        n = h(salt, jar)
        extra = [["_ga", "GA1.2.%d.%d" % (int(n[:7], 16), 1700000000 + int(n[7:12], 16))], ["_gid", n[:24]],
                 ["CookieConsent", "{stamp:%27" + n[:12] + "%27}"], ["lang", "en-US"], ["cf_clearance", n[:40]]]
        mine = cookies(q)
        taken = {a for a, _ in mine}
        extra = [p for p in extra if p[0] not in taken]
        half = {"before": len(extra), "after": 0, "around": len(extra) // 2}[where]
        set_cookies(q, extra[:half] + mine + extra[half:])
    return True


def csrf_cookie(traffic, rng):
    """The login hands out a second cookie, which every later request of the browser carries too."""
    if traffic.carrier is None:
        return False
    salt, name = str(rng.random()), rng.choice(("csrftoken", "XSRF-TOKEN", "_csrf", "__RequestVerificationToken"))
    for q, r in traffic.exchanges():
        held = [v for n, v in cookies(q) if n == traffic.carrier]
        if held:
            set_cookies(q, cookies(q) + [[name, h(salt, held[-1])[:32]]])
        new = [v for n, v in issued(r) if n == traffic.carrier and v] if r is not None else []
        if new and new[-1] not in held:
            at = max(i for i, f in enumerate(r.fields) if f[0].lower() == "set-cookie")
            r.fields.insert(at + rng.randrange(2), ["Set-Cookie", "%s=%s; Path=/; SameSite=Lax" % (name, h(salt, new[-1])[:32])])
    return True


def rolling_csrf(traffic, rng):
    """Each page hands out a new one-time value in a cookie."""
    salt, last, name = str(rng.random()), {}, rng.choice(("csrf_nonce", "XSRF-TOKEN"))
    browser = jars(traffic)
    pairs = [(c.connection.sides[0].time(q.start), q, r) for c in traffic.conversations for q, r in c.exchanges()]
    for i, (_, q, r) in enumerate(sorted(pairs, key=lambda p: p[0])):
        jar = browser[q]
        if jar in last:
            set_cookies(q, cookies(q) + [[name, last[jar]]])
        if r is not None and r.status < 400 and r.status != 101 and "text/html" in (r.get("content-type") or ""):
            last[jar] = h(salt, jar, str(i))[:20]
            r.fields.append(["Set-Cookie", "%s=%s; Path=/" % (name, last[jar])])
    return True


def cookie_order(traffic, rng):
    for q in traffic.requests():
        pairs = cookies(q)
        if len({n for n, _ in pairs}) == len(pairs):
            rng.shuffle(pairs)
            set_cookies(q, pairs)
    return True


CARRIERS = (("Authorization", "Bearer "), ("X-Auth-Token", ""), ("Authorization", "Token "), ("X-Session-Id", ""),
            ("?", "access_token"), ("?", "sid"))


def with_parameter(target, name, value):
    """name with a semicolon: a parameter of the path"""
    path, mark, query = target.partition("?")
    if name.startswith(";"):
        return path + name + "=" + value + mark + query
    return path + "?" + (query + "&" if query else "") + name + "=" + value


def bearer(traffic, rng):
    """The cookie becomes a token in the login's JSON, sent in a field or as a parameter."""
    carrier = traffic.carrier
    if carrier is None or any(len([1 for n, _ in cookies(q) if n == carrier]) > 1 or q.get("authorization") for q in traffic.requests()):
        return False
    field, lead = rng.choice(CARRIERS)
    member = rng.choice(("token", "access_token", "sessionToken", "auth_token", "sessionId"))
    for q, r in traffic.exchanges():
        new = [v for n, v in issued(r) if n == carrier] if r is not None else []
        if new and not is_login(q) and new[-1]:
            return False  # given by pages, too: not by what they say
    for q, r in traffic.exchanges():
        mine = [v for n, v in cookies(q) if n == carrier]
        if mine:
            set_cookies(q, [p for p in cookies(q) if p[0] != carrier])
        if mine and field == "?":
            verb, target, version = q.first.split(" ")
            q.first = " ".join((verb, with_parameter(target, lead, mine[0]), version))
        elif mine:
            q.set(field, lead + mine[0])
        new = [v for n, v in issued(r) if n == carrier] if r is not None else []
        if new:
            r.fields = [f for f in r.fields if not (f[0].lower() == "set-cookie" and f[1].startswith(carrier + "="))]
        if r is not None and is_login(q):
            token_in_json(r, member, new[-1] if new else "")
    traffic.carrier = None
    return True


def token_in_json(r, member, token):
    """Of a login that succeeded, with or without its token; of a failure only where it gives one."""
    if r.status in (302, 303) and not (plain_redirect(r) and "login" not in r.get("location") and "error" not in r.get("location")) or \
            r.status >= 400 and not token or not r.whole or r.missing or r.status == 200 and b"<form" in r.body:
        return
    v = one_json(r.body)
    if r.status in (302, 303):
        r.first = "HTTP/1.1 200 OK"
        v = {"ok": True}
        r.drop("location")
    if isinstance(v, dict):
        if token:
            v[member] = token
        r.body = json.dumps(v).encode()
        r.set("Content-Type", "application/json")
        if r.chunked is False and r.get("content-length") is None:
            r.fields.append(["Content-Length", "0"])


def cookie_attributes(traffic, rng):
    way = rng.choice(("; Secure; SameSite=None", "; Domain=lab.example", "; expires=Fri, 27 Nov 2037 10:00:00 GMT; Max-Age=347155200",
                      "; Partitioned; Secure", "; Priority=High"))
    for r in traffic.responses():
        for f in r.fields:
            if f[0].lower() == "set-cookie" and "Max-Age" not in f[1] and f[1].startswith((traffic.carrier or "?") + "="):
                f[1] += way
    return True


def deletions(traffic, rng):
    """Other ways to delete a cookie."""
    way = rng.choice(("deleted; Path=/; expires=Thu, 01 Jan 1970 00:00:01 GMT", "; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                      '""; Path=/; Max-Age=0', "; Path=/; Max-Age=-1", "deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/; httponly"))
    changed = False
    for r in traffic.responses():
        for f in r.fields:
            m = re.match(r"([^=;]+)=; (?=.*Max-Age=0)", f[1]) if f[0].lower() == "set-cookie" else None
            if m:
                f[1] = m.group(1) + "=" + way
                changed = True
    return changed


def rolling_token(traffic, rng):
    """Every page gives the session's cookie a new value; the server knows the older ones a while longer."""
    name, salt = traffic.carrier, str(rng.random())
    if name is None:
        return False
    ready = {}  # session: [(when the browser has it, value)]
    for i, (q, r, start, end) in enumerate(timed(traffic)):
        mine = [v for n, v in cookies(q) if n == name]
        if not mine:
            continue
        known = [v for at, v in ready.get(mine[0], ()) if at < start]
        if known:
            set_cookies(q, [[n, known[-1] if n == name else v] for n, v in cookies(q)])
        sets = [n for n, _ in issued(r)] if r is not None else []
        if r is None or name in sets or r.status not in (200, 302) or go_redirect(r) or end is None or r.body[:1] == b"{" and b"rror" in r.body or \
                q.first.split(" ")[1].split("?")[0] not in PROTECTED:
            continue
        value = h(salt, mine[0], str(i))[:len(mine[0])]
        r.fields.append(["Set-Cookie", "%s=%s; Path=/; HttpOnly" % (name, value)])
        ready.setdefault(mine[0], []).append((end, value))
        ready[mine[0]].sort()
    return bool(ready)


def in_query(traffic, rng):
    """The token stands in the address, as where cookies are refused."""
    name, parameter = traffic.carrier, rng.choice(("sid", "PHPSESSID", "token", "s", ";jsessionid"))
    if name is None or parameter in {n for q in traffic.requests() for n, _ in cookies(q)}:
        return False
    for q, r in traffic.exchanges():
        new = [v for n, v in issued(r) if n == name and v] if r is not None else []
        if new and (r.get("location") is None or not is_login(q)):
            return False

    for q, r in traffic.exchanges():
        mine = [v for n, v in cookies(q) if n == name]
        if mine:
            set_cookies(q, [p for p in cookies(q) if p[0] != name])
            verb, target, version = q.first.split(" ")
            q.first = " ".join((verb, with_parameter(target, parameter, mine[0]), version))
        new = [v for n, v in issued(r) if n == name] if r is not None else []
        if new:
            r.fields = [f for f in r.fields if not (f[0].lower() == "set-cookie" and f[1].startswith(name + "="))]
            if new[-1]:
                old = r.get("location")
                r.set("Location", with_parameter(old, parameter, new[-1]))
                r.body = r.body.replace(b'href="%s"' % old.encode(), b'href="%s"' % r.get("location").encode())
    traffic.carrier, traffic.token_in_location = None, True
    return True
