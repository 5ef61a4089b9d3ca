"""The app that all tools launch: some imports, and a fixed amount of work.

    python work.py [ITERATIONS [SLEEP_MS]]

What is not on the command line is read from WORK_ITERATIONS and WORK_SLEEP_MS: a suite's scenarios
differ in their environment, while the other tools are given commands. The amount of work is counted,
not timed, so it is the same under every tool and on every machine.
"""

import argparse
import json
import logging
import os
import sys
import time
import urllib.parse


def work(iterations):
    state = 1
    for _ in range(iterations):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return state


def main():
    words = sys.argv[1:] + [None, None]
    iterations = int(words[0] or os.environ["WORK_ITERATIONS"])
    sleep_ms = float(words[1] or os.environ.get("WORK_SLEEP_MS", "0"))
    if work(iterations) < 0:
        sys.exit("the generator left its range")
    if sleep_ms > 0:
        time.sleep(sleep_ms / 1e3)


main()
