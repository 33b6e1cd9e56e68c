"""Writes captures packet by packet for tests, with nothing but the standard library: what a network
or an enemy may do, and no generator would.
"""
import struct

ACK, PSH, RST, SYN, FIN = 16, 8, 4, 2, 1
CLIENT, SERVER = "10.0.0.1", "192.0.2.1"


def packed(address):
    return bytes(int(x) for x in address.split("."))


class Capture:
    """Raw IPv4 packets, a microsecond apart where nothing else is said."""

    def __init__(self, out):
        self.out = out
        self.now = 1700000000 * 10**6
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))

    def wait(self, seconds):
        self.now += int(seconds * 10**6)

    def ip(self, source, destination, protocol, payload, more=False, offset=0, ident=0):
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, (more << 13) | offset >> 3,
                             64, protocol, 0, source, destination) + payload
        self.now += 1
        self.out.write(struct.pack("<IIII", self.now // 10**6, self.now % 10**6, len(packet), len(packet)) + packet)

    def tcp(self, source, sport, destination, dport, seq, ack, flags, payload=b"", window=65535):
        self.ip(source, destination, 6, struct.pack(
            ">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags, window, 0, 0) + payload)


class Connection:
    MSS = 1400

    def __init__(self, capture, number, server=SERVER, dport=80, opened=True):
        self.capture = capture
        self.client = packed("10.0.0.0")[:1] + struct.pack(">I", number // 60000)[1:]
        self.sport = 1025 + number % 60000
        self.server, self.dport = packed(server), dport
        self.seq = [1000, 5000]  # of the next byte, client and server
        if opened:
            self.send(0, b"", SYN, ack=0)
            self.seq[0] += 1
            self.send(1, b"", SYN | ACK)
            self.seq[1] += 1
            self.send(0, b"", ACK)

    def send(self, side, payload, flags=ACK | PSH, ack=None, skip=0, window=65535):
        """One segment, skip bytes ahead of what comes next; counts nothing as sent."""
        ends = ((self.client, self.sport), (self.server, self.dport))
        (source, sport), (destination, dport) = ends if side == 0 else ends[::-1]
        self.capture.tcp(source, sport, destination, dport, self.seq[side] + skip,
                         self.seq[1 - side] if ack is None else ack, flags, payload, window)

    def say(self, side, data):
        for at in range(0, len(data), self.MSS):
            piece = data[at:at + self.MSS]
            self.send(side, piece)
            self.seq[side] += len(piece)

    def ask(self, method, path, fields=(), body=b"", host="shop.test"):
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, path, host)
        if body:
            head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
        self.say(0, (head + "".join(f + "\r\n" for f in fields) + "\r\n").encode() + body)

    def answer(self, status=200, fields=(), body=None):
        body = (b"" if 300 <= status < 400 else b"ok") if body is None else body
        self.say(1, ("HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%s\r\n" % (
            status, len(body), "".join(f + "\r\n" for f in fields))).encode() + body)

    def login(self, user, sid, **options):
        self.ask("POST", "/login", options.pop("fields", ()), b"username=%s&password=pw" % user.encode(), **options)
        self.answer(302, ["Location: /home", "Set-Cookie: session_id=%s; HttpOnly; Path=/" % sid])

    def get(self, path, sid=None, status=200, **options):
        self.ask("GET", path, ["Cookie: session_id=" + sid] if sid else [], **options)
        if status == 302:
            self.answer(302, ["Location: /login"])
        else:
            self.answer(status)

    def logout(self, sid):
        self.ask("POST", "/logout", ["Cookie: session_id=" + sid])
        self.answer(302, ["Location: /login", "Set-Cookie: session_id=; Max-Age=0; Path=/"])

    def close(self):
        self.send(0, b"", FIN | ACK)
        self.seq[0] += 1
        self.send(1, b"", FIN | ACK)
        self.seq[1] += 1
