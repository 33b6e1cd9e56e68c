"""Clients of the login server of tools/lab/server: several users who sign in at once, look around, and sign out
while a slow answer is under way. They note what they see going wrong.

clients.py HOST PORT SECONDS [USERS]   prints what they saw as JSON
"""
import collections
import http.client
import json
import random
import sys
import threading
import time

# What each defect of the server leads to: the rule that names it, and rules that may name a part of it too.
DEFECTS = {
    "late-cookie": ("missing-set-cookie", {"lost-login"}),
    "slow-logout": ("post-logout-access", set()),
    "snapshot": ("lost-login", {"post-logout-access", "status-flap"}),
    "replicas": ("status-flap", {"lost-login", "post-logout-access"}),
    "no-return": ("execution-after-redirect", {"superfluous-body"}),
    "shared-user": ("identity-mixup", {"foreign-bytes"}),
    "saved-again": ("revived-session", {"post-logout-access"}),
    "looked-twice": ("unanswered-request", set()),
}
PATIENCE = 10  # seconds; nothing here takes one


class Answer:
    def __init__(self, request, response):
        self.request = request  # as a label names it
        self.status, self.body = response.status, response.read()
        cookie = response.getheader("Set-Cookie")
        self.cookie = None if cookie is None else cookie.split(";")[0].split("=", 1)[1]


class User:
    def __init__(self, clients, name, seed):
        self.clients, self.name, self.random = clients, name, random.Random(seed)
        self.connection = None

    def connect(self):
        return http.client.HTTPConnection(*self.clients.address, timeout=PATIENCE)

    def ask(self, method, path, cookie=None, form=None, connection=None):
        """None: the connection was closed instead of an answer."""
        headers = {} if cookie is None else {"Cookie": "session_id=" + cookie}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        used = connection or self.connection
        self.clients.count_request()
        if used.sock is None:
            used.connect()
        request = {"client": "%s:%d" % used.sock.getsockname()[:2], "method": method, "path": path,
                   "request_time": time.time(), "certain": True}
        try:
            used.request(method, path, body=form, headers=headers)
            return Answer(request, used.getresponse())
        except (http.client.RemoteDisconnected, ConnectionResetError):
            used.close()
            self.clients.see("unanswered-request", request)
            return None

    def visit_unknown(self):
        answer = self.ask("GET", "/home")
        if answer and answer.status == 302 and b"<!doctype" in answer.body:
            self.clients.see("execution-after-redirect", answer.request)
        self.ask("GET", "/api/me")
        if self.random.random() < 0.2:
            self.ask("POST", "/login", form="username=%s&password=wrong" % self.name)

    def log_in(self):
        answer = self.ask("POST", "/login", form="username=%s&password=secret-of-%s" % (self.name, self.name))
        if answer and answer.status == 303 and answer.cookie is None:
            self.clients.see("missing-set-cookie", answer.request)
        return answer

    def compare_name(self, answer):
        if answer.status == 200 and json.loads(answer.body)["username"] != self.name:
            self.clients.see("identity-mixup", answer.request)

    def look_around(self, login):
        cookie = login.cookie
        statuses, is_granted = "", False
        for path in ("/home", "/api/me", "/api/me", "/api/me", "/api/me"):
            answer = self.ask("GET", path, cookie)
            if answer is None:
                continue
            is_granted = is_granted or answer.status == 200
            if path == "/api/me":
                statuses += "G" if answer.status == 200 else "D"
                self.compare_name(answer)
            time.sleep(self.random.random() * 0.01)
        if not is_granted:
            self.clients.see("lost-login", login.request)
        elif "D" in statuses.strip("D") and "G" in statuses:
            self.clients.see("status-flap", login.request)

    def fetch_report(self, cookie, connection):
        """-> the answer or None, and when it was there"""
        try:
            answer = self.ask("GET", "/api/report", cookie, connection=connection)
        except (OSError, http.client.HTTPException) as e:
            answer = None
            self.clients.fail(e)
        return answer, time.monotonic()

    def log_out(self, cookie):
        """While the report is under way."""
        got, other = [], self.connect()
        thread = threading.Thread(target=lambda: got.append(self.fetch_report(cookie, other)))
        thread.start()
        time.sleep(0.02)
        self.ask("POST", "/logout", cookie)
        left_at = time.monotonic()
        answers = [self.ask("GET", "/api/me", cookie)]
        thread.join()
        other.close()
        report, got_at = got[0]
        if report and report.cookie:
            report.request["certain"] = got_at > left_at  # else the wire may tell, or not
            self.clients.see("revived-session", report.request)
        answers.append(self.ask("GET", "/api/me", cookie))
        for answer in answers:
            if answer and answer.status == 200:
                self.clients.see("post-logout-access", answer.request)
                self.compare_name(answer)

    def round(self):
        self.connection = self.connect()
        try:
            self.visit_unknown()
            self.clients.meet()
            login = self.log_in()
            if login is not None and login.cookie is not None:
                self.look_around(login)
                self.log_out(login.cookie)
        finally:
            self.connection.close()
        time.sleep(self.random.random() * 0.1)


class Clients:
    """count users against a server, until they are told to stop."""

    def __init__(self, address, count=6, seed=1):
        self.address = address
        self.seen, self.requests, self.error = collections.defaultdict(list), 0, None
        self.lock, self.stopped = threading.Lock(), threading.Event()
        self.barrier = threading.Barrier(count)
        users = [User(self, "user%d" % i, seed * 1000 + i) for i in range(count)]
        self.threads = [threading.Thread(target=self.run, args=(u,), daemon=True) for u in users]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def run(self, user):
        try:
            while not self.stopped.is_set():
                user.round()
        except threading.BrokenBarrierError:
            pass  # told to stop
        except (OSError, http.client.HTTPException) as e:
            self.fail(e)
        self.barrier.abort()

    def fail(self, error):
        if not self.stopped.is_set():
            self.error = error

    def meet(self):
        """They log in at the same moment."""
        self.barrier.wait(PATIENCE)

    def see(self, what, request):
        with self.lock:
            self.seen[what].append(request)

    def count_request(self):
        with self.lock:
            self.requests += 1

    def stop(self):
        """Each ends what it is at."""
        self.stopped.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join(3 * PATIENCE)
        if self.error is not None:
            raise self.error


def label(capture, defects, seen):
    """What the clients saw, in the form of captures/lab/*.json. That each of it is found is required only of what has a
    request of its own; side effects are allowed."""
    of_session = {"lost-login", "status-flap"}
    expected = {DEFECTS[d][0] for d in defects}
    allowed = set().union(*(DEFECTS[d][1] for d in defects)) if defects else set()
    return {
        "capture": capture, "scenario": ", ".join(defects) or "none", "variant": "vulnerable" if defects else "fixed",
        "defect": ", ".join(defects) or None, "habit": None, "carrier": "cookie session_id",
        "expected": [{"symptom": s, "min": 1 if s in of_session else sum(o["certain"] for o in seen[s]), "max": None,
                      "occurrences": [] if s in of_session else seen[s]} for s in sorted(expected) if seen.get(s)],
        "allowed": [{"symptom": s, "max": None} for s in sorted(allowed | (expected & of_session))],
    }


def main():
    users = Clients((sys.argv[1], int(sys.argv[2])), *map(int, sys.argv[4:5])).start()
    time.sleep(float(sys.argv[3]))
    users.stop()
    json.dump({"requests": users.requests, "seen": users.seen}, sys.stdout)


if __name__ == "__main__":
    main()
