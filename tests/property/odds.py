#!/usr/bin/env python3
"""odds.py RULES-DIR

Rules that say whether something goes with overlap share a piece of SQL, Fisher's exact test. Here: the piece is
the same in all of them, its numbers are those of exact arithmetic, and its work stays small for large counts.
"""
import fractions
import glob
import math
import os
import random
import re
import sqlite3
import sys

SEED = int(os.environ.get("HEADRACE_SEED", "1"))
PIECE = re.compile(r"^-- How likely chance alone.*?(?=^-- End of what is equal\.)", re.M | re.S)
KNOWN = [  # bad, bad_overlapping, overlapping, total, p
    (4, 3, 4, 8, 17 / 70),  # the lady tasting tea
    (5, 5, 40, 160, 0.000802073144202787),
    (3, 3, 50000, 100000, 0.12499624996249963),
    (100000, 100000, 100000, 200000, 0.0),
    (100000, 0, 100000, 200000, 1.0),
]
# It counts rows only where both rows and both columns have some.
EMPTY = [(0, 0, 5, 10), (10, 5, 5, 10), (3, 0, 0, 10), (3, 3, 10, 10), (0, 0, 0, 1), (1, 1, 1, 1)]


def piece_of_rules(folder):
    pieces = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.sql"))):
        found = PIECE.search(open(path, encoding="utf-8").read())
        if found:
            pieces[os.path.basename(path)] = found.group().rstrip().rstrip(",")
    if sorted(pieces) != ["lost-login.sql", "missing-set-cookie.sql", "phantom-400.sql"]:
        raise SystemExit("rules with the test: %s" % ", ".join(pieces))
    if len(set(pieces.values())) != 1:
        raise SystemExit("the test differs between %s" % ", ".join(pieces))
    return next(iter(pieces.values()))


def exact(bad, bad_overlapping, overlapping, total):
    ways = sum(math.comb(bad, x) * math.comb(total - bad, overlapping - x)
               for x in range(bad_overlapping, min(bad, overlapping) + 1))
    return fractions.Fraction(ways, math.comb(total, overlapping))


def random_table(rng):
    total = rng.randint(2, rng.choice([8, 60, 500]))
    bad, overlapping = rng.randint(1, total - 1), rng.randint(1, total - 1)
    return bad, rng.randint(max(0, bad + overlapping - total), min(bad, overlapping)), overlapping, total


def main():
    piece = piece_of_rules(sys.argv[1])
    rng = random.Random(SEED)
    tables = [random_table(rng) for _ in range(1500)]
    tables += [k[:4] for k in KNOWN] + EMPTY
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE counts (key, bad, bad_overlapping, overlapping, total)")
    db.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?)", [(i, *t) for i, t in enumerate(tables)])
    rows = dict(db.execute("WITH %s SELECT key, p FROM odds" % piece))
    texts = dict(db.execute("WITH %s SELECT key, text FROM shares" % piece))
    wrong = 0
    for i, table in enumerate(tables):
        if i < 1500:
            want = float(exact(*table))
        else:
            want = KNOWN[i - 1500][4] if i - 1500 < len(KNOWN) else None
        got = rows.get(i)
        if (want is None) != (got is None) or (want is not None and abs(got - want) > 1e-12):
            print("%r: p is %r, want %r (seed %d)" % (table, got, want, SEED))
            wrong += 1
        if ("Fisher" in texts[i]) != (want is not None):
            print("%r: %s" % (table, texts[i]))
            wrong += 1
    steps = db.execute("WITH %s SELECT max(n) FROM (SELECT count(*) AS n FROM weights GROUP BY key)" % piece).fetchone()[0]
    if steps > 5000:
        print("%d steps for one table" % steps)
        wrong += 1
    print("%d tables, %d wrong, at most %d steps" % (len(tables), wrong, steps))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
