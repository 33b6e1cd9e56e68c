#!/usr/bin/env python3
"""Law: the same packet captured twice is one packet, and a connection is one whatever tags its directions
bear. A mirror of both directions, an interface "any", both sides of a router, two interfaces of one pcapng,
two captures that overlap: all give the exchanges, times and findings of the plain capture. The same
connection on two VLANs with numbers of its own is another connection.

copies.py HEADRACE CAPTURE...   (Ethernet captures)
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402
import encapsulations  # noqa: E402

encapsulations.IGNORED += ("frame", "request_frame", "response_frame", "stream")
MACS = bytes.fromhex("020000000003020000000004")


def tagged(data, vlan):
    return data if vlan is None else data[:12] + struct.pack(">HH", 0x8100, vlan) + data[12:]


def with_checksum(header):
    header = header[:10] + b"\0\0" + header[12:]
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return header[:10] + struct.pack(">H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + header[12:]


def routed(data):
    """As it looks behind a router: other MAC addresses, TTL one less, the header's checksum with it."""
    if data[12:14] == b"\x86\xdd":
        return MACS + data[12:21] + bytes([data[21] - 1]) + data[22:]
    header = data[14:22] + bytes([data[22] - 1]) + data[23:34]
    return MACS + data[12:14] + with_checksum(header) + data[34:]


def fragments(frames):
    """Every datagram in pieces of 24 bytes, the last one first, and every piece captured twice."""
    out = []
    for number, f in enumerate(frames):
        size = struct.unpack(">H", f.data[16:18])[0] if f.data[12:14] == b"\x08\0" else 0
        payload = f.data[34:14 + size]
        if f.data[14:15] != b"\x45" or len(payload) <= 24:
            out.append(f)
            continue
        for at in reversed(range(0, len(payload), 24)):
            piece = payload[at:at + 24]
            more = 0x2000 if at + 24 < len(payload) else 0
            header = f.data[14:16] + struct.pack(">HHH", 20 + len(piece), number & 0xFFFF, more | at // 8) + f.data[22:34]
            out += [made(f, f.data[:14] + with_checksum(header) + piece)] * 2
    return out


def is_up(data):
    """Towards the server: from the higher port."""
    at = 54 if data[12:14] == b"\x86\xdd" else 34
    source, destination = struct.unpack(">HH", data[at:at + 4])
    return source > destination


def made(f, data, later=0):
    return captool.Frame(f.at + later, f.wire + len(data) - len(f.data), data)


def tags(frames, up, down):
    return [made(f, tagged(f.data, up if is_up(f.data) else down)) for f in frames]


def copied(frames, change, later):
    """Each frame and, so many ns later, what change makes of it; in the order of time."""
    out = list(frames) + [made(f, change(f.data), later) for f in frames]
    return sorted(out, key=lambda f: f.at)


def router(frames):
    """Requests come from VLAN 10 and go on in VLAN 20, answers the other way round."""
    out = []
    for f in frames:
        first, second = (10, 20) if is_up(f.data) else (20, 10)
        out += [made(f, tagged(f.data, first)), made(f, tagged(routed(f.data), second), 30000)]
    return sorted(out, key=lambda f: f.at)


def two_interfaces(frames):
    def interface():
        return captool.block("<", 1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHBxxxI", 9, 1, 9, 0))

    out = [captool.block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), interface(), interface()]
    for number, f in sorted([(0, f) for f in frames] + [(1, made(f, f.data, 2000)) for f in frames],
                            key=lambda x: x[1].at):
        head = struct.pack("<IIIII", number, f.at >> 32, f.at & 0xFFFFFFFF, len(f.data), f.wire)
        out.append(captool.block("<", 6, head + f.data))
    return b"".join(out)


def forged(frames):
    """Before each frame with a payload one that its receiver would not take: other bytes, and the checksum of
    TCP or of the IP header is wrong."""
    out = []
    for f in frames:
        at = 54 if f.data[12:14] == b"\x86\xdd" else 34
        head = at + (f.data[at + 12] >> 4) * 4
        if len(f.data) > head + 4 and at == 34:
            data = bytearray(f.data)
            data[head:] = b"X" * (len(data) - head)
            if len(out) % 3 == 0:
                data[18:20] = b"\xff\xfe"  # an IP number of its own, which the header's checksum does not know
            out.append(made(f, bytes(data), -1000))
        out.append(f)
    return sorted(out, key=lambda f: f.at)


def checksums_are_right(frames):
    """Not so where the sending host captured: there they are partial."""
    for f in frames:
        if f.data[12:14] == b"\x08\0" and f.data[23] == 6:
            size = struct.unpack(">H", f.data[16:18])[0]
            tcp = f.data[34:14 + size]
            words = f.data[26:34] + struct.pack(">HH", 6, len(tcp)) + tcp
            total = sum(struct.unpack(">%dH" % (len(words) // 2), words[:len(words) // 2 * 2]))
            total += words[-1] << 8 if len(words) % 2 else 0
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            if total != 0xFFFF:
                return False
    return True


def variants(frames):
    """Name, the files that are given together, options."""
    pcap = captool.pcap_bytes
    yield "requests without a tag", [pcap(1, tags(frames, None, 10))]
    yield "answers without a tag", [pcap(1, tags(frames, 10, None))]
    yield "a tag for each direction", [pcap(1, tags(frames, 10, 20))]
    yield "mirror of both directions", [pcap(1, copied(frames, lambda d: d, 5000))]
    yield "trunk and access port", [pcap(1, copied(frames, lambda d: tagged(d, 10), 5000))]
    yield "both sides of a router", [pcap(1, copied(frames, routed, 30000))]
    yield "VLANs of a router", [pcap(1, router(frames))]
    yield "two interfaces", [two_interfaces(frames)]
    yield "fragments twice", [pcap(1, fragments(frames))]
    third = len(frames) // 3
    yield "two captures that overlap", [pcap(1, frames[:2 * third]), pcap(1, frames[third:])]
    yield "one capture in another", [pcap(1, frames), pcap(1, frames[third:2 * third])]
    yield "one capture under two names", [pcap(1, frames), pcap(1, frames)]
    if checksums_are_right(frames):
        yield "forged frames with wrong checksums", [pcap(1, forged(frames))], "--verify-checksums"


def renumbered(data, by):
    """The same connection with other sequence numbers."""
    at = 54 if data[12:14] == b"\x86\xdd" else 34
    seq, ack = struct.unpack(">II", data[at + 4:at + 12])
    flags = data[at + 13]
    seq, ack = (seq + by) % 2**32, (ack + by) % 2**32 if flags & 16 else ack
    return data[:at + 4] + struct.pack(">II", seq, ack) + data[at + 12:]


def exchanges(headrace, path):
    p = subprocess.run([headrace, "list", "exchanges", "--format", "ndjson", path], stdout=subprocess.PIPE, check=True)
    records = map(json.loads, p.stdout.decode().splitlines())
    keys = ("client", "client_port", "method", "status", "request_at", "response_at", "request_bytes",
            "response_bytes", "state", "pairing", "loss")
    return sorted(json.dumps([r.get(k) for k in keys]) for r in records)


def two_vlans(headrace, frames, folder):
    """@return what is wrong where the same connections go on in two VLANs at the same times"""
    plain, both = os.path.join(folder, "plain"), os.path.join(folder, "both")
    other = [made(f, tagged(renumbered(f.data, 77777777), 20)) for f in frames]
    mixed = [x for pair in zip(tags(frames, 10, 10), other) for x in pair]
    captool.write(plain, 1, frames)
    captool.write(both, 1, mixed)
    want, got = 2 * exchanges(headrace, plain), exchanges(headrace, both)
    return "" if got == sorted(want) else "%d exchanges in two VLANs, not %d alike" % (len(got), len(want))


def main():
    headrace, captures = sys.argv[1], sys.argv[2:]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for capture in captures:
            link, frames = captool.read(capture)
            assert link == 1, "%s: not Ethernet" % capture
            want = encapsulations.results(headrace, capture)
            assert want, "%s: nothing to compare" % capture
            for name, files, *options in variants(frames):
                paths = [os.path.join(folder, str(i)) for i in range(len(files))]
                for path, data in zip(paths, files):
                    with open(path, "wb") as f:
                        f.write(data)
                got = encapsulations.results(headrace, paths[0], more=paths[1:], options=options)
                if got != want:
                    bad += 1
                    print("failed %s as %s" % (capture, name))
                    print("\n".join("  lost " + x for x in want if x not in set(got))[:1500])
                    print("\n".join("  new  " + x for x in got if x not in set(want))[:1500])
                    print("  %d records, not %d" % (len(got), len(want)))
            wrong = two_vlans(headrace, frames, folder)
            if wrong:
                bad += 1
                print("failed %s: %s" % (capture, wrong))
            print("done   %s" % capture)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
