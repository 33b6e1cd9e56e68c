#!/usr/bin/env python3
"""Every option of --help stands in the command's manual page and in each completion, and nothing else
does; the table of bounds tells the program's defaults and counters; the pages are well-formed.

manuals.py HEADRACE options
manuals.py HEADRACE format     skipped (77) where neither mandoc nor groff is there
"""
import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS = ("audit", "watch", "report", "list", "show", "evidence", "rules", "profile", "db")
COMMON = {"config", "help", "version", "quiet"}


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as f:
        return f.read()


def help_options(headrace, command):
    p = subprocess.run([headrace, command, "--help"], stdout=subprocess.PIPE, check=True)
    return set(re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", p.stdout.decode(), re.M))


def page_options(command):
    """Those of the command's page, and of audit's where it refers to that for the bounds."""
    text = read("src", "cmd", "headrace-%s.1" % command)
    named = set(re.findall(r"Fl -([a-z-]+)", text))
    if "bounds mean what they mean" in text:
        bounds = read("src", "cmd", "headrace-audit.1").split(".Ss Bounds")[1].split(".Sh")[0]
        named |= set(re.findall(r"^\.It Fl -([a-z-]+)", bounds, re.M))
    return named


def fish_options(command):
    text = read("tools", "dist", "headrace.fish")
    return set(re.findall(r"__headrace_in [a-z ]*\b%s\b[a-z ]*'.* -l ([a-z-]+)" % command, text))


def block(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


def bash_options(command):
    text = read("tools", "dist", "headrace.bash")
    body = command_block(text.split("case $command in")[-1], command)
    body = body.replace("$bounds", block(text, "local bounds='", "'"))
    return set(re.findall(r"--([a-z-]+)", body)) | COMMON


def command_block(text, command):
    """What stands between `command)` and the next `;;` of a shell's case."""
    return re.search(r"^ *%s\)(.*?);;" % command, text, re.M | re.S).group(1)


def zsh_options(command):
    text = read("tools", "dist", "_headrace")
    body = command_block(text.split("case $command in")[-1], command)
    for name in ("common", "read_db", "captures", "bounds", "color", "output", "reports"):
        if "$" + name in body:
            body += re.search(r"\b%s=(.*?)(?:\n(?=\S)|\Z)" % name, text, re.S).group(1)
    return set(re.findall(r"--([a-z-]+)", body))


def check_options(headrace):
    wrong = []
    for command in COMMANDS:
        wanted = help_options(headrace, command)
        if not COMMON <= wanted:
            wrong.append("%s --help lists %s only" % (command, sorted(wanted)))
        for where, named in (("manual page", page_options(command)), ("bash completion", bash_options(command)),
                             ("zsh completion", zsh_options(command)), ("fish completion", fish_options(command))):
            wrong += ["--%s of %s is not in the %s" % (o, command, where) for o in wanted - named]
            wrong += ["--%s is in the %s of %s, but there is no such option" % (o, where, command)
                      for o in named - wanted]
    main_page = read("src", "cmd", "headrace.1")
    wrong += ["%s is not in headrace(1)" % c for c in COMMANDS if ".It Cm %s" % c not in main_page]
    return wrong


def check_bounds(headrace):
    """Each row of the table of bounds: its default is the program's, and its counter exists."""
    p = subprocess.run([headrace, "audit", "--help"], stdout=subprocess.PIPE, check=True)
    told = p.stdout.decode().split("Bounds, each counted", 1)[1]
    defaults = dict(re.findall(r"^ +--([a-z-]+) .*?\(default ([^)]+)\)", told, re.M | re.S))
    counters = set()
    for path in glob.glob(os.path.join(ROOT, "src", "*", "*.[ch]")):
        with open(path, encoding="utf-8") as f:
            counters |= set(re.findall(r"\b(?:X\(|hr_counter_info\){\")(\w+)\"?, \"", f.read()))
    table = block(read("src", "cmd", "headrace-audit.1"), ".Ss Bounds", ".El")
    rows = re.findall(r"^\.It Fl -([a-z-]+) Ar \w+\nDefault (.+), counter (\w+):$", table, re.M)
    wrong = ["the bounds' defaults are %s, those of the table %s" % (defaults, rows)] if {
        o: d for o, d, _ in rows} != defaults else []
    bounds = block(read("src", "cmd", "headrace-audit.1"), ".Ss Bounds", ".Sh")
    told = re.findall(r"[Cc]ounter (\w+):$", bounds, re.M) + re.findall(r"^\.Pq (\w+) \.$", bounds, re.M)
    wrong += ["there is no counter %s" % c for c in told if c not in counters]
    wrong += [] if len(told) > len(rows) else ["the bounds without an option tell no counters"]
    return wrong


def check_format():
    pages = glob.glob(os.path.join(ROOT, "src", "cmd", "headrace*.[1-9]"))
    pages += glob.glob(os.path.join(ROOT, "tools", "dist", "headrace*.[1-9]"))
    if shutil.which("mandoc"):
        tool = ["mandoc", "-Tlint", "-Wwarning"]
    elif shutil.which("groff"):
        tool = ["groff", "-mdoc", "-Tutf8", "-ww", "-z"]
    else:
        print("neither mandoc nor groff is there")
        sys.exit(77)
    wrong = []
    for page in pages:
        p = subprocess.run(tool + [page], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong += p.stdout.decode("utf-8", "replace").splitlines()
        wrong += ["%s: status %d" % (page, p.returncode)] if p.returncode else []
    return wrong


def main():
    headrace, what = sys.argv[1:3]
    wrong = check_options(headrace) + check_bounds(headrace) if what == "options" else check_format()
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
