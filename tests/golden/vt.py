"""A terminal for tests: a pty, and a small emulator of what ncurses writes to a vt100 or an xterm. Strict: what it
does not know is collected in `unknown`, and so is any other control character."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402

PATIENCE = 60
SEQUENCE = re.compile(r"\x1b(?:\[([?>]?)([0-9;]*)([A-Za-z@])|[()]([0AB])|([=>MD]))")


class Terminal:
    def __init__(self, argv, rows=24, columns=80, **environment):
        self.rows, self.columns = rows, columns
        self.raw, self.rest, self.unknown, self.status = b"", "", [], None
        self.clear()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for name in ("NO_COLOR", "LC_ALL", "LC_CTYPE"):
                os.environ.pop(name, None)
            os.environ.update({"TERM": "vt100", "LANG": "C.UTF-8", **environment})
            leaks.ignore()
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # ignored in the background of a shell
            os.execv(argv[0], argv)
        self.before = self.modes()  # the program has not begun yet, or just so

    # --- what is shown ---

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0
        self.reverse = False
        self.reversed_rows = set()

    def text(self):
        return "\n".join("".join(r).rstrip() for r in self.cells)

    def put(self, c):
        if self.column >= self.columns:
            self.column = self.columns - 1
        self.cells[self.row][self.column] = c
        self.column += 1
        if self.reverse:
            self.reversed_rows.add(self.row)
        elif self.column == 1:
            self.reversed_rows.discard(self.row)

    def erase(self, first, last):
        for at in range(first, min(last, self.rows * self.columns)):
            self.cells[at // self.columns][at % self.columns] = " "

    def csi(self, private, numbers, letter):
        n = [int(x) if x else 0 for x in numbers.split(";")]
        at, one = self.row * self.columns + min(self.column, self.columns - 1), max(n[0], 1)
        if private or letter in "hlr" or letter == "m" and not numbers:
            self.reverse = self.reverse and letter != "m"
        elif letter == "m":
            for x in n:
                self.reverse = x == 7 or (self.reverse and x not in (0, 27))
        elif letter in "Hf":
            self.row, self.column = min(one, self.rows) - 1, min(max((n + [0])[1], 1), self.columns) - 1
        elif letter == "J":
            self.erase(0 if n[0] else at, self.rows * self.columns if n[0] != 1 else at + 1)
        elif letter == "K":
            start = self.row * self.columns
            self.erase(start if n[0] else at, at + 1 if n[0] == 1 else start + self.columns)
        elif letter == "X":
            self.erase(at, min(at + one, (self.row + 1) * self.columns))
        elif letter == "P":
            line = self.cells[self.row]
            self.cells[self.row] = (line[:self.column] + line[self.column + one:] + [" "] * one)[:self.columns]
        elif letter == "@":
            line = self.cells[self.row]
            self.cells[self.row] = (line[:self.column] + [" "] * one + line[self.column:])[:self.columns]
        elif letter == "b":
            for _ in range(one):
                self.put(self.last)
        elif letter in "ABCDGd":
            self.row += one * ((letter == "B") - (letter == "A"))
            self.column += one * ((letter == "C") - (letter == "D"))
            self.column = one - 1 if letter == "G" else self.column
            self.row = one - 1 if letter == "d" else self.row
        else:
            self.unknown.append("CSI %s%s%s" % (private, numbers, letter))

    def show(self, text):
        text = self.rest + text
        self.rest = ""
        while text:
            m = SEQUENCE.match(text)
            if m:
                if m.group(3):
                    self.csi(*m.group(1, 2, 3))
                elif m.group(5) and m.group(5) in "MD":
                    self.row = min(max(self.row + (1 if m.group(5) == "D" else -1), 0), self.rows - 1)
                text = text[m.end():]
                continue
            c = text[0]
            if c == "\x1b" and len(text) < 20:
                self.rest = text  # the end may come
                return
            if c == "\r":
                self.column = 0
            elif c == "\n":
                self.row = min(self.row + 1, self.rows - 1)
            elif c == "\b":
                self.column = max(self.column - 1, 0)
            elif c == "\t":
                self.column = min(self.column // 8 * 8 + 8, self.columns - 1)
            elif c in "\x0e\x0f\0":
                pass
            elif ord(c) < 32 or 0x7f <= ord(c) < 0xa0:
                self.unknown.append(repr(text[:20]))
            else:
                self.last = c
                self.put(c)
            text = text[1:]

    # --- what happens ---

    def read(self, seconds=0.1):
        until = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
            if not ready:
                return
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return
            self.raw += data
            self.show(data.decode("utf-8", "replace"))

    def wait_for(self, what):
        """Until the screen shows that, or what a function of its text says. @return whether it did"""
        holds = what if callable(what) else lambda text: what in text
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.read()
            if holds(self.text()):
                return True
            if self.end_seen():
                self.read()
                return holds(self.text())
        return False

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def resize(self, rows, columns):
        self.read()
        self.rows, self.columns = rows, columns
        self.clear()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        return termios.tcgetattr(self.fd)

    def end_seen(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait_end(self, number=None, reads=True):
        """@return its status, negative for a signal; None: it did not end"""
        if number is not None:
            os.kill(self.pid, number)
        until = time.monotonic() + PATIENCE
        while not self.end_seen() and time.monotonic() < until:
            if reads:
                self.read(0.05)
            else:
                time.sleep(0.05)
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        elif reads:
            self.read()
        return self.status

    def close(self):
        os.close(self.fd)
