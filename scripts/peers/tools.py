"""Runs each tool as its users run it, and reads what it says.

A tool is asked to compare two commands, A and B, with so many `units` of work: launches of each command
for hyperfine, worker processes of each for pyperf, seconds of blocks for coldsnake. Each answers with
a `run`, the fields of a line of trials.jsonl (scripts/against-peers describes them).
"""

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

import figures

HERE = Path(__file__).resolve().parent
APP = HERE / "app"
ALPHA = 0.05

SUITE = """\
[app]
name = "against-peers"
source = {source}
command = ["{{python}}", "work.py"]

[measure]
baseline = "a"
metrics = ["exit"]
# The whole budget is to be used, as by the others.
precision = "0.001%"
max-blocks = 1000000

[[scenario]]
name = "a"
env = {{ WORK_ITERATIONS = "{a.iterations}", WORK_SLEEP_MS = "{a.sleep_ms}" }}

[[scenario]]
name = "b"
env = {{ WORK_ITERATIONS = "{b.iterations}", WORK_SLEEP_MS = "{b.sleep_ms}" }}
"""


class ToolError(Exception):
    """A tool that could not be run, or did not say what was asked."""


class Work:
    """How much the app does."""

    def __init__(self, iterations, sleep_ms=0):
        self.iterations = iterations
        self.sleep_ms = sleep_ms

    def command(self, python):
        return [python, str(APP / "work.py"), str(self.iterations), str(self.sleep_ms)]


def environment():
    """What every tool is started with: no PYTHON* variables, which would reach the app of some."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COLDSNAKE", "WORK_")) and name != "PAGER"
    }


def call(command, env=None):
    """Runs a command to its end and gives its standard output.

    Ctrl-C reaches it too, as it stays in the terminal's process group.
    """
    done = subprocess.run(
        command,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        raise ToolError(
            f"`{' '.join(map(str, command))}` ended with status {done.returncode}:\n{done.stderr[-2000:]}"
        )
    return done.stdout


def direction(shift):
    return "slower" if shift > 0 else "faster"


def mean(values):
    return sum(values) / len(values)


def difference_of_means(a_ms, b_ms):
    """What hyperfine's and pyperf's users read off."""
    return {
        "shift_ms": mean(b_ms) - mean(a_ms),
        "ratio": mean(b_ms) / mean(a_ms),
        "a_ms": a_ms,
        "b_ms": b_ms,
    }


class Hyperfine:
    """`hyperfine -N --warmup 1 --runs UNITS A B`, judged by Welch's t-test at 5 %."""

    name = "hyperfine"
    probe = 5
    fewest = 2
    # The warm-up.
    beside = 1

    def __init__(self, program):
        self.program = program

    def version(self):
        return call([self.program, "--version"]).split()[-1]

    def run(self, units, python, a, b, folder):
        out = folder / "hyperfine.json"
        commands = [shlex.join(work.command(python)) for work in (a, b)]
        call(
            [self.program, "-N", "--warmup", "1", "--runs", str(units), "--style", "none"]
            + ["--export-json", str(out)]
            + commands
        )
        a_ms, b_ms = (
            [1e3 * each for each in result["times"]]
            for result in json.loads(out.read_text())["results"]
        )
        run = difference_of_means(a_ms, b_ms)
        p_value = figures.welch(a_ms, b_ms)
        differs = p_value is not None and p_value < ALPHA
        run["says"] = direction(run["shift_ms"]) if differs else "nothing"
        run["p"] = p_value
        return run


class Pyperf:
    """`pyperf command -p UNITS` for A, then for B, and `pyperf compare_to`, by its own t-test."""

    name = "pyperf"
    probe = 2
    fewest = 1
    # The process that finds the number of loops.
    beside = 1.25

    def __init__(self, python):
        self.python = python

    def version(self):
        return call([self.python, "-c", "import pyperf; print(pyperf.__version__)"]).strip()

    def run(self, units, python, a, b, folder):
        files = [folder / "a.json", folder / "b.json"]
        times = []
        for work, path in zip((a, b), files):
            path.unlink(missing_ok=True)
            call(
                [self.python, "-m", "pyperf", "command", "-q", "-p", str(units)]
                + ["--name", "app", "-o", str(path), "--"]
                + work.command(python)
            )
            benchmark = json.loads(path.read_text())["benchmarks"][0]
            times.append(
                [1e3 * value for each in benchmark["runs"] for value in each.get("values", [])]
            )
        said = call([self.python, "-m", "pyperf", "compare_to", "-v", *map(str, files)])
        run = difference_of_means(*times)
        # "Not significant!", or "Significant (t=-3.06)".
        differs = "Significant" in said
        if not differs and "Not significant" not in said:
            raise ToolError(f"pyperf compare_to said something else than expected:\n{said}")
        run["says"] = direction(run["shift_ms"]) if differs else "nothing"
        return run


class Coldsnake:
    """`coldsnake run SUITE --budget`, judged by whether the interval of the shift leaves zero out."""

    name = "coldsnake"
    probe = 1.0
    fewest = 0.2
    # Units are seconds; set-up and receipts come beside them.
    beside = None
    options = ()

    def __init__(self, program, seed):
        self.program = program
        self.seed = seed
        self.runs = 0

    def version(self):
        return call([self.program, "--version"]).split()[-1]

    def run(self, units, python, a, b, folder):
        suite = folder / "suite.toml"
        suite.write_text(SUITE.format(source=json.dumps(str(APP)), a=a, b=b))
        self.runs += 1
        out = folder / f"{self.name}-{self.runs}"
        call(
            [self.program, "run", str(suite), "--python", python, "--quiet"]
            + ["--budget", f"{round(1000 * units)}ms", "--seed", str(self.seed + self.runs)]
            + ["--out", str(out), *self.options]
        )
        contrast = json.loads((out / "summary.json").read_text())["contrasts"][0]
        shift = contrast["shift_ms"]
        times = {"a": [], "b": []}
        for line in (out / "record.jsonl").read_text().splitlines():
            launch = json.loads(line)
            if launch["type"] == "launch" and not launch.get("twin"):
                times[launch["scenario"]].append(launch["metrics"]["exit"])
        says = "nothing"
        if shift["low"] is not None and not shift["low"] <= 0 <= shift["high"]:
            says = direction(shift["estimate"])
        return {
            "shift_ms": shift["estimate"],
            "ratio": contrast["ratio"]["estimate"],
            "interval_ms": [shift["low"], shift["high"]],
            "says": says,
            "a_ms": times["a"],
            "b_ms": times["b"],
        }


class ColdsnakeUntilDecided(Coldsnake):
    """The same with `--until decided`, for builds that have it: it may stop before its time."""

    name = "coldsnake --until decided"
    options = ("--until", "decided")

    def is_there(self):
        return "--until" in call([self.program, "run", "--help"])


def timed(tool, *arguments):
    """A tool's run, with the wall time of everything that its user waits for."""
    begun = time.monotonic()
    run = tool.run(*arguments)
    run["wall_s"] = time.monotonic() - begun
    return run


class Pace:
    """How many units of a tool fill a budget, from what its latest runs took.

    A run takes (units + beside) * each seconds where the tool's start takes as long as so many units,
    and units + beside where units are seconds. One of the two is known and the other is the median
    of the latest runs: an estimate of both from few runs would be wild on a busy machine.
    """

    LATEST = 5

    def __init__(self, tool):
        self.tool = tool
        self.seen = []

    def saw(self, units, wall_s):
        beside = self.tool.beside
        self.seen.append(wall_s - units if beside is None else wall_s / (units + beside))
        del self.seen[: -self.LATEST]

    def units(self, budget_s):
        seen = sorted(self.seen)[len(self.seen) // 2]
        if self.tool.beside is None:
            return max(budget_s - seen, self.tool.fewest)
        return max(int(budget_s / seen - self.tool.beside), self.tool.fewest)
