"""Takes captures apart into connections and HTTP messages, and puts them together again with other bytes.

Every packet keeps its time, its ends and its flags; payloads, sequence numbers and lengths follow the new
bytes. Only for captures without holes.
"""
import struct

import captool

NETWORK = {1: 14, 113: 16, 276: 20}  # where the IP header begins, by link type
SYN, FIN, RST = 2, 1, 4


class Packet:
    """One TCP segment over IPv4 or IPv6; off: of its payload in the direction's stream."""
    __slots__ = ("frame", "ip", "tcp", "side", "seq", "ack", "flags", "payload", "off", "connection")

    def __init__(self, link, frame):
        self.frame, self.connection = frame, None
        data, self.ip = frame.data, NETWORK[link]
        if data[self.ip] >> 4 == 4:
            self.tcp = self.ip + (data[self.ip] & 15) * 4
            end = self.ip + struct.unpack(">H", data[self.ip + 2:self.ip + 4])[0]
            assert data[self.ip + 9] == 6
        else:
            assert data[self.ip + 6] == 6
            self.tcp = self.ip + 40
            end = self.tcp + struct.unpack(">H", data[self.ip + 4:self.ip + 6])[0]
        assert end <= len(data), "frames are cut"
        self.seq, self.ack = struct.unpack(">II", data[self.tcp + 4:self.tcp + 12])
        self.flags = data[self.tcp + 13]
        self.payload = data[self.tcp + (data[self.tcp + 12] >> 4) * 4:end]

    def ends(self):
        d = self.frame.data
        at, size = (self.ip + 12, 4) if d[self.ip] >> 4 == 4 else (self.ip + 8, 16)
        source, destination = struct.unpack(">HH", d[self.tcp:self.tcp + 4])
        return (d[at:at + size], source), (d[at + size:at + 2 * size], destination)


class Direction:
    def __init__(self):
        self.isn = None       # sequence number of the first byte of data
        self.data = bytearray()
        self.segments = []    # (offset, end, time) in order of the stream
        self.out = None       # new bytes
        self.bounds = None    # [(old offset, new offset)], ascending

    def offset(self, seq):
        n = (seq - self.isn) & 0xffffffff
        return n - 2**32 if n > 2**31 else n

    def take(self, packet):
        packet.off = self.offset(packet.seq + (1 if packet.flags & SYN else 0))
        end = packet.off + len(packet.payload)
        if end > len(self.data) and packet.payload:
            assert packet.off <= len(self.data), "a hole"
            start = len(self.data)
            self.data += packet.payload[start - packet.off:]
            self.segments.append((start, end, packet.frame.at))

    def time(self, offset):
        """When the byte at that offset was seen."""
        for a, b, at in self.segments:
            if a <= offset < b:
                return at
        return None

    def replaced(self, messages):
        """messages: [(old start, old end, new bytes)], ascending; what is between them stays. Where the old
        bytes lay in several segments, the new ones are spread alike."""
        edges = sorted({a for a, _, _ in self.segments} | {len(self.data)})
        out, bounds, at = bytearray(), [(0, 0)], 0
        for start, end, new in messages:
            out += self.data[at:start]
            bounds.append((start, len(out)))
            for e in edges:
                if start < e < end:
                    bounds.append((e, len(out) + max(1, len(new) * (e - start) // (end - start))))
            out += new
            bounds.append((end, len(out)))
            at = end
        out += self.data[at:]
        bounds.append((len(self.data), len(out)))
        self.out, self.bounds = bytes(out), bounds

    def moved(self, old):
        """New offset of an old one."""
        if self.out is None:
            return old
        before = (0, 0)
        for o, n in self.bounds:
            if o > old:
                return min(n, before[1] + old - before[0])
            before = (o, n)
        return before[1] + old - before[0]


class Connection:
    """ends[0] is the client, sides[0] what it sent."""

    def __init__(self, ends):
        self.ends, self.sides, self.packets = ends, (Direction(), Direction()), []


def read(path):
    """@return link type, connections, packets in order of the file"""
    link, frames = captool.read(path)
    packets, open_, connections = [], {}, []
    for frame in sorted(frames, key=lambda f: f.at):
        p = Packet(link, frame)
        ends = p.ends()
        key = tuple(sorted(ends))
        c = open_.get(key)
        if p.flags & SYN and not p.flags & 16 and (c is None or any(q.flags & (FIN | RST) for q in c.packets)):
            c = open_[key] = Connection(ends)
            connections.append(c)
        assert c is not None, "a connection joined midway"
        p.connection, p.side = c, 0 if ends == c.ends else 1
        d = c.sides[p.side]
        if d.isn is None:
            d.isn = (p.seq + (1 if p.flags & SYN else 0)) & 0xffffffff
        d.take(p)
        c.packets.append(p)
        packets.append(p)
    return link, connections, packets


def rebuilt(packet):
    """@return frames of the packet with the new bytes of its connection; two where they do not fit into one"""
    mine, other = packet.connection.sides[packet.side], packet.connection.sides[1 - packet.side]
    if mine.out is None and other.out is None:
        return [packet.frame]
    payload = packet.payload
    start = packet.off
    if payload and mine.out is not None:
        payload = mine.out[mine.moved(start):mine.moved(start + len(payload))]
    start = mine.moved(start)
    seq = (mine.isn + start - (1 if packet.flags & SYN else 0)) & 0xffffffff
    ack = packet.ack
    if packet.flags & 16 and other.isn is not None:
        off = other.offset(ack)
        last = len(other.data)
        ack = (other.isn + (other.moved(min(off, last)) + max(0, off - last))) & 0xffffffff
    frames = []
    for at in range(0, max(1, len(payload)), 60000):
        piece = payload[at:at + 60000]
        frames.append(with_payload(packet, (seq + at) & 0xffffffff, ack, piece))
    return frames


def with_payload(packet, seq, ack, payload):
    d = packet.frame.data
    head = bytearray(d[:packet.tcp + (d[packet.tcp + 12] >> 4) * 4])
    struct.pack_into(">II", head, packet.tcp + 4, seq, ack)
    struct.pack_into(">H", head, packet.tcp + 16, 0)
    if d[packet.ip] >> 4 == 4:
        struct.pack_into(">H", head, packet.ip + 2, len(head) - packet.ip + len(payload))
        struct.pack_into(">H", head, packet.ip + 10, 0)
    else:
        struct.pack_into(">H", head, packet.ip + 4, len(head) - packet.tcp + len(payload))
    data = bytes(head) + bytes(payload)
    return packet.frame._replace(data=data, wire=len(data))


class Message:
    """first: the start line; fields: [[name, value]]; body: decoded from chunks. whole is False where the
    stream ended in it; missing: bytes that its Content-Length announced beyond."""

    def __init__(self):
        self.fields, self.body, self.whole, self.missing = [], b"", True, 0
        self.start = self.end = 0
        self.chunked = self.close = False
        self.request = None
        self.raw = None

    def get(self, name):
        for n, v in self.fields:
            if n.lower() == name.lower():
                return v
        return None

    def set(self, name, value):
        for f in self.fields:
            if f[0].lower() == name.lower():
                f[1] = value
                return
        self.fields.append([name, value])

    def drop(self, name):
        self.fields = [f for f in self.fields if f[0].lower() != name.lower()]

    @property
    def status(self):
        return int(self.first.split(" ")[1])

    def bytes(self):
        """As on the wire. Content-Length follows the body; what was missing stays missing."""
        if self.raw is not None:
            return self.raw
        body = self.body
        length = self.get("content-length")
        head_only = self.request is not None and (self.request.first.startswith("HEAD ") or self.status in (204, 304))
        if self.chunked:
            body = b"".join(b"%x\r\n%s\r\n" % (len(body[a:a + self.chunked]), body[a:a + self.chunked])
                            for a in range(0, len(body), self.chunked))
            body += b"0\r\n\r\n" if self.whole else b""
        elif length is not None and not head_only:
            self.set("content-length", str(len(body) + self.missing))
        head = self.first + "\r\n" + "".join("%s: %s\r\n" % (n, v) for n, v in self.fields) + "\r\n"
        return head.encode("latin-1") + body


def message(data, at, request, is_response):
    """@return the message that begins there, or None where no whole head is"""
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    m = Message()
    m.start, m.request = at, request
    lines = bytes(data[at:end]).decode("latin-1").split("\r\n")
    m.first = lines[0]
    if is_response and not m.first.startswith("HTTP/1."):
        return None
    if not is_response and " HTTP/1." not in m.first:
        return None
    for line in lines[1:]:
        n, _, v = line.partition(":")
        m.fields.append([n, v.strip()])
    at = end + 4
    coding, length = m.get("transfer-encoding"), m.get("content-length")
    if is_response and (m.status < 200 or m.status in (204, 304) or request and request.first.startswith("HEAD ")):
        m.end = at
    elif coding and "chunked" in coding:
        m.chunked, body = 4096, b""
        while True:
            line = data.find(b"\r\n", at)
            if line < 0:
                m.whole, at = False, len(data)
                break
            size = int(bytes(data[at:line]).split(b";")[0], 16)
            if size == 0:
                at = line + 4
                break
            body += data[line + 2:line + 2 + size]
            at = line + 2 + size + 2
            if at > len(data):
                m.whole, at = False, len(data)
                break
        m.body, m.end = bytes(body), at
    elif length is not None:
        m.body = bytes(data[at:at + int(length)])
        m.missing = int(length) - len(m.body)
        m.whole, m.end = m.missing == 0, at + len(m.body)
    elif is_response:
        m.body, m.end, m.close = bytes(data[at:]), len(data), True
    else:
        m.end = at
    return m


def messages(connection):
    """@return requests, responses (each with .request; None where nothing waited); what is after an upgrade or is no
    HTTP stays as it is"""
    requests, responses = [], []
    data, at = connection.sides[0].data, 0
    while at < len(data):
        m = message(data, at, None, False)
        if m is None:
            break
        requests.append(m)
        at = m.end
    data, at, i = connection.sides[1].data, 0, 0
    while at < len(data):
        request = requests[i] if i < len(requests) else None
        m = message(data, at, request, True)
        if m is None:
            break
        responses.append(m)
        at = m.end
        if m.status == 101:
            break
        i += m.status >= 200
    return requests, responses


def shape_of(m):
    return m.first, [tuple(f) for f in m.fields], m.body, m.chunked


class Conversation:
    """The messages of one connection."""

    def __init__(self, connection):
        self.connection = connection
        self.requests, self.responses = messages(connection)
        self.was = {m: shape_of(m) for m in self.requests + self.responses}

    def exchanges(self):
        """Pairs of a request and its final response."""
        final = {r.request: r for r in self.responses if r.request is not None and (r.status >= 200 or r.status == 101)}
        return [(q, final.get(q)) for q in self.requests]

    def settle(self):
        """What changed takes its place in the streams."""
        for side, ms in enumerate((self.requests, self.responses)):
            new = [(m.start, m.end, m.bytes()) for m in ms if shape_of(m) != self.was[m]]
            if new:
                self.connection.sides[side].replaced(new)
