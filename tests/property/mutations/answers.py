"""The same said by other answers."""
import gzip
import json
import urllib.parse
import zlib

from mutations.common import (
    LOGOUTS, OTHER_LOGOUTS, denial_json, go_redirect, h, is_login, json_bodies, login_page, one_json, plain_redirect)
from traffic import has_text, issued


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
                r.request is not None and r.request.first.endswith("1.1") and \
                len([1 for n, _ in r.fields if n.lower() == "content-length"]) == 1:
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


def etags(traffic, rng):
    for r in traffic.responses():
        if r.status == 200 and has_text(r) and r.get("etag") is None:
            r.fields.append(["ETag", 'W/"%x-%s"' % (len(r.body), h(r.body.decode("latin-1"))[:27])])
    return True


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


def login_success(traffic, rng):
    """302, 303, 200, 201 or 204: each site has its own."""
    way = rng.choice((200, 201, 204, 302, 303))
    changed = False
    if traffic.token_in_location:
        return False
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
                not plain_redirect(r) and r.status > 300 or r.status == 200 and one_json(r.body) is None or \
                q.first.startswith("OPTIONS"):
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
        if r.status == 200 and r.body.startswith(b"<html>") and r.body.count(b"<html") == 1 and \
                r.body.rstrip().endswith(b"</html>") and r.whole:
            menu = b"<body class='a b'><nav><a href='/help'>Help</a> <a href='/about'>About</a></nav><main>"
            r.body = b"<!DOCTYPE html>\n<!-- build 4711 -->\n" + r.body.replace(b"<body>", menu, 1).replace(
                b"</body>", b"</main><footer>&copy; 2026</footer></body>", 1)
    return True


def denials_403(traffic, rng):
    """Who is not signed in gets 403, which says nothing."""
    changed = False
    for r in traffic.responses():
        if denial_json(r):
            r.first, changed = "HTTP/1.1 403 Forbidden", True
    return changed
