#!/usr/bin/env python3
"""Law: how frames are wrapped and filed is nothing. The same traffic gives the same exchanges and the
same findings as pcap of either byte order, pcapng of either, gzip, zstd, lz4, standard input; as Ethernet, with
one and two VLAN tags, as Linux cooked capture of both versions, as BSD loopback, as raw IP, on other
links and in every tunnel.

encapsulations.py HEADRACE CAPTURE...   (Ethernet captures)
"""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import captool  # noqa: E402

IGNORED = ("id", "capture", "capture_id", "response_capture", "session", "exchange", "target", "fingerprint")


def relink(frames, change):
    out = []
    for f in frames:
        data = change(f.data)
        out.append(f._replace(data=data, wire=f.wire + len(data) - len(f.data)))
    return out


def ethertype(data):
    return data[12:14]


SNAP = b"\xaa\xaa\x03\0\0\0"
WIRELESS = b"\x08\x01\0\0" + b"\x02\0\0\0\0\x01" * 3 + b"\0\0"


def ppp(data):
    return 0x0021 if ethertype(data) == b"\x08\0" else 0x0057


def ip4(protocol, payload):
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, 0x0A010101, 0x0A010102) + payload


def ip6(protocol, payload):
    addresses = bytes.fromhex("20010db8000000000000000000000099") * 2
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64) + addresses + payload


def udp(port, payload):
    return ip4(17, struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload)


LINKS = {
    "one VLAN tag": (1, lambda d: d[:12] + b"\x81\x00\x00\x2a" + d[12:]),
    "two VLAN tags": (1, lambda d: d[:12] + b"\x88\xa8\x00\x07\x81\x00\x00\x2a" + d[12:]),
    "three VLAN tags": (1, lambda d: d[:12] + b"\x91\x00\x00\x05\x88\xa8\x00\x07\x81\x00\x00\x2a" + d[12:]),
    # Longer than Ethernet's padding: the card was to fill the length in.
    "IP total length 0": (1, lambda d: d[:16] + b"\0\0" + d[18:] if len(d) > 60 and ethertype(d) == b"\x08\0" else d),
    "Linux cooked": (113, lambda d: struct.pack(">HHH", 0, 1, 6) + d[6:12] + b"\0\0" + d[12:]),
    "Linux cooked v2": (276, lambda d: ethertype(d) + struct.pack(">HIHBB", 0, 1, 1, 0, 6) + d[6:12] + b"\0\0" + d[14:]),
    "BSD loopback": (0, lambda d: struct.pack("<I", 2 if ethertype(d) == b"\x08\x00" else 30) + d[14:]),
    "OpenBSD loopback": (108, lambda d: struct.pack(">I", 2 if ethertype(d) == b"\x08\x00" else 30) + d[14:]),
    "raw IP": (101, lambda d: d[14:]),
    "LLC and SNAP": (1, lambda d: d if len(d) > 1500 else d[:12] + struct.pack(">H", len(d) - 6) + SNAP + d[12:]),
    "PPPoE": (1, lambda d: d[:12] + struct.pack(">HBBHHH", 0x8864, 0x11, 0, 7, len(d) - 12, ppp(d)) + d[14:]),
    "PPP": (9, lambda d: struct.pack(">HH", 0xFF03, ppp(d)) + d[14:]),
    "Cisco HDLC": (104, lambda d: b"\x0f\0" + d[12:]),
    "MPLS": (1, lambda d: d[:12] + b"\x88\x47\0\x01\0\x40\0\x02\x01\x40" + d[14:]),
    "MPLS pseudowire": (1, lambda d: d[:12] + b"\x88\x47\0\x01\x01\x40" + d),
    "IP in IPv4": (101, lambda d: ip4(4 if ethertype(d) == b"\x08\0" else 41, d[14:])),
    "IP in IPv6": (101, lambda d: ip6(4 if ethertype(d) == b"\x08\0" else 41, d[14:])),
    "GRE": (101, lambda d: ip4(47, b"\0\0" + d[12:])),
    "GRE of Ethernet": (101, lambda d: ip6(47, b"\x20\0\x65\x58\0\0\0\x05" + d)),
    "ERSPAN II": (101, lambda d: ip4(47, b"\x10\0\x88\xbe\0\0\0\x01" + b"\x10" + b"\0" * 7 + d)),
    "ERSPAN III": (101, lambda d: ip4(47, b"\x10\0\x22\xeb\0\0\0\x01" + b"\x20" + b"\0" * 11 + d)),
    "GRE in UDP": (101, lambda d: udp(4754, b"\0\0" + d[12:])),
    "VXLAN": (101, lambda d: udp(4789, b"\x08\0\0\0\0\0\x2a\0" + d)),
    "GENEVE": (101, lambda d: udp(6081, b"\0\0\x65\x58\0\0\x2a\0" + d)),
    "GTP-U": (101, lambda d: udp(2152, b"\x30\xff" + struct.pack(">HI", len(d) - 14, 9) + d[14:])),
    "L2TP": (101, lambda d: udp(1701, struct.pack(">HHHHH", 2, 1, 2, 0xFF03, ppp(d)) + d[14:])),
    "TZSP": (101, lambda d: udp(37008, b"\x01\0\0\x01\x01" + d)),
    "802.11": (105, lambda d: WIRELESS + SNAP + d[12:]),
    "802.11 with radiotap": (127, lambda d: b"\0\0\x08\0\0\0\0\0" + WIRELESS + SNAP + d[12:] + b"\x01\x02\x03\x04"),
    "802.11 in GRE": (101, lambda d: ip4(47, b"\0\0\x82\0" + WIRELESS + SNAP + d[12:])),
    "EtherIP": (101, lambda d: ip4(97, b"\x30\0" + d)),
    "Ethernet in IPv6": (101, lambda d: ip6(143, d)),
    "L2TPv3": (101, lambda d: ip4(115, b"\0\0\0\x07" + d)),
    "L2TPv3 with cookie and sublayer": (101, lambda d: ip6(115, b"\0\0\0\x07" + b"\x45" * 8 + b"\0" * 4 + d)),
    "L2TPv3 in UDP": (101, lambda d: udp(1701, b"\0\x03\0\0\0\0\0\x07" + b"\0" * 4 + d)),
    "service header": (1, lambda d: d[:12] + b"\x89\x4f\x0f\xc6\x01\x03\0\0\x01\xff" + b"\0" * 16 + d),
    "service header in VXLAN": (101, lambda d: udp(4790, b"\x0c\0\0\x04\0\0\x2a\0" + b"\x0f\xc2\x02" +
                                                   (b"\x01" if ethertype(d) == b"\x08\0" else b"\x02") +
                                                   b"\0\0\x01\xff" + d[14:])),
    "TRILL": (1, lambda d: d[:12] + b"\x22\xf3\0\x7f\0\x01\0\x02" + b"\0" * 4 + d),
    "FabricPath": (1, lambda d: d[:12] + b"\x89\x03\0\x05" + d),
    "MACsec, signed alone": (1, lambda d: d[:12] + b"\x88\xe5\x20\0\0\0\0\x01" + b"\x02" * 8 + d[12:] + b"\x55" * 16),
    "HSR": (1, lambda d: d[:12] + b"\x89\x2f\0\x40\0\x01" + d[12:]),
    "Cisco's metadata": (1, lambda d: d[:12] + b"\x89\x09\x01\x01\0\x01\0\x05" + d[12:]),
    "LISP": (101, lambda d: udp(4341, b"\x80\0\0\x01\0\0\0\x01" + d[14:])),
    "CAPWAP": (101, lambda d: udp(5247, b"\0\x10\x02\0\0\0\0\0" + d)),
    "CAPWAP of 802.11": (101, lambda d: udp(5247, b"\0\x20\x03\x10\0\0\0\0" + b"\x06" + b"\x02" * 6 + b"\0" +
                                            WIRELESS + SNAP + d[12:])),
    "CAPWAP of 802.11, swapped": (101, lambda d: udp(5247, b"\0\x10\x03\0\0\0\0\0" + WIRELESS[1::-1] + WIRELESS[2:] +
                                                     SNAP + d[12:])),
    "netfilter's log": (239, lambda d: b"\x02\0\0\0" + struct.pack("<HH", len(d) - 10, 9) + d[14:]),
}


def results(headrace, capture, stdin=None, more=(), options=()):
    """capture and more: files that are given together."""
    out = []
    for args in (["list", "exchanges", "--format", "ndjson"], ["audit", "--quiet", "--format", "ndjson"]):
        p = subprocess.run([headrace, *args, *options, capture, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=stdin)
        if p.returncode not in (0, 1):
            raise SystemExit("%s: status %d: %s" % (capture, p.returncode, p.stderr.decode(errors="replace")))
        for line in p.stdout.decode().splitlines():
            r = json.loads(line)
            if r.get("rule") or "method" in r:
                out.append(json.dumps(without(r), sort_keys=True))
    return sorted(out)


def without(record):
    r = {k: v for k, v in record.items() if k not in IGNORED}
    if (r.get("user") or "").startswith("~"):  # the hash of a name that never got in
        r["user"] = "~"
    if "evidence" in r:
        r["evidence"] = [without(e) for e in r["evidence"]]
    return r


def variants(link, frames):
    for order, name in (("<", "little-endian"), (">", "big-endian")):
        yield "pcap, " + name, captool.pcap_bytes(link, frames, order)
        yield "pcapng, " + name, captool.pcapng_bytes(link, frames, order)
    yield "gzip", gzip.compress(captool.pcap_bytes(link, frames), 1)
    for tool in ("zstd", "lz4"):
        if shutil.which(tool):
            yield tool, subprocess.run([tool, "-c"], input=captool.pcap_bytes(link, frames), stdout=subprocess.PIPE,
                                       check=True).stdout
        else:
            print("not tried: %s is not installed" % tool)
    yield "pcapng in gzip", gzip.compress(captool.pcapng_bytes(link, frames), 1)
    for name, (number, change) in LINKS.items():
        yield name, captool.pcap_bytes(number, relink(frames, change))


def main():
    headrace, captures = sys.argv[1], sys.argv[2:]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "capture")
        for capture in captures:
            link, frames = captool.read(capture)
            assert link == 1, "%s: not Ethernet" % capture
            want = results(headrace, capture)
            assert want, "%s: nothing to compare" % capture
            for name, data in variants(link, frames):
                with open(path, "wb") as f:
                    f.write(data)
                ways = [(name, results(headrace, path))]
                if name not in LINKS:  # how a file is read does not depend on what is in its frames
                    ways.append((name + ", standard input", results(headrace, "-", data)))
                for way, got in ways:
                    if got != want:
                        bad += 1
                        print("failed %s as %s" % (capture, way))
                        print("\n".join("  lost " + x for x in want if x not in set(got))[:1500])
                        print("\n".join("  new  " + x for x in got if x not in set(want))[:1500])
            print("done   %s" % capture)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
