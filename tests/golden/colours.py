#!/usr/bin/env python3
"""Colours that stand beside each other in the report's pictures differ for the colour-blind, too, on light and dark.

colours.py PAGE.css

Simulated as in Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency
(2009), severity 1; the distance is that of CIELAB (1976).
"""
import itertools
import re
import sys

LEAST = 10  # a just noticeable difference is about 2
TOGETHER = (("login", "logout", "bad", "plain"), ("col-good", "col-bad", "col-fail", "col-other"),
            ("col-critical", "col-high", "col-medium", "col-low"))
SEEN_BY = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopes": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def linear(hexadecimal):
    parts = [int(hexadecimal[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def lab(rgb):
    x, y, z = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
               for t in (a / w for a, w in zip(times(XYZ, rgb), WHITE))]
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def check(ground, colours):
    wrong = []
    for names in TOGETHER:
        for (seer, matrix), (a, b) in itertools.product(SEEN_BY.items(), itertools.combinations(names, 2)):
            seen = [lab([min(1, max(0, part)) for part in times(matrix, linear(colours[n]))]) for n in (a, b)]
            apart = sum((p - q) ** 2 for p, q in zip(*seen)) ** 0.5
            if apart < LEAST:
                wrong.append("%s: --%s and --%s are %.1f apart for %s" % (ground, a, b, apart, seer))
    return wrong


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        light, dark = f.read().split("prefers-color-scheme: dark", 1)
    wrong = []
    for ground, text in (("light", light), ("dark", dark.split("@media")[0])):
        wrong += check(ground, dict(re.findall(r"--([a-z0-9-]+): #([0-9a-f]{6})\b", text)))
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
