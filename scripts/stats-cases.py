#!/usr/bin/env python3
"""Writes the cases that the statistics are held against, computed without our code.

    pip install scipy diptest
    python scripts/stats-cases.py                  # writes tests/data/*.json
    python scripts/stats-cases.py --critical-dip   # prints simulated quantiles of the dip

signed_rank_scipy.json: p-values from scipy.stats.wilcoxon, which of its options is in each
case; Hodges-Lehmann estimates and intervals by enumerating all Walsh averages, with the critical
rank from whole-number counts of subsets. stats_scipy.json: spearmanr, friedmanchisquare, and
Hartigan's dip from the diptest package. ranks_scipy.json: the exact signed-rank test up to the
most differences for which ours is exact, critical ranks from whole-number counts, mannwhitneyu,
and shifts of two samples by enumerating all differences.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path

import diptest
import numpy as np
import scipy
from scipy import stats

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"


def subset_counts(n):
    """counts[w]: how many subsets of 1..n sum to w, as whole numbers."""
    counts = [1]
    for rank in range(1, n + 1):
        grown = counts + [0] * rank
        for w, count in enumerate(counts):
            grown[w + rank] += count
        counts = grown
    return counts


def critical_rank(n, alpha):
    """The largest k with P(W <= k - 1) <= alpha/2, or 0."""
    k, total = 0, 0
    for count in subset_counts(n):
        total += count
        if Fraction(total, 2**n) > alpha / 2:
            return k
        k += 1


def hodges_lehmann(d, alpha):
    n = len(d)
    i, j = np.triu_indices(n)
    walsh = np.sort((d[i] + d[j]) / 2)
    k = critical_rank(n, alpha)
    interval = [walsh[k - 1], walsh[len(walsh) - k]] if k else None
    return {"estimate": float(np.median(walsh)), "interval": interval, "rank": k}


def signed_rank_cases(rng):
    tests, estimates = [], []
    for n in range(5, 51):
        d = np.round(rng.normal(0.3, 1, n), 6)
        assert len(set(np.abs(d))) == n and 0 not in d
        exact = stats.wilcoxon(d, method="exact")
        tests.append({"method": "exact", "differences": d.tolist(), "p_value": exact.pvalue})
    for n in (8, 12, 20, 35, 60):
        for step in (0.25, 0.5, 1.0):
            d = np.round(rng.normal(0.3, 1, n) / step) * step
            if not np.any(d):
                continue
            asymptotic = stats.wilcoxon(d, zero_method="wilcox", correction=True, method="asymptotic")
            tests.append({"method": "asymptotic", "differences": d.tolist(), "p_value": asymptotic.pvalue})
    for n in (201, 300):
        d = np.round(rng.normal(0.1, 1, n), 9)
        asymptotic = stats.wilcoxon(d, zero_method="wilcox", correction=True, method="asymptotic")
        tests.append({"method": "asymptotic", "differences": d.tolist(), "p_value": asymptotic.pvalue})
    for n in (1, 2, 4, 5, 6, 7, 8, 10, 13, 20, 31, 50, 80):
        d = np.round(rng.standard_t(3, n) + 0.5, 6)
        for confidence in ("0.9", "0.95", "0.99"):
            case = hodges_lehmann(d, 1 - Fraction(confidence))
            estimates.append({"confidence": float(confidence), "differences": d.tolist(), **case})
    return {"tests": tests, "estimates": estimates}


def other_cases(rng):
    spearman, friedman, dips = [], [], []
    for n in (10, 15, 30, 100):
        x, y = np.round(rng.normal(0, 1, n), 3), np.round(rng.normal(0, 1, n), 0)
        y = y + np.round(x)
        result = stats.spearmanr(x, y)
        spearman.append({"x": x.tolist(), "y": y.tolist(), "rho": result.statistic, "p_value": result.pvalue})
    for b, k, decimals in ((6, 3, 3), (20, 4, 3), (20, 5, 0)):
        rows = np.round(rng.normal(0, 1, (b, k)) + np.arange(k) * 0.2, decimals)
        # Our test takes each arm's median off first; with one arm only that changes nothing.
        chi = stats.friedmanchisquare(*rows.T).statistic
        f = (b - 1) * chi / (b * (k - 1) - chi)
        p = stats.f.sf(f, k - 1, (b - 1) * (k - 1))
        friedman.append({"rows": rows.tolist(), "chi_squared": chi, "p_value": p})
    for n in (5, 20, 60, 200):
        two = np.where(rng.random(n) < 0.4, rng.normal(0, 1, n), rng.normal(6, 1, n))
        for kind, values in (
            ("uniform", rng.random(n)),
            ("normal", rng.normal(0, 1, n)),
            ("exponential", rng.exponential(1, n)),
            ("two normals", two),
            ("two normals, ties", np.round(two, 1)),
        ):
            values = np.round(values, 6)
            dips.append({"kind": kind, "values": values.tolist(), "dip": diptest.dipstat(values)})
    return {"spearman": spearman, "friedman": friedman, "dips": dips}


def counted_p_value(d):
    """Two-sided, from whole-number counts: scipy's far tail is a difference from 1."""
    n = len(d)
    w = int(stats.rankdata(np.abs(d))[d > 0].sum())
    w = min(w, n * (n + 1) // 2 - w)
    return float(min(Fraction(1), Fraction(2 * sum(subset_counts(n)[: w + 1]), 2**n)))


def rank_cases(rng):
    large, critical, two_samples = [], [], []
    for n in (51, 64, 100, 150, 199, 200):
        for effect in (0, 0.2, 1):
            d = np.round(rng.normal(effect, 1, n), 9)
            assert len(set(np.abs(d))) == n and 0 not in d
            scipys = stats.wilcoxon(d, method="exact").pvalue
            large.append({"differences": d.tolist(), "scipys": scipys, "counted": counted_p_value(d)})
    for n in (9, 14, 20, 25, 40, 80, 120, 200):
        for alpha in ("1/10", "1/20", "1/60", "1/100", "1/400", "1/2000"):
            rank = critical_rank(n, Fraction(alpha))
            critical.append({"n": n, "alpha": float(Fraction(alpha)), "rank": rank})
    for m, n, decimals in ((5, 7, 3), (20, 20, 6), (20, 33, 1), (80, 60, 0), (1, 12, 2)):
        x = np.round(rng.standard_t(3, m) + 10, decimals)
        y = np.round(rng.standard_t(3, n) + 10.5, decimals)
        p_value = stats.mannwhitneyu(x, y, method="asymptotic").pvalue
        shifts = np.subtract.outer(y, x).ravel()
        case = {"x": x.tolist(), "y": y.tolist(), "p_value": p_value, "shift": float(np.median(shifts))}
        two_samples.append(case)
    return {"large": large, "critical_ranks": critical, "two_samples": two_samples}


def print_critical_dips(rng):
    for n, repeats in ((20, 60_000), (50, 60_000), (100, 40_000), (200, 30_000), (1000, 15_000), (5000, 6_000)):
        dips = [diptest.dipstat(rng.random(n)) for _ in range(repeats)]
        scaled = np.quantile(dips, 0.99) * np.sqrt(n)
        fitted = 0.636 - 0.43 / np.sqrt(n)
        print(f"n={n:5}  sqrt(n) * 99 % point: simulated {scaled:.4f}, fitted {fitted:.4f}")


def main():
    rng = np.random.default_rng(20240229)
    if "--critical-dip" in sys.argv:
        print_critical_dips(rng)
        return
    DATA.mkdir(parents=True, exist_ok=True)
    files = {
        "signed_rank_scipy.json": signed_rank_cases(rng),
        "stats_scipy.json": other_cases(rng),
        "ranks_scipy.json": rank_cases(rng),
    }
    for name, cases in files.items():
        cases = {"scipy": scipy.__version__, "diptest": diptest.__version__, **cases}
        (DATA / name).write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
