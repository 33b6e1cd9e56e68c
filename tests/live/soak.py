#!/usr/bin/env python3
"""A watch for a long time at a steady rate: memory, files and latency, a line each minute. Not one of the tests.

soak.py HEADRACE ROOT SECONDS [USERS]   needs root, as veth.py; ends with 1 where memory or the WAL grew
"""
import json
import os
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import veth  # noqa: E402

RETAIN = "600s"
WARM_UP = 0.4  # of the time: by then the store holds what --retain keeps
GROWTH = 1.15  # of the memory afterwards
WAL_BYTES = 64 * 1024 * 1024


def read_status(pid):
    with open("/proc/%d/status" % pid) as f:
        fields = dict(line.split(":", 1) for line in f)
    return int(fields["VmRSS"].split()[0]) * 1024


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def observe(w):
    with open("/proc/%d/stat" % w.process.pid) as f:
        ticks = sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
    return {"rss": read_status(w.process.pid), "cpu": ticks / os.sysconf("SC_CLK_TCK"), "db": size_of(w.db),
            "wal": size_of(w.db + "-wal"), "alerts": len(w.alerts)}


def soak(live, seconds, users):
    w = veth.Watch(live, "soak", "-i", "a", "--retain", RETAIN, "--keep", "64M")
    clients = live.use(seconds, users)
    told = []
    reader = threading.Thread(target=lambda: told.append(json.loads(clients.communicate()[0])))  # far more than a pipe holds
    reader.start()
    began, seen = time.monotonic(), []
    while reader.is_alive():
        time.sleep(min(60, max(1, seconds - (time.monotonic() - began))))
        o = observe(w)
        o["at"] = time.monotonic() - began
        seen.append(o)
        print("%5.0f s: memory %.1f MB, CPU %.1f s, database %.1f MB, WAL %.1f MB, %d alerts" % (
            o["at"], o["rss"] / 1e6, o["cpu"], o["db"] / 1e6, o["wal"] / 1e6, o["alerts"]), flush=True)
    took = w.end(signal.SIGTERM)
    veth.tell_latency(w.alerts)
    print("%d requests; SIGTERM: ended within %.2f s" % (told[0]["requests"], took))
    print(w.said())
    late = [o for o in seen if o["at"] >= WARM_UP * seconds]
    grew = max(o["rss"] for o in late) / late[0]["rss"]
    print("memory after the first %d %%: at most %.2f times what it was then" % (WARM_UP * 100, grew))
    return 1 if grew > GROWTH or max(o["wal"] for o in seen) > WAL_BYTES else 0


def main():
    headrace, root = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="headrace-soak-") as scratch:
        os.chmod(scratch, 0o777)
        network, live = veth.Network(), None
        try:
            network.make()
            live = veth.Live(network, headrace, root, scratch)
            live.serve()
            return soak(live, int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1)
        finally:
            if live is not None:
                live.end()
            network.remove()


if __name__ == "__main__":
    sys.exit(main())
