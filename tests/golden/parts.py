#!/usr/bin/env python3
"""A report about a day, or about a site, tells of that day and that site: how often the situations of the
rules occurred, and what was lost.

parts.py HEADRACE CAPTURES
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from wire import SERVER, Capture, Connection  # noqa: E402

OWN_RULES = {
    "by-site": "SELECT site_id, count(*) AS exercised FROM login_facts GROUP BY site_id;",
    "in-all": "SELECT count(*) AS exercised FROM login_facts;",
    "never": "SELECT count(*) AS exercised FROM login_facts WHERE 0;",
}


def write_sites(path):
    """Two sites, each with a loss of its own; what cannot be read may be of either."""
    with open(path, "wb") as out:
        c = Capture(out)
        for server, host in ((SERVER, "one.test"), ("192.0.2.2", "two.test")):
            Connection(c, len(host) + ord(host[0]), server).get("/", host=host)
        gap = Connection(c, 1)
        gap.ask("GET", "/gap", host="one.test")
        gap.send(1, b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n")
        gap.send(1, b"x" * 100, skip=2000)
        Connection(c, 2, "192.0.2.2", opened=False).get("/", host="two.test")
        for number in range(3, 6):
            tls = Connection(c, number, "192.0.2.9", 443)
            tls.say(0, b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + bytes(58))
            tls.say(1, b"\x16\x03\x03\x00\x40\x02\x00\x00\x3c\x03\x03" + bytes(58))


def run(arguments, folder):
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or done.stderr:
        raise SystemExit("%s: %d %s" % (arguments, done.returncode, done.stderr))
    return done.stdout


def exercised(report):
    """What each rule's situation is said to have occurred, and the state that follows."""
    lines = [json.loads(line) for line in report.splitlines()]
    return {x["slug"]: (x["exercised"], x["state"]) for x in lines if x.get("type") == "exercise"}


def losses(report):
    lines = [json.loads(line) for line in report.splitlines()]
    return {x["kind"]: x["count"] for x in lines if x.get("type") == "loss_sum"}


def write_rules(folder):
    os.mkdir(os.path.join(folder, "own"))
    for slug, second in OWN_RULES.items():
        with open(os.path.join(folder, "own", slug + ".sql"), "w", encoding="ascii") as f:
            f.write("/*\nid: %s\ntitle: T\nseverity: low\nmeaning: M.\n*/\n"
                    "SELECT exchange_id, session_id, site_id, start_at AS at, 'suspect' AS verdict, '[]' AS caveats, "
                    "'[]' AS evidence, '' AS summary FROM login_facts WHERE 0;\n%s\n" % (slug, second))


def check(headrace, captures, folder):
    write_rules(folder)
    paths = [os.path.join(captures, "login-races.pcapng"), os.path.join(captures, "lab", "flap_S1_v1.pcap.gz"),
             os.path.join(captures, "lab", "nocookie_S2_f1.pcap.gz")]
    wrong = []

    def expect(what, got, wanted):
        if got != wanted:
            keys = [k for k in sorted(set(got) | set(wanted)) if got.get(k) != wanted.get(k)]
            wrong.append("%s: %s" % (what, ["%s %s, not %s" % (k, got.get(k), wanted.get(k)) for k in keys]))

    report = [headrace, "report", "--db", "all.db", "--rules", "own", "--tz", "UTC", "--format", "ndjson"]
    days = []
    for i, path in enumerate(paths):
        alone = run([headrace, "audit", "--quiet", "--rules", "own", "--db", "%d.db" % i, "--format", "ndjson", path],
                    folder)
        run([headrace, "audit", "--quiet", "--rules", "own", "--db", "all.db", "--format", "ndjson", path], folder)
        first = json.loads(run([headrace, "list", "captures", "--db", "%d.db" % i, "--format", "ndjson"], folder))
        days.append((first["first_at"][:10], exercised(alone)))
    if len({day for day, _ in days}) < 2:
        raise SystemExit("the captures are of one day: %s" % days)
    for day in sorted({day for day, _ in days}):
        # Captures of one day have no session in common: their counts add up.
        wanted = {}
        for _, counts in [d for d in days if d[0] == day]:
            for slug, (count, state) in counts.items():
                before = wanted.get(slug, (0, "not exercised"))
                rank = ["not exercised", "clean", "findings"]
                wanted[slug] = (before[0] + count, max(before[1], state, key=rank.index))
        for slug in ("by-site", "in-all"):
            wanted[slug] = (None, "not known")
        expect(day, exercised(run(report + ["--day", day], folder)), wanted)
    nothing = {slug: (0, "not exercised") for slug in days[0][1]}
    nothing.update({slug: (None, "not known") for slug in ("by-site", "in-all")})
    expect("a day without traffic", exercised(run(report + ["--day", "2001-01-01"], folder)), nothing)

    whole = exercised(run(report, folder))
    sites = sorted({json.loads(line)["site"] for line in
                    run([headrace, "list", "endpoints", "--db", "all.db", "--format", "ndjson"], folder).splitlines()})
    parts = [exercised(run(report + ["--site", site], folder)) for site in sites]
    expect("the sites together", {s: sum(p[s][0] for p in parts) for s in whole if s != "in-all"},
           {s: c for s, (c, _) in whole.items() if s != "in-all"})
    expect("a rule that does not tell the site", {p["in-all"] for p in parts} and {"in-all": parts[0]["in-all"]},
           {"in-all": (None, "not known")})

    # Of a rule whose findings are left out for their severity nothing is said, least of all that it is clean.
    low = exercised(run(report + ["--min-severity", "high"], folder))
    expect("--min-severity high", {s: None for s in low if s in OWN_RULES}, {})

    run([headrace, "db", "prune", "--db", "all.db", "--quiet", "--keep", "1d"], folder)
    last = max(day for day, _ in days)
    left = exercised(run(report, folder))
    expect("what is left after prune", {s: c for s, c in left.items() if s not in OWN_RULES},
           {s: c for s, c in exercised(run(report + ["--day", last], folder)).items() if s not in OWN_RULES})
    return wrong


def check_losses(headrace, folder):
    write_sites(os.path.join(folder, "sites.pcap"))
    run([headrace, "audit", "--quiet", "--db", "sites.db", "--format", "ndjson", "sites.pcap"], folder)
    wrong = []
    for site, wanted in (([], {"gap": 1, "midstream": 1, "tls": 3}), (["--site", "one.test"], {"gap": 1, "tls": 3}),
                         (["--site", "two.test"], {"midstream": 1, "tls": 3})):
        told = losses(run([headrace, "report", "--db", "sites.db", "--format", "ndjson"] + site, folder))
        listed = {}
        for line in run([headrace, "list", "loss", "--db", "sites.db", "--format", "ndjson"] + site, folder).splitlines():
            x = json.loads(line)
            listed[x["kind"]] = listed.get(x["kind"], 0) + x["count"]
        for what, got in (("report", told), ("list", listed)):
            if got != wanted:
                wrong.append("%s %s: losses %s, not %s" % (what, site, got, wanted))
    return wrong


def write_late(path):
    """One more request, a minute after the others."""
    with open(path, "wb") as out:
        c = Capture(out)
        c.wait(4 * 86400 + 300)
        Connection(c, 9000).get("/a", status=302)


def write_day(path, day, wrong):
    """Sessions that are well, and one that is served after its logout on each of these pages."""
    with open(path, "wb") as out:
        c = Capture(out)
        c.wait(day * 86400)
        number = day * 100
        for i in range(6):
            number += 1
            k = Connection(c, number)
            k.login("user%d" % i, "sid%08xfeed%04x" % (day * 1000 + i, i))
            for page in ("/a", "/b", "/c"):
                k.get(page, "sid%08xfeed%04x" % (day * 1000 + i, i))
                c.wait(1)
                Connection(c, number + 50).get(page, status=302)
            k.logout("sid%08xfeed%04x" % (day * 1000 + i, i))
            k.close()
            c.wait(30)
        for i, page in enumerate(wrong):
            number += 1
            k = Connection(c, number)
            k.login("late%d" % i, "sid%08xbeef%04x" % (day * 1000 + i, i))
            k.get(page, "sid%08xbeef%04x" % (day * 1000 + i, i))
            k.logout("sid%08xbeef%04x" % (day * 1000 + i, i))
            c.wait(2)
            k.get(page, "sid%08xbeef%04x" % (day * 1000 + i, i))
            c.wait(30)


def trend_of(page):
    """Of each day with traffic or findings: findings by severity, exchanges."""
    rows = re.findall(r'<tr><th scope="row">(\d{4}-\d\d-\d\d)</th>(.*?)</tr>', page[page.index('id="trend"'):])
    found = {day: re.findall("<td>(.*?)</td>", cells) for day, cells in rows}
    return {day: cells for day, cells in found.items() if cells != ["0"] * 4 + ["no traffic"]}


def check_trend(headrace, folder):
    """It shows days that were let go, also where the cut went through a quarter hour, and none twice."""
    write_day(os.path.join(folder, "fourth.pcap"), 4, ["/a"])
    paths = ["first.pcap", "second.pcap", "fourth.pcap"]
    audit = [headrace, "audit", "--quiet", "--db", "trend.db", "-o", "trend.txt"]
    report = [headrace, "report", "--db", "trend.db", "--tz", "UTC", "--format", "html"]
    wanted = {"2023-11-14": ["0", "3", "0", "0"], "2023-11-17": ["0", "2", "0", "0"], "2023-11-18": ["0", "1", "0", "0"]}
    run(audit + paths, folder)
    for path, day in zip(paths, sorted(wanted)):
        line = json.loads(run([headrace, "list", "captures", "--db", "trend.db", "--format", "ndjson"], folder)
                          .splitlines()[paths.index(path)])
        wanted[day].append(str(line["exchanges"]))
    wrong = []
    prune = [headrace, "db", "prune", "--quiet", "--db", "trend.db", "--keep"]
    for step in ([], prune + ["1450min"], prune + ["1440min"], audit + ["login.pcap"], audit + ["first.pcap"],
                 prune + ["1440min"], prune + ["1h"], prune + ["1min"]):
        if step == audit + ["login.pcap"]:
            write_late(os.path.join(folder, "login.pcap"))  # the site is analysed anew
        if step:
            run(step, folder)
        page = run(report, folder)
        got = trend_of(page)
        days = json.loads(run(report[:-1] + ["json"], folder))["trend"]
        told = {d["day"]: [str(d[k]) for k in ("critical", "high", "medium", "low", "exchanges")]
                for d in days if any(v != 0 for k, v in d.items() if k != "day")}
        if len(days) != 30 or told != got:
            wrong.append("trend of JSON after %s: %s" % (step[1:], told))
        if step[-1:] == ["login.pcap"]:
            wanted["2023-11-18"][-1] = str(int(wanted["2023-11-18"][-1]) + 1)
        if got != wanted:
            wrong.append("trend after %s: %s, not %s" % (step[1:], got, wanted))
    return wrong + check_clean_days(headrace, folder)


def check_clean_days(headrace, folder):
    """A day with traffic and no findings looks other than one without traffic, in every format with a trend."""
    with open(os.path.join(folder, "clean.pcap"), "wb") as out:
        c = Capture(out)
        c.wait(86400)
        Connection(c, 1).get("/a")
    run([headrace, "audit", "--quiet", "--db", "clean.db", "-o", "clean.txt", "first.pcap", "clean.pcap"], folder)

    def report(name):
        return run([headrace, "report", "--db", "clean.db", "--tz", "UTC", "--format", name], folder)
    page, wrong = report("html"), []
    if page.count('<circle class="none"') != 2 or "days with traffic and no findings: 1, without traffic: 28" not in page:
        wrong.append("the page does not mark the day without findings")
    for name in ("text", "md"):
        text = report(name)
        for line in ("2023-10-17 to 2023-11-13: no traffic", "2023-11-14: 2 high", "2023-11-15: no findings in 1 exchange"):
            if line + "\n" not in text:
                wrong.append("%s does not say: %s; but: %s" % (name, line, re.findall("2023-1.*", text)[-4:]))
    return wrong


def check_past(headrace, folder):
    """Days are compared also when the findings of the earlier one were let go."""
    write_day(os.path.join(folder, "first.pcap"), 0, ["/a", "/b", "/b"])
    write_day(os.path.join(folder, "second.pcap"), 3, ["/a", "/c"])
    audit = [headrace, "audit", "--quiet", "--db", "past.db", "-o", "past.txt"]
    run(audit + ["first.pcap", "second.pcap"], folder)
    report = [headrace, "report", "--db", "past.db", "--tz", "UTC", "--day", "2023-11-17", "--baseline", "2023-11-14"]

    def compared():
        lines = [json.loads(x) for x in run(report + ["--format", "ndjson"], folder).splitlines()]
        states = {(x["rule"], x["target"]): x["baseline"] for x in lines if "rule" in x}
        states.update({(x["slug"], x["endpoint"]): (x["baseline"], x["count"]) for x in lines if x.get("type") == "gone"})
        page = run(report + ["--format", "html"], folder)
        return states, trend_of(page), sorted(
            known for known in ("known since 2023-11-14", "not found before") if known in page), sorted(
                (x["target"], x["known_since"][:10]) for x in lines if "rule" in x)

    before = compared()
    wrong = []
    wanted = {("post-logout-access", "/a"): "unchanged", ("post-logout-access", "/c"): "new",
              ("post-logout-access", "GET /b"): ("absent", 2)}
    if before[0] != wanted or len(before[2]) != 2:
        wrong.append("compared: %s, not %s" % (before, wanted))
    prune = [headrace, "db", "prune", "--quiet", "--db", "past.db", "--keep", "1d"]
    for step in (prune, prune, audit + ["first.pcap"], prune):
        run(step, folder)
        if compared() != before:
            wrong.append("after %s: %s, not %s" % (step[1:3], compared(), before))
    return wrong


def main():
    headrace, captures = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        wrong = check(headrace, captures, folder) + check_losses(headrace, folder) + check_past(headrace, folder)
        wrong += check_trend(headrace, folder)
    print("\n".join(wrong) if wrong else "days and sites are told apart")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
