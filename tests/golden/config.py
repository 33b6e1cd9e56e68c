#!/usr/bin/env python3
"""--config: a good file does what the command line would, which wins over it; each mistake is named with file,
line and what was expected; the example holds every option of watch.

config.py HEADRACE CAPTURE
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import leaks  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(ROOT, "tools", "dist", "watch.yaml")
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


class Place:
    """A folder to work in, with a file of options."""

    def __init__(self, headrace, folder):
        self.headrace, self.folder = headrace, folder

    def run(self, command, text, *args):
        with open(os.path.join(self.folder, "options.yaml"), "w", encoding="utf-8") as f:
            f.write(text)
        p = subprocess.run([self.headrace, command, "--config", "options.yaml", *args], cwd=self.folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                           env=dict(os.environ, HEADRACE_DB=""))
        return p.returncode, p.stdout.decode(), p.stderr.decode()


def rules_of(lines):
    return set(re.findall(r'"rule":"([a-z-]+)"', lines))


def check_good(place, capture):
    status, out, err = place.run("watch", "read: %s\ndb: from-file.db\nmax-held: 64M\nquiet: true\n" % capture)
    check(status == 0 and len(rules_of(out)) > 2, "a good file: %s %s" % (status, err))
    check(os.path.exists(os.path.join(place.folder, "from-file.db")), "db of the file is not used")
    some = "read: [%s]\ndb: a.db\nno-rule: [post-logout-access, status-flap]\nrealtime: no\n" % capture
    status, out, err = place.run("watch", some)
    check(status == 0 and not rules_of(out) & {"post-logout-access", "status-flap"}, "a list: %s%s" % (out, err))
    status, out, err = place.run("watch", some, "--no-rule", "missing-set-cookie", "--db", "b.db")
    check("post-logout-access" in rules_of(out) and "missing-set-cookie" not in rules_of(out),
          "a list of the command line does not replace the file's: %s%s" % (out, err))
    check(os.path.exists(os.path.join(place.folder, "b.db")), "--db does not win over the file")
    status, out, err = place.run("watch", "interface: no-such-interface\ndb: c.db\n", "-r", capture)
    check(status == 0, "-r does not replace the interfaces of the file: %s" % err)
    for text in ("", "# nothing\n", "{}\n"):
        status, out, err = place.run("audit", text, "--quiet", capture)
        check(status == 1 and out != "", "an empty file: %s %s" % (status, err))
    status, out, err = place.run("audit", "fail-on: critical/proven\nformat: [ndjson]\n", "--quiet", capture)
    check(status == 0 and out.startswith("{"), "audit: %s %s %s" % (status, out[:80], err))
    status, out, err = place.run("list", "db: from-file.db\nformat: csv\n", "findings")
    check(status == 0 and out.startswith('"id",'), "list: %s %s" % (out[:80], err))


MISTAKES = [  # command, file, line, what is said
    ("watch", "repaet: 1h\n", 1, "unknown key 'repaet' (did you mean repeat?)"),
    ("watch", "db: x\nfrobnicate: 1\n", 2, "unknown key 'frobnicate'; expected an option of headrace watch"),
    ("watch", "fail-on: high\n", 1, "unknown key 'fail-on'"),
    ("watch", "config: other.yaml\n", 1, "unknown key 'config'"),
    ("watch", "help: true\n", 1, "unknown key 'help'"),
    ("watch", "\n\nrepeat: soon\n", 3, "'repeat': expected a span as 5ms, 10s or 30d, not 'soon'"),
    ("watch", "snaplen: 0\n", 1, "'snaplen': expected a number above 0 as 4096 or 64M, not '0'"),
    ("watch", "promisc: maybe\n", 1, "'promisc': expected true or false"),
    ("watch", "promisc: [true]\n", 1, "'promisc': expected true or false"),
    ("watch", "db:\n", 1, "'db': expected FILE, not ''"),
    ("watch", "db: [a, b]\n", 1, "'db': expected one value"),
    ("watch", "alert: {syslog: true}\n", 1, "'alert': expected a list"),
    ("watch", "alert:\n  - syslog\n  - pigeon\n", 3, "'alert': expected stdout, syslog, file:PATH"),
    ("watch", "alert:\n  - syslog\n  - [syslog]\n", 3, "'alert': expected a list, each item TARGET"),
    ("watch", "alert-on-loss: few\n", 1, "'alert-on-loss': expected a percentage below 100, as 5 or 0.1"),
    ("watch", "min-severity: grave\n", 1, "'min-severity': expected low, medium, high or critical, not 'grave'"),
    ("watch", "db: a\ndb: b\n", 2, "stands twice"),
    ("watch", "- db\n", 1, "expected a mapping"),
    ("watch", "db: a\n\tuser: b\n", 2, "not YAML"),
    ("report", "tz: Mars/Olympus\n", 1, "'tz': expected a zone"),
    ("list", "limit: many\n", 1, "'limit': expected a number, not 'many'"),
    ("list", "verdict: maybe\n", 1, "'verdict': expected proven, contradiction or suspect"),
    ("audit", "color: red\n", 1, "'color': expected auto, always or never"),
]


def check_mistakes(place, capture):
    for command, text, line, said in MISTAKES:
        status, out, err = place.run(command, text, *([capture] if command == "audit" else []))
        check(status == 2 and out == "" and err.startswith("headrace: options.yaml:%d: " % line) and said in err,
              "%s with %r: status %s, %s" % (command, text, status, err))
    # What the command line overrules must be good all the same.
    status, out, err = place.run("watch", "repeat: soon\n", "--repeat", "1h", "-r", capture)
    check(status == 2 and "options.yaml:1: 'repeat'" in err, "overruled: %s %s" % (status, err))
    hostile = "\"a\\e[2Jb\": 1\n"
    check("\033" not in place.run("watch", hostile)[2], "a control character reaches the terminal")
    p = subprocess.run([place.headrace, "watch", "--config", os.path.join(place.folder, "missing.yaml")],
                       stderr=subprocess.PIPE)
    check(p.returncode == 2 and b"missing.yaml: No such file" in p.stderr, "missing: %s" % p.stderr.decode())


def check_example(place, capture):
    with open(EXAMPLE, encoding="utf-8") as f:
        text = f.read()
    p = subprocess.run([place.headrace, "watch", "--help"], stdout=subprocess.PIPE, check=True)
    wanted = set(re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", p.stdout.decode(), re.M)) - {"config", "help", "version"}
    named = set(re.findall(r"^(?:# )?([a-z-]+):(?: |$)", text, re.M))
    check(wanted <= named, "not in the example: %s" % sorted(wanted - named))
    check(named <= wanted, "in the example alone: %s" % sorted(named - wanted))
    for content in (text, re.sub(r"(?m)^# ([a-z-]+:(?: |$))", r"\1", text)):
        if content != text:  # all of it is set: files that are named need not be there
            content = re.sub(r"(?m)^(interface|suppressions|profile|rules|key-file):.*$", "", content)
            content = re.sub(r"(?m)^(read): .*$", "read: " + capture, content)
            content = re.sub(r"(?m)^(keep|ring|evidence-dir):.*$", "", content)
            content = content.replace("user: nobody", "") if os.geteuid() != 0 else content
        status, _, err = place.run("watch", content, "-r", capture, "--db", "example.db")
        check(status == 0, "the example: status %s, %s" % (status, err))


def check_every_option(place):
    """What a command's help lists can stand in its file, under that name."""
    for command in ("audit", "watch", "report", "list", "show", "evidence", "rules", "profile", "db"):
        p = subprocess.run([place.headrace, command, "--help"], stdout=subprocess.PIPE, check=True)
        names = set(re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", p.stdout.decode(), re.M)) - {"config", "help", "version"}
        check(len(names) > 2, "%s --help lists %s" % (command, names))
        for name in names:
            said = place.run(command, "%s: {}\n" % name)[2]  # which no option takes
            check("'%s': expected" % name in said and "unknown" not in said, "%s: %s: %s" % (command, name, said))


def main():
    leaks.ignore()
    headrace, capture = [os.path.abspath(a) for a in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(headrace, folder)
        check_good(place, capture)
        check_mistakes(place, capture)
        check_example(place, capture)
        check_every_option(place)
    for w in wrong:
        print(w)
    return 1 if wrong else 0


sys.exit(main())
