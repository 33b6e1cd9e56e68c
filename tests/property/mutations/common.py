"""What the ways of changing a site have in common: its names, and what an answer says."""
import base64
import hashlib
import json

from traffic import issued

USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj", "olivia",
         "peggy", "rupert", "sybil", "trent", "ursula", "victor", "wendy", "xavier", "yvonne", "zoe")
LOGINS = ("/login", "/login.jsp", "/j_security_check", "/api/v1/auth/login", "/auth/sessions", "/users/sign_in", "/signin",
          "/oauth/token")
LOGOUTS = ("/logout", "/api/v1/auth/logout", "/users/sign_out", "/session/delete", "/oauth/revoke")
OTHER_LOGINS = ("/auth/signin", "/api/v1/sessions", "/account/log-on", "/users/sign_in", "/anmelden", "/connexion", "/entrar",
                "/Account/Login", "/accounts/login/", "/user/authenticate", "/sso/login", "/inloggen", "/accedi", "/iniciar-sesion",
                "/wp-login.php", "/rest/auth/1/session", "/membership/logon.aspx", "/session")
OTHER_LOGOUTS = {"/auth/signin": "/auth/signout", "/api/v1/sessions": "/api/v1/sessions/current", "/account/log-on": "/account/log-off",
                 "/users/sign_in": "/users/sign_out", "/anmelden": "/abmelden", "/connexion": "/deconnexion",
                 "/entrar": "/sair", "/Account/Login": "/Account/LogOff", "/accounts/login/": "/accounts/logout/",
                 "/user/authenticate": "/user/logout", "/sso/login": "/sso/logout", "/inloggen": "/uitloggen",
                 "/accedi": "/esci", "/iniciar-sesion": "/cerrar-sesion", "/wp-login.php": "/wp-logout.php",
                 "/rest/auth/1/session": "/rest/auth/1/session/end", "/membership/logon.aspx": "/membership/logoff.aspx",
                 "/session": "/session/destroy"}
PROTECTED = ("/home", "/profile", "/api/me", "/api/items", "/api/v1/me", "/api/v1/orders", "/api/v1/cart", "/app/home",
             "/app/orders", "/app/api/profile", "/account", "/messages", "/api/session", "/api/data", "/v2/me", "/v2/feed",
             "/v2/settings", "/dash", "/inbox", "/dash.json")


def present(traffic, paths):
    there = {q.first.split(" ")[1].split("?")[0] for q in traffic.requests()}
    return [p for p in paths if p in there]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def h(*parts):
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def is_login(q):
    return q.first.startswith("POST ") and b"password" in q.body and b"rname" in q.body


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


def denial_json(r):
    v = one_json(r.body) if r.whole else None
    return r.status == 401 and isinstance(v, dict) and set(v) <= {"error", "ok", "message", "detail"} and \
        r.request is not None and \
        not r.request.first.startswith("POST") and not issued(r)


def go_redirect(r):
    """A redirect to the login with the very text of net/http."""
    target = r.get("location") or ""
    return r.status in (302, 303) and ("login" in target or "sign_in" in target) and r.request is not None and \
        r.request.first.startswith("GET") and not issued(r) and r.body.startswith(b"<a href=") and r.body.count(b"<") == 2 and \
        r.body.endswith(b"</a>.\n\n") and len([1 for n, _ in r.fields if n.lower() == "location"]) == 1


def login_page(traffic):
    for q, r in traffic.exchanges():
        if r is not None and r.status in (200, 401) and b"type=" in r.body and b"password" in r.body and b"<form" in r.body and r.whole:
            return r.body
    return (b'<!doctype html><html><body><h1>Sign in</h1><form method="post" action="/login"><input name="username">'
            b'<input name="password" type="password"><button>Go</button></form></body></html>')


def plain_redirect(r):
    """Without a body of its own, which may be what is wrong with it."""
    text = b"" if not r.body.startswith(b"<a href=") else r.body[r.body.find(b"</a>"):]
    return len([1 for n, _ in r.fields if n.lower() == "location"]) == 1 and text in (b"", b"</a>.\n\n") and \
        (r.body == b"" or text != b"")


def timed(traffic):
    """(request, response, start, end) in order of time."""
    out = []
    for c in traffic.conversations:
        up, down = c.connection.sides
        for q, r in c.exchanges():
            out.append((q, r, up.time(q.start), down.time(r.end - 1) if r is not None and r.end > r.start else None))
    return sorted(out, key=lambda x: x[2])
