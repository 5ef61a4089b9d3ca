//! The k-th smallest of numbers that are too many to be listed, but can be counted: the Walsh
//! averages of a sample, or the differences between two.
//!
//! Counts halve the range until few numbers are left in it; those are listed, and the one wanted
//! is selected among them. After Monahan (1984), "Algorithm 616: Fast computation of the
//! Hodges-Lehmann location estimator", ACM Transactions on Mathematical Software 10, 265–270, with
//! halving in place of random pivots, so that the same sample takes the same steps.

/// Halvings of the range's length. Outliers may leave it long even then; what follows halves the
/// *representable numbers*, at most 64 times.
const HALVINGS: u32 = 40;

/// Numbers, at least one and none of them NaN, that can be counted without being listed.
pub trait Countable {
    /// The smallest and the largest.
    fn ends(&self) -> (f64, f64);

    /// How many there are.
    fn total(&self) -> u64;

    /// So many are worth listing: what counting once costs, or a few times that.
    fn few(&self) -> u64;

    /// How many are at most `limit`.
    fn count_up_to(&self, limit: f64) -> u64;

    /// Those above `low` and at most `high`, in any order.
    fn between(&self, low: f64, high: f64) -> Vec<f64>;
}

/// The `k`-th smallest, from 1: exactly one of the numbers, never a value in between. `k` is
/// clamped into range.
pub fn kth(numbers: &impl Countable, k: u64) -> f64 {
    let k = k.clamp(1, numbers.total());
    let (first, last) = numbers.ends();
    // Differences of huge numbers may be infinite. There is nothing below minus infinity, so
    // nothing can be listed then.
    let (few, mut halvings, lowest) = if first.is_finite() && last.is_finite() {
        (numbers.few(), 0, order_key(first.next_down()))
    } else {
        (0, HALVINGS, order_key(first) - 1)
    };
    // It lies above `low` and is at most `high`. Keys, so that neighbours are known as such.
    let (mut low, mut high) = (lowest, order_key(last));
    let (mut below, mut up_to) = (0, numbers.total());
    while up_to - below > few && high - low > 1 {
        let middle = if halvings < HALVINGS {
            let half_way = 0.5 * from_order_key(low) + 0.5 * from_order_key(high);
            order_key(half_way).clamp(low + 1, high - 1)
        } else {
            low + (high - low) / 2
        };
        halvings += 1;
        let count = numbers.count_up_to(from_order_key(middle));
        if count >= k {
            (high, up_to) = (middle, count);
        } else {
            (low, below) = (middle, count);
        }
    }
    let found = if high - low == 1 {
        // No other number lies above the lower one.
        from_order_key(high)
    } else {
        let mut left = numbers.between(from_order_key(low), from_order_key(high));
        let place = (k - below - 1) as usize;
        *left.select_nth_unstable_by(place, f64::total_cmp).1
    };
    // Adding 0.0 turns -0.0, which orders below the 0.0 that it equals, into 0.0.
    found + 0.0
}

const SIGN: u64 = 1 << 63;

/// Maps f64 to u64 so that the integers order as the numbers do.
fn order_key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn from_order_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are listed, and counted all the same.
    struct Listed {
        sorted: Vec<f64>,
        few: u64,
    }

    impl Listed {
        fn new(mut numbers: Vec<f64>, few: u64) -> Self {
            numbers.sort_by(f64::total_cmp);
            Self {
                sorted: numbers,
                few,
            }
        }
    }

    impl Countable for Listed {
        fn ends(&self) -> (f64, f64) {
            (self.sorted[0], self.sorted[self.sorted.len() - 1])
        }

        fn total(&self) -> u64 {
            self.sorted.len() as u64
        }

        fn few(&self) -> u64 {
            self.few
        }

        fn count_up_to(&self, limit: f64) -> u64 {
            self.sorted.iter().filter(|each| **each <= limit).count() as u64
        }

        fn between(&self, low: f64, high: f64) -> Vec<f64> {
            let fits = |each: &&f64| **each > low && **each <= high;
            self.sorted.iter().filter(fits).copied().collect()
        }
    }

    #[test]
    fn every_rank_gives_the_number_of_that_rank() {
        let samples = [
            vec![3.0],
            vec![5.0; 9],
            vec![-1.0, -0.0, 0.0, 0.0, 1.0],
            vec![0.0, -0.0],
            vec![-f64::MAX, -1.0, 1e-300, 5e-324, f64::MAX],
            vec![f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0, f64::INFINITY],
            (0..50).map(|i| f64::from(i * i % 17)).collect(),
            (0..50)
                .map(|i| 1e300_f64.powf(f64::from(i) / 50.0))
                .collect(),
        ];
        for sample in samples {
            for few in [1, 4, 100] {
                let numbers = Listed::new(sample.clone(), few);
                for (place, number) in numbers.sorted.iter().enumerate() {
                    let found = kth(&numbers, place as u64 + 1);
                    assert_eq!(found.to_bits(), (number + 0.0).to_bits(), "{number}");
                }
                assert_eq!(kth(&numbers, 0), numbers.sorted[0]);
                assert_eq!(kth(&numbers, 1000), numbers.ends().1);
            }
        }
    }

    #[test]
    fn order_keys_order_as_the_numbers_do_and_map_back() {
        let ascending = [
            -f64::MAX,
            -1.0,
            -f64::MIN_POSITIVE,
            -0.0,
            0.0,
            1e-300,
            1.0,
            f64::MAX,
        ];
        assert!(ascending.map(order_key).is_sorted_by(|a, b| a < b));
        for value in ascending {
            assert_eq!(from_order_key(order_key(value)).to_bits(), value.to_bits());
        }
    }
}
