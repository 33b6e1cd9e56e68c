#!/usr/bin/env python3
"""What headrace evidence cuts out: exactly the frames of the exchanges, in the order of time, bytes and link types
as in the captures, wherever these lie now; and what it says where they are gone.

evidence.py HEADRACE CAPGEN CAPTURES
"""
import gzip
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import ACK, SYN, Capture, Connection  # noqa: E402

wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


def run(*args, status=0, **more):
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    if p.returncode != status:
        wrong.append("%s: status %d, not %d: %s" % (" ".join(map(str, args)), p.returncode, status,
                                                  p.stderr.decode().strip()))
    return p


def blocks(data):
    """(type, body) of a little-endian pcapng file."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(body):
    found = {}
    while len(body) >= 4:
        code, length = struct.unpack_from("<HH", body)
        if code == 0:
            break
        found.setdefault(code, []).append(body[4:4 + length])
        body = body[4 + (length + 3) // 4 * 4:]
    return found


def read_pcapng(data):
    """The section's comment, interfaces (link type, snap length, decimals, description), and frames (interface, time
    in units, wire bytes, bytes, comment)."""
    comment, interfaces, frames = None, [], []
    for kind, body in blocks(data):
        if kind == 0x0a0d0d0a:
            comment = options(body[16:])[1][0].decode()
        elif kind == 1:
            o = options(body[8:])
            interfaces.append(struct.unpack_from("<HxxI", body) + (o[9][0][0], o[3][0].decode()))
        elif kind == 6:
            interface, high, low, captured, wire = struct.unpack_from("<5I", body)
            o = options(body[20 + (captured + 3) // 4 * 4:])
            frames.append((interface, high << 32 | low, wire, body[20:20 + captured],
                           o[1][0].decode() if 1 in o else None))
    return comment, interfaces, frames


def read_pcap(path):
    """(time in µs or ns, wire bytes, bytes) of each frame, a pcapng file of one interface as well."""
    data = open(path, "rb").read()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    if data[:4] == b"\n\r\r\n":
        return [f[1:4] for f in read_pcapng_of_others(data)]
    order = "<" if data[0] in (0xd4, 0x4d) else ">"
    unit = 10 ** 9 if 0x4d in data[:1] + data[3:4] else 10 ** 6
    frames, at = [], 24
    while at < len(data):
        sec, sub, captured, wire = struct.unpack_from(order + "4I", data, at)
        frames.append((sec * unit + sub, wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return frames


def read_pcapng_of_others(data):
    return [(0, struct.unpack_from("<II", b, 4)[0] << 32 | struct.unpack_from("<II", b, 4)[1],
             struct.unpack_from("<I", b, 16)[0], b[20:20 + struct.unpack_from("<I", b, 12)[0]], None)
            for kind, b in blocks(data) if kind == 6]


def findings(headrace, db):
    p = run(headrace, "list", "findings", "--format", "ndjson", "--db", db)
    return [json.loads(line) for line in p.stdout.splitlines()]


def exchanges(headrace, db):
    p = run(headrace, "list", "exchanges", "--format", "ndjson", "--db", db)
    return {x["id"]: x for x in map(json.loads, p.stdout.splitlines())}


def tshark(path, *args):
    p = subprocess.run(["tshark", "-r", path] + list(args), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       check=True)
    return p.stdout.decode("utf-8", "replace").splitlines()


def requests_of(path, display_filter=None):
    """Requests and answers as Wireshark sees them: time, method and path, or status."""
    more = ["-Y", display_filter] if display_filter else ["-Y", "http"]
    rows = tshark(path, "-T", "fields", "-e", "frame.time_epoch", "-e", "http.request.method", "-e", "http.request.uri",
                  "-e", "http.response.code", "-e", "http.cookie", *more)
    return [r for r in rows if r.split("\t")[1:4] != ["", "", ""]]


def check_file(name, path, captures, wanted):
    """wanted: the exchanges that must be in it, as list exchanges tells them."""
    data = open(path, "rb").read()
    comment, interfaces, frames = read_pcapng(data)
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "%s: not for its owner alone" % name)
    check(len(frames) > 0, "%s: no frames" % name)
    whole = {c: read_pcap(c) for c in captures}
    scaled = []
    for interface, units, wire, data, _ in frames:
        source = interfaces[interface][3]
        check((units, wire, data) in whole[source], "%s: a frame that is not in %s" % (name, source))
        scaled.append(units * 10 ** (9 - interfaces[interface][2]))
    check(scaled == sorted(scaled), "%s: not in the order of time" % name)
    check(len(set((f[0], f[1], f[3]) for f in frames)) == len(frames), "%s: a frame twice" % name)
    for x in wanted:
        for part in ("request", "response"):
            source = x["response_capture"] if part == "response" and x["response_capture"] else x["capture"]
            if x[part + "_frame"]:
                frame = whole[source][x[part + "_frame"] - 1]
                mine = [f for f in frames if f[1:4] == frame]
                check(len(mine) == 1, "%s: frame %d of %s is not in it" % (name, x[part + "_frame"], source))
                check(mine and mine[0][4], "%s: frame %d of %s without a comment" % (name, x[part + "_frame"], source))
    for c in set(interfaces[f[0]][3] for f in frames):
        check(c in comment, "%s: the file's comment does not name %s" % (name, c))
    return frames


def check_in_wireshark(name, path, captures, wanted):
    """The same requests and answers of the same connections as in the captures, and all that are wanted."""
    seen = requests_of(path)
    all_seen = [r for c in captures for r in requests_of(c)]
    check(all(r in all_seen for r in seen), "%s: Wireshark shows other requests" % name)
    check(sum(1 for r in seen if r.split("\t")[1]) >= len([x for x in wanted if x["request_frame"]]),
          "%s: Wireshark shows %d requests, not %d" % (name, sum(1 for r in seen if r.split("\t")[1]), len(wanted)))


def check_no_others(headrace, finding, path, known, ids):
    """No request but those of the evidence, and the logins and logouts of its session."""
    mine = [x for i, x in known.items()
            if i in ids or (finding["session"] and x["session"] == finding["session"] and x["role"] in ("login", "logout"))]
    allowed = {(x["request_at"], x["method"]) for x in mine}
    p = run(headrace, "list", "exchanges", "--format", "ndjson", "-q", path)
    others = [x for x in map(json.loads, p.stdout.splitlines()) if (x["request_at"], x["method"]) not in allowed]
    check(not others, "finding %d %s: %d exchanges that are none of it, as %s" % (
        finding["id"], finding["rule"], len(others), others[:1]))


def check_findings(headrace, folder, captures, name):
    """One finding of each rule alone, then all of these together."""
    db = os.path.join(folder, name + ".db")
    run(headrace, "audit", "-q", "--db", db, "--fail-on", "critical/proven", *captures)
    known = exchanges(headrace, db)
    all_found = list({f["rule"]: f for f in findings(headrace, db)}.values())
    check(len(all_found) > 0, "%s: no findings" % name)
    sizes, together = [], set()
    for f in all_found:
        out = os.path.join(folder, "%s-%d.pcapng" % (name, f["id"]))
        p = run(headrace, "evidence", f["id"], "--db", db, "-o", out)
        check(b"raw traffic" in p.stderr, "%s: does not say that it is raw traffic" % name)
        ids = {e["exchange"] for e in f["evidence"]} | {f["exchange"]}
        frames = check_file("%s %d %s" % (name, f["id"], f["rule"]), out, captures,
                            [known[i] for i in ids if i is not None])
        sizes.append(len(frames))
        together |= ids - {None}
        check_no_others(headrace, f, out, known, ids)
        check(any("finding %d, %s: " % (f["id"], f["rule"]) in (x[4] or "") for x in frames),
              "%s: no comment names finding %d" % (name, f["id"]))
    out = os.path.join(folder, name + ".pcapng")
    run(headrace, "evidence", *[f["id"] for f in all_found], "--db", db, "-o", out)
    first = open(out, "rb").read()
    check(max(sizes) <= len(read_pcapng(first)[2]) <= sum(sizes), "%s: together not what they are alone" % name)
    run(headrace, "evidence", *[f["id"] for f in all_found], "--db", db, "-o", out)
    check(open(out, "rb").read() == first, "%s: not the same twice" % name)
    run(headrace, "audit", "-q", "--fail-on", "critical/proven", out)
    if shutil.which("tshark"):
        check_in_wireshark(name, out, captures, [known[i] for i in together])
    p = run(headrace, "evidence", all_found[0]["id"], "--db", db, "-o", "-")
    check(p.stdout[:4] == b"\n\r\r\n", "%s: nothing on standard output" % name)
    return db, all_found, first


def check_moved(headrace, folder, capture):
    """The captures are found again where --from says, under other names and packed otherwise."""
    home, away = os.path.join(folder, "home"), os.path.join(folder, "away")
    os.mkdir(home)
    os.mkdir(away)
    path, db = os.path.join(home, "a.pcap"), os.path.join(folder, "moved.db")
    plain = gzip.decompress(open(capture, "rb").read())
    with open(path, "wb") as f:
        f.write(plain)
    run(headrace, "audit", "-q", "--db", db, "--fail-on", "critical/proven", path)
    one = findings(headrace, db)[0]["id"]
    out = os.path.join(folder, "moved.pcapng")
    base = [headrace, "evidence", one, "--db", db, "-o", out]
    run(*base)
    want = open(out, "rb").read()
    os.remove(out)

    os.rename(path, os.path.join(away, "b.pcap"))
    p = run(*base, status=3)
    check(path.encode() in p.stderr and b"--from" in p.stderr, "moved: %s" % p.stderr.decode())
    check(not os.path.exists(out), "moved: something was written")
    run(*base, "--from", away)
    check(open(out, "rb").read() == want, "renamed: other evidence")
    os.remove(os.path.join(away, "b.pcap"))
    with gzip.open(os.path.join(away, "c.gz"), "wb") as f:
        f.write(plain)
    run(*base, "--from", away)
    check(open(out, "rb").read() == want, "packed: other evidence")
    p = run(*base, "--from", home, status=3)
    check(home.encode() in p.stderr, "not there either: %s" % p.stderr.decode())

    with open(path, "wb") as f:  # another file under its name
        f.write(gzip.decompress(open(os.path.join(os.path.dirname(capture), "nocookie_S1_v1.pcap.gz"), "rb").read()))
    p = run(*base, status=3)
    check(b"changed" in p.stderr, "changed: %s" % p.stderr.decode())
    with open(path, "wb") as f:  # begins alike, ends early
        f.write(plain[:len(plain) // 20])
    p = run(*base, status=3)
    check(b"cut off" in p.stderr, "cut: %s" % p.stderr.decode())
    run(*base, "--from", away)

    run(headrace, "audit", "-q", "--db", db + "2", "--fail-on", "critical/proven", "-", input=plain)
    base[4] = db + "2"
    p = run(*base, status=3)
    check(b"standard input" in p.stderr, "standard input: %s" % p.stderr.decode())
    run(*base, "--from", away)


def write_parts(folder):
    """A connection through three captures, each read by itself: it opens in the first, the session's login
    is on another one in the second, and what is wrong is in the third. @return its paths and its port"""
    paths = [os.path.join(folder, "part%d.pcap" % i) for i in range(3)]
    outs = [open(p, "wb") for p in paths]
    c = Capture(outs[0])
    for i in range(6):
        k = Connection(c, i)
        k.login("user%d" % i, "5e55%028x" % i)
        k.get("/account", "5e55%028x" % i)
        k.logout("5e55%028x" % i)
        Connection(c, 100 + i).get("/account", status=302)
        c.wait(5)
    through = Connection(c, 200)
    through.get("/help")
    for i in (1, 2):
        begin = c.now
        c = Capture(outs[i])
        c.now = begin + 10**6
        through.capture = c
        if i == 1:
            Connection(c, 201).login("late", "5e55%028x" % 77)
            through.get("/account", "5e55%028x" % 77)
        else:
            through.logout("5e55%028x" % 77)
            c.wait(1)
            through.get("/account", "5e55%028x" % 77)
            through.close()
    for out in outs:
        out.close()
    return paths, through.sport


def check_parts(headrace, folder):
    """The handshake is cut out of the capture in which the connection began, where that is still there."""
    paths, port = write_parts(folder)
    db, out = os.path.join(folder, "parts.db"), os.path.join(folder, "parts.pcapng")
    for order in (paths, paths[::-1]):
        for path in order:
            run(headrace, "audit", "-q", "--db", db, "--fail-on", "critical/proven", path)
        found = [f for f in findings(headrace, db) if f["rule"] == "post-logout-access" and f["client_port"] == port]
        check(len(found) == 1, "parts: %d findings" % len(found))
        run(headrace, "evidence", found[0]["id"], "--db", db, "-o", out)
        flags = flags_of(out, port)
        check(flags[:3] == [SYN, SYN | ACK, ACK], "parts: it begins with %s" % flags[:3])
        os.remove(out)
        run(headrace, "evidence", found[0]["id"], "--db", db, "-o", out, "--anonymize")
        os.remove(out)
        os.rename(paths[0], paths[0] + ".gone")
        run(headrace, "evidence", found[0]["id"], "--db", db, "-o", out)
        flags = flags_of(out, port)
        check(SYN not in flags and len(flags) > 4, "parts: without the first one %s" % flags[:3])
        check(b"Without the handshakes" in open(out, "rb").read(), "parts: it does not say what is lacking")
        os.rename(paths[0] + ".gone", paths[0])
        os.remove(out)
        os.remove(db)


def flags_of(path, port):
    """Of the segments of that client, in order of the file."""
    flags = []
    for frame in read_pcapng(open(path, "rb").read())[2]:
        sport, dport = struct.unpack(">HH", frame[3][20:24])
        if port in (sport, dport):
            flags.append(frame[3][33])
    return flags


SECRETS = (rb"(?i)\r\ncookie: ([^\r\n]+)", rb"(?i)\r\nset-cookie: [^=;\r\n]+=([^;\r\n]+)",
           rb"(?i)\r\nauthorization: \w+ ([^\r\n]+)", rb"(?i)(?:password|username|user|token)=([^&\s;]+)",
           rb'(?i)"(?:password|username|user|token|session_?id|access_token)": ?"([^"]+)"')


def secrets_of(frames):
    """Values of cookies, credentials and names in what was cut out; too short ones stand in everything."""
    found = set()
    for frame in frames:
        for pattern in SECRETS:
            for value in re.findall(pattern, frame[3]):
                found |= {v.split(b"=", 1)[-1].strip() for v in value.split(b";")}
    return {v for v in found if len(v) >= 4}


def addresses_of(frames):
    """Of Ethernet frames, with and without a VLAN tag: those of IPv4, and of cards."""
    found = set()
    for frame in frames:
        at = 18 if frame[3][12:14] == b"\x81\x00" else 14
        found |= {frame[3][at + 12:at + 16], frame[3][at + 16:at + 20], frame[3][:6], frame[3][6:12]}
    return {a for a in found if a[:1] not in (b"\x7f", b"\x00") and a != b"\xff" * 6}


def checksums(path):
    rows = tshark(path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields",
                  "-e", "ip.checksum.status", "-e", "tcp.checksum.status", "-e", "tcp.stream", "-e", "tcp.len", "-e", "tcp.seq",
                  "-e", "tcp.flags", "-e", "http.request.method", "-e", "http.response.code")
    return rows


def check_anonymous(headrace, name, ids, db, out):
    """out: the raw evidence of the same findings."""
    anonymous = out + "-anonymous"
    p = run(headrace, "evidence", *ids, "--db", db, "-o", anonymous, "--anonymize")
    check(b"raw traffic" not in p.stderr and b"blanked in part" not in p.stderr, "%s: %s" % (name, p.stderr.decode()))
    data = open(anonymous, "rb").read()
    raw = read_pcapng(open(out, "rb").read())[2]
    mine = read_pcapng(data)[2]
    check([f[:3] + (len(f[3]),) for f in raw] == [f[:3] + (len(f[3]),) for f in mine],
          "%s: times or lengths differ" % name)
    secrets = secrets_of(raw)
    check(len(secrets) > 0, "%s: no secrets to look for" % name)
    lower = data.lower()
    for s in sorted(secrets):
        check(s.lower() not in lower, "%s: %s stands in it" % (name, s.decode("latin-1")))
    for a in addresses_of(raw):
        check(not any(a in f[3] for f in mine), "%s: the address %s stands in it" % (name, a.hex()))
        text = ".".join(map(str, a)).encode()
        check(len(a) != 4 or text not in data, "%s: the address %s stands in it" % (name, text.decode()))
    for source in set(os.path.basename(i[3]) for i in read_pcapng(open(out, "rb").read())[1]):
        check(source.encode() not in data, "%s: the name of the capture stands in it" % name)
    if shutil.which("tshark"):
        check(checksums(out) == checksums(anonymous), "%s: Wireshark shows another story" % name)
    run(headrace, "evidence", *ids, "--db", db, "-o", anonymous + "2", "--anonymize")
    check(open(anonymous + "2", "rb").read() == data, "%s: not the same twice" % name)
    rules = []
    for path in (out, anonymous):
        p = run(headrace, "audit", "-q", "--fail-on", "critical/proven", "--format", "ndjson", path)
        rules.append(sorted((f["rule"], f["at"]) for f in map(json.loads, p.stdout.splitlines()) if "rule" in f))
    check(rules[0] == rules[1], "%s: other findings: %s, not %s" % (name, rules[1], rules[0]))


def sum_of(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def fragmented(capture, path):
    """Every IPv4 packet in a VLAN, and in pieces of 80 bytes."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for number, (units, _, frame) in enumerate(read_pcap(capture)):
            header, payload = frame[14:34], frame[34:]
            payload = payload[:struct.unpack("!H", header[2:4])[0] - 20]
            for at in range(0, len(payload), 80):
                piece = payload[at:at + 80]
                more = 0x2000 if at + 80 < len(payload) else 0
                ip = header[:2] + struct.pack("!HHH", 20 + len(piece), number + 1, more | at // 8) + header[8:10]
                ip += struct.pack("!H", sum_of(ip + b"\0\0" + header[12:20])) + header[12:20]
                data = frame[:12] + b"\x81\x00\x00\x07" + frame[12:14] + ip + piece
                f.write(struct.pack("<4I", units // 10 ** 9, units % 10 ** 9, len(data), len(data)) + data)


def check_fragments(headrace, folder, capture):
    path = os.path.join(folder, "pieces.pcap")
    fragmented(capture, path)
    db, found, _ = check_findings(headrace, folder, [path], "pieces")
    frames = read_pcapng(open(os.path.join(folder, "pieces.pcapng"), "rb").read())[2]
    check(any(f[3][24] & 0x20 for f in frames), "pieces: no fragments")
    check_anonymous(headrace, "pieces", [f["id"] for f in found], db, os.path.join(folder, "pieces.pcapng"))


def check_wrong(headrace, folder, db, one):
    out = os.path.join(folder, "wrong.pcapng")
    for args, status, text in (
            ((), 2, b"evidence of what"),
            (("x", "-o", out), 2, b"not x"),
            (("99999", "-o", out), 2, b"no finding 99999"),
            ((one, "99999", "-o", out), 2, b"no finding 99999"),
            ((one,), 2, b"-o FILE"),
            ((one, "-o", folder), 4, b"cannot write"),
            ((one, "-o", os.path.join(folder, "no", "such")), 4, b"cannot write"),
            ((one, "-o", out, "--max-evidence", "100"), 2, b"too large"),
    ):
        p = run(headrace, "evidence", *args, "--db", db, status=status)
        check(text in p.stderr, "%s: %s" % (args, p.stderr.decode().strip()))
        check(not os.path.exists(out), "%s: something was written" % (args,))
    p = run(headrace, "evidence", one, "--db", os.path.join(folder, "none.db"), "-o", out, status=2)
    check(b"there is no database" in p.stderr, p.stderr.decode())


def main():
    headrace, _, captures = sys.argv[1:4]
    lab = os.path.join(captures, "lab")
    with tempfile.TemporaryDirectory() as folder:
        db, found, _ = check_findings(headrace, folder, [os.path.join(captures, "login-races.pcapng")], "races")
        check_anonymous(headrace, "races", [f["id"] for f in found], db, os.path.join(folder, "races.pcapng"))
        db_lab, found_lab, _ = check_findings(headrace, folder, [os.path.join(lab, n) for n in
                                              ("flap_S1_v1.pcap.gz", "postlogout_S1_v1.pcap.gz")], "lab")
        check_anonymous(headrace, "lab", [f["id"] for f in found_lab], db_lab, os.path.join(folder, "lab.pcapng"))
        check_fragments(headrace, folder, os.path.join(captures, "login-races.pcapng"))
        check_moved(headrace, folder, os.path.join(lab, "flap_S1_v1.pcap.gz"))
        check_parts(headrace, folder)
        check_wrong(headrace, folder, db, found[0]["id"])
    for line in wrong[:30]:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
