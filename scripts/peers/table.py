"""From the lines of trials.jsonl to README.md. The same lines give the same text."""

import statistics
from collections import defaultdict

import figures

OURS = "coldsnake"
# The row of a build that stops by itself; its time is no budget.
STOPS_BY_ITSELF = "coldsnake --until decided"
LOADS = {"quiet": "quiet", "drift": "load generator"}
# A mean wall time of more than so many budgets is marked.
OVER = 1.2
# What was expected before it was measured: a peer's error is so many times coldsnake's. On a quiet
# machine they may be equal, and an interval around 1 must be able to say so.
EXPECTED_UNDER_DRIFT = 5.0
NO_WORSE = 0.8


class Runs:
    """A session's runs, by what was measured."""

    def __init__(self, session, runs):
        self.session = session
        self.effects = {effect["name"]: effect for effect in session["effects"]}
        self.budgets = session["budgets_s"]
        self.tools = list(session["tools"])
        self.by_cell = defaultdict(dict)
        for run in runs:
            cell = (run["load"], run["effect"], run["budget_s"], run["tool"])
            self.by_cell[cell][run["trial"]] = run

    def of(self, load, effect, budget, tool):
        """The runs of a cell, by trial."""
        return self.by_cell.get((load, effect, budget, tool), {})

    def loads(self):
        return [load for load in LOADS if any(cell[0] == load for cell in self.by_cell)]

    def peers(self):
        return [tool for tool in self.tools if tool not in (OURS, STOPS_BY_ITSELF)]

    def error(self, run):
        """Estimate minus truth, in per cent of A's time."""
        effect = self.effects[run["effect"]]
        if effect["sleep_ms"]:
            missed_ms = run["shift_ms"] - effect["sleep_ms"]
            return 100 * missed_ms / statistics.median(run["a_ms"])
        return 100 * (run["ratio"] - 1 - effect["share"])

    def is_right(self, run):
        """Does the tool say that B is slower?"""
        return run["says"] == "slower"

    def is_null(self, effect):
        return not self.effects[effect]["share"] and not self.effects[effect]["sleep_ms"]

    def judged(self, effect, runs):
        """How many of the runs say what the column counts: any difference of A/A, else the right one."""
        if self.is_null(effect):
            return sum(run["says"] != "nothing" for run in runs)
        return sum(map(self.is_right, runs))

    def error_ratio(self, cells, tool):
        """Of a tool's errors over ours, in trials that both have."""
        theirs, ours = [], []
        for load, effect, budget in cells:
            their, own = self.of(load, effect, budget, tool), self.of(load, effect, budget, OURS)
            for trial in sorted(set(their) & set(own)):
                theirs.append(self.error(their[trial]))
                ours.append(self.error(own[trial]))
        return figures.error_ratio(theirs, ours)

    def until_verdict(self, load, effect, tool):
        """For each trial the wall time of the shortest run from which on the tool is right, or infinity."""
        times = []
        trials = set.intersection(*(set(self.of(load, effect, b, tool)) for b in self.budgets))
        for trial in sorted(trials):
            first = float("inf")
            for budget in sorted(self.budgets, reverse=True):
                run = self.of(load, effect, budget, tool)[trial]
                if not self.is_right(run):
                    break
                first = run["wall_s"]
            times.append(first)
        return times


def seconds(value):
    return f"{value:g} s"


def signed(value):
    """Two decimals; nothing is below zero by rounding."""
    return f"{round(value, 2) + 0.0:+.2f}"


def share(hits, trials):
    low, high = figures.binomial_interval(hits, trials)
    return f"{hits} of {trials} [{100 * low:.0f}, {100 * high:.0f} %]"


def times_ours(found):
    if found is None:
        return "-"
    ratio, interval = found
    if interval is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"


def markdown(headings, rows):
    rule = "|" + "---|" * len(headings)
    lines = ["| " + " | ".join(line) + " |" for line in (headings, *rows)]
    return "\n".join([lines[0], rule, *lines[1:]])


def wall_time(found, budget):
    """The mean, and a mark where it is no equal time any more."""
    mean = statistics.fmean(run["wall_s"] for run in found)
    return f"{mean:.1f} s" + (", over" if mean > OVER * budget else "")


def at_equal_time(runs, budget):
    rows = []
    for load in runs.loads():
        for effect in runs.effects:
            for tool in runs.tools:
                found = list(runs.of(load, effect, budget, tool).values())
                if not found:
                    continue
                errors = [runs.error(run) for run in found]
                ratio = "1"
                if tool != OURS:
                    ratio = times_ours(runs.error_ratio([(load, effect, budget)], tool))
                rows.append(
                    [
                        LOADS[load],
                        effect,
                        tool,
                        share(runs.judged(effect, found), len(found)),
                        f"{signed(statistics.fmean(errors))} %",
                        f"{figures.root_mean_square(errors):.2f} %",
                        ratio,
                        wall_time(found, budget),
                    ]
                )
    headings = ["Machine", "Effect", "Tool", "Verdicts", "Bias", "RMSE", "RMSE / coldsnake's", "Wall time"]
    return markdown(headings, rows)


def false_alarms(runs):
    rows = []
    for load in runs.loads():
        for tool in runs.tools:
            found = [
                run
                for (its_load, effect, _, its_tool), cell in runs.by_cell.items()
                if (its_load, its_tool) == (load, tool) and runs.is_null(effect)
                for run in cell.values()
            ]
            if found:
                alarms = sum(run["says"] != "nothing" for run in found)
                rows.append([LOADS[load], tool, share(alarms, len(found))])
    return markdown(["Machine", "Tool", "False alarms"], rows)


def until_verdict(runs):
    budgets = sorted(runs.budgets)
    rows = []
    for load in runs.loads():
        for effect in runs.effects:
            for tool in runs.tools:
                if runs.is_null(effect):
                    continue
                if tool == STOPS_BY_ITSELF:
                    found = list(runs.of(load, effect, budgets[-1], tool).values())
                    if found:
                        right = sum(map(runs.is_right, found))
                        cells = ["-"] * (len(budgets) - 1) + [f"{right} of {len(found)}"]
                        median = statistics.median(run["wall_s"] for run in found)
                        rows.append([LOADS[load], effect, tool, *cells, f"stopped after {median:.1f} s"])
                    continue
                times = runs.until_verdict(load, effect, tool)
                if not times:
                    continue
                cells = []
                for budget in budgets:
                    found = runs.of(load, effect, budget, tool).values()
                    cells.append(f"{sum(map(runs.is_right, found))} of {len(found)}")
                # The upper one of two middle values: the mean of a time and infinity says nothing.
                median = sorted(times)[len(times) // 2]
                never = median == float("inf")
                said = f"over {seconds(budgets[-1])}" if never else f"{median:.1f} s"
                rows.append([LOADS[load], effect, tool, *cells, said])
    return markdown(["Machine", "Effect", "Tool", *map(seconds, budgets), "Median trial"], rows)


def medians(runs):
    rows = []
    for load in runs.loads():
        for tool in runs.tools:
            own, apart = [], []
            for (its_load, effect, budget, its_tool), cell in runs.by_cell.items():
                if (its_load, its_tool) != (load, tool):
                    continue
                ours = runs.of(load, effect, budget, OURS)
                for trial, run in cell.items():
                    own.append(statistics.median(run["a_ms"]))
                    if trial in ours:
                        apart.append(own[-1] - statistics.median(ours[trial]["a_ms"]))
            if not own:
                continue
            cells = [LOADS[load], tool, str(len(own)), f"{statistics.median(own):.1f} ms", "-", "-"]
            if tool != OURS and apart:
                middle, interval = figures.median_interval(apart)
                cells[-2] = f"{signed(middle)} ms"
                if interval:
                    cells[-2] += f" [{signed(interval[0])}, {signed(interval[1])}]"
                    cells[-1] = "yes" if interval[0] <= 0 <= interval[1] else "no"
            rows.append(cells)
    headings = ["Machine", "Tool", "Runs", "Median of A", "Apart from coldsnake's", "Holds zero"]
    return markdown(headings, rows)


def expectations(runs):
    """Each expectation, and what came."""
    longest = max(runs.budgets)
    lines = []
    for load in runs.loads():
        for tool in runs.peers():
            found = runs.error_ratio([(load, effect, longest) for effect in runs.effects], tool)
            if found is None:
                continue
            ratio, interval = found
            if load == "drift":
                wanted = f"at least {EXPECTED_UNDER_DRIFT:g} times less error than {tool} under drift"
                bound = EXPECTED_UNDER_DRIFT
            else:
                wanted = f"no worse than {tool} on a quiet machine (a ratio of at least {NO_WORSE:g})"
                bound = NO_WORSE
            if interval is None:
                verdict = "too few trials to tell"
            elif interval[0] >= bound:
                verdict = "holds"
            elif interval[1] < bound:
                verdict = "does not hold"
            else:
                verdict = "not decided"
            lines.append(
                f"- {wanted}: **{verdict}**. {tool}'s error is {times_ours(found)} times coldsnake's "
                f"(all effects, {seconds(longest)})."
            )
    return "\n".join(lines)


def losses(runs):
    """Every cell in which a peer did better than coldsnake, whether or not by chance."""
    lines = []
    for load in runs.loads():
        for effect in runs.effects:
            for budget in sorted(runs.budgets):
                ours = list(runs.of(load, effect, budget, OURS).values())
                for tool in runs.peers():
                    theirs = list(runs.of(load, effect, budget, tool).values())
                    if not ours or not theirs:
                        continue
                    where = f"{LOADS[load]}, {effect}, {seconds(budget)}: {tool}"
                    found = runs.error_ratio([(load, effect, budget)], tool)
                    if found is not None and found[0] < 1:
                        lines.append(f"- {where}'s error was {times_ours(found)} times coldsnake's")
                    own = runs.judged(effect, ours) / len(ours)
                    their = runs.judged(effect, theirs) / len(theirs)
                    if runs.is_null(effect) and their < own:
                        lines.append(
                            f"- {where} gave fewer false alarms: {100 * their:.0f} against {100 * own:.0f} %"
                        )
                    if not runs.is_null(effect) and their > own:
                        lines.append(
                            f"- {where} was right more often: {100 * their:.0f} against {100 * own:.0f} %"
                        )
    return "\n".join(lines) or "Nowhere in this session."


def facts(session):
    host = session["host"]
    rows = [
        ["Machine", f"{host.get('cpu_model', 'unknown')}, {host['cpus']} CPUs, {host.get('memory_mib', 0):,} MiB"],
        ["Kernel", host["kernel"]],
        ["Load average when it began", f"{host['load_1min']:g}"],
        ["Python of the app", session["python"]],
        *([tool, version] for tool, version in session["tools"].items() if tool != STOPS_BY_ITSELF),
        ["Begun", session["started"]],
        ["Seed", str(session["seed"])],
        ["Share of the app's CPU time that is its work", f"{100 * session['work_share']:.1f} %"],
    ]
    return markdown(["Fact", "Value"], rows)


TEXT = """\
# Side by side with hyperfine and pyperf

The same two commands, compared by three tools in one session, in random order, each with the same
wall time. Made by

```console
$ {command}
```

{trials}{unfinished}; the lines of all runs are in [trials.jsonl](trials.jsonl), and this page is made from them
(`scripts/against-peers --table FOLDER`).

{facts}

**A** is a Python program that imports some of the standard library and then does a fixed, counted
amount of work. **B** does so much more that the whole takes 2 % or 5 % longer, or it sleeps for 20 ms, or
it is the same as A (A/A). "Load generator" is a child on each CPU that computes for a share of the time;
the share is drawn anew every 1 to 6 seconds.

| Tool | Run as | Says that they differ when |
|---|---|---|
| hyperfine | `hyperfine -N --warmup 1 --runs N A B` | Welch's t-test gives p < 0.05, as its `scripts/welch_ttest.py` does |
| pyperf | `pyperf command -p N`, A and then B | `pyperf compare_to` says "significant" |
| coldsnake | `coldsnake run SUITE --budget T`, a suite of two scenarios | the 95 % interval of the shift leaves zero out |

N and T are chosen so that the whole call, start and set-up included, takes the time given, judged by how
long the tool's latest runs took. The estimate is what a tool's users read off: the ratio of means for
hyperfine and pyperf, for coldsnake its ratio; with the sleep, the difference. Errors are in per cent of
A's time. RMSE is the root-mean-square error over trials, its ratio's interval a bootstrap over trials.
Verdicts are false alarms with A/A, and else the verdict that B is slower, with an exact binomial interval.

## What was expected

{expectations}

{tables}

## False alarms, all times together

{false_alarms}

## Time until the right verdict

How often a tool was right, for each time that it was given. The runs of one trial are separate runs, not one
run that was looked at several times. The last column is the shortest time from which on a tool was right, in the
median trial, as it was measured.

{until_verdict}

## Do the medians agree?

The median of A in each run, and how far it is from coldsnake's in the run beside it, with a 95 % interval
of the median. The tools do not time quite the same span: pyperf starts the command from Python.

{medians}

## Where coldsnake did worse

Every figure above in which a peer is better, by chance or not.

{losses}
"""


def text(session, lines):
    """The page."""
    runs = Runs(session, lines)
    trials = len({run["trial"] for run in lines})
    tables = []
    for budget in sorted(runs.budgets, reverse=True):
        tables.append(f"## With {seconds(budget)}\n\n{at_equal_time(runs, budget)}")
    cells = {(cell, trial) for cell, found in runs.by_cell.items() for trial in found}
    planned = trials * len(session["loads"]) * len(runs.effects)
    planned *= len(runs.budgets) * len([tool for tool in runs.tools if tool != STOPS_BY_ITSELF])
    planned += trials * len(session["loads"]) * len(runs.effects) * (STOPS_BY_ITSELF in runs.tools)
    unfinished = "" if len(cells) == planned else f" ({len(cells)} of {planned} runs)"
    return TEXT.format(
        command=session["command"],
        trials=f"{trials} trial{'' if trials == 1 else 's'}",
        unfinished=unfinished,
        facts=facts(session),
        expectations=expectations(runs),
        tables="\n\n".join(tables),
        false_alarms=false_alarms(runs),
        until_verdict=until_verdict(runs),
        medians=medians(runs),
        losses=losses(runs),
    )
