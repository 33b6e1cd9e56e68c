"""Reads and writes capture files for tests, with nothing but the standard library.

read(path) gives (link_type, [Frame]); write(path, link_type, frames) makes a nanosecond pcap.
pcap of either byte order and unit, and pcapng with one link type; gzip as well.
"""
import gzip
import struct
from collections import namedtuple

Frame = namedtuple("Frame", "at wire data")  # ns since 1970, length on the wire, bytes

PCAP = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return read_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else read_pcap(data)


def read_pcap(data):
    for order in "<>":
        magic = struct.unpack(order + "I", data[:4])[0]
        if magic in PCAP:
            break
    else:
        raise ValueError("not a pcap file")
    link = struct.unpack(order + "I", data[20:24])[0] & 0x0FFFFFFF
    frames, at = [], 24
    while at + 16 <= len(data):
        sec, sub, captured, wire = struct.unpack(order + "IIII", data[at:at + 16])
        frames.append(Frame(sec * 10**9 + sub * PCAP[magic], wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return link, frames


def read_pcapng(data):
    order, interfaces, frames, at = "<", [], [], 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, length = struct.unpack(order + "II", data[at:at + 8])
        body = data[at + 8:at + length - 4]
        if kind == 1:
            interfaces.append((struct.unpack(order + "H", body[:2])[0], resolution(order, body[8:])))
        elif kind == 6:
            i, high, low, captured, wire = struct.unpack(order + "IIIII", body[:20])
            units = (high << 32 | low) * 10**9
            frames.append(Frame(units // interfaces[i][1], wire, body[20:20 + captured]))
        at += length
    return interfaces[0][0], frames


def resolution(order, options):
    """Units a second, from if_tsresol."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack(order + "HH", options[at:at + 4])
        if code == 9:
            v = options[at + 4]
            return 2 ** (v & 127) if v & 128 else 10 ** v
        at += 4 + (length + 3) // 4 * 4
    return 10**6


def write(path, link_type, frames):
    """A little-endian pcap in nanoseconds."""
    with open(path, "wb") as f:
        f.write(pcap_bytes(link_type, frames))


def pcap_bytes(link_type, frames, order="<", unit=1):
    """unit: 1 for nanoseconds, 1000 for microseconds (times are cut)."""
    magic = next(m for m, u in PCAP.items() if u == unit)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for f in frames:
        out.append(struct.pack(order + "IIII", f.at // 10**9, f.at % 10**9 // unit, len(f.data), f.wire))
        out.append(f.data)
    return b"".join(out)


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def pcapng_bytes(link_type, frames, order="<"):
    """One section, one interface, nanoseconds, and a block of an unknown kind in between."""
    resolution_ns = struct.pack(order + "HHBxxxI", 9, 1, 9, 0)
    out = [block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(order, 1, struct.pack(order + "HHI", link_type, 0, 0) + resolution_ns),
           block(order, 0x00000A0A, b"unknown blocks are passed over")]
    for f in frames:
        head = struct.pack(order + "IIIII", 0, f.at >> 32, f.at & 0xFFFFFFFF, len(f.data), f.wire)
        out.append(block(order, 6, head + f.data))
    return b"".join(out)
