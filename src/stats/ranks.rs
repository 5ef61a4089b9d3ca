//! Mid-ranks: what every rank test here starts from.

/// Ranks 1..=n in input order, tied values sharing the mean of the ranks they occupy, and the
/// sum over groups of ties of t³ − t, which every tie correction needs.
///
/// The values must not hold a NaN; with one the ranks would still be a permutation, but
/// meaningless. All callers check first.
pub(super) fn mid_ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut tie_term = 0.0;
    let mut below = 0;
    // `==` and not bits, so that -0.0 and 0.0 (adjacent in total order) are one group.
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let size = group.len() as f64;
        tie_term += size * size * size - size;
        let rank = below as f64 + (size + 1.0) / 2.0;
        for &index in group {
            ranks[index] = rank;
        }
        below += group.len();
    }
    (ranks, tie_term)
}

#[cfg(test)]
mod tests {
    use super::mid_ranks;

    #[test]
    fn tied_values_share_the_mean_of_their_ranks() {
        let (ranks, tie_term) = mid_ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]);
        assert_eq!(ranks, [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(tie_term, 24.0);
    }

    #[test]
    fn both_zeros_are_one_value() {
        assert_eq!(mid_ranks(&[0.0, -0.0]).0, [1.5, 1.5]);
    }
}
