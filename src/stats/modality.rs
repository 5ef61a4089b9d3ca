//! Is there more than one mode? Hartigan's dip test.
//!
//! The dip is the largest difference between the empirical distribution function and the
//! unimodal one nearest to it. Skew and heavy tails, which timings have, don't raise it, and
//! neither do a few outliers: k of them add at most k/n.
//! Source: Hartigan & Hartigan (1985), "The dip test of unimodality", Annals of Statistics 13,
//! 70–84.
//!
//! Computed not by their algorithm but by the *taut string*: among all functions within ±d of
//! the empirical one, the string pulled tight has the fewest modes (Davies & Kovac 2001, "Local
//! extremes, runs, strings and multiresolution", Annals of Statistics 29, 1–65). So the dip is
//! at most d exactly when the taut string in the tube of radius d is first convex, then concave.

/// The smallest sample that is judged.
pub const SMALLEST_N: usize = 20;

/// The dip, between 1/(2n) and ¼. No unit. `None` for an empty or non-finite sample.
pub fn dip(values: &[f64]) -> Option<f64> {
    let sorted = super::sorted(values)?;
    let n = sorted.len() as f64;
    let (mut low, mut high) = (0.5 / n, 0.5);
    if is_unimodal_within(&sorted, low) {
        return Some(low);
    }
    for _ in 0..48 {
        let middle = (low + high) / 2.0;
        if is_unimodal_within(&sorted, middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Whether the dip is larger than that of 99 % of uniform samples of the same size.
///
/// The uniform is the worst case among unimodal distributions. Measured false alarms: 1.0 % there
/// for n = 20 to 1000; at most 0.2 % on exponential and 0.05 % on normal, log-normal and t₃
/// samples. Power: two equal modes 6 standard deviations apart are found in 39 % of samples of
/// 20 and 97 % of 60; a second mode of 20 % in 4 % of 60 and 34 % of 200. So silence isn't
/// evidence of one mode: a small second one shows among the
/// [outliers](super::describe::outliers).
///
/// `None` for fewer than [`SMALLEST_N`] values, for a non-finite sample, and when more than half
/// of the values are repeats: a clock's ticks are modes, too.
pub fn is_multimodal(values: &[f64]) -> Option<bool> {
    let sorted = super::sorted(values)?;
    let n = sorted.len();
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if n < SMALLEST_N || 2 * distinct < n {
        return None;
    }
    Some(!is_unimodal_within(&sorted, critical_dip(n)))
}

/// The 99 % point of the dip of n uniform values, to within about 1 %.
///
/// Fitted to simulated quantiles for n = 20 to 5000 (`scripts/stats-cases.py --critical-dip`); √n·dip has a
/// limit, and the finite-n term is of order 1/√n.
fn critical_dip(n: usize) -> f64 {
    let root = (n as f64).sqrt();
    (CRITICAL_LIMIT - CRITICAL_SLOPE / root) / root
}

const CRITICAL_LIMIT: f64 = 0.636;
const CRITICAL_SLOPE: f64 = 0.43;

/// One vertex of the tube: at `x` the string must pass between `low` and `high`.
#[derive(Clone, Copy)]
struct Gate {
    x: f64,
    low: f64,
    high: f64,
}

/// Whether some unimodal distribution function stays within `radius` of the empirical one of an
/// ascending, finite sample.
fn is_unimodal_within(sorted: &[f64], radius: f64) -> bool {
    let n = sorted.len() as f64;
    let mut gates: Vec<Gate> = Vec::new();
    let mut below = 0;
    for group in sorted.chunk_by(|a, b| a == b) {
        let up_to = below + group.len();
        // Just left of the step the function may be `radius` above the lower level, on the step
        // `radius` below the upper one; in between the empirical function is flat, so nothing
        // else binds.
        let low = up_to as f64 / n - radius;
        let high = below as f64 / n + radius;
        if low > high + 1e-12 {
            return false;
        }
        gates.push(Gate {
            x: group[0],
            low,
            high: high.max(low),
        });
        below = up_to;
    }
    // A unimodal function may start as high and end as low as the tube allows: that only takes
    // slope from its ends. Its tails beyond the sample never bind.
    if let Some(first) = gates.first_mut() {
        first.low = first.high;
    }
    if let Some(last) = gates.last_mut() {
        last.high = last.low;
    }
    let bends = taut_string(&gates);
    // At a ceiling the string bends upward (convex), at a floor downward (concave). A convex
    // bend after a concave one is a valley of the density.
    bends.is_sorted_by(|a, b| *a == Bend::Convex || *b == Bend::Concave)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bend {
    Convex,
    Concave,
}

/// The bends of the shortest string from the first gate to the last that passes every gate.
///
/// From the last bend, the range of slopes that pass the gates so far narrows gate by gate. A
/// gate that leaves no slope makes the string bend at the gate that set the limit in its way;
/// the search starts again from there.
fn taut_string(gates: &[Gate]) -> Vec<Bend> {
    let mut bends = Vec::new();
    let Some(first) = gates.first() else {
        return bends;
    };
    let (mut from, mut y) = (0, first.low);
    let mut steepest_floor = (f64::NEG_INFINITY, 0);
    let mut flattest_ceiling = (f64::INFINITY, 0);
    let mut next = 1;
    while let Some(gate) = gates.get(next) {
        let run = gate.x - gates[from].x;
        let (floor, ceiling) = ((gate.low - y) / run, (gate.high - y) / run);
        let bend_at = if floor > flattest_ceiling.0 {
            bends.push(Bend::Convex);
            Some((flattest_ceiling.1, gates[flattest_ceiling.1].high))
        } else if ceiling < steepest_floor.0 {
            bends.push(Bend::Concave);
            Some((steepest_floor.1, gates[steepest_floor.1].low))
        } else {
            None
        };
        if let Some(bend) = bend_at {
            // A limit is infinite until some gate after `from` has set it, so the string can
            // only bend further on, and the loop ends.
            (from, y) = bend;
            next = from;
            steepest_floor = (f64::NEG_INFINITY, from);
            flattest_ceiling = (f64::INFINITY, from);
        } else {
            if floor >= steepest_floor.0 {
                steepest_floor = (floor, next);
            }
            if ceiling <= flattest_ceiling.0 {
                flattest_ceiling = (ceiling, next);
            }
        }
        next += 1;
    }
    bends
}
