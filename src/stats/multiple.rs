//! Several contrasts against one baseline: simultaneous levels and adjusted p-values.

use super::interval::Level;

/// The level 1 − α/m at which each of `m` intervals must be computed, so that all of them cover
/// together with at least the given level, whatever the dependence between them (all contrasts
/// share the baseline's launches).
///
/// Source: Dunn (1961), "Multiple comparisons among means", JASA 56, 52–64. `m` of 0 or 1 leaves
/// the level as it is.
pub fn bonferroni(level: Level, m: usize) -> Level {
    // α/m stays in (0, 1): m is at most 2^64, and where a subnormal α would underflow to 0 the
    // level is left alone rather than made to cover nothing.
    Level::from_alpha(level.alpha() / m.max(1) as f64).unwrap_or(level)
}

/// Holm's step-down adjusted p-values, in the order given: with p sorted ascending,
/// p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎).
///
/// Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
/// Journal of Statistics 6, 65–70. `None` when any p is outside [0, 1] or NaN; nothing in,
/// nothing out.
pub fn holm(p_values: &[f64]) -> Option<Vec<f64>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut running_max: f64 = 0.0;
    for (step, &index) in order.iter().enumerate() {
        let remaining = (p_values.len() - step) as f64;
        running_max = running_max.max((remaining * p_values[index]).min(1.0));
        adjusted[index] = running_max;
    }
    Some(adjusted)
}

#[cfg(test)]
mod tests {
    use super::{bonferroni, holm};
    use crate::stats::interval::Level;

    #[test]
    fn bonferroni_divides_the_error_rate() {
        assert!((bonferroni(Level::P95, 5).confidence() - 0.99).abs() < 1e-15);
        assert_eq!(bonferroni(Level::P95, 1), Level::P95);
        assert_eq!(bonferroni(Level::P95, 0), Level::P95);
    }

    #[test]
    fn holm_agrees_with_r_p_adjust() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]).unwrap();
        for (got, want) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((got - want).abs() < 1e-15, "{got} {want}");
        }
    }

    #[test]
    fn holm_never_exceeds_one_and_refuses_what_is_no_probability() {
        assert_eq!(holm(&[0.9, 0.8]), Some(vec![1.0, 1.0]));
        assert_eq!(holm(&[]), Some(vec![]));
        assert_eq!(holm(&[0.5, f64::NAN]), None);
        assert_eq!(holm(&[1.1]), None);
    }
}
