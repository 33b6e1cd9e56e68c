#!/usr/bin/env python3
"""watch: what it stores equals what audit finds in the same frames, however many rounds they came in; what it
tells is what it stores; it gives up what it does not need; signals do what the manual says.

watch.py HEADRACE CAPGEN CAPTURES_FOLDER
"""
import glob
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402

UNEQUAL = {"id", "exchange", "capture", "capture_id", "evidence"}
PATIENCE = 60  # seconds until something that must come is given up


def fail(text):
    print(text)
    sys.exit(1)


def wait_for(what, condition):
    for _ in range(PATIENCE * 50):
        if condition():
            return
        time.sleep(0.02)
    fail("in vain: " + what)


class Watch:
    """A watch in the background; its standard output and error are files."""

    def __init__(self, headrace, folder, *args):
        self.db = os.path.join(folder, "watch.db")
        self.out, self.err = os.path.join(folder, "alerts"), os.path.join(folder, "errors")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([headrace, "watch", "--db", self.db, *args], stdout=out, stderr=err)

    def alerts(self):
        with open(self.out, encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def errors(self):
        with open(self.err, encoding="utf-8") as f:
            return f.read()

    def end(self, number=signal.SIGTERM):
        if number is not None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            fail("it does not end")


def listed(headrace, db, thing):
    p = subprocess.run([headrace, "list", thing, "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in p.stdout.decode().splitlines()]
    return sorted(json.dumps({k: v for k, v in r.items() if k not in UNEQUAL}, sort_keys=True) for r in rows)


def said_last(alerts):
    """fingerprint -> verdict of the last alert; each but the first of a fingerprint must be an update."""
    said = {}
    for a in alerts:
        if a["update"] != (a["fingerprint"] in said):
            fail("update is %s for %s, told %s before" % (a["update"], a["fingerprint"], said.get(a["fingerprint"])))
        said[a["fingerprint"]] = a["verdict"]
    return said


def check_equal(headrace, scratch, capture, *options):
    """The same frames, watched and audited."""
    folder = tempfile.mkdtemp(dir=scratch)
    key = os.path.join(folder, "key")
    subprocess.run([headrace, "db", "key", "--quiet", "-o", key], check=True)
    w = Watch(headrace, folder, "-r", capture, "--key-file", key, *options)
    if w.end(None) != 0:
        fail("%s: %s" % (capture, w.errors()))
    audited = os.path.join(folder, "audit.db")
    subprocess.run([headrace, "audit", "--quiet", "--db", audited, "--key-file", key, capture],
                   stdout=subprocess.DEVNULL)
    for thing in ("findings", "exchanges", "endpoints"):
        a, b = listed(headrace, audited, thing), listed(headrace, w.db, thing)
        if a != b:
            fail("%s %s: %s differ: only audit %s; only watch %s" % (
                os.path.basename(capture), " ".join(options), thing, sorted(set(a) - set(b))[:2],
                sorted(set(b) - set(a))[:2]))
    stored = {f["fingerprint"]: f["verdict"] for f in map(json.loads, listed(headrace, w.db, "findings"))}
    said = said_last(w.alerts())
    unsaid = {f for f in stored if said.get(f) != stored[f]}
    if unsaid:
        fail("%s: stored %s, told %s" % (capture, [stored[f] for f in unsaid], [said.get(f) for f in unsaid]))
    if subprocess.run([headrace, "db", "check", "--quiet", "--db", w.db]).returncode != 0:
        fail("%s: the database is not sound" % capture)
    return len(said)


def check_updates(headrace, capgen, scratch):
    """What later traffic could still explain is told with less certainty, and again when it cannot."""
    for name, rule, caveat, verdict in (("under_way", "post-logout-access", "under way", "proven"),
                                        ("rises", "post-logout-access", "", "proven"),
                                        ("kept", "missing-set-cookie", "may have kept it", "contradiction"),
                                        ("named", "identity-mixup", "Every answer called this user so", "proven")):
        folder = tempfile.mkdtemp(dir=scratch)
        capture = os.path.join(folder, name + ".pcap")
        scenario = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watched", name + ".yaml")
        subprocess.run([capgen, "scenario", scenario, "-o", capture], check=True, stderr=subprocess.DEVNULL)
        w = Watch(headrace, folder, "-r", capture, "--realtime")
        if w.end(None) != 0:
            fail(w.errors())
        told = [a for a in w.alerts() if a["rule"] == rule]
        verdicts = [(a["verdict"], a["update"]) for a in told]
        if verdicts[-1:] != [(verdict, True)] or len(verdicts) != 2 or verdicts[0][1]:
            fail("%s: told %s" % (name, verdicts))
        if caveat not in " ".join(told[0]["caveats"]) or caveat != "" and caveat in " ".join(told[1]["caveats"]):
            fail("%s: caveats %s, then %s" % (name, told[0]["caveats"], told[1]["caveats"]))


def check_trust(pid):
    """What the process gave up, as the kernel says."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        status = dict(line.split(":", 1) for line in f if ":" in line)
    wanted = {"NoNewPrivs": "1", "CapPrm": "0" * 16, "CapEff": "0" * 16, "CapInh": "0" * 16, "Umask": "0077"}
    if os.geteuid() == 0:
        wanted["CapBnd"] = "0" * 16
        if "0" in status["Uid"].split() or status["Groups"].split():
            fail("still root: Uid %s, Groups %s" % (status["Uid"].strip(), status["Groups"].strip()))
    with open("/proc/%d/exe" % pid, "rb") as f:
        if b"__asan_init" not in f.read():  # the leak checker needs more calls than the filter lets through
            wanted["Seccomp"] = "2"
    for name, value in wanted.items():
        if status[name].strip() != value:
            fail("%s is %s, not %s" % (name, status[name].strip(), value))


def check_reload(w):
    """Frames are read while it waits for its turn at the database."""
    blocker = sqlite3.connect(w.db, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    w.process.send_signal(signal.SIGHUP)
    said = w.errors().count("frames")
    w.process.send_signal(signal.SIGUSR1)
    wait_for("statistics", lambda: w.process.poll() is not None or w.errors().count("frames") > said)
    blocker.execute("ROLLBACK")
    blocker.close()
    wait_for("a reload", lambda: w.process.poll() is not None or "read anew" in w.errors())
    if w.process.poll() is not None:
        fail("a reload ends it: " + w.errors())


def check_signals(headrace, scratch, capture):
    folder = tempfile.mkdtemp(dir=scratch)
    rules = os.path.join(folder, "rules")
    os.mkdir(rules)
    shutil.copy(os.path.join(os.path.dirname(__file__), "..", "..", "rules", "status-flap.sql"), rules)
    os.chmod(scratch, 0o755)
    os.chmod(folder, 0o755)
    moved = os.path.join(folder, "file")
    w = Watch(headrace, folder, "-r", capture, "--realtime", "--rules", rules, "--alert", "file:" + moved)
    wait_for("a database", lambda: os.path.exists(w.db + "-wal"))
    wait_for("a new user", lambda: "NoNewPrivs:\t1" in open("/proc/%d/status" % w.process.pid).read())
    time.sleep(0.3)
    check_trust(w.process.pid)
    if stat.S_IMODE(os.stat(w.db).st_mode) != 0o600:
        fail("the database can be read by others")
    w.process.send_signal(signal.SIGUSR1)
    wait_for("statistics", lambda: "frames" in w.errors())
    check_reload(w)
    with open(os.path.join(rules, "status-flap.sql"), "a", encoding="utf-8") as f:
        f.write("this is no SQL")
    w.process.send_signal(signal.SIGHUP)
    wait_for("a reload that fails", lambda: "stays in use" in w.errors())
    wait_for("an alert", lambda: w.alerts() and os.path.getsize(moved) > 0)
    if w.process.poll() is not None:
        fail("it ended too early to be told to end")
    if w.end() != 0:
        fail("SIGTERM: " + w.errors())
    with open(moved, encoding="utf-8") as f:
        if f.read() != open(w.out, encoding="utf-8").read():
            fail("the file of alerts is not what stands on standard output")
    if subprocess.run([headrace, "db", "check", "--quiet", "--db", w.db]).returncode != 0:
        fail("SIGTERM left a database that is not sound")


def ask(port, path, method="GET"):
    """@return status, type and text of the answer"""
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as r:
            return r.status, r.headers["Content-Type"], r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers["Content-Type"], e.read().decode()


def check_open_metrics(text):
    """The rules of OpenMetrics that a text can break. @return name with label -> value"""
    values, kinds, family = {}, {}, None
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""] or "" in lines[:-1]:
        fail("the metrics do not end with # EOF, or have an empty line")
    for line in lines[:-2]:
        m = re.fullmatch(r"# (TYPE|UNIT|HELP) ([a-z_]+) (.+)", line)
        if m:
            if m.group(1) == "TYPE":
                family = m.group(2)
                if family in kinds:
                    fail("two families " + family)
                kinds[family] = m.group(3)
            if m.group(2) != family or m.group(1) == "UNIT" and not family.endswith("_" + m.group(3)):
                fail("out of place: " + line)
            continue
        m = re.fullmatch(r'([a-z_]+)(\{(le|rule|bound|counter)="[^"\\]+"\})? ([0-9.]+)', line)
        suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}[kinds[family]]
        if not m or m.group(1) not in [family + s for s in suffixes]:
            fail("not a sample of %s: %s" % (family, line))
        name = m.group(1) + (m.group(2) or "")
        if name in values:
            fail("twice: " + name)
        values[name] = float(m.group(4))
    return values


LAST_BUCKET = 'headrace_alert_latency_seconds_bucket{le="+Inf"}'


def check_metrics(headrace, scratch, capture):
    folder = tempfile.mkdtemp(dir=scratch)
    os.chmod(folder, 0o777)  # for the ring
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    address = "127.0.0.1:%d" % port
    w = Watch(headrace, folder, "-r", capture, "--realtime", "--metrics", address, "--keep", "1M")
    wait_for("an answer", lambda: w.process.poll() is not None or is_open(port))
    if w.process.poll() is not None and "without libmicrohttpd" in w.errors():
        print("built without libmicrohttpd: no metrics are asked for")
        return
    wait_for("frames", lambda: check_open_metrics(ask(port, "/metrics")[2])["headrace_frames_total"] > 0)
    status, kind, text = ask(port, "/metrics")
    if status != 200 or not kind.startswith("application/openmetrics-text; version=1.0.0"):
        fail("/metrics: %d, %s" % (status, kind))
    wanted = {"/healthz": 200, "/": 404, "/metrics/": 404}
    got = {path: ask(port, path)[0] for path in wanted}
    if got != wanted or ask(port, "/metrics", "POST")[0] != 405:
        fail("statuses %s, POST %d" % (got, ask(port, "/metrics", "POST")[0]))
    p = subprocess.run([headrace, "watch", "-r", capture, "--db", os.path.join(folder, "b"), "--metrics", address],
                       stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    if p.returncode != 2 or b"already in use" not in p.stderr:
        fail("a port that is taken: %d, %s" % (p.returncode, p.stderr))
    wait_for("an alert", lambda: w.alerts())
    wait_for("its count", lambda: check_open_metrics(ask(port, "/metrics")[2])["headrace_findings_told_total"] > 0)
    values = check_open_metrics(ask(port, "/metrics")[2])
    wanted = {'headrace_bound_%s{bound="%s"}' % (what, bound) for what in ("used", "limit") for bound in
              ("connections", "out_of_order_bytes", "message_bytes", "fragment_bytes", "datagrams",
               "store_queue_bytes", "tokens")} | {
        'headrace_bound_cut_total{counter="%s"}' % counter for counter in
        ("connections_evicted", "budget_gaps", "fields_cut", "waiting_dropped", "fragments_dropped",
         "refusals_dropped", "tokens_dropped", "marks_dropped", "contents_cut", "tokens_forgotten",
         "parts_unread")} | {
        "headrace_sessions", "headrace_rules_left_out", "headrace_alert_latency_seconds_count", "headrace_alert_latency_seconds_sum",
        "headrace_ring_bytes", "headrace_ring_missed_frames_total", "headrace_evidence_files_total"}
    if wanted - set(values):
        fail("not in the metrics: %s" % (wanted - set(values)))
    beyond = [k for k in wanted if "bound_used" in k and values[k] > values[k.replace("_used", "_limit")]]
    if beyond or values["headrace_alert_latency_seconds_count"] != values[LAST_BUCKET]:
        fail("beyond their bounds: %s; or a histogram that does not add up" % beyond)
    if w.end() != 0:
        fail(w.errors())
    # What is stored by now is counted when the next watch begins.
    w = Watch(headrace, folder, "-r", capture, "--realtime", "--metrics", address, "--keep", "1M")
    wait_for("an answer", lambda: w.process.poll() is not None or is_open(port))
    wait_for("findings by rule", lambda: any(k.startswith("headrace_findings{") and v > 0 for k, v in
                                             check_open_metrics(ask(port, "/metrics")[2]).items()))
    if check_open_metrics(ask(port, "/metrics")[2])["headrace_sessions"] == 0:
        fail("no session is counted")
    w.process.send_signal(signal.SIGUSR1)
    wait_for("statistics", lambda: "ring " in w.errors() and "sessions " in w.errors())
    if w.end() != 0:
        fail(w.errors())


def is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Hook(http.server.BaseHTTPRequestHandler):
    bodies, refuse = [], 2

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Hook.refuse > 0:
            Hook.refuse -= 1
            self.send_response(503)
        else:
            Hook.bodies.append(body)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def check_targets(headrace, scratch, capture):
    """A program and a web hook get what standard output gets; what could not be sent outlives the watch."""
    folder = tempfile.mkdtemp(dir=scratch)
    os.chmod(folder, 0o777)
    program, got = os.path.join(folder, "program"), os.path.join(folder, "got")
    with open(program, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\ncat >>%s; echo >>%s\n" % (got, got))
    os.chmod(program, 0o755)
    hook = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    url = "http://127.0.0.1:%d/" % hook.server_port
    targets = ["--alert", "exec:" + program, "--alert", url]
    w = Watch(headrace, folder, "-r", capture, *targets)
    if w.end(None) == 2 and "without libcurl" in w.errors():
        print("built without libcurl: no web hook is tried")
        targets = targets[:2]
        w = Watch(headrace, folder, "-r", capture, *targets)
        w.end(None)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    told = w.alerts()
    for _ in range(20):  # nothing new is found; what waits is sent
        if len(Hook.bodies) >= len(told) or len(targets) == 2:
            break
        Watch(headrace, folder, "-r", capture, *targets).end(None)
    with open(got, encoding="utf-8") as f:
        by_program = [json.loads(line) for line in f]
    if {json.dumps(a) for a in by_program} != {json.dumps(a) for a in told}:
        fail("the program got %d alerts of %d" % (len(by_program), len(told)))
    if len(targets) > 2 and {json.dumps(json.loads(b)) for b in Hook.bodies} != {json.dumps(a) for a in told}:
        fail("the web hook got %d alerts of %d" % (len(Hook.bodies), len(told)))
    hook.shutdown()


def check_moved_file(headrace, scratch, capture):
    """Who takes the file of the alerts away gets the next in a new one."""
    folder = tempfile.mkdtemp(dir=scratch)
    os.chmod(folder, 0o777)
    moved = os.path.join(folder, "file")
    w = Watch(headrace, folder, "-r", capture, "--realtime", "--alert", "file:" + moved)
    wait_for("a line", lambda: os.path.exists(moved) and os.path.getsize(moved) > 0)
    os.remove(moved)
    wait_for("another line", lambda: os.path.exists(moved) and os.path.getsize(moved) > 0)
    if w.end() != 0 or w.errors():
        fail("moved file: " + w.errors())


def check_slow_targets(headrace, scratch, capture):
    """Who takes no alerts keeps nobody from ending, and gets them another day."""
    folder = tempfile.mkdtemp(dir=scratch)
    os.chmod(folder, 0o777)
    program, pid, quick = (os.path.join(folder, name) for name in ("slow", "pid", "file"))
    with open(program, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\necho $$ >%s\nexec sleep 3600\n" % pid)
    os.chmod(program, 0o755)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        targets = ["exec:" + program, "file:" + quick]
        if "without libcurl" not in subprocess.run([headrace, "watch", "-r", os.devnull, "--alert", "http://x/"],
                                                   stderr=subprocess.PIPE).stderr.decode():
            targets.append("http://127.0.0.1:%d/" % silent.getsockname()[1])
        w = Watch(headrace, folder, "-r", capture, "--realtime", *[x for t in targets for x in ("--alert", t)])
        wait_for("a program", lambda: os.path.exists(pid) and os.path.getsize(pid) > 0)
        wait_for("a line", lambda: os.path.exists(quick) and os.path.getsize(quick) > 0)
        if w.end() != 0:
            fail(w.errors())
    if re.search("given up|sent later", w.errors()):  # it did not wait for them
        fail("slow targets: " + w.errors())
    with sqlite3.connect(w.db) as db:
        waiting = {row[0] for row in db.execute("SELECT DISTINCT sink FROM alert_queue")}
    if waiting != set(targets) - {"file:" + quick}:
        fail("slow targets: alerts wait for %s" % waiting)
    with open(pid, encoding="ascii") as f:
        if os.path.exists("/proc/%s" % f.read().strip()):
            fail("a program goes on when the watch has ended")


def check_mistakes(headrace, scratch, capture):
    db = os.path.join(scratch, "none.db")
    cases = [
        ([], 2, "give -i IFACE or -r CAPTURE"),
        (["-i", "lo", "-r", capture], 2, "one of the two"),
        (["-i", "lo", "--realtime"], 2, "--realtime goes with -r"),
        (["-i", "no-such-interface"], 3, "no-such-interface"),
        (["-r", os.path.join(scratch, "missing.pcap")], 3, "missing.pcap"),
        (["-r", capture, "--alert", "pigeon"], 2, "--alert takes"),
        (["-r", capture, "--alert", "exec:relative"], 2, "whole path"),
        (["-r", capture, "--alert", "exec:" + os.path.join(scratch, "missing")], 2, "No such file"),
        (["-r", capture, "--alert", "exec:" + scratch], 2, "that is no program"),
        (["-r", capture, "--min-severity", "grave"], 2, "low, medium, high or critical"),
        (["-r", capture, "--alert-on-loss", "100"], 2, "--alert-on-loss takes a percentage below 100, as 5 or 0.1"),
        (["-r", capture, "--user", "nobody-of-that-name"], 2, "there is no user"),
        (["-r", capture, "--filter", "tcp prot 80"], 2, "does not compile"),
        ([capture], 2, "read with -r"),
    ]
    for args, status, text in cases:
        p = subprocess.run([headrace, "watch", "--db", db, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=PATIENCE)
        said = p.stderr.decode()
        if p.returncode != status or text not in said or p.stdout:
            fail("watch %s: status %d, %s" % (" ".join(args), p.returncode, said))


def main():
    leaks.ignore()
    headrace, capgen, folder = [os.path.abspath(a) for a in sys.argv[1:4]]
    races = os.path.join(folder, "login-races.pcapng")
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        count = 0
        for capture in [races] + sorted(glob.glob(os.path.join(folder, "lab", "*.pcap*"))):
            count += check_equal(headrace, scratch, capture)
        count += check_equal(headrace, scratch, races, "--realtime")
        if count < 10:
            fail("only %d alerts in all" % count)
        check_updates(headrace, capgen, scratch)
        check_signals(headrace, scratch, races)
        check_metrics(headrace, scratch, races)
        check_targets(headrace, scratch, races)
        check_moved_file(headrace, scratch, races)
        check_slow_targets(headrace, scratch, races)
        check_mistakes(headrace, scratch, races)
    return 0


if __name__ == "__main__":
    sys.exit(main())
