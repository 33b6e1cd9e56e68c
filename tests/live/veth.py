#!/usr/bin/env python3
"""A server and its clients in two network namespaces, a router between them, and headrace watch on the router.

veth.py HEADRACE ROOT [--clock CLOCK.SO] [CHECK]...   Skipped where not root, or where ip or tcpdump are missing.
Without Go the server is a Python program with fewer mistakes.
"""
import collections
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import schema  # noqa: E402

SKIPPED = 77
PATIENCE = 60  # seconds until something that must come is given up
UNEQUAL = {"id", "exchange", "capture", "capture_id", "evidence", "stream", "frame", "request_frame", "response_frame",
           "response_capture", "fingerprint", "summary"}  # and times: each reader of an interface has its own
LATENCY_LIMIT = 10  # seconds, of the median: far more than is promised, for machines that do other things too
EXPECTED = {"post-logout-access", "missing-set-cookie"}  # of the mistakes below
DEFECTS = "slow-logout,late-cookie"
PORT = 8080
FLOOD_RATE = 10**9  # bytes a second: as fast as frames can be sent


def fail(text):
    print(text)
    raise SystemExit(1)


def run(*command):
    p = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode != 0:
        raise OSError("%s: %s" % (" ".join(map(str, command)), p.stdout.decode().strip()))


def wait_for(what, condition, patience=PATIENCE):
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            fail("in vain: " + what)
        time.sleep(0.02)


class Network:
    """clients (10.203.1.2) -- a [router] b -- server (10.203.2.2)"""

    def __init__(self):
        self.names = {n: "hr%d-%s" % (os.getpid(), n) for n in ("clients", "router", "server")}

    def make(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
        for side, (peer, net) in {"a": ("clients", "10.203.1"), "b": ("server", "10.203.2")}.items():
            run("ip", "-n", self.names["router"], "link", "add", "name", side, "type", "veth", "peer", "name", "eth",
                "netns", self.names[peer])
            run("ip", "-n", self.names["router"], "addr", "add", net + ".1/24", "dev", side)
            run("ip", "-n", self.names["router"], "link", "set", "dev", side, "up")
            run("ip", "-n", self.names[peer], "addr", "add", net + ".2/24", "dev", "eth")
            run("ip", "-n", self.names[peer], "link", "set", "dev", "eth", "up")
            run("ip", "-n", self.names[peer], "route", "add", "default", "via", net + ".1")
        run("ip", "netns", "exec", self.names["router"], "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    def remove(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    def command(self, where, *command):
        return ["ip", "netns", "exec", self.names[where], *map(str, command)]


class Live:
    """What all checks have: a network with a server in it."""

    def __init__(self, network, headrace, root, scratch):
        self.network, self.headrace, self.scratch = network, headrace, scratch
        self.lab = os.path.join(root, "tools", "lab")
        self.key = os.path.join(scratch, "key")
        self.processes = []
        subprocess.run([headrace, "db", "key", "--quiet", "-o", self.key], check=True)

    def serve(self):
        program = self.build()
        p = self.start("server", *program, "-listen", "10.203.2.2:%d" % PORT, "-defects", DEFECTS,
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not p.stdout.readline():
            fail("the server does not start")

    def build(self):
        if shutil.which("go") is None:
            print("there is no Go: the server is a Python program")
            return [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")]
        program = os.path.join(self.scratch, "server")
        env = dict(os.environ, GO111MODULE="off", GOPROXY="off", GOFLAGS="", GOPATH=self.scratch,
                   GOCACHE=os.path.join(self.scratch, "go"))
        subprocess.run(["go", "build", "-o", program, "."], cwd=os.path.join(self.lab, "server"), env=env, check=True)
        return [program]

    def start(self, where, *command, **more):
        p = subprocess.Popen(self.network.command(where, *command), **more)
        self.processes.append(p)
        return p

    def end(self):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
                p.wait()

    def use(self, seconds, users=6):
        return self.start("clients", sys.executable, os.path.join(self.lab, "clients.py"), "10.203.2.2", PORT, seconds,
                          users, stdout=subprocess.PIPE)

    def tcpdump(self, interface, path):
        p = self.start("router", "tcpdump", "-Z", "root", "-i", interface, "--time-stamp-precision=nano", "--immediate-mode",
                       "-B", "65536", "-U", "-w", path, "tcp port %d" % PORT, stderr=subprocess.PIPE)
        line = b""
        while b"listening" not in line:
            line = p.stderr.readline()
            if not line:
                fail("tcpdump does not start")
        return p

    def listed(self, db, thing):
        p = subprocess.run([self.headrace, "list", thing, "--db", db, "--format", "ndjson"], stdout=subprocess.PIPE,
                           check=True)
        return [json.loads(line) for line in p.stdout.decode().splitlines()]


def saw(clients):
    out = json.loads(clients.communicate(timeout=PATIENCE)[0])
    return out["requests"], out["seen"]


class Watch:
    """With the time at which each alert came."""

    def __init__(self, live, name, *options, env=None):
        self.db, self.alerts, self.live = os.path.join(live.scratch, name + ".db"), [], live
        self.errors = open(os.path.join(live.scratch, name + ".err"), "a+")
        self.process = live.start("router", live.headrace, "watch", "--db", self.db, "--key-file", live.key, "--filter",
                                  "tcp port %d" % PORT, *options, stdout=subprocess.PIPE, stderr=self.errors,
                                  env=env)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        wait_for("a watch", lambda: self.process.poll() is not None or "NoNewPrivs:\t1" in open(
            "/proc/%d/status" % self.process.pid).read())
        time.sleep(0.5)
        if self.process.poll() is not None:
            fail("watch ended with %d: %s" % (self.process.returncode, self.said()))

    def read(self):
        for line in self.process.stdout:
            self.alerts.append((time.time(), json.loads(line)))

    def said(self):
        self.errors.flush()
        with open(self.errors.name) as f:
            return f.read()

    def end(self, number=signal.SIGTERM, patience=PATIENCE):
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            fail("watch does not end")
        self.reader.join(PATIENCE)
        if number == signal.SIGTERM and status != 0:
            fail("watch ended with %d: %s" % (status, self.said()))
        took = time.monotonic() - began
        if "not all that came in is judged" in self.said():
            self.make_up()
        return took

    def make_up(self):
        """On a slow machine the last look was left to the next run: that of an empty capture."""
        empty = os.path.join(self.live.scratch, "empty.pcap")
        with open(empty, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        subprocess.run([self.live.headrace, "audit", "--quiet", "--db", self.db, "--key-file", self.live.key, empty],
                       stdout=subprocess.DEVNULL)


def comparable(rows):
    """Without what names a capture or a time; where there are two captures, frames are told with theirs."""
    return collections.Counter(re.sub(r"(frame [0-9]+) of [^,)]*", r"\1", json.dumps(
        {k: v for k, v in r.items() if k not in UNEQUAL and k != "at" and not k.endswith("_at")}, sort_keys=True))
        for r in rows)


def compare(live, watched, capture, things=("findings", "exchanges", "endpoints")):
    """What is stored equals what audit finds in the capture of the same interface."""
    audited = watched + ".audited"
    subprocess.run([live.headrace, "audit", "--quiet", "--db", audited, "--key-file", live.key, capture],
                   stdout=subprocess.DEVNULL)
    for thing in things:
        a, b = comparable(live.listed(audited, thing)), comparable(live.listed(watched, thing))
        if a != b:
            fail("%s differ: only audit %d: %s; only watch %d: %s" % (
                thing, sum((a - b).values()), list(a - b)[:2], sum((b - a).values()), list(b - a)[:2]))


def address(row):
    return "%s:%d" % (row["client"], row["client_port"])


def unfound(seen, findings, is_due):
    """Occurrences that clients saw and no finding tells of."""
    found = collections.Counter((f["rule"], address(f), f["method"], f["target"]) for f in findings)
    missing = []
    for rule in EXPECTED:
        for o in seen.get(rule, []):
            key = (rule, o["client"], o["method"], o["path"])
            if is_due(o) and found[key] == 0:
                missing.append(key)
            found[key] -= 1
    return missing


def tell_latency(alerts):
    def seconds(text):
        return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(text[19:29])
    waits = sorted(at - max([seconds(a["at"])] + [seconds(e["at"]) for e in a["evidence"] if e["at"]])
                   for at, a in alerts if not a["update"])
    print("from the last request of the proof to the alert: median %.3f s, p99 %.3f s, longest %.3f s, of %d" % (
        waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1], len(waits)))
    if waits[len(waits) // 2] > LATENCY_LIMIT:
        fail("alerts come too late")


def check_watched(live):
    """Findings as the clients saw them, and as audit finds them in a capture made meanwhile."""
    capture = os.path.join(live.scratch, "watched.pcap")
    tcpdump = live.tcpdump("a", capture)
    w = Watch(live, "watched", "-i", "a")
    requests, seen = saw(live.use(6))
    time.sleep(2)
    w.end()
    tcpdump.terminate()
    tcpdump.wait()
    compare(live, w.db, capture)
    findings = live.listed(w.db, "findings")
    missing = unfound(seen, findings, lambda o: True)
    others = {f["rule"] for f in findings} - EXPECTED
    if missing or others or not findings:
        fail("%d findings; not found: %s; not expected: %s" % (len(findings), missing[:3], others))
    if len(live.listed(w.db, "exchanges")) != requests:
        fail("%d exchanges of %d requests" % (len(live.listed(w.db, "exchanges")), requests))
    print("watched: %d requests, %d findings, as audit of the same frames" % (requests, len(findings)))
    tell_latency(w.alerts)


def check_both_sides(live):
    """A router sees each packet twice; it counts once."""
    capture = os.path.join(live.scratch, "sides.pcap")
    tcpdump = live.tcpdump("a", capture)
    w = Watch(live, "sides", "-i", "a", "-i", "b")
    requests, seen = saw(live.use(4))
    time.sleep(2)
    w.end()
    tcpdump.terminate()
    tcpdump.wait()
    exchanges = live.listed(w.db, "exchanges")
    findings = live.listed(w.db, "findings")
    missing = unfound(seen, findings, lambda o: True)
    if len(exchanges) != requests or missing:
        fail("two sides: %d exchanges of %d requests; not found: %s" % (len(exchanges), requests, missing[:3]))
    audited = os.path.join(live.scratch, "sides.audited.db")
    subprocess.run([live.headrace, "audit", "--quiet", "--db", audited, "--key-file", live.key, capture],
                   stdout=subprocess.DEVNULL)

    def by_kind(rows):
        return collections.Counter((f["rule"], f["verdict"], address(f), f["method"], f["target"], f["status"]) for f in rows)
    one, two = by_kind(live.listed(audited, "findings")), by_kind(findings)
    if one != two:
        fail("two sides: only one side %s, only both %s" % (list(one - two)[:3], list(two - one)[:3]))
    print("both sides of a router: %d requests, each counted once; %d findings, as on one side" % (requests, len(findings)))


def check_killed(live):
    """What was told before the kill is stored, what comes after the restart is found, and nothing is stored twice."""
    w = Watch(live, "killed", "-i", "a")
    clients = live.use(15)
    wait_for("alerts", lambda: len(w.alerts) >= 20)
    w.end(signal.SIGKILL)
    told = {a["fingerprint"] for _, a in w.alerts}
    w = Watch(live, "killed", "-i", "a")
    ready_at = time.time()
    requests, seen = saw(clients)
    time.sleep(2)
    w.end()
    findings, exchanges = live.listed(w.db, "findings"), live.listed(w.db, "exchanges")
    lost = told - {f["fingerprint"] for f in findings}
    if lost:
        fail("killed: told before, and not stored: %s" % list(lost)[:3])
    # A client signs out within a second of its login, which the restart may have missed.
    missing = unfound(seen, findings, lambda o: o["request_time"] > ready_at + 3)
    if not any(o["request_time"] > ready_at + 3 for o in seen["post-logout-access"]):
        fail("killed: nothing came after the restart")
    twice = [k for k, n in collections.Counter(f["fingerprint"] for f in findings).items() if n > 1]
    again = [k for k, n in collections.Counter((address(e), e["request_at"]) for e in exchanges).items() if n > 1]
    if missing or twice or again:
        fail("killed: not found %s, findings stored twice %s, exchanges stored twice %s" % (missing[:3], twice[:3], again[:3]))
    others = {f["rule"] for f in findings if f["verdict"] != "suspect"} - EXPECTED
    if others:
        fail("killed: found %s, which nobody did" % others)
    if subprocess.run([live.headrace, "db", "check", "--quiet", "--db", w.db]).returncode != 0:
        fail("killed: the database is not sound")
    print("killed under load and started again: %d of %d requests stored, %d findings, none lost, none twice" % (
        len(exchanges), requests, len(findings)))


def check_end(live):
    """Told to end while frames come."""
    w = Watch(live, "end", "-i", "a")
    clients = live.use(4, 12)
    time.sleep(2.5)
    took = w.end()
    saw(clients)
    if not live.listed(w.db, "exchanges") or subprocess.run(
            [live.headrace, "db", "check", "--quiet", "--db", w.db]).returncode != 0:
        fail("ended under load: the database is empty or not sound")
    print("SIGTERM under load: ended within %.2f s" % took)
    if took > LATENCY_LIMIT:
        fail("it takes too long to end")


def told(w, name):
    """The number that the watch says of that when it is asked, after it has asked the kernel."""
    pattern = r"(?<=[ ,])%s (\d+)" % name
    said = len(re.findall(pattern, w.said()))
    w.process.send_signal(signal.SIGUSR1)
    wait_for("statistics", lambda: len(re.findall(pattern, w.said())) > said)
    return int(re.findall(pattern, w.said())[-1])


def pause_until_drops(live, w):
    """Stops the watch while clients work, until the kernel's buffer was too small. @return spans of time"""
    spans = []
    until = time.monotonic() + PATIENCE
    while not spans or told(w, "dropped") == 0:
        if time.monotonic() > until:
            fail("in vain: drops")
        began = nanoseconds(time.time_ns())
        w.process.send_signal(signal.SIGSTOP)
        saw(live.use(2, 12))
        w.process.send_signal(signal.SIGCONT)
        spans.append((began, nanoseconds(time.time_ns())))
    return spans


def nanoseconds(ns):
    """As times are written."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9)) + ".%09dZ" % (ns % 10**9)


def span_of(finding):
    """From the logout to the access: what lies before the logout explains nothing."""
    times = [finding["at"]] + [e["at"] for e in finding["evidence"] if e["at"] and e["role"] != "login"]
    return min(times), max(times)


def overlap(a, b):
    return a[0] <= b[1] and b[0] <= a[1]


def check_drops(live):
    """What the kernel drops is counted where it happened, weighs on verdicts, and is told of."""
    capture = os.path.join(live.scratch, "drops.pcap")
    tcpdump = live.tcpdump("a", capture)
    w = Watch(live, "drops", "-i", "a", "--buffer", "64K", "--alert-on-loss", "0.01")
    saw(live.use(2))
    stopped = pause_until_drops(live, w)
    saw(live.use(2))
    wait_for("an alert of loss", lambda: any(a.get("type") == "loss_alert" for _, a in w.alerts))
    w.end()
    tcpdump.terminate()
    tcpdump.wait()
    alert = [a for _, a in w.alerts if a.get("type") == "loss_alert"][0]
    wrong = schema.problems(alert, schema.load("src/report/loss_alert.schema.json"))
    if wrong or alert["state"] != "exceeded" or not 0 < alert["dropped_frames"] <= alert["frames"]:
        fail("drops: the alert is %s: %s" % (alert, wrong))
    losses = [x for x in live.listed(w.db, "loss") if x["kind"] == "dropped"]
    dropped = live.listed(w.db, "captures")[0]["dropped_frames"]
    if sum(x["count"] for x in losses) != dropped or dropped == 0:
        fail("drops: %d frames dropped, %s among the losses" % (dropped, [x["count"] for x in losses]))
    spans = [(x["from_at"], x["to_at"]) for x in losses]
    if not any(overlap(s, t) for s in spans for t in stopped):
        fail("drops: stopped %s, drops noted %s" % (stopped, spans))
    check_doubts(live, w, capture, spans)
    print("stopped under load: %d frames dropped, in %d losses" % (dropped, len(losses)))


def check_doubts(live, w, capture, spans):
    """Nothing is proven that what was dropped could explain, and nothing that the whole capture does not prove."""
    audited = w.db + ".audited"
    subprocess.run([live.headrace, "audit", "--quiet", "--db", audited, "--key-file", live.key, capture],
                   stdout=subprocess.DEVNULL)
    proven = [f for f in live.listed(w.db, "findings") if f["verdict"] == "proven"]
    for f in proven:
        if f["rule"] == "post-logout-access" and any(overlap(span_of(f), s) for s in spans):
            fail("drops: proven across a drop: %s" % f)

    def counted(rows):
        return collections.Counter((f["rule"], address(f), f["method"], f["target"]) for f in rows)
    more = counted(proven) - counted(f for f in live.listed(audited, "findings") if f["verdict"] == "proven")
    if more:
        fail("drops: proven here, and not by the whole capture: %s" % list(more)[:3])


def flood(live, w):
    """More frames than the kernel keeps, while the watch runs only now and then, so that it always has some to read, until
    it leaves connections out. @return captures of them"""
    build = os.path.join(os.path.dirname(live.headrace), "..", "..", "tools")
    captures = []
    until = time.monotonic() + 3 * PATIENCE
    while not captures or told(w, "connections shed") == 0:
        w.process.send_signal(signal.SIGSTOP)
        if time.monotonic() > until:
            fail("in vain: connections that are left out")
        captures.append(os.path.join(live.scratch, "flood%d.pcap" % len(captures)))
        subprocess.run([os.path.join(build, "scenario", "capgen"), "traffic", "--exchanges", "30000", "--connections", "3000",
                        "--per-connection", "10", "--seed", str(len(captures)), "-o", captures[-1]], check=True,
                       stderr=subprocess.DEVNULL)
        run(*live.network.command("clients", os.path.join(build, "send"), "eth", captures[-1], FLOOD_RATE))
        w.process.send_signal(signal.SIGCONT)
    return captures


def check_overload(live):
    """Where it cannot keep pace it leaves out connections, counts them, and proves nothing that they could explain; when
    it can again it leaves out none."""
    w = Watch(live, "overload", "-i", "a", "--buffer", "32M", "--filter", "tcp")
    captures = flood(live, w)
    wait_for("the end of that", lambda: "no more connections are left out" in w.said(), 4 * PATIENCE)
    connections, dropped = told(w, "connections shed"), told(w, "dropped")
    requests = saw(live.use(3))[0]
    kept_pace = (connections, dropped) == (told(w, "connections shed"), told(w, "dropped"))
    w.end(patience=4 * PATIENCE)  # so much came in that a round takes long
    whole = sum(x["server"] == "10.203.2.2" and x["server_port"] == PORT for x in live.listed(w.db, "exchanges"))
    if kept_pace and whole != requests:  # a slow machine may be flooded by these alone
        fail("overload: %d of %d requests behind it" % (whole, requests))
    losses = [x for x in live.listed(w.db, "loss") if x["kind"] == "shed"]
    frames = sum(x["count"] for x in losses)
    if frames < connections or not all(x["hides_exchanges"] and x["from_at"] <= x["to_at"] for x in losses):
        fail("overload: %d connections left out, %d frames in the losses %s" % (connections, frames, losses[:2]))
    audited = w.db + ".audited"
    subprocess.run([live.headrace, "audit", "--quiet", "--db", audited, "--key-file", live.key, *captures],
                   stdout=subprocess.DEVNULL)

    def proven(db):  # of what flooded it: the server behind it is not in those captures
        return collections.Counter((f["rule"], address(f), f["method"], f["target"]) for f in live.listed(db, "findings")
                                   if f["verdict"] == "proven" and f["site"] != "10.203.2.2:%d" % PORT)
    if proven(w.db) - proven(audited):
        fail("overload: proven, and not by all frames: %s" % list(proven(w.db) - proven(audited))[:3])
    print("overload: %d connections with %d frames left out; %d of %d requests behind it" % (
        connections, frames, whole, requests))


class Clock:
    """The wall clock of a program, which can be set."""

    def __init__(self, live):
        path = os.path.join(live.scratch, "clock")
        with open(path, "wb") as f:
            f.write(bytes(8))
        os.chmod(path, 0o644)
        with open(path, "r+b") as f:
            self.lead = mmap.mmap(f.fileno(), 8)
        self.env = dict(os.environ, LD_PRELOAD=live.clock, HEADRACE_CLOCK=path)

    def set(self, seconds):
        self.lead[:] = struct.pack("=q", seconds * 10**9)


def check_clock(live):
    """Nothing is proven of times that the clock was set over; those before and behind keep their worth. Nothing is lost,
    and time-outs go on."""
    if live.clock is None:
        print("skipped: the clock is not set where programs are built with sanitizers")
        return
    clock = Clock(live)
    w = Watch(live, "clock", "-i", "a", "--idle-timeout", "2s", env=clock.env)
    requests = saw(live.use(3))[0]
    wait_for("what is proven before", lambda: any(a["verdict"] == "proven" for _, a in w.alerts))
    began = time.time_ns()
    clock.set(-5)
    wait_for("word of the clock", lambda: re.search(r"clock was set by -(4\.9|5\.0)", w.said()))
    ended = time.time_ns()
    clients = live.use(9)
    wait_for("what is proven behind", lambda: any(a["verdict"] == "proven" and a["at"] > nanoseconds(ended)
                                                  for _, a in w.alerts))
    requests += saw(clients)[0]
    clock.set(-3600)
    wait_for("word of the clock", lambda: re.search(r"clock was set by -(3594\.9|3595\.0)", w.said()))
    live.start("clients", sys.executable, "-c", "import socket, time; s = socket.create_connection(('10.203.2.2', %d)); "
               "time.sleep(%d)" % (PORT, 2 * PATIENCE))
    wait_for("a connection", lambda: told(w, "connections") == 1)
    wait_for("the end of its time", lambda: told(w, "connections") == 0)
    w.end()
    if len(live.listed(w.db, "exchanges")) != requests:
        fail("clock: %d exchanges of %d requests" % (len(live.listed(w.db, "exchanges")), requests))
    losses = sorted((x["from_at"], x["to_at"]) for x in live.listed(w.db, "loss") if x["kind"] == "clock-set")
    if len(losses) != 2 or not nanoseconds(began - (5 + PATIENCE) * 10**9) < losses[1][0] < nanoseconds(
            ended - 5 * 10**9) or not nanoseconds(began) <= losses[1][1] <= nanoseconds(ended):
        fail("clock: the losses are %s" % losses)
    findings = [f for f in live.listed(w.db, "findings") if f["rule"] == "post-logout-access"]
    doubtful = [f for f in findings if overlap(span_of(f), losses[1])]
    if not doubtful or any(f["verdict"] == "proven" for f in doubtful):
        fail("clock: %d findings within, proven %s" % (len(doubtful), [f for f in doubtful if f["verdict"] == "proven"][:1]))
    source = live.listed(w.db, "captures")[0]
    if source["time_source"] != "host" or source["clock_doubt_ns"] >= 10**9:
        fail("clock: the capture is %s" % source)
    print("clock set back twice: %d requests, none lost; %d of %d findings in doubt" % (
        requests, len(doubtful), len(findings)))


CHECKS = {"watched": check_watched, "sides": check_both_sides, "killed": check_killed, "end": check_end,
          "drops": check_drops, "overload": check_overload, "clock": check_clock}


def skip(text):
    print("skipped: " + text)
    return SKIPPED


def main():
    leaks.ignore()
    headrace, root = map(os.path.abspath, sys.argv[1:3])
    names, clock = sys.argv[3:], None
    if names[:1] == ["--clock"]:
        clock, names = os.path.abspath(names[1]), names[2:]
    if os.geteuid() != 0:
        return skip("network namespaces and interfaces need root")
    for tool in ("ip", "tcpdump"):
        if shutil.which(tool) is None:
            return skip("there is no %s" % tool)
    with tempfile.TemporaryDirectory(prefix="headrace-live-") as scratch:
        os.chmod(scratch, 0o755)
        network = Network()
        live = None
        try:
            try:
                network.make()
            except OSError as e:
                return skip("no network namespaces can be made here: %s" % e)
            live = Live(network, headrace, root, scratch)
            live.clock = clock
            live.serve()
            for name in names or CHECKS:
                CHECKS[name](live)
        finally:
            if live is not None:
                live.end()
            network.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
