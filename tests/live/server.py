#!/usr/bin/env python3
"""The login server of tools/lab/server where there is no Go: the same pages, and two of its mistakes.

server.py -listen HOST:PORT -defects NAME,NAME   prints the address, ends when its standard input does
"""
import http.server
import json
import os
import secrets
import sys
import threading
import time
import urllib.parse

DEFECTS = set()
SESSIONS, LOCK = {}, threading.Lock()


def end(token):
    with LOCK:
        SESSIONS.pop(token, None)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, body="", kind="text/html; charset=utf-8", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def token(self):
        return (self.headers["Cookie"] or "=").split("=", 1)[1]

    def user(self):
        with LOCK:
            return SESSIONS.get(self.token())

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())
        if self.path == "/login":
            self.log_in(form.get("username", [""])[0], form.get("password", [""])[0])
        elif self.path == "/logout":
            if "slow-logout" in DEFECTS:
                threading.Timer(0.06, end, [self.token()]).start()
            else:
                end(self.token())
            self.answer(303, Location="/login", Set_Cookie="session_id=; Path=/; Max-Age=0")
        else:
            self.answer(404)

    def log_in(self, user, password):
        if password != "secret-of-" + user:
            self.answer(401, "wrong name or password\n")
            return
        token = secrets.token_hex(16)
        with LOCK:
            SESSIONS[token] = user
        fields = {"Set_Cookie": "session_id=%s; Path=/; Max-Age=3600" % token}
        if "late-cookie" in DEFECTS and secrets.randbelow(10) == 0:
            fields = {}
        self.answer(303, Location="/home", **fields)

    def do_GET(self):
        user = self.user()
        if self.path == "/login":
            self.answer(200, "<form method=post><input name=username><input name=password type=password></form>")
        elif user is None and self.path == "/home":
            self.answer(302, Location="/login")
        elif user is None:
            self.answer(401, "not logged in\n")
        elif self.path == "/home":
            self.answer(200, "<!doctype html><title>Home</title><p>Hello %s\n" % user)
        elif self.path == "/api/me":
            self.answer(200, json.dumps({"username": user}), "application/json")
        else:
            time.sleep(0.04)
            self.answer(200, json.dumps({"report": "x" * 200}), "application/json")

    def log_message(self, *args):
        pass


def main():
    host, port = sys.argv[2].rsplit(":", 1)
    DEFECTS.update(sys.argv[4].split(","))
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    print("%s:%d" % server.server_address, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
