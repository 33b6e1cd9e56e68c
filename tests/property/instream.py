#!/usr/bin/env python3
"""What exchanges mean does not depend on when that was found out: while a capture is read, by models
that know only what came so far, or afterwards, from all that is stored.

instream.py HEADRACE CAPGEN CAPTURE...

Every capture, and generated traffic long enough for many models, is imported into an empty database;
then its sites are marked as changed and analysed again from what is stored. No row may change.

And captures of three days go into one database, some twice, with what was learned kept from import to
import, and old days deleted in between: at the end it holds what one holds that learned anew each time.
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


def audit(headrace, db, capture, *options):
    p = subprocess.run([headrace, "audit", "--quiet", "--db", db, *options, capture], stdout=subprocess.DEVNULL,
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


def traffic(capgen, folder, day, exchanges, connections, size):
    path = os.path.join(folder, "traffic%d.pcap" % day)
    subprocess.run([capgen, "traffic", "--exchanges", str(exchanges), "--connections", str(connections),
                    "--size", str(size), "--seed", str(int(SEED) + day), "--start", str(1714550400 + day * 86400),
                    "-o", path], check=True)
    return path


def forget(db):
    c = sqlite3.connect(db)
    known = c.execute("SELECT count(*) FROM learning").fetchone()[0]
    c.execute("DELETE FROM learning")
    c.commit()
    c.close()
    return known


def learn(headrace, folder, name, days, keeps):
    """@return content of the database, and how many sites were known after each import"""
    db, key = os.path.join(folder, name + ".db"), os.path.join(folder, "key")
    known = []
    for day in (0, 2, None, 1, 0, 2):
        if day is None:
            subprocess.run([headrace, "db", "prune", "--quiet", "--db", db, "--key-file", key, "--keep", "1d"],
                           check=True)
            continue
        audit(headrace, db, days[day], "--key-file", key)
        c = sqlite3.connect(db)
        known.append(c.execute("SELECT count(*) FROM learning").fetchone()[0])
        c.close()
        if not keeps:
            forget(db)
    return content(db), known


def check_kept(headrace, capgen, folder):
    with open(os.open(os.path.join(folder, "key"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(b"k" * 32)
    days = [traffic(capgen, folder, day, 3000, 40, 200) for day in range(3)]
    kept, known = learn(headrace, folder, "kept", days, True)
    want, _ = learn(headrace, folder, "anew", days, False)
    bad = [t for t in TABLES if want[t] != kept[t]]
    for t in bad:
        other = [(x, y) for x, y in zip(want[t], kept[t]) if x != y]
        print("failed kept from day to day (HEADRACE_SEED=%s): %s: %d and %d rows, %d differ\n  anew %s\n  kept %s"
              % (SEED, t, len(want[t]), len(kept[t]), len(other), *(other[0] if other else ("", ""))))
    if not all(known):
        print("failed kept from day to day: nothing was kept: %s" % known)
    return not bad and all(known)


def main():
    headrace, capgen, captures = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        good = check_kept(headrace, capgen, folder)
        for capture in [traffic(capgen, folder, 9, 20000, 300, 200)] + captures:
            if not os.path.exists(capture):
                print("skipped: %s is missing" % capture)
                sys.exit(77)
            good = check(headrace, capture, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
