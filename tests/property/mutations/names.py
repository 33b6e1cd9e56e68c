"""Other paths, fields, users and hosts."""
import json
import re
import urllib.parse

from mutations.common import LOGINS, LOGOUTS, OTHER_LOGINS, OTHER_LOGOUTS, PROTECTED, USERS, h, is_login, present
from mutations.tokens import SHAPES
from traffic import has_text, rewrite

USER_FIELDS = ("user", "login", "email", "j_username", "_username", "userid", "benutzer", "identifier", "log", "user[email]",
               "uname", "account", "name", "usuario")
PASSWORD_FIELDS = ("pass", "pwd", "j_password", "_password", "passwd", "kennwort", "secret", "user[password]", "psw", "senha")
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


def login_paths(traffic, rng):
    logins, logouts = present(traffic, LOGINS), present(traffic, LOGOUTS)
    if any("code=" in q.first for q in traffic.requests()):
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
    paths_in(traffic, mapping)
    if OTHER_LOGOUTS[new].endswith("/current"):
        logout_method(traffic, "DELETE")
    return True


def protected_paths(traffic, rng):
    there = present(traffic, PROTECTED)
    pages = rng.sample(OTHER_PAGES, len(OTHER_PAGES))
    mapping = {p: rng.choice(WHO[p]) if p in WHO else pages.pop() for p in there}
    return paths_in(traffic, {a: b.replace("#!/", "") for a, b in mapping.items()})


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
    traffic.has_doubts = True  # one such redirect alone is a suspicion
    return prefixed(traffic, rng, pages=False)
