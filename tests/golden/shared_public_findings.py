#!/usr/bin/env python3
"""The public captures beside the project: no finding above `suspect` but those listed here, each with the
frames that show why it is true. Skipped (77) where the folder is missing.

shared_public_findings.py HEADRACE FOLDER [--one-of N]
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sweep  # noqa: E402

# (capture, rule, frame): why it is true
TRUE = {
    ("sv-detect-engine-state-02-input.pcap", "unanswered-request", 4):
        "frames 4 and 6 are the whole POST; frame 8 is the server's FIN, which acknowledges all of it (376) and is "
        "its first sequence number: no byte was answered; the client's FIN (9) comes later",
    ("sv-detect-engine-state-05-input.pcap", "unanswered-request", 4):
        "frames 4 to 10 are the whole POST; frame 12 is the server's FIN, which acknowledges all of it (546) and is "
        "its first sequence number: no byte was answered; the client's FIN (13) comes later",
    ("zeek-http-desync-request-response-5.pcap", "extra-response", 16):
        "frame 6 is the only request so far; frames 10 to 16 hold three whole responses, and the next request is "
        "frame 18",
}


def main():
    headrace, folder = os.path.abspath(sweep.ARGUMENTS[1]), os.path.join(sweep.ARGUMENTS[2], "pcap")
    if not os.path.isdir(folder):
        print("skipped: %s is not there" % folder)
        return 77
    found = set()
    bad = []
    names = sweep.share(os.listdir(folder))
    for name in names:
        p = subprocess.run([headrace, "audit", "--quiet", "--format", "ndjson", os.path.join(folder, name)],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if p.returncode not in (0, 1, 3):
            bad.append("%s: status %d: %s" % (name, p.returncode, p.stderr.decode("utf-8", "replace").strip()))
        for line in p.stdout.decode("utf-8").splitlines():
            record = json.loads(line)
            if not record.get("rule") or record["verdict"] == "suspect":
                continue
            key = (name, record["rule"], record["frame"])
            found.add(key)
            if key not in TRUE:
                bad.append("%s: frame %s: %s %s: %s" % (name, record["frame"], record["verdict"], record["rule"],
                                                        record["summary"]))
    bad += ["%s: %s at frame %s is not found any more; drop it here" % key for key in sorted(set(TRUE) - found)
            if key[0] in names]
    print("\n".join(bad) if bad else "%d captures, %d findings, all true" % (len(names), len(found)))
    return 1 if bad else 0


sys.exit(main())
