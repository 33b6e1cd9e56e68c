"""The same exchanges over other connections: one for each, or few that a proxy keeps for everybody.

Conversations that tell something by how their connection goes stay as they are: without an answer, cut, switched
to another protocol, pipelined or closed early.
"""
import ipaddress
import struct

import captool
import streams

SYN, FIN, PSH, ACK = 2, 1, 8, 16


def pieces(direction, start, end, new):
    """[(time, bytes)]: the new bytes of what lay in [start, end), spread as the old ones were."""
    out, at = [], 0
    for a, b, when in direction.segments:
        if b <= start or a >= end:
            continue
        stop = len(new) if b >= end else max(at + 1, len(new) * (b - start) // (end - start))
        out.append((when, new[at:stop]))
        at = max(at, stop)
    return [p for p in out if p[1]]


class Exchange:
    def __init__(self, conversation, request, answers):
        self.connection = conversation.connection
        up, down = self.connection.sides
        self.start, self.asked_at = up.time(request.start), up.time(request.end - 1)
        self.ups = pieces(up, request.start, request.end, request.bytes())
        self.downs = []
        for r in answers:
            self.downs += pieces(down, r.start, r.end, r.bytes())
        self.answered_at, self.end = self.downs[0][0], self.downs[-1][0]
        self.client = None


def exchanges(conversation):
    """@return None where the connection is to stay as it is"""
    out, last = [], 0
    if not conversation.requests:
        return None
    for q in conversation.requests:
        answers = [r for r in conversation.responses if r.request is q]
        final = [r for r in answers if r.status >= 200 or r.status == 101]
        if len(final) != 1 or final[0].status == 101 or not final[0].whole or final[0].close or final[0].missing or not q.whole:
            return None
        if any(m.get("connection") == "close" for m in answers + [q]) or q.first.endswith("1.0") and q.get("connection") is None:
            return None
        x = Exchange(conversation, q, answers)
        if x.answered_at < x.asked_at or x.start < last or len(answers) > 1:
            return None
        last = x.end
        out.append(x)
    if any(r.request is None for r in conversation.responses):
        return None
    up, down = conversation.connection.sides
    if conversation.requests[-1].end != len(up.data) or conversation.responses[-1].end != len(down.data):
        return None
    return out


class Wire:
    """One connection that is being made up. ends: (address, port) of client and server."""

    def __init__(self, template, ends, at, seed):
        self.template, self.ends = template, ends
        self.seq = [0x10000000 + seed * 7919 & 0xffffffff, 0x20000000 + seed * 104729 & 0xffffffff]
        self.frames, self.free_at = [], at
        self.send(0, SYN, b"", at - 3000)
        self.seq[0] += 1
        self.send(1, SYN | ACK, b"", at - 2000)
        self.seq[1] += 1
        self.send(0, ACK, b"", at - 1000)

    def send(self, side, flags, payload, at):
        for i in range(0, max(1, len(payload)), 60000):
            piece = payload[i:i + 60000]
            self.frames.append(self.frame(side, flags, piece, at))
            self.seq[side] = (self.seq[side] + len(piece)) & 0xffffffff

    def frame(self, side, flags, payload, at):
        t = self.template[side]
        (source, sport), (destination, dport) = self.ends if side == 0 else self.ends[::-1]
        head = bytearray(t.frame.data[:t.tcp])
        if len(source) == 4:
            head[t.ip] = 0x45
            head = head[:t.ip + 20]
            struct.pack_into(">H", head, t.ip + 2, 40 + len(payload))
            struct.pack_into(">H", head, t.ip + 10, 0)
            head[t.ip + 12:t.ip + 20] = source + destination
        else:
            struct.pack_into(">H", head, t.ip + 4, 20 + len(payload))
            head[t.ip + 8:t.ip + 40] = source + destination
        ack = self.seq[1 - side] if flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", sport, dport, self.seq[side], ack, 0x50, flags, 65000, 0, 0)
        data = bytes(head) + tcp + bytes(payload)
        return captool.Frame(at, len(data), data)

    def carry(self, x):
        for side, part in ((0, x.ups), (1, x.downs)):
            for when, data in part:
                self.send(side, ACK | PSH, data, when)
        self.free_at = x.end

    def close(self, at):
        for side in (0, 1):
            self.send(side, FIN | ACK, b"", at + side * 1000)
            self.seq[side] += 1
        self.send(0, ACK, b"", at + 2000)


def text(end):
    address = ipaddress.ip_address(bytes(end[0]))
    return ("[%s]:%d" if address.version == 6 else "%s:%d") % (address, end[1])


def reconnected(traffic, rng, pooled):
    """@return frames in order of time; the label's clients follow"""
    stay, moved = [], []
    for c in traffic.conversations:
        xs = exchanges(c)
        if xs is None:
            c.settle()
            stay += [f for p in c.connection.packets for f in streams.rebuilt(p)]
        else:
            moved += xs
    moved.sort(key=lambda x: x.start)
    taken = {c.connection.ends[0] for c in traffic.conversations}
    wires, done, port = [], [], 20000
    proxy = moved[0].connection.ends[0][0] if moved else None
    for x in moved:
        server = x.connection.ends[1]
        free = [w for w in wires if w.free_at + 4000 < x.start and w.ends[1] == server and pooled]
        if free:
            wire = rng.choice(free)
        else:
            port += rng.randrange(1, 4)
            address = proxy if pooled and len(proxy) == len(server[0]) else x.connection.ends[0][0]
            while (address, port) in taken:
                port += 1
            template = [next(p for p in x.connection.packets if p.side == side) for side in (0, 1)]
            wire = Wire(template, ((address, port), server), x.start, port)
            (wires if pooled else done).append(wire)
        x.client = text(wire.ends[0])
        wire.carry(x)
        if not pooled:
            wire.close(x.end + 50000)
    end = max([x.end for x in moved], default=0)
    for wire in wires:
        wire.close(end + 1000000)
    follow(traffic, moved)
    frames = stay + [f for w in wires + done for f in w.frames]
    return sorted(frames, key=lambda f: f.at)


def follow(traffic, moved):
    by_client = {}
    for x in moved:
        by_client.setdefault(text(x.connection.ends[0]), []).append(x)
    for o in traffic.occurrences():
        same = by_client.get(o.get("client"), [])
        near = [x for x in same if abs(x.start / 1e9 - o["request_time"]) < 0.00101] if o.get("request_time") else []
        if near:
            o["client"] = min(near, key=lambda x: abs(x.start / 1e9 - o["request_time"])).client


TIMES = ("request_time", "used_at", "denied_at", "logout_time", "crash_time", "grant_before", "grant_after", "granted_before")


def on_time(traffic, start, factor, shift):
    """Time goes by another factor from start on, and all is shifted; in nanoseconds. The label's times follow."""
    inner = traffic.frames
    traffic.frames = lambda: [f._replace(at=start + shift + round((f.at - start) * factor)) for f in inner()]
    traffic.last.append(lambda: traffic.change_label(TIMES, lambda t: (start + shift) / 1e9 + (t - start / 1e9) * factor))


class Extra:
    """An exchange of nobody in particular: added to what was captured."""

    def __init__(self, start, request, response, took):
        self.start, self.end = start, start + took
        self.ups, self.downs = [(start, request)], [(self.end, response)]


def with_extras(traffic, rng, extras):
    """extras: [Extra], over kept and over new connections to the servers that there are."""
    inner = traffic.frames
    server = [c.connection for c in traffic.conversations if c.requests and c.responses][0]
    template = [next(p for p in server.packets if p.side == side) for side in (0, 1)]
    wires, port = [], 45000
    taken = {c.connection.ends[0] for c in traffic.conversations}
    for x in sorted(extras, key=lambda x: x.start):
        free = [w for w in wires if w.free_at + 4000 < x.start]
        if free and rng.random() < 0.8:
            wire = rng.choice(free)
        else:
            port += 1
            while (server.ends[0][0], port) in taken:
                port += 1
            wire = Wire(template, ((server.ends[0][0], port), server.ends[1]), x.start, port)
            wires.append(wire)
        wire.carry(x)

    def frames():
        end = max((w.free_at for w in wires), default=0) + 1000000
        for w in wires:
            w.close(end)
        return sorted(inner() + [f for w in wires for f in w.frames], key=lambda f: f.at)

    traffic.frames = frames
