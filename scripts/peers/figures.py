"""Pure mathematics: a test, intervals, errors. No files, no clock; the same input, the same output."""

import math
import random
import statistics

# Of the bootstrap. Enough that the ends of an interval wobble by a few per cent of its width.
RESAMPLES = 2000


def beta_below(x, a, b):
    """The regularised incomplete beta function I_x(a, b), by its continued fraction.

    Lentz's algorithm; DLMF 8.17.22.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        # Beyond its mean the fraction of the other tail converges faster.
        return 1.0 - beta_below(1.0 - x, b, a)
    tiny = 1e-300

    def kept_off_zero(value):
        return value if abs(value) > tiny else tiny

    d = 1.0 / kept_off_zero(1.0 - (a + b) * x / (a + 1))
    c, fraction = 1.0, d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / kept_off_zero(1.0 + term * d)
            c = kept_off_zero(1.0 + term / c)
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(scale + a * math.log(x) + b * math.log1p(-x)) * fraction / a


def welch(a, b):
    """The p-value of Welch's two-sided t-test, or None where it has none.

    The same as scipy's `ttest_ind(a, b, equal_var=False)`, which hyperfine's scripts/welch_ttest.py
    calls. Welch (1947), "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34, 28-35.
    """
    if len(a) < 2 or len(b) < 2:
        return None
    errors = [statistics.variance(each) / len(each) for each in (a, b)]
    if sum(errors) == 0.0:
        return None
    t = (statistics.fmean(b) - statistics.fmean(a)) / math.sqrt(sum(errors))
    freedom = sum(errors) ** 2 / sum(
        error**2 / (len(each) - 1) for error, each in zip(errors, (a, b))
    )
    return beta_below(freedom / (freedom + t * t), freedom / 2, 0.5)


def binomial_interval(hits, trials, alpha=0.05):
    """Clopper and Pearson's exact interval of a share: Biometrika 26 (1934), 404-413."""

    def quantile(probability, a, b):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            if beta_below(middle, a, b) < probability:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    if trials == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else quantile(alpha / 2, hits, trials - hits + 1)
    high = 1.0 if hits == trials else quantile(1 - alpha / 2, hits + 1, trials - hits)
    return low, high


def root_mean_square(errors):
    """The root-mean-square error, in the errors' unit."""
    return math.sqrt(statistics.fmean(error * error for error in errors))


def quantile(values, q):
    """The q-quantile between neighbours (type 7)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def error_ratio(theirs, ours, seed=1):
    """Their root-mean-square error over ours, and its 95 % interval, from errors of the same trials.

    The interval is a percentile bootstrap over trials: a trial's two errors stay together, since both
    tools met the same minute of the machine. None where the ratio has no value, and no interval with
    fewer than 6 trials.
    """
    pairs = list(zip(theirs, ours))
    if not pairs or root_mean_square(ours) == 0.0:
        return None
    ratio = root_mean_square(theirs) / root_mean_square(ours)
    if len(pairs) < 6:
        return ratio, None
    rng = random.Random(seed)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = [pairs[int(rng.random() * len(pairs))] for _ in pairs]
        below = root_mean_square([own for _, own in drawn])
        if below > 0.0:
            ratios.append(root_mean_square([their for their, _ in drawn]) / below)
    return ratio, (quantile(ratios, 0.025), quantile(ratios, 0.975))


def median_interval(values, alpha=0.05):
    """The median, and the interval between two values of the sample that covers it.

    By the binomial distribution of how many values lie below the median; None as the interval where
    even the whole range covers it too seldom (fewer than 6 values at 95 %).
    """
    ordered, n = sorted(values), len(values)
    below, rank = 0.0, 0
    while rank < n // 2:
        below += math.comb(n, rank) / 2**n
        if below > alpha / 2:
            break
        rank += 1
    if rank == 0:
        return quantile(values, 0.5), None
    return quantile(values, 0.5), (ordered[rank - 1], ordered[n - rank])
