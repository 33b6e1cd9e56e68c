#!/usr/bin/env python3
"""What meson install puts in place, and that it works there: the program, its rules, the daily report.

install.py BUILD HEADRACE CAPTURE
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


def run(*args, status=0, **more):
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    check(p.returncode == status, "%s: status %d, not %d: %s" % (" ".join(map(str, args)), p.returncode, status,
                                                               p.stderr.decode().strip()))
    return p


def files_below(folder):
    return {os.path.relpath(os.path.join(at, f), folder) for at, _, files in os.walk(folder) for f in files}


def check_tree(prefix):
    have = files_below(prefix)
    for f in ("bin/headrace", "bin/headrace-daily-report", "share/headrace/rules/lost-login.sql",
              "share/headrace/rules/tests/lost-login.yaml", "share/headrace/rules/lists/session-names",
              "share/bash-completion/completions/headrace", "share/zsh/site-functions/_headrace",
              "share/fish/vendor_completions.d/headrace.fish", "lib/systemd/system/headrace-report@.service",
              "lib/systemd/system/headrace-watch@.service",
              "lib/systemd/system/headrace-report@.timer", "share/doc/headrace/README.md", "share/doc/headrace/watch.yaml",
              "share/man/man1/headrace-daily-report.1"):
        check(f in have, "%s is not installed" % f)
    for folder, ending in (("src/cmd", r"headrace.*\.[1-9]"), ("src/report", r".*\.schema\.json")):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if re.fullmatch(ending, name):
                check(any(os.path.basename(h) == name for h in have), "%s is not installed" % name)
    have_rules = {h for h in have if h.startswith("share/headrace/rules/")}
    want = {"share/headrace/rules/" + f for f in files_below(os.path.join(ROOT, "rules"))}
    check(have_rules == want, "rules differ: %s" % sorted(have_rules ^ want)[:5])


def check_units(root, installed_prefix):
    folder = os.path.join(root + installed_prefix, "lib/systemd/system")
    for name, command in (("report", "headrace-daily-report"), ("watch", "headrace watch $HEADRACE_WATCH")):
        text = open(os.path.join(folder, "headrace-%s@.service" % name), encoding="utf-8").read()
        check("ExecStart=%s/bin/%s\n" % (installed_prefix, command) in text, "the unit of %s starts something else" % name)
        check("@bindir@" not in text, "the unit of %s is not configured" % name)
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not there: the units are not verified")
        return
    for name in os.listdir(folder):
        verify_unit(root, folder, name)


def verify_unit(root, folder, name):
    """As the instance x; the programs are looked for below root, which older systemds cannot be told."""
    with tempfile.TemporaryDirectory() as scratch:
        text = open(os.path.join(folder, name), encoding="utf-8").read()
        unit = os.path.join(scratch, name.replace("@", "@x"))
        with open(unit, "w", encoding="utf-8") as f:
            f.write(text.replace("ExecStart=/", "ExecStart=%s/" % root))
        if name.endswith(".timer"):
            shutil.copy(os.path.join(folder, name.replace(".timer", ".service")),
                        os.path.join(scratch, name.replace("@.timer", "@x.service")))
        p = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        said = [line for line in p.stdout.decode().splitlines() if name.split("@")[0] in line]
        check(not said, "systemd-analyze verify: %s" % said)
        if name.endswith(".service"):
            p = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=30", unit],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            said = p.stdout.decode()
            check(p.returncode == 0 or "exposure" not in said, "systemd-analyze security: %s" % said[-300:])


def check_daily(program, daily, folder, capture):
    db, to = os.path.join(folder, "x.db"), os.path.join(folder, "reports")
    env = dict(os.environ, HEADRACE=program, TZ="UTC", HEADRACE_RULES=os.path.join(ROOT, "rules"))
    run(program, "audit", "-q", "--db", db, "--fail-on", "critical/proven", capture, env=env)
    base = [daily, "--db", db, "--dir", to]
    for day in ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"):
        run(*base, "--day", day, "--keep", 3, env=env)
    check(sorted(os.listdir(to)) == [".lock", "2026-02-28", "2026-03-01", "2026-03-02", "index.html"],
          "days kept: %s" % sorted(os.listdir(to)))
    index = open(os.path.join(to, "index.html"), encoding="utf-8").read()
    links = re.findall('href="([^"]+)"', index)
    check(links[:2] == ["2026-03-02/report.html", "2026-03-02/report.json"] and len(links) == 6, "index: %s" % links)
    told = re.findall("</a>([^<(]*) \\(<a", index)
    check(told == [": 5 findings, 5 new", ": no findings", ": no findings"], "index: %s" % told)
    report = json.load(open(os.path.join(to, "2026-03-02", "report.json"), encoding="utf-8"))
    check(len(report["findings"]) > 0, "no findings in the report")
    check(all(f["baseline"] == "new" for f in report["findings"]), "not compared with the day before")
    os.mkdir(os.path.join(to, "mine"))
    run(*base, "--day", "2026-03-02", "--keep", 1, "--min-severity", "high", env=env)
    check(sorted(os.listdir(to)) == [".lock", "2026-03-02", "index.html", "mine"], "not alone: %s" % os.listdir(to))
    run(*base, env=env)  # yesterday
    check(len(os.listdir(to)) == 5, "yesterday: %s" % os.listdir(to))
    for args, status in ((("--db", db), 2), (("--dir", to), 2), (("--db", db, "--dir", to, "--keep", "x"), 2),
                         (("--db", db, "--dir", to, "--day", "x"), 2), (("--db", db + "no", "--dir", to), 2),
                         (("--db", db, "--dir", os.path.join(db, "x")), 4), (("--db",), 2)):
        p = run(daily, *args, status=status, env={k: v for k, v in env.items() if not k.startswith("HEADRACE_")})
        check(len(p.stderr) > 0, "%s: nothing said" % (args,))
    check(len(os.listdir(to)) == 5, "a failure left something: %s" % os.listdir(to))


def main():
    build, headrace, capture = map(os.path.abspath, sys.argv[1:4])
    if not shutil.which("meson"):
        print("meson is not there")
        return 77
    p = run("meson", "introspect", build, "--buildoptions")
    options = {o["name"]: o["value"] for o in json.loads(p.stdout)}
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
        prefix = root + options["prefix"]
        check_tree(prefix)
        check_units(root, options["prefix"])
        program = os.path.join(prefix, "bin/headrace")
        rules = os.path.join(prefix, "share/headrace/rules")
        p = run(program, "rules", "list", env=dict(os.environ, HEADRACE_RULES=rules))
        check(b"lost-login" in p.stdout, "the installed program does not find the installed rules")
        env = {k: v for k, v in os.environ.items() if k != "HEADRACE_RULES"}
        p = run(headrace, "rules", "list", env=env, cwd=folder)
        check(b"lost-login" in p.stdout, "the program that is not installed does not find its rules")
        check_daily(program, os.path.join(prefix, "bin/headrace-daily-report"), folder, capture)
    for line in wrong[:30]:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
