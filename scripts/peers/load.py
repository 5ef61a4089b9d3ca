#!/usr/bin/env python3
"""Loads one CPU as a neighbour on a shared machine does: a level that is held for seconds, then another.

    python load.py SEED CPU

Each level is a share of each 20 ms in which the process computes, drawn with its length from the
seed. The process ends when its parent is gone, so none is left over.
"""

import os
import random
import sys
import time

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
PERIOD_S = 0.02
SHORTEST_S, LONGEST_S = 1.0, 6.0


def main():
    seed, cpu = int(sys.argv[1]), int(sys.argv[2])
    os.sched_setaffinity(0, {cpu})
    parent = os.getppid()
    rng = random.Random(f"{seed} {cpu}")
    while True:
        level = LEVELS[int(rng.random() * len(LEVELS))]
        until = time.monotonic() + SHORTEST_S + rng.random() * (LONGEST_S - SHORTEST_S)
        while time.monotonic() < until:
            if os.getppid() != parent:
                return
            begun = time.monotonic()
            while time.monotonic() - begun < level * PERIOD_S:
                pass
            time.sleep(max(0.0, begun + PERIOD_S - time.monotonic()))


main()
