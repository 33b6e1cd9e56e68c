"""A test that goes over many captures takes every Nth of them where it was given --one-of N: a build with sanitizers is
ten times slower, and looks for other mistakes than the captures do."""
import sys


def take(given):
    if "--one-of" not in given:
        return given, 1
    at = given.index("--one-of")
    return given[:at] + given[at + 2:], int(given[at + 1])


ARGUMENTS, EVERY = take(sys.argv)  # sys.argv without that option, and N


def share(captures):
    return sorted(captures)[::EVERY]
