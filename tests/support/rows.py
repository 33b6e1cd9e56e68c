"""Every row of a database, so that two can be compared. Made with one key, from the same captures in the
same order, they are equal to the last bit: ids, hashes and all."""
import sqlite3


def rows(path):
    """The rows of each table as text, sorted; {} where there is no table."""
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    tables = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    found = {}
    for name, sql in tables.fetchall():
        columns = "*" if "WITHOUT ROWID" in sql.upper() else "rowid, *"
        found[name] = sorted(map(repr, db.execute('SELECT %s FROM "%s"' % (columns, name))))
    db.close()
    return found


def difference(a, b):
    """A line that says how two of these differ, or None."""
    for name in sorted(set(a) | set(b)):
        one, other = a.get(name, []), b.get(name, [])
        if one != other:
            only = sorted(set(one) ^ set(other)) or ["a row that is there more often"]
            return "%s: %d and %d rows, such as %s" % (name, len(one), len(other), only[0][:300])
    return None
