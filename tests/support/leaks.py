"""A sanitizer cannot look for leaks in a process that gave up so much as a watch."""
import os


def ignored():
    """The environment for such a program: all else that a sanitizer finds still counts."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def ignore():
    """For all that is run from now on."""
    os.environ.update(ignored())
