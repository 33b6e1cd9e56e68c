"""Captures put beside one another: addresses, hosts and times that do not meet."""
import ipaddress
import struct

import reconnect
import streams


def moved_address(packed, number):
    """Another network of the same family."""
    if len(packed) == 4:
        return bytes((10, number, packed[1] ^ packed[2], packed[3]))
    return bytes.fromhex("20010db8") + bytes((0, number)) + b"\0" * 8 + packed[14:]


def readdress(traffic, number, server_port=None):
    """All ends of the capture move into network `number`; the label's clients follow."""
    inner, link = traffic.frames, traffic.link
    servers = {c.connection.ends[1] for c in traffic.conversations}

    def frame(f):
        data, at = bytearray(f.data), streams.NETWORK[link]
        v4 = data[at] >> 4 == 4
        size, where = (4, at + 12) if v4 else (16, at + 8)
        tcp = at + (data[at] & 15) * 4 if v4 else at + 40
        for side in (0, 1):
            a = where + side * size
            old = bytes(data[a:a + size])
            data[a:a + size] = moved_address(old, number)
            p = tcp + 2 * side
            port = struct.unpack(">H", data[p:p + 2])[0]
            if server_port and (old, port) in servers:
                struct.pack_into(">H", data, p, server_port)
        return f._replace(data=bytes(data))

    def client(text):
        address, _, port = text.rpartition(":")
        packed = ipaddress.ip_address(address.strip("[]")).packed
        return reconnect.text((moved_address(packed, number), int(port)))

    traffic.frames = lambda: [frame(f) for f in inner()]
    # Only when all frames are made do the clients have their last addresses.
    traffic.last.append(lambda: traffic.change_label(("client",), client))


def rehost(traffic, number):
    """Each host gets a name that no other capture has. @return the names"""
    names = {}
    for q in traffic.requests():
        host = q.get("host")
        if host is not None:
            names.setdefault(host, "s%d-%s" % (number, host) if host[0].isalpha() else "s%d.example" % number)
            q.set("Host", names[host])
    return set(names.values())


def start(traffic):
    return min(p.frame.at for p in traffic.packets)
