"""A session: which runs are to be made, in which order, under which load; and the lines of those that were.

trials.jsonl has a `session` as its first line, and a `run` for each tool's run after it.
"""

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tools import APP, Work, environment

HERE = Path(__file__).resolve().parent
FORMAT_VERSION = 1
# Of the app's loop: some 50 ms on a machine of 2024.
ITERATIONS = 500_000
PILOT_PAIRS = 20
SETTLE_S = 1.0


class Effect:
    """What B does more than A: a share of A's time, or a sleep."""

    def __init__(self, name, share=0.0, sleep_ms=0):
        self.name = name
        self.share = share
        self.sleep_ms = sleep_ms

    def is_none(self):
        return not self.share and not self.sleep_ms

    def works(self, work_share):
        """A's and B's work. So many more iterations that the whole takes `share` longer, start included."""
        more = round(ITERATIONS * self.share / work_share)
        return Work(ITERATIONS), Work(ITERATIONS + more, self.sleep_ms)


EFFECTS = [Effect("A/A"), Effect("+2 %", 0.02), Effect("+5 %", 0.05), Effect("+20 ms", sleep_ms=20)]
LOADS = ["quiet", "drift"]


class Load:
    """The load generator: one child for each CPU, ended by its id."""

    def __init__(self, kind, seed):
        self.children = []
        if kind == "drift":
            for cpu in sorted(os.sched_getaffinity(0)):
                command = [sys.executable, "-B", str(HERE / "load.py"), str(seed), str(cpu)]
                self.children.append(subprocess.Popen(command, env=environment()))

    def __enter__(self):
        time.sleep(SETTLE_S)
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()


def work_share(python):
    """Which share of the app's CPU time its work takes, from launches with and without it, in turn.

    CPU time, since other programs on the machine hardly change it.
    """
    times = {0: [], ITERATIONS: []}
    for _ in range(PILOT_PAIRS):
        for iterations, taken in times.items():
            child = subprocess.Popen(Work(iterations).command(python), env=environment())
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                raise SystemExit(f"against-peers: {APP / 'work.py'} ended with {child.returncode}")
            taken.append(usage.ru_utime + usage.ru_stime)
    return 1.0 - statistics.median(times[0]) / statistics.median(times[ITERATIONS])


def host():
    """Facts about the machine that bear on timings; nothing that names it."""
    facts = {"kernel": platform.release(), "cpus": len(os.sched_getaffinity(0))}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            facts["cpu_model"] = value.strip()
            break
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            facts["memory_mib"] = int(line.split()[1]) // 1024
    facts["load_1min"] = round(os.getloadavg()[0], 2)
    return facts


def plan(seed, trials, loads, effects, budgets, names):
    """All runs in order: trial by trial, so that an interrupted session is a shorter one.

    Within a trial loads come in random order, within a load the pairs of effect and budget, and within
    such a pair the tools. It depends on nothing but the seed, and so a later call goes on in it.
    """
    for trial in range(trials):
        rng = random.Random(f"{seed} {trial}")
        for load in rng.sample(loads, len(loads)):
            cells = [(effect, budget) for effect in effects for budget in budgets]
            order = rng.sample(cells, len(cells))
            yield (trial, load), [
                (effect, budget, name)
                for effect, budget in order
                for name in rng.sample(names, len(names))
            ]


def key(run):
    """What makes a run this one and no other."""
    return (run["trial"], run["load"], run["effect"], run["budget_s"], run["tool"])


def read(path):
    """The session's first line and its runs. A last line that breaks off is left out."""
    text = path.read_text()
    lines = text.splitlines()
    if lines and not text.endswith("\n"):
        lines.pop()
    parsed = [json.loads(line) for line in lines]
    if not parsed or parsed[0].get("type") != "session":
        raise SystemExit(f"against-peers: {path} does not begin with a session's line")
    if parsed[0]["format_version"] != FORMAT_VERSION:
        raise SystemExit(f"against-peers: {path} has another format version than {FORMAT_VERSION}")
    return parsed[0], [line for line in parsed[1:] if line["type"] == "run"]


def compact(value):
    """Numbers with as many digits as they are good for: 0.1 us, and 6 digits of ratios."""
    if isinstance(value, dict):
        return {
            name: (value[name] if name == "p" else compact(value[name])) for name in value
        }
    if isinstance(value, list):
        return [compact(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


def write(file, line):
    """One line, whole, before the next run begins."""
    file.write(json.dumps(compact(line), separators=(",", ":")) + "\n")
    file.flush()
    os.fsync(file.fileno())
