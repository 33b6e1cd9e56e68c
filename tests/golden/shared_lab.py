#!/usr/bin/env python3
"""The labelled captures beside the project: every labelled occurrence of the rules there are is found, and
nothing else. Skipped (77) where the folder is missing.

shared_lab.py HEADRACE FOLDER
"""
import os
import subprocess
import sys

RULES = ("post-logout-access", "missing-set-cookie", "status-flap", "lost-login", "ghost-session",
         "failed-login-set-cookie", "shared-token", "revived-session", "logout-keeps-cookie",
         "session-not-rotated", "unanswered-request", "truncated-response", "extra-response",
         "execution-after-redirect", "superfluous-body", "double-redirect", "header-conflict")


def main():
    headrace, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    script = os.path.join(folder, "score.py")
    if not os.path.exists(script):
        print("skipped: %s is not there" % script)
        return 77
    command = [sys.executable, "-B", script, "-v", "--headrace", headrace]
    for rule in RULES:
        command += ["--slug", rule]
    return 1 if subprocess.run(command + [folder]).returncode != 0 else 0


sys.exit(main())
