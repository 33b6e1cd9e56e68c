"""The moments at which killer.so (tests/faults/killer.c) can end a program, as an undisturbed run counted them."""
import fnmatch


def phase_of(moment, phases):
    """The first that has it among its patterns, else "elsewhere"."""
    return next((p for p in phases if any(fnmatch.fnmatchcase(moment, m) for m in phases[p])), "elsewhere")


def read_moments(path, phases):
    """{phase: [(moment, nth)]}, "elsewhere" among them."""
    found = {p: [] for p in [*phases, "elsewhere"]}
    with open(path) as f:
        for line in f:
            count, moment = line.rstrip("\n").split(" ", 1)
            found[phase_of(moment, phases)] += [(moment, n + 1) for n in range(int(count))]
    return found


def draw(rng, moments, count):
    """Evenly over them: one of each part, so that what is rare is hit beside what is usual."""
    count = min(count, len(moments))
    return [moments[int(len(moments) * (i + rng.random()) / count)] for i in range(count)]
