#!/usr/bin/env python3
"""Asks bash, zsh and fish themselves what they would complete: each command's options are those of its --help, and
the words that stand for kinds of things are offered. A shell that is not there is skipped with a line; 77 where none is.

completions.py HEADRACE
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import vt

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIST = os.path.join(ROOT, "tools", "dist")
COMMANDS = ("audit", "watch", "report", "list", "show", "evidence", "rules", "profile", "db")
FORMATS = ("text", "html", "md", "json", "ndjson", "sarif", "csv")
# What stands on the line, and what is offered at its end.
WORDS = (
    ("", COMMANDS),
    ("--", ("--help", "--version")),
    ("audit --format ", FORMATS),
    ("report --format ", FORMATS),
    ("report --format=", FORMATS),
    ("list --format ", ("table", "ndjson", "csv")),
    ("report --day ", ("yesterday", "today")),
    ("report --min-severity ", ("low", "medium", "high", "critical")),
    ("list --verdict ", ("proven", "contradiction", "suspect")),
    ("audit --no-rule ", ("lost-login", "shared-token")),
    ("watch -i ", ("any", "lo")),
    ("list ", ("findings", "sessions", "exchanges", "streams", "endpoints", "captures", "loss")),
    ("show ", ("finding", "session")),
    ("rules ", ("list", "explain", "check", "test", "run")),
    ("rules explain ", ("lost-login", "shared-token")),
    ("db ", ("info", "check", "prune", "vacuum", "key")),
    ("profile sug", ("suggest",)),
    ("audit a-cap", ("a-capture.pcap",)),
    ("audit --profile a-pro", ("a-profile.yaml",)),
    ("evidence --from a-fol", ("a-folder",)),
    ("report --db a-data --da", ("--day",)),
)


def words(text):
    return set(re.split(r"[\s/=]+", text))


class Line:
    """A shell on a terminal, in which Tab is pressed."""

    def __init__(self, program, args, setup, folder):
        vt.PATIENCE, self.count = 20, 0
        self.screen = vt.Terminal([program, *args], rows=80, columns=160, TERM="dumb", HOME=folder, HISTFILE="",
                                  PATH=folder + "/bin:" + os.environ["PATH"], PS1="> ", LC_ALL="C.UTF-8")
        self.screen.press("cd %s; %s; echo up-and-''running\r" % (folder, setup))
        self.screen.wait_for("up-and-running")

    def offered(self, line, wanted):
        self.count += 1
        self.screen.press("\x15echo line''%d''begins\r" % self.count)  # leaves what stands there
        self.screen.wait_for("line%dbegins" % self.count)
        self.screen.clear()
        self.screen.press("headrace " + line + "\t")
        self.screen.wait_for(lambda text: set(wanted) <= words(text))
        self.screen.read(0.2)  # what there is too many
        return words(self.screen.text())

    def close(self):
        self.screen.wait_end(9, reads=False)
        self.screen.close()


def bash(folder):
    setup = ("bind 'set page-completions off'; bind 'set completion-query-items 0'; "
             "bind 'set show-all-if-ambiguous on'; bind 'set enable-bracketed-paste off'; . %s/headrace.bash" % DIST)
    return Line(shutil.which("bash"), ["--norc", "--noprofile", "-i"], setup, folder)


def zsh(folder):
    setup = ("PS1='> '; unsetopt list_ambiguous auto_menu prompt_sp zle_bracketed_paste 2>/dev/null; LISTMAX=9999; "
             "fpath=(%s $fpath); autoload -Uz compinit; compinit -u -D" % DIST)
    return Line(shutil.which("zsh"), ["-f", "-i"], setup, folder)


class Fish:
    """Tells without a terminal what it would offer."""

    def __init__(self, folder):
        self.folder = folder

    def offered(self, line, _wanted):
        p = subprocess.run(["fish", "--no-config", "-c", "source %s/headrace.fish; complete -C 'headrace %s'" % (DIST, line)],
                           cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                           env=dict(os.environ, HOME=self.folder, PATH=self.folder + "/bin:" + os.environ["PATH"]))
        return words("\n".join(t.split("\t")[0] for t in p.stdout.decode().splitlines()))

    def close(self):
        pass


def long_options(headrace, command):
    p = subprocess.run([headrace, command, "--help"], stdout=subprocess.PIPE, check=True)
    return set(re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)", p.stdout.decode(), re.M))


def check(headrace, name, shell):
    wrong = []
    for line, wanted in WORDS:
        missing = set(wanted) - shell.offered(line, wanted)
        wrong += ["%s does not offer %s after headrace %s" % (name, sorted(missing), line)] if missing else []
    for command in COMMANDS:
        wanted = long_options(headrace, command)
        got = {w for w in shell.offered(command + " --", wanted) if re.match("--[a-z]", w)}
        if got != wanted:
            wrong.append("%s of %s: without %s, with %s" % (name, command, sorted(wanted - got), sorted(got - wanted)))
    return wrong


def make_folder(headrace, folder):
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(headrace, os.path.join(folder, "bin", "headrace"))
    os.mkdir(os.path.join(folder, "a-folder"))
    for name in ("a-capture.pcap", "a-profile.yaml", "a-database.db"):
        with open(os.path.join(folder, name), "w", encoding="utf-8"):
            pass


def main():
    headrace = os.path.abspath(sys.argv[1])
    os.environ["HEADRACE_RULES"] = os.path.join(ROOT, "rules")
    wrong, found = [], 0
    with tempfile.TemporaryDirectory() as folder:
        make_folder(headrace, folder)
        for name, start in (("bash", bash), ("zsh", zsh), ("fish", Fish)):
            if not shutil.which(name):
                print("%s is not there: its completion is not tried" % name)
                continue
            found += 1
            shell = start(folder)
            wrong += check(headrace, name, shell)
            shell.close()
    for line in wrong:
        print(line)
    return 1 if wrong else 0 if found else 77


sys.exit(main())
