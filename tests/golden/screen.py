#!/usr/bin/env python3
"""The screen of watch, on a pty: what it shows, keys, sizes, hostile strings; that it leaves the terminal as it was
however it ends, and keeps nothing waiting.

screen.py HEADRACE CAPGEN
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import vt

HERE = os.path.dirname(os.path.abspath(__file__))
wrong = []


def check(holds, what, terminal=None):
    if not holds:
        wrong.append(what + ("" if terminal is None else ":\n" + terminal.text()))


class Watch(vt.Terminal):
    """A watch of a capture that goes on for ten minutes."""

    count = 0

    def __init__(self, place, *args, **more):
        Watch.count += 1
        self.db = os.path.join(place.scratch, "%d.db" % Watch.count)
        super().__init__([place.headrace, "watch", "-r", place.capture, "--realtime", "--db", self.db, *args], **more)

    def is_up(self):
        return self.wait_for(lambda text: text.count("proven") == 2 and "q end" in text)


class Place:
    def __init__(self, headrace, capgen, scratch):
        self.headrace, self.scratch = headrace, scratch
        self.capture = os.path.join(scratch, "screen.pcapng")
        subprocess.run([capgen, "scenario", os.path.join(HERE, "watched", "screen.yaml"), "-o", self.capture],
                       check=True, stderr=subprocess.DEVNULL)
        with open(headrace, "rb") as f:
            self.is_sanitized = b"__asan_init" in f.read()


def selected(w):
    return [i for i, line in enumerate(w.text().split("\n")) if line.startswith(">")]


def check_keys(place):
    alerts = os.path.join(place.scratch, "alerts")
    w = Watch(place, "--alert", "file:" + alerts, rows=30, columns=100)
    check(w.is_up(), "the first page", w)
    text = w.text()
    for what in ("headrace watch ", "frames/s", "open", "sessions", "0 dropped of", "queue 0 %", 
                 "Answers in the last hour", "/account", "shop.example", "303"):
        check(what in text, "%r is not shown" % what, w)
    check(len(selected(w)) == 1, "one finding is selected", w)
    first = selected(w)
    w.press("\x1bOB")
    check(w.wait_for(lambda _: selected(w) and selected(w)[0] == first[0] + 1), "arrow down", w)
    w.press("k")
    check(w.wait_for(lambda _: selected(w) == first), "k", w)
    w.press("G\r")
    check(w.wait_for("Wireshark: tcp.stream") and "login" in w.text() and "┌" in w.text(), "Enter shows lanes", w)
    w.press("q")
    check(w.wait_for("Answers in the last hour"), "q goes back", w)
    w.press("?")
    check(w.wait_for("Keys") and "Ctrl-C" in w.text(), "help", w)
    w.press("\x1b")
    check(w.wait_for("Answers in the last hour"), "Esc goes back", w)
    os.kill(w.pid, signal.SIGUSR1)
    check(w.wait_for("frames 53, captured"), "statistics go to the message line", w)
    w.press("m")
    check(w.wait_for("Messages, the newest first"), "messages", w)
    w.press("qq")
    check(w.wait_for("End the watch?"), "q asks", w)
    w.press("x")
    check(w.wait_for("q end"), "another key than q goes on", w)
    w.press("\x1a")  # Ctrl-Z
    w.press("qy")
    check(w.wait_end() == 0, "q and y end it: %s" % w.status, w)
    check(w.before == w.modes(), "the terminal's modes are not as before")
    check(b"exchanges" in w.raw and b"findings told" in w.raw, "it does not say how it went")
    check(b'"fingerprint"' not in w.raw, "alerts go to the screen")
    check(not w.unknown, "unknown to a vt100: %s" % w.unknown)
    with open(alerts, encoding="utf-8") as f:
        check(len([json.loads(line) for line in f]) >= 2, "alerts to a file")
    w.close()


def check_sizes(place):
    w = Watch(place, rows=24, columns=80)
    check(w.is_up(), "80 columns", w)
    for rows, columns in ((9, 80), (24, 59), (1, 1), (3, 200)):
        w.resize(rows, columns)
        check(w.wait_for(lambda text: text.startswith("too small"[:columns])), "%dx%d" % (columns, rows), w)
    for rows, columns in ((10, 60), (60, 250), (24, 80)):
        w.resize(rows, columns)
        check(w.wait_for(lambda text: "q end" in text.split("\n")[-1]), "%dx%d" % (columns, rows), w)
        check("proven" in w.text() and w.text().startswith(" headrace watch"), "%dx%d lacks something" % (columns, rows),
              w)
    w.press("\r")
    check(w.wait_for("lines 1 to 22"), "a finding", w)
    w.resize(12, 70)
    check(w.wait_for("lines 1 to 10"), "a finding on a smaller screen", w)
    w.press("j \x1bOB")
    check(w.wait_for("lines 13 to 22"), "a finding scrolls", w)
    w.press("G")
    check(w.wait_for("rules explain"), "to the end of a finding", w)
    w.press("\x03")
    check(w.wait_end() == 0, "Ctrl-C: %s" % w.status)
    check(not w.unknown, "unknown to a vt100: %s" % w.unknown)
    w.close()


def check_hostile(place):
    for lang in ("C.UTF-8", "C"):
        w = Watch(place, LANG=lang, rows=40, columns=200)
        check(w.is_up(), lang, w)
        for keys in ("\r", "qG\r", "q"):
            w.press(keys)
            w.read(1)
        check(not w.unknown, "%s: reaches the terminal: %s" % (lang, w.unknown))
        for bytes_ in (b"\x1b]", b"\x07", b"\xe2\x80\xae", b"\x1b[2J\x9b"):
            check(bytes_ not in w.raw, "%s: %r reaches the terminal" % (lang, bytes_))
        check(lang != "C" or max(w.raw) < 128, "C: bytes beyond ASCII", w)
        check(w.wait_end(signal.SIGTERM) == 0, "SIGTERM: %s" % w.status)
        w.close()


def check_terminals(place):
    # On a terminal with an alternate screen and colours.
    for no_color in (False, True):
        w = Watch(place, TERM="xterm-256color", **({"NO_COLOR": "1"} if no_color else {}))
        check(w.is_up(), "xterm", w)
        has_color = re.search(rb"\x1b\[[0-9;]*3[0-7]m", w.raw) is not None
        check(has_color != no_color, "colours with NO_COLOR %s" % no_color)
        check(w.wait_end(signal.SIGTERM) == 0, "SIGTERM: %s" % w.status)
        check(b"\x1b[?1049h" in w.raw and b"\x1b[?1049l" in w.raw.split(b"\x1b[?1049h")[-1], "the screen is left")
        check(w.before == w.modes(), "modes after SIGTERM")
        w.close()
    if not place.is_sanitized:
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
            w = Watch(place, TERM="xterm-256color")
            check(w.is_up(), "xterm", w)
            check(w.wait_end(number) == -number, "%s: status %s" % (number.name, w.status))
            check(b"\x1b[?1049l" in w.raw.split(b"\x1b[?1049h")[-1], "%s leaves the screen on" % number.name)
            check(w.before == w.modes(), "modes after %s" % number.name)
            w.close()
    for terminal in ("dumb", "no-such-terminal"):
        w = Watch(place, TERM=terminal)
        check(w.wait_for('"rule"'), "plain lines on %s" % terminal, w)
        w.wait_end(signal.SIGTERM)
        w.close()
    w = Watch(place, "--no-ui")
    check(w.wait_for('"rule"') and "frames/s" not in w.text(), "--no-ui", w)
    check(w.wait_end(signal.SIGTERM) == 0, "--no-ui: %s" % w.status)
    w.close()


def check_mistake(place):
    """What goes wrong before there is a screen is said as ever."""
    w = vt.Terminal([place.headrace, "watch", "-r", os.path.join(place.scratch, "missing.pcap"), "--db",
                     os.path.join(place.scratch, "none.db")])
    check(w.wait_end() == 3 and b"missing.pcap" in w.raw, "a missing capture: %s %r" % (w.status, w.raw))
    check(w.before == w.modes(), "modes after a mistake")
    w.close()


def check_stuck(place):
    """Nobody reads what the terminal shows: the watch goes on and ends in time."""
    w = Watch(place, rows=100, columns=300)
    check(w.is_up(), "a large terminal")
    for i in range(200):  # each a whole screen anew
        vt.fcntl.ioctl(w.fd, vt.termios.TIOCSWINSZ, vt.struct.pack("HHHH", 100 + i % 2, 300, 0, 0))
        time.sleep(0.01)
    began = time.monotonic()
    check(w.wait_end(signal.SIGTERM, reads=False) == 0, "SIGTERM on a stuck terminal: %s" % w.status)
    check(time.monotonic() - began < 10, "SIGTERM on a stuck terminal takes %.1f s" % (time.monotonic() - began))
    check(w.before == w.modes(), "modes after a stuck terminal")
    w.close()


def check_gone(place):
    """The terminal goes away."""
    w = Watch(place)
    check(w.is_up(), "a terminal that goes away", w)
    w.close()
    check(w.wait_end(reads=False) == 0, "a terminal that went away: %s" % w.status)
    p = subprocess.run([place.headrace, "db", "check", "--quiet", "--db", w.db])
    check(p.returncode == 0, "the database of a watch whose terminal went away")


def main():
    headrace, capgen = [os.path.abspath(a) for a in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o777)
        place = Place(headrace, capgen, scratch)
        probe = Watch(place)
        if not probe.wait_for(lambda text: "frames/s" in text or '"rule"' in text) or "frames/s" not in probe.text():
            print("built without ncurses, or the terminal vt100 is not described here: no screen is tried")
            probe.wait_end(signal.SIGKILL)
            sys.exit(77)
        probe.wait_end(signal.SIGKILL)
        for part in (check_keys, check_sizes, check_hostile, check_terminals, check_mistake, check_stuck, check_gone):
            part(place)
    for w in wrong:
        print(w)
    return 1 if wrong else 0


sys.exit(main())
