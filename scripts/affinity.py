#!/usr/bin/env python3
"""Whether an app should be kept off the CPU that coldsnake waits on, on a machine with two.

    scripts/affinity.py [BLOCKS]     # 150 blocks, some minutes; needs two CPUs

Launches two programs, in shuffled blocks, under three ways to place them, and tries a closed port
meanwhile as coldsnake does: `together` (both wherever the kernel puts them), `harness` (only the
waiting process is kept to the first CPU), and `apart` (the program to the second CPU besides). The
programs are one that imports a part of the standard library, and one that does so in two forked
workers. Prints the paired shift against `together` (Hodges-Lehmann, 95 % by Wilcoxon's signed-rank
test, normal approximation), and how far the times are spread.
"""
import os
import random
import select
import socket
import statistics
import sys
import time

IMPORTS = (
    "import asyncio, email.mime.text, http.server, unittest, xml.dom.minidom, ssl, argparse, "
    "concurrent.futures, logging.config"
)
PROGRAMS = {
    "one process": IMPORTS,
    "two workers": "import os\n"
    "for _ in range(2):\n"
    "    if os.fork() == 0:\n"
    f"        {IMPORTS}\n"
    "        os._exit(0)\n"
    "os.wait(); os.wait()",
}
CPUS = sorted(os.sched_getaffinity(0))[:2]
BOTH, FIRST, SECOND = set(CPUS), {CPUS[0]}, {CPUS[-1]}
WAYS = {"together": (BOTH, BOTH), "harness": (FIRST, BOTH), "apart": (FIRST, SECOND)}


def launch(way, program):
    """Milliseconds from the fork to the end."""
    harness, children = WAYS[way]
    os.sched_setaffinity(0, harness)
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, children)
        os.execve(sys.executable, [sys.executable, "-I", "-c", program], {})
    pidfd = os.pidfd_open(pid)
    poll = select.epoll()
    poll.register(pidfd, select.EPOLLIN)
    while True:
        # The pause of src/launch/ready/door.rs.
        passed = time.perf_counter() - begun
        if poll.poll(min(max(passed / 512, 0.0002), 0.005)):
            break
        with socket.socket() as door:
            door.connect_ex(("127.0.0.1", 9))
    took = (time.perf_counter() - begun) * 1e3
    os.close(pidfd)
    poll.close()
    os.waitpid(pid, 0)
    os.sched_setaffinity(0, BOTH)
    return took


def shift(differences):
    """The Hodges-Lehmann estimate and its interval."""
    n = len(differences)
    means = sorted((a + b) / 2 for i, a in enumerate(differences) for b in differences[i:])
    spread = (n * (n + 1) * (2 * n + 1) / 24) ** 0.5
    low = max(0, round(n * (n + 1) / 4 - 1.96 * spread))
    return statistics.median(means), means[low], means[-1 - low]


def main():
    if len(CPUS) < 2:
        sys.exit("this needs two CPUs")
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    times = {(name, way): [] for name in PROGRAMS for way in WAYS}
    for _ in range(blocks):
        for name, program in PROGRAMS.items():
            for way in random.sample(list(WAYS), len(WAYS)):
                times[name, way].append(launch(way, program))
    print(f"{blocks} blocks on CPUs {CPUS}, load {os.getloadavg()[0]:.1f} at the end")
    for (name, way), values in times.items():
        low, median, high = statistics.quantiles(values, n=4)
        line = f"{name:12} {way:9} median {median:6.1f} ms, quartiles {low:.1f} to {high:.1f}"
        if way != "together":
            pairs = zip(values, times[name, "together"])
            line += "; shift {:+.1f} ms [{:+.1f}, {:+.1f}]".format(*shift([a - b for a, b in pairs]))
        print(line)


main()
