#!/usr/bin/env python3
"""What exchanges mean does not depend on when that was found out: while a capture is read, by models
that know only what came so far, or afterwards, from all that is stored.

instream.py HEADRACE CAPGEN CAPTURE...

Every capture, and generated traffic long enough for many models, is imported into an empty database;
then its sites are marked as changed and analysed again from what is stored. No row may change.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

SEED = os.environ.get("HEADRACE_SEED", "1")
TABLES = {
    "operations": "SELECT * FROM operations ORDER BY id",
    "endpoints": "SELECT * FROM endpoints ORDER BY id",
    "carriers": "SELECT * FROM carriers ORDER BY id",
    "sessions": "SELECT id, carrier_id, user_id, user_since, order_state, witness_operation_id FROM sessions ORDER BY id",
    "decisions": "SELECT site_id, what, value, reason, from_profile FROM decisions ORDER BY 1, 2, 3, 4",
    "endpoint_status": "SELECT * FROM endpoint_status ORDER BY 1, 2, 3",
    "login_counts": "SELECT * FROM login_counts ORDER BY 1, 2, 3, 4",
    "findings": "SELECT rule, verdict, at, session_id, exchange_id, summary, caveats, withdrawn_at FROM findings "
                "ORDER BY fingerprint",
}


def content(db):
    c = sqlite3.connect(db)
    out = {t: c.execute(q).fetchall() for t, q in TABLES.items()}
    c.close()
    return out


def audit(headrace, db, capture):
    p = subprocess.run([headrace, "audit", "--quiet", "--db", db, capture], stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE)
    if p.returncode not in (0, 1):
        sys.exit("%s: status %d: %s" % (capture, p.returncode, p.stderr.decode(errors="replace")))


def check(headrace, capture, folder):
    db = os.path.join(folder, os.path.basename(capture) + ".db")
    audit(headrace, db, capture)
    want = content(db)
    c = sqlite3.connect(db)
    c.execute("UPDATE sites SET is_changed = 1")
    c.execute("DELETE FROM learning")
    # A mark that an analysis wipes out: without one the comparison would prove nothing.
    c.execute("UPDATE operations SET role = 7 WHERE role IS NOT NULL")
    c.commit()
    c.close()
    audit(headrace, db, capture)
    got = content(db)
    bad = [t for t in TABLES if want[t] != got[t]]
    for t in bad:
        other = [(x, y) for x, y in zip(want[t], got[t]) if x != y]
        print("failed %s (HEADRACE_SEED=%s): %s: %d and %d rows, %d differ\n  while reading %s\n  afterwards    %s"
              % (capture, SEED, t, len(want[t]), len(got[t]), len(other), *(other[0] if other else ("", ""))))
    if not bad:
        print("ok     %s: %d operations" % (capture, len(want["operations"])))
    return not bad


def main():
    headrace, capgen, captures = sys.argv[1], sys.argv[2], sys.argv[3:]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        traffic = os.path.join(folder, "traffic.pcap")
        subprocess.run([capgen, "traffic", "--exchanges", "20000", "--connections", "300", "--size", "200",
                        "--seed", SEED, "-o", traffic], check=True)
        for capture in [traffic] + captures:
            if not os.path.exists(capture):
                print("skipped: %s is missing" % capture)
                sys.exit(77)
            good = check(headrace, capture, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
