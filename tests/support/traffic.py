"""A labelled capture as messages that a test may change, and the label that goes with it."""
import copy
import re

import streams


class Traffic:
    """label: as in the lab's folder; its occurrences follow the changes. carrier: the session cookie's name, None for
    bearer tokens."""

    def __init__(self, path, label):
        self.label = copy.deepcopy(label)
        self.link, connections, self.packets = streams.read(path)
        self.conversations = [streams.Conversation(c) for c in connections]
        carrier = label.get("session_carrier") or label.get("carrier") or ""
        self.carrier = carrier[7:] if carrier.startswith("cookie ") else None
        self.token_in_location = self.has_doubts = False
        self.last = []  # what is to be done to the label when the frames are made

    def requests(self):
        return [q for c in self.conversations for q in c.requests]

    def responses(self):
        return [r for c in self.conversations for r in c.responses]

    def messages(self):
        return self.requests() + self.responses()

    def exchanges(self):
        return [pair for c in self.conversations for pair in c.exchanges()]

    def occurrences(self):
        for entry in self.label["expected"] + self.label["allowed"]:
            for o in entry.get("occurrences", ()):
                yield o

    def change_label(self, keys, change):
        for o in self.occurrences():
            for k in keys:
                if o.get(k) is not None:
                    o[k] = change(o[k])

    def made(self):
        frames = self.frames()
        for do in self.last:
            do()
        return frames

    def frames(self):
        for c in self.conversations:
            c.settle()
        return [f for p in self.packets for f in streams.rebuilt(p)]


TEXT = re.compile(r"text/(?!css)|json|xml|x-www-form-urlencoded|javascript", re.I)


def has_text(m):
    kind = m.get("content-type")
    return bool(m.body) and bool(TEXT.search(kind or "")) and not m.body.startswith((b"\xf3\xff", b"\x1f\x8b"))


def rewrite(m, change, head=True, body=True):
    """change: text to text; of the target, the field values and the body."""
    if head:
        parts = m.first.split(" ")
        if not m.first.startswith("HTTP/"):
            parts[1] = change(parts[1])
            m.first = " ".join(parts)
        for f in m.fields:
            f[1] = change(f[1])
    if body and has_text(m):
        m.body = change(m.body.decode("latin-1")).encode("latin-1")


def cookies(m):
    """[[name, value]] of a request."""
    v = m.get("cookie")
    return [(p.split("=", 1) + [""])[:2] for p in v.split("; ")] if v else []


def set_cookies(m, pairs):
    if pairs:
        m.set("Cookie", "; ".join("=".join(p) for p in pairs))
    else:
        m.drop("cookie")


def issued(m):
    """[(name, value)] of the Set-Cookie fields of a response."""
    out = []
    for n, v in m.fields:
        if n.lower() == "set-cookie":
            name, _, value = v.split(";")[0].partition("=")
            out.append((name.strip(), value))
    return out
