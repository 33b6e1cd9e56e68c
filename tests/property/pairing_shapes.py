#!/usr/bin/env python3
"""Laws of pairing, where it is hardest: bodies that hold what looks like HTTP, chunks, HEAD, 304 and interim
responses, bursts of requests, segments of a few bytes; frames lost in the capture alone (the ACKs tell of
bytes that nobody saw) or in the network (they come again), captured late, captured twice. No exchange
gets a response that was not its own, and none is missing whose own bytes are whole, as long as its client
asks one by one; of bursts, as long as nothing of their connection is missing. Two things cannot be known,
and are not asked here: where a message begins if most segments are of some bytes and a good part is lost,
and that a client had several requests under way if those that would show it are lost.

pairing_shapes.py HEADRACE [ROUNDS]

HEADRACE_SEED chooses other captures.
"""
import io
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pairing  # noqa: E402
from wire import ACK, Capture, Connection  # noqa: E402

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
SHOWN = 5

BAIT = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 204 No Content\r\n\r\n",
        b"GET /bait HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /bait HTTP/1.1\r\nContent-Length: 999999\r\n\r\n",
        b"\r\n0\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"just some text, "]

# name: (requests in a burst, window of requests under way instead, bytes of a segment)
STYLES = {
    "one by one": (1, False, 1400),
    "in small segments": (1, False, 60),
    "in bytes": (1, False, 3),
    "in bursts": (4, False, 1400),
    "overlapping": (3, True, 500),
}

# name: (lost in the capture, lost in the network, late, twice)
FAULTS = {
    "clean": (0, 0, 0, 0),
    "0.1 % lost": (0.001, 0, 0, 0),
    "1 % lost": (0.01, 0, 0, 0),
    "5 % lost": (0.05, 0, 0, 0),
    "20 % lost": (0.2, 0, 0, 0),
    "5 % sent again": (0, 0.05, 0, 0),
    "5 % late": (0, 0, 0.05, 0),
    "10 % twice": (0, 0, 0, 0.1),
    "all": (0.02, 0.02, 0.05, 0.05),
}
NOT_ASKED = {("in bytes", "1 % lost"), ("in bytes", "5 % lost"), ("in bytes", "20 % lost"), ("in bytes", "all"),
             ("overlapping", "20 % lost")}


class Tap:
    """Takes packets as Capture writes them, with what each one holds."""

    def __init__(self):
        self.file = io.BytesIO()
        self.capture = Capture(self.file)
        self.packets = []  # (bytes with pcap header, connection, None or (exchange, part, from, to))
        self.at = self.file.tell()

    def take(self, connection, note=None):
        data, at = self.file.getvalue(), self.at
        while at < len(data):
            end = at + 16 + int.from_bytes(data[at + 8:at + 12], "little")
            self.packets.append((data[at:end], connection, note))
            at = end
        self.file.seek(0)
        self.file.truncate()
        self.at = 0


class Talk:
    def __init__(self, tap, rng, number, mss, truth):
        self.tap, self.rng, self.number, self.mss, self.truth = tap, rng, number, mss, truth
        self.x = Connection(tap.capture, number)
        tap.take(number)

    def say(self, side, data, exchange, part):
        """All of a message; its first byte begins a segment. Some segments are acknowledged at once."""
        for at in range(0, len(data), self.mss):
            piece = data[at:at + self.mss]
            self.x.send(side, piece)
            self.tap.take(self.number, (exchange, part, at, at + len(piece)))
            self.x.seq[side] += len(piece)
            if self.rng.random() < 0.4:
                self.tap.capture.wait(0.0001)
                self.x.send(1 - side, b"", ACK)
                self.tap.take(self.number)

    def bait(self):
        return b"".join(self.rng.choice(BAIT) for _ in range(self.rng.randrange(6)))

    def make(self):
        """@return (index in the truth, request, response)"""
        i, rng = len(self.truth), self.rng
        method = rng.choice(["GET", "GET", "GET", "POST", "HEAD"])
        kind = rng.choice(["length", "length", "chunked", "chunked", "304", "204", "1xx"])
        target = "/x%d" % i
        request = b"%s %s HTTP/1.1\r\nHost: shop.test\r\n" % (method.encode(), target.encode())
        if method == "POST":
            body = self.bait()
            request += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        else:
            request += b"\r\n"
        status = {"304": 304, "204": 204}.get(kind, rng.choice([200, 404, 500]))
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" if kind == "1xx" else b""
        body = self.bait() + b"." * rng.randrange(300)
        if kind == "chunked":
            fields = b"Transfer-Encoding: chunked\r\n"
            cut = rng.randrange(len(body) + 1)
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:cut], body[cut:]) if p) + b"0\r\n\r\n"
        else:
            fields = b"Content-Length: %d\r\n" % len(body)
        if status == 204:
            fields = b""
        if method == "HEAD" or status in (204, 304):
            body = b""
        response = b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, fields, body)
        self.truth.append({"method": method, "target": target, "status": status, "response_bytes": len(body),
                           "client": "10.0.0.%d" % self.number, "client_port": self.x.sport,
                           "connection": self.number, "lengths": {"request": len(request), "response": len(response),
                                                                  "interim": len(interim)},
                           "frames": {"request": [], "response": [], "interim": []}})
        return i, request, interim, response

    def ask(self, made):
        self.tap.capture.wait(0.003)
        self.say(0, made[1], made[0], "request")

    def answer(self, made):
        self.tap.capture.wait(0.003)
        self.say(1, made[2], made[0], "interim")
        self.say(1, made[3], made[0], "response")

    def go(self, burst, windowed, exchanges):
        waiting = []
        for _ in range(exchanges):
            made = self.make()
            self.ask(made)
            waiting.append(made)
            if windowed and len(waiting) >= burst:
                self.answer(waiting.pop(0))
            elif not windowed and len(waiting) == burst:
                while waiting:
                    self.answer(waiting.pop(0))
        while waiting:
            self.answer(waiting.pop(0))
        self.x.close()
        self.tap.take(self.number)


def damage(packets, faults, rng):
    """The packets that are recorded, in their order."""
    lost, sent_again, late, twice = faults
    out = []  # (place, packet)
    for place, p in enumerate(packets):
        if rng.random() < lost:
            continue
        key = float(place)
        if p[2] is not None and rng.random() < sent_again:
            key += rng.randrange(1, 12) + 0.5
        elif rng.random() < late:
            key += rng.randrange(1, 3) + 0.5
        out.append((key, p))
        if rng.random() < twice:
            out.append((key + 0.1, p))
    out.sort(key=lambda x: x[0])
    return [p for _, p in out]


def covered(pieces, length):
    end = 0
    for a, b in sorted(pieces):
        if a > end:
            return False
        end = max(end, b)
    return end >= length


def write(path, packets, truth, is_decidable):
    """Times grow with the recorded order; the truth learns what was recorded."""
    pieces = {}
    clock = 1700000000 * 10**6
    with open(path, "wb") as f:
        capture = Capture(f)
        for number, (data, _, note) in enumerate(packets, 1):
            clock = max(clock + 1, int.from_bytes(data[0:4], "little") * 10**6 + int.from_bytes(data[4:8], "little"))
            capture.out.write((clock // 10**6).to_bytes(4, "little") + (clock % 10**6).to_bytes(4, "little") + data[8:])
            if note is not None:
                exchange, part, a, b = note
                truth[exchange]["frames"][part].append(number)
                pieces.setdefault((exchange, part), []).append((a, b))
    broken = set()
    for i, x in enumerate(truth):
        whole = all(covered(pieces.get((i, part), []), n) for part, n in x["lengths"].items())
        x["whole"] = whole
        if not whole:
            broken.add(x["connection"])
        x["request_frames"], x["response_frames"] = x["frames"]["request"], x["frames"]["response"]
    if not is_decidable:
        for x in truth:
            x["whole"] = x["whole"] and x["connection"] not in broken


def wrong_pairs(listed, truth):
    """Of what is no message something alone may be told, where the message around it is damaged."""
    owner = pairing.owners(truth)
    for e in listed:
        request, response = (owner.get(e[part + "_frame"]) for part in ("request", "response"))
        if e["request_frame"] is None or e["response_frame"] is None:
            continue
        if (request, response) != ((request[0], "request"), (request[0], "response")) or (
                e["target"], e["status"]) != (truth[request[0]]["target"], truth[request[0]]["status"]):
            yield "%s %s of frame %d has the response %s of frame %d" % (
                e["method"], e["target"], e["request_frame"], e["status"], e["response_frame"])


def problems(headrace, path, truth):
    listed = pairing.run(headrace, "list", "exchanges", "--format", "ndjson", path)
    yield from wrong_pairs(listed, truth)
    yield from pairing.missing(listed, truth, False)


def main():
    headrace, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c.pcap")
        for style, (burst, windowed, mss) in STYLES.items():
            for fault, rates in FAULTS.items():
                for seed in range(SEED, SEED + rounds) if (style, fault) not in NOT_ASKED else ():
                    rng = random.Random("%s %s %d" % (style, fault, seed))
                    tap, truth = Tap(), []
                    for number in range(8):
                        Talk(tap, rng, number, mss, truth).go(burst, windowed, 25)
                    write(path, damage(tap.packets, rates, rng), truth, burst == 1)
                    found = list(problems(headrace, path, truth))
                    bad += bool(found)
                    print("%s %s, %s, seed %d: %d whole of %d, %d problems" % (
                        "failed" if found else "ok    ", style, fault, seed, sum(x["whole"] for x in truth),
                        len(truth), len(found)), flush=True)
                    for problem in found[:SHOWN]:
                        print("       " + problem)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
