"""Ways in which another site could have said the same. Each takes (traffic, rng), changes the messages and the
label alike, and returns False where it does not apply. What a way makes unprovable says UNFIT, with the reason."""
import base64
import gzip
import hashlib
import json
import os
import re
import sys
import urllib.parse
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traffic import cookies, has_text, issued, rewrite, set_cookies  # noqa: E402

COOKIE_NAMES = ("connect.sid", "__Host-s", "JSESSIONID", "auth", "x", "_app_key", "PHPSESSID", "ASP.NET_SessionId",
                "laravel_session", "_k3", "ci_session", "user_session", "u", "__Secure-id", "wtf", "sess", "tk", "SSID",
                "beaker.session.id", "PLAY_SESSION", "_forum_session", "vsid", "ticket", "a1b2", "MYAPP", "sessionid")
USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj", "olivia",
         "peggy", "rupert", "sybil", "trent", "ursula", "victor", "wendy", "xavier", "yvonne", "zoe")
LOGINS = ("/login", "/login.jsp", "/j_security_check", "/api/v1/auth/login", "/auth/sessions", "/users/sign_in", "/signin",
          "/oauth/token")
LOGOUTS = ("/logout", "/api/v1/auth/logout", "/users/sign_out", "/session/delete", "/oauth/revoke")
OTHER_LOGINS = ("/auth/signin", "/api/v1/sessions", "/account/log-on", "/users/sign_in", "/anmelden", "/connexion", "/entrar",
                "/Account/Login", "/accounts/login/", "/user/authenticate", "/sso/login", "/inloggen", "/accedi", "/iniciar-sesion",
                "/wp-login.php", "/rest/auth/1/session", "/membership/logon.aspx", "/enter", "/session")
OTHER_LOGOUTS = {"/auth/signin": "/auth/signout", "/api/v1/sessions": "/api/v1/sessions/me", "/account/log-on": "/account/log-off",
                 "/users/sign_in": "/users/sign_out", "/anmelden": "/abmelden", "/connexion": "/deconnexion",
                 "/entrar": "/sair", "/Account/Login": "/Account/LogOff", "/accounts/login/": "/accounts/logout/",
                 "/user/authenticate": "/user/logout", "/sso/login": "/sso/logout", "/inloggen": "/uitloggen",
                 "/accedi": "/esci", "/iniciar-sesion": "/cerrar-sesion", "/wp-login.php": "/wp-logout.php",
                 "/rest/auth/1/session": "/rest/auth/1/session/end", "/membership/logon.aspx": "/membership/logoff.aspx",
                 "/enter": "/leave", "/session": "/session/destroy"}
USER_FIELDS = ("user", "login", "email", "j_username", "_username", "userid", "benutzer", "identifier", "log", "user[email]",
               "uname", "account", "name", "usuario")
PASSWORD_FIELDS = ("pass", "pwd", "j_password", "_password", "passwd", "kennwort", "secret", "user[password]", "psw", "senha")
PROTECTED = ("/home", "/profile", "/api/me", "/api/items", "/api/v1/me", "/api/v1/orders", "/api/v1/cart", "/app/home",
             "/app/orders", "/app/api/profile", "/account", "/messages", "/api/session", "/api/data", "/v2/me", "/v2/feed",
             "/v2/settings", "/dash", "/inbox", "/dash.json")
WHO = {"/api/me": ("/api/whoami", "/rest/v2/users/me", "/userinfo"), "/api/v1/me": ("/api/v1/whoami", "/svc/self", "/userinfo"),
       "/v2/me": ("/v2/whoami", "/v2/user", "/graph/me"), "/api/session": ("/api/auth/session", "/me.json", "/session/current"),
       "/app/api/profile": ("/app/api/me", "/rest/profile", "/app/self")}
OTHER_PAGES = ("/dashboard", "/konto", "/x7/a", "/rest/v3/things", "/portal/start.do", "/mon-compte", "/feed/list.php",
               "/app/#!/z", "/inbox/all", "/t/overview", "/data/report", "/p/1", "/area/privada", "/members/index.html", "/q",
               "/stock", "/shop/basket", "/board", "/svc/list", "/files")


def paths_in(traffic, mapping):
    """Renames paths wherever they stand, also as the escaped value of a parameter."""
    names = {}
    for old, new in mapping.items():
        names[old] = new
        names[urllib.parse.quote(old, safe="")] = urllib.parse.quote(new, safe="")
    pattern = re.compile(r"(?<![\w.%%-])(?<!\w/)(%s)(?![\w%%./-])" % "|".join(re.escape(p) for p in sorted(names, key=len, reverse=True)))

    def change(text):
        return pattern.sub(lambda m: names[m.group(1)], text)

    def target(text):
        path, mark, query = text.partition("?")
        return mapping.get(path, path) + mark + (change(query) if mark else "")

    for m in traffic.messages():
        if not m.first.startswith("HTTP/"):
            parts = m.first.split(" ")
            parts[1] = target(parts[1])
            m.first = " ".join(parts)
        for f in m.fields:
            if f[0].lower() in ("location", "referer", "link"):
                f[1] = change(f[1])
        rewrite(m, change, head=False)
    traffic.change_label(("path", "used_path"), target)
    return True


def present(traffic, paths):
    there = {q.first.split(" ")[1].split("?")[0] for q in traffic.requests()}
    return [p for p in paths if p in there]


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


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


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


def token_shape(traffic, rng, shape=None):
    """One-time codes and csrf values are no cookies and stay."""
    names = {}
    shape = shape or rng.choice(sorted(SHAPES))
    for t in tokens(traffic):
        names[t] = SHAPES[shape](hashlib.sha256(t.encode() + b"salt").digest())
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
    SHAPES["jwt"] = make
    return token_shape(traffic, rng, "jwt")


def jars(traffic):
    """{request: name of the browser}: by session where one is known, else by connection."""
    out = {}
    for c in traffic.conversations:
        for q, r in c.exchanges():
            mine = [v for n, v in cookies(q) if n == traffic.carrier]
            mine += [v for n, v in issued(r) if n == traffic.carrier and v] if r is not None else []
            out[q] = mine[-1] if mine else "%r" % (c.connection.ends[0],)
    return out


def h(*parts):
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def innocent_cookies(traffic, rng):
    """Tracking, consent and language: other programs' cookies, which stay over logins and logouts."""
    salt, where = str(rng.random()), rng.choice(("before", "after", "around"))
    for q, jar in jars(traffic).items():
        n = h(salt, jar)
        extra = [["_ga", "GA1.2.%d.%d" % (int(n[:7], 16), 1700000000 + int(n[7:12], 16))], ["_gid", n[:24]],
                 ["CookieConsent", "{stamp:%27" + n[:12] + "%27}"], ["lang", "en-US"], ["cf_clearance", n[:40]]]
        extra = [p for p in extra if rng.random() < 2 or p]
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


def login_paths(traffic, rng):
    logins, logouts = present(traffic, LOGINS), present(traffic, LOGOUTS)
    if traffic.notes.get("sso") or any("code=" in q.first for q in traffic.requests()):
        return False
    new = rng.choice(OTHER_LOGINS)
    if new.startswith("/session") and "/session/delete" in logouts:
        return False
    mapping = {}
    for p in logins:
        mapping[p] = new if p == logins[-1] or len(logins) == 1 else new + rng.choice(("/form", ""))
    for p in LOGINS:  # pages to which denials lead, never fetched
        mapping.setdefault(p, new)
    for p in logouts:
        mapping[p] = OTHER_LOGOUTS[new]
    mapping["/auth/sessions/current"] = OTHER_LOGOUTS[new]
    return paths_in(traffic, mapping)


def protected_paths(traffic, rng):
    there = present(traffic, PROTECTED)
    pages = rng.sample(OTHER_PAGES, len(OTHER_PAGES))
    mapping = {p: rng.choice(WHO[p]) if p in WHO else pages.pop() for p in there}
    return paths_in(traffic, {a: b.replace("#!/", "") for a, b in mapping.items()})


def is_login(q):
    return q.first.startswith("POST ") and b"password" in q.body and b"rname" in q.body


def parameters(traffic, rng):
    """The login's fields, in the requests and in the forms."""
    user = rng.choice(USER_FIELDS)
    password = rng.choice(PASSWORD_FIELDS)
    for q in traffic.requests():
        if not is_login(q):
            continue
        if q.body.startswith(b"{"):
            old = json.loads(q.body)
            q.body = json.dumps({(user if "username" in k else password if "password" in k else k): v for k, v in old.items()},
                                separators=(",", ":")).encode()
        else:
            pairs = urllib.parse.parse_qsl(q.body.decode(), keep_blank_values=True)
            pairs = [(user if "username" in k else password if k.endswith("password") else k, v) for k, v in pairs]
            q.body = urllib.parse.urlencode(pairs).encode()
    for r in traffic.responses():
        if b"<form" in r.body and has_text(r):
            r.body = re.sub(r"(?<=name=)([\"']?)(j_username|j_password|username|password)\b",
                            lambda m: m.group(1) + (user if "username" in m.group(2) else password),
                            r.body.decode("latin-1")).encode("latin-1")
    return True


def field_order(traffic, rng):
    del rng
    for q in traffic.requests():
        if is_login(q) and not q.body.startswith(b"{"):
            q.body = b"&".join(reversed(q.body.split(b"&")))
        elif is_login(q):
            q.body = json.dumps(dict(reversed(list(json.loads(q.body).items())))).encode()
    return True


def login_body(traffic, rng):
    """JSON logins become forms, forms JSON or multipart."""
    way, changed = rng.choice(("json", "multipart")), False
    for q in traffic.requests():
        if not is_login(q) or "grant_type" in q.body.decode("latin-1"):
            continue
        changed = True
        if q.body.startswith(b"{"):
            q.body = urllib.parse.urlencode(json.loads(q.body)).encode()
            q.set("Content-Type", "application/x-www-form-urlencoded")
            continue
        pairs = urllib.parse.parse_qsl(q.body.decode())
        if way == "json":
            q.body = json.dumps(dict(pairs)).encode()
            q.set("Content-Type", "application/json; charset=utf-8")
        else:
            q.body = "".join('--XbX\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % p for p in pairs).encode() + b"--XbX--\r\n"
            q.set("Content-Type", "multipart/form-data; boundary=XbX")
    return changed


def logout_by_delete(traffic, rng):
    return logout_method(traffic, "DELETE")


def logout_by_get(traffic, rng):
    return logout_method(traffic, "GET")


def logout_method(traffic, method):
    changed = False
    paths = set(LOGOUTS) | set(OTHER_LOGOUTS.values())
    was = {}
    for q in traffic.requests():
        verb, target, version = q.first.split(" ")
        if verb in ("POST", "DELETE") and target.split("?")[0] in paths and not q.body.strip() and verb != method:
            q.first = " ".join((method, target, version))
            was[target.split("?")[0]] = verb
            if method == "GET":
                q.drop("content-length")
                q.drop("content-type")
            changed = True
    for o in traffic.occurrences():
        if o.get("path") in was and o.get("method") == was[o["path"]]:
            o["method"] = method
    return changed


def gzipped(traffic, rng):
    """Answers in gzip or deflate, as many as the server pleases."""
    way = rng.choice(("gzip", "deflate"))
    share = rng.choice((1, 1, 0.5))
    for r in traffic.responses():
        if has_text(r) and r.whole and not r.close and r.get("content-encoding") is None and not r.get("content-range") and \
                r.status != 206 and rng.random() < share and r.request is not None and r.missing == 0:
            if way == "gzip":
                r.body = gzip.compress(r.body, mtime=0)
            else:
                r.body = zlib.compress(r.body)
            at = len(r.fields)
            r.fields.insert(at, ["Content-Encoding", way])
            r.fields.insert(at, ["Vary", "Accept-Encoding"])
    return True


def chunked(traffic, rng):
    """Content-Length becomes chunks."""
    for r in traffic.responses():
        if r.body and r.whole and not r.close and not r.chunked and r.get("content-length") is not None and r.missing == 0 and \
                r.request is not None and r.request.first.endswith("1.1") and len([1 for n, _ in r.fields if n.lower() == "content-length"]) == 1:
            at = next(i for i, f in enumerate(r.fields) if f[0].lower() == "content-length")
            r.fields[at] = ["Transfer-Encoding", "chunked"]
            r.chunked = rng.choice((7, 100, 4096))
    return True


def unchunked(traffic, rng):
    """Chunks become Content-Length."""
    del rng
    changed = False
    for r in traffic.responses():
        if r.chunked and r.whole and r.get("trailer") is None:
            at = next(i for i, f in enumerate(r.fields) if f[0].lower() == "transfer-encoding")
            r.fields[at] = ["Content-Length", "0"]
            r.chunked = False
            changed = True
    return changed


def one_json(body):
    try:
        v = json.loads(body)
    except ValueError:
        return None
    return v if isinstance(v, (dict, list)) else None


def json_bodies(traffic):
    for r in traffic.responses():
        if r.body[:1] in (b"{", b"[") and r.whole and r.missing == 0 and "application/json" in (r.get("content-type") or ""):
            v = one_json(r.body)
            if v is not None:
                yield r, v


def pretty_json(traffic, rng):
    indent = rng.choice((2, 4, None))
    for r, v in json_bodies(traffic):
        r.body = json.dumps(v, indent=indent).encode() + rng.choice((b"", b"\n"))
    return True


JSON_KEYS = ({"user": "username", "ok": "success", "error": "message", "rows": "items", "path": "self"},
             {"user": "login", "ok": "authenticated", "error": "detail", "rows": "results"},
             {"user": "userName", "ok": "result", "error": "errors", "rows": "list", "path": "href"},
             {"user": "email", "ok": "status", "error": "reason"})


def renamed(v, keys):
    if isinstance(v, dict):
        return {keys.get(k, k): renamed(x, keys) for k, x in v.items()}
    return [renamed(x, keys) for x in v] if isinstance(v, list) else v


def json_keys(traffic, rng):
    keys = rng.choice(JSON_KEYS)
    for r, v in json_bodies(traffic):
        r.body = json.dumps(renamed(v, keys), separators=(",", ":")).encode()
    return True


def wrapped_json(traffic, rng):
    """{"data": ...} around what the API says."""
    outer = rng.choice(("data", "result", "response", "payload"))
    for r, v in json_bodies(traffic):
        if isinstance(v, dict) and "access_token" not in v:
            r.body = json.dumps({"status": "ok" if r.status < 400 else "error", outer: v, "ts": 1795380000}).encode()
    return True


def nested_user(traffic, rng):
    """{"user": "alice"} becomes {"user": {"id": 17, "name": "alice"}}."""
    member = rng.choice(("name", "username", "login"))
    for r, v in json_bodies(traffic):
        if isinstance(v, dict) and isinstance(v.get("user"), str):
            v["user"] = {"id": int(h(v["user"])[:6], 16), member: v["user"], "locale": "en"}
            r.body = json.dumps(v).encode()
    return True


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


def cookie_order(traffic, rng):
    for q in traffic.requests():
        pairs = cookies(q)
        if len({n for n, _ in pairs}) == len(pairs):
            rng.shuffle(pairs)
            set_cookies(q, pairs)
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


def etags(traffic, rng):
    for r in traffic.responses():
        if r.status == 200 and has_text(r) and r.get("etag") is None:
            r.fields.append(["ETag", 'W/"%x-%s"' % (len(r.body), h(r.body.decode("latin-1"))[:27])])
    return True


def denial_json(r):
    v = one_json(r.body) if r.whole else None
    return r.status == 401 and isinstance(v, dict) and set(v) <= {"error", "ok", "message", "detail"} and r.request is not None and \
        not r.request.first.startswith("POST") and not issued(r)


def go_redirect(r):
    """A redirect to the login with the very text of net/http."""
    target = r.get("location") or ""
    return r.status in (302, 303) and "login" in target + "sign_in" and ("login" in target or "sign_in" in target) and r.request is not None and \
        r.request.first.startswith("GET") and not issued(r) and r.body.startswith(b"<a href=") and r.body.count(b"<") == 2 and \
        r.body.endswith(b"</a>.\n\n") and len([1 for n, _ in r.fields if n.lower() == "location"]) == 1


def login_page(traffic):
    for q, r in traffic.exchanges():
        if r is not None and r.status in (200, 401) and b"type=" in r.body and b"password" in r.body and b"<form" in r.body and r.whole:
            return r.body
    return (b'<!doctype html><html><body><h1>Sign in</h1><form method="post" action="/login"><input name="username">'
            b'<input name="password" type="password"><button>Go</button></form></body></html>')


def denials_redirect(traffic, rng):
    """401 of an API becomes a redirect to the login."""
    place = next((r.get("location").split("?")[0] for r in traffic.responses() if go_redirect(r)), "/login")
    status = rng.choice(("302 Found", "303 See Other", "307 Temporary Redirect"))
    changed = False
    for r in traffic.responses():
        if denial_json(r):
            r.first = "HTTP/1.1 " + status
            r.body = b""
            r.drop("content-type")
            r.set("Location", rng.choice((place, place + "?next=" + urllib.parse.quote(r.request.first.split(" ")[1], safe=""))))
            changed = True
    return changed


def denials_401(traffic, rng):
    """Redirects to the login become 401."""
    changed = False
    for r in traffic.responses():
        if go_redirect(r):
            r.first = "HTTP/1.1 401 Unauthorized"
            r.drop("location")
            r.body = b"<html><body><h1>401</h1>Please sign in</body></html>"
            r.set("WWW-Authenticate", "Cookie realm=app")
            changed = True
    return changed


def denials_page(traffic, rng):
    """Where a page redirected to the login, it shows the form with 200."""
    page, changed = login_page(traffic), False
    for r in traffic.responses():
        if go_redirect(r):
            r.first = "HTTP/1.1 200 OK"
            r.drop("location")
            r.body = page
            changed = True
    return changed


def logins(traffic):
    """(request, response) of logins that give the session's cookie in a plain way."""
    for q, r in traffic.exchanges():
        if r is not None and is_login(q) and r.status in (200, 201, 302, 303) and r.whole and r.missing == 0 and \
                "grant_type" not in q.body.decode("latin-1"):
            yield q, r


def plain_redirect(r):
    """Without a body of its own, which may be what is wrong with it."""
    text = b"" if not r.body.startswith(b"<a href=") else r.body[r.body.find(b"</a>"):]
    return len([1 for n, _ in r.fields if n.lower() == "location"]) == 1 and text in (b"", b"</a>.\n\n") and \
        (r.body == b"" or text != b"")


def login_success(traffic, rng):
    """302, 303, 200, 201 or 204: each site has its own."""
    way = rng.choice((200, 201, 204, 302, 303))
    changed = False
    for q, r in logins(traffic):
        if r.status == 200 and b"<form" in r.body or r.status in (302, 303) and not plain_redirect(r):
            continue
        if r.status in (200, 201) and (one_json(r.body) or {}).get("ok") is not True:
            continue
        if r.status in (302, 303) and "error" in (r.get("location") or ""):
            continue
        changed = True
        if way in (302, 303):
            r.first = "HTTP/1.1 " + {302: "302 Found", 303: "303 See Other"}[way]
            if r.get("location") is None:
                r.set("Location", "/start")
            r.body = b""
            r.drop("content-type")
        else:
            r.first = "HTTP/1.1 " + {200: "200 OK", 201: "201 Created", 204: "204 No Content"}[way]
            if r.get("location") is not None or way == 204:
                r.drop("location")
                r.set("Content-Type", "application/json")
                r.body = b'{"success":true}'
            if way == 204:
                r.body = b""
                r.drop("content-type")
                r.drop("content-length")
                r.drop("transfer-encoding")
                r.chunked = False
    return changed


def login_failure(traffic, rng):
    """A wrong password: the form again with 200, a redirect to it, 400 or 422."""
    way = rng.choice((200, 302, 400, 422))
    page, changed = login_page(traffic), False
    for q, r in traffic.exchanges():
        if r is None or not is_login(q) or r.status != 401 or issued(r) or "grant_type" in q.body.decode("latin-1"):
            continue
        changed = True
        target = q.first.split(" ")[1]
        if way == 302:
            r.first = "HTTP/1.1 302 Found"
            r.set("Location", target + "?error=1")
            r.body = b""
        else:
            r.first = "HTTP/1.1 " + {200: "200 OK", 400: "400 Bad Request", 422: "422 Unprocessable Entity"}[way]
            if way == 200 and b"<form" not in r.body:
                r.body = page.replace(b"<form", b"<p class=error>invalid user name or password</p><form")
                r.set("Content-Type", "text/html; charset=utf-8")
    return changed


def logout_success(traffic, rng):
    way = rng.choice((200, 204, 302, 303))
    paths = set(LOGOUTS) | set(OTHER_LOGOUTS.values()) | {"/auth/sessions/current"}
    changed = False
    for q, r in traffic.exchanges():
        if r is None or q.first.split(" ")[1].split("?")[0] not in paths or r.status not in (200, 204, 302, 303) or not r.whole or \
                not plain_redirect(r) and r.status > 300 or r.status == 200 and one_json(r.body) is None or q.first.startswith("OPTIONS"):
            continue
        target = r.get("location") or ""
        if "error" in target or (one_json(r.body) or {}).get("ok") is False:
            continue
        changed = True
        r.body = b""
        r.drop("location")
        r.drop("content-type")
        r.chunked = False
        r.drop("transfer-encoding")
        r.first = "HTTP/1.1 " + {200: "200 OK", 204: "204 No Content", 302: "302 Found", 303: "303 See Other"}[way]
        if way == 204:
            r.drop("content-length")
        else:
            r.set("Content-Length", "0")
        if way == 200:
            r.body = b'{"message":"bye"}'
            r.set("Content-Type", "application/json")
        if way > 300:
            r.set("Location", "/bye.html")
    return changed


def user_names(traffic, rng):
    way = rng.choice(("mail", "number", "uuid", "long", "german"))
    names = {}
    for u in USERS:
        n = h(u, "name")
        names[u] = {"mail": u + "@example.org", "number": str(100000 + int(n[:5], 16)), "uuid": SHAPES["uuid"](bytes.fromhex(n)),
                    "long": u + "-" + n[:6], "german": u + ".mueller"}[way]
    pattern = re.compile(r"(?<![\w@.%%/-])(%s)(?![\w@/-])" % "|".join(USERS))

    def change(text):
        return pattern.sub(lambda m: names[m.group(1)], text)

    for m in traffic.messages():
        kind = m.get("content-type") or ""
        if "urlencoded" in kind:
            m.body = pattern.sub(lambda x: urllib.parse.quote(names[x.group(1)]), m.body.decode("latin-1")).encode("latin-1")
        elif has_text(m) and not m.close:
            rewrite(m, change, head=False)
    traffic.change_label(("user", "other_user", "shown_user"), lambda u: names.get(u, u))
    return True


def host_name(traffic, rng):
    new = rng.choice(("intranet", "10.1.2.3:8443", "www.müller.example".encode("idna").decode(), "a.b.c.d.example.com", "[2001:db8::7]:8080"))
    for q in traffic.requests():
        if q.get("host") and "id." not in q.get("host"):
            q.set("Host", new)
    return True


def bearer(traffic, rng):
    """The cookie becomes a token in the login's JSON, sent as Authorization or in a field of its own."""
    carrier = traffic.carrier
    if carrier is None:
        return False
    field, lead = rng.choice((("Authorization", "Bearer "), ("X-Auth-Token", ""), ("Authorization", "Token ")))
    member = rng.choice(("token", "access_token", "sessionToken", "auth_token"))
    for q in traffic.requests():
        if len([1 for n, _ in cookies(q) if n == carrier]) > 1 or q.get("authorization"):
            return False
    for r in traffic.responses():
        for n, v in issued(r):
            if n == carrier and v and (one_json(r.body) or {}).get("ok") is not True:
                return False  # not a site whose logins answer in JSON
    for q, r in traffic.exchanges():
        mine = [v for n, v in cookies(q) if n == carrier]
        if mine:
            set_cookies(q, [p for p in cookies(q) if p[0] != carrier])
            q.set(field, lead + mine[0])
        new = [v for n, v in issued(r) if n == carrier] if r is not None else []
        if new:
            r.fields = [f for f in r.fields if not (f[0].lower() == "set-cookie" and f[1].startswith(carrier + "="))]
            if new[-1]:
                v = one_json(r.body)
                v[member] = new[-1]
                r.body = json.dumps(v).encode()
    traffic.carrier = None
    return True


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


def no_reason(traffic, rng):
    """Servers that write no reason phrase."""
    for r in traffic.responses():
        r.first = " ".join(r.first.split(" ")[:2]) + rng.choice((" ", ""))
    return True


def html_pages(traffic, rng):
    """APIs that answer pages instead of JSON, where nobody is named and nothing is a login."""
    for r in traffic.responses():
        v = one_json(r.body) if r.whole and r.missing == 0 and r.request is not None else None
        if isinstance(v, dict) and set(v) == {"path", "rows"} and r.status == 200:
            r.body = ("<!doctype html><html><head><title>List</title></head><body><table>%s</table></body></html>\n" %
                      "".join("<tr><td>%s</td></tr>" % str(x).replace("<", "") for x in v["rows"])).encode()
            r.set("Content-Type", "text/html; charset=utf-8")
    return True


def more_text(traffic, rng):
    """Pages with more around what they say."""
    for r in traffic.responses():
        if r.status == 200 and r.body.startswith(b"<html>") and r.body.count(b"<html") == 1 and r.body.rstrip().endswith(b"</html>") and r.whole:
            r.body = (b"<!DOCTYPE html>\n<!-- build 4711 -->\n" + r.body.replace(b"<body>", b"<body class='a b'><nav><a href='/help'>Help</a> "
                      b"<a href='/about'>About</a></nav><main>", 1).replace(b"</body>", b"</main><footer>&copy; 2026</footer></body>", 1))
    return True


def target_query(traffic, rng):
    """A number against caches on every GET."""
    for i, q in enumerate(traffic.requests()):
        verb, target, version = q.first.split(" ")
        if verb == "GET" and "?" not in target:
            q.first = "%s %s?_=%d %s" % (verb, target, 1795380000000 + i, version)
    return True


def prefixed(traffic, rng, pages=True):
    """Everything below a prefix: a reverse proxy's or an application's own."""
    prefix = rng.choice(("/app1", "/intranet/v2", "/~shop", "/cgi-bin/app.pl"))
    for m in traffic.messages():
        if not m.first.startswith("HTTP/"):
            verb, target, version = m.first.split(" ")
            if target.startswith("/"):
                m.first = " ".join((verb, prefix + target, version))
        for f in m.fields:
            if f[0].lower() == "location" and f[1].startswith("/"):
                f[1] = prefix + f[1]
        if pages and has_text(m) and "html" in (m.get("content-type") or ""):
            m.body = re.sub(rb"(href=|action=)([\"']?)/(?!/)", lambda x: x.group(1) + x.group(2) + prefix.encode() + b"/", m.body)
    traffic.change_label(("path", "used_path"), lambda p: prefix + p)
    return True


def location_rewritten(traffic, rng):
    """A reverse proxy that puts its prefix before targets and takes it off again, and knows Location, but no pages."""
    return prefixed(traffic, rng, pages=False)


# What changes text comes first, then what a server does with it, then what a proxy does.
ALL = {f.__name__: f for f in (
    cookie_name, token_shape, jwt, innocent_cookies, csrf_cookie, rolling_csrf, login_paths, protected_paths, parameters,
    field_order, login_body, logout_by_delete, logout_by_get, json_keys, wrapped_json, nested_user, bearer, pretty_json,
    denials_redirect, denials_401, denials_page, login_success, login_failure, logout_success, user_names, host_name,
    cookie_attributes, deletions, html_pages, more_text, target_query, prefixed, location_rewritten, no_reason, etags, cookie_order,
    gzipped, chunked, unchunked, http10, proxy_fields, request_ids, header_case, header_order)}

# (way, part of a capture's name): why it makes what is labelled there unprovable
UNFIT = {
    ("jwt", "crash"): "self-contained tokens outlive a restart or not, as their key does: no amnesia",
    ("proxy_fields", "shared"): "behind a proxy that says so, networks and programs are many",
    ("login_failure", "failedlogin"): "a right password answered 400 at times is a phantom-400",
    ("target_query", "foreign"): "whether the next answer of the same page has it too cannot be seen: suspect",
}


def fits(name, capture):
    return not any(name == n and c in capture for n, c in UNFIT)
