#!/usr/bin/env python3
"""The README's example of a rule of one's own does what the README says; a broken one is refused with
file and line while the others run.

own_rule.py HEADRACE README CAPTURE
"""
import json
import os
import re
import subprocess
import sys
import tempfile


def main():
    headrace, readme, capture = (os.path.abspath(a) for a in sys.argv[1:4])
    wrong = []
    with open(readme) as f:
        text = f.read()
    rule = re.search(r"```sql\n(.*?)```", text, re.S).group(1)
    tests = re.search(r"```yaml\n(.*?)```", text, re.S).group(1)
    slug = re.search(r"^id: (.*)$", rule, re.M).group(1)

    def run(*args):
        p = subprocess.run([headrace, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def check(name, good, shown):
        if not good:
            wrong.append("%s: %r" % (name, shown))

    def audit():
        status, out, err = run("audit", "--rules", "mine", "--format", "ndjson", capture)
        records = [json.loads(line) for line in out.splitlines()]
        exercised = {r["slug"]: r for r in records if r.get("type") == "exercise"}
        return status, [r for r in records if r.get("rule")], exercised, err

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.makedirs("mine/tests")
        with open("mine/%s.sql" % slug, "w") as f:
            f.write(rule)
        with open("mine/tests/%s.yaml" % slug, "w") as f:
            f.write(tests)
        check("it has ten lines", len(rule.splitlines()) == 10, rule)
        check("it is well-formed", run("rules", "check", "mine")[0] == 0, run("rules", "check", "mine"))
        status, out, _ = run("rules", "test", "mine")
        check("its tests pass", status == 0 and "2 passed, 0 failed" in out, out)
        check("it is listed", slug in run("rules", "list", "--rules", "mine")[1], slug)
        check("it is explained", "Whoever signs in waits" in run("rules", "explain", slug, "--rules", "mine")[1], slug)
        _, findings, exercised, _ = audit()
        check("it is counted", slug in exercised, sorted(exercised))
        with open("mine/%s.sql" % slug, "w") as f:
            f.write(rule.replace("2e9", "0"))
        _, more, _, _ = audit()
        own = [f for f in more if f["rule"] == slug]
        check("it is reported like the others", own and all(f["severity"] == "low" and f["frame"] for f in own), own)

        with open("mine/%s.sql" % slug, "w") as f:
            f.write(rule.replace("FROM login_facts WHERE", "FROM nowhere WHERE"))
        status, rest, _, err = audit()
        place = "mine/%s.sql:9" % slug
        check("a broken one is refused with file and line", place in err and status == 2, (status, err))
        check("the others still run", rest and len(rest) == len(findings), (len(rest), len(findings)))
        status, _, err = run("rules", "check", "mine")
        check("a broken one is told by rules check", status == 2 and place in err, (status, err))
        with open("mine/%s.sql" % slug, "w") as f:
            f.write(rule)
        with open("mine/broken.sql", "w") as f:
            f.write(rule.replace(slug, "broken").replace("FROM login_facts WHERE", "FROM nowhere WHERE"))
        status, out, err = run("rules", "test", "mine")
        check("the tests of others pass beside a broken one, which is told once",
              status == 2 and "2 passed, 0 failed" in out and err.count("mine/broken.sql:9") == 1, (status, out, err))
        os.chdir("/")
    print("\n".join(wrong) or "ok")
    return 1 if wrong else 0


sys.exit(main())
