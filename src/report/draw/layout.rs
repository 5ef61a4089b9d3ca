//! Where many marks go.

/// Vertical offsets that keep dots of this radius from covering each other, as far as `room`
/// above and below allows: a swarm around its line, thick where values are dense.
///
/// `places` need not be in order; the offsets are in the order of the places.
pub fn swarm(places: &[f64], radius: f64, room: f64) -> Vec<f64> {
    let lanes = (room / (2.0 * radius)).floor() as usize * 2 + 1;
    // 0, 1, −1, 2, −2: outward from the line.
    let offset = |lane: usize| {
        let steps = lane.div_ceil(2) as f64 * 2.0 * radius;
        if lane % 2 == 1 { steps } else { -steps }
    };
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]));
    let mut ends = vec![f64::NEG_INFINITY; lanes];
    let mut offsets = vec![0.0; places.len()];
    for index in order {
        let start = places[index] - radius;
        let lane = (0..lanes)
            .find(|&lane| ends[lane] <= start)
            // All are taken: the one that frees up first.
            .or_else(|| (0..lanes).min_by(|&a, &b| ends[a].total_cmp(&ends[b])))
            .unwrap_or(0);
        ends[lane] = places[index] + radius;
        offsets[index] = offset(lane);
    }
    offsets
}

/// Every how-manieth of `count` marks to draw, so that there are no more than `most`: a record
/// may hold a million launches, and no eye tells so many dots apart.
pub fn thinned(count: usize, most: usize) -> usize {
    count.div_ceil(most.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_of_a_swarm_do_not_cover_each_other_while_there_is_room() {
        let places = [10.0, 11.0, 12.0, 40.0, 10.5];
        let offsets = swarm(&places, 3.0, 20.0);
        for a in 0..places.len() {
            for b in 0..a {
                let apart = (places[a] - places[b]).hypot(offsets[a] - offsets[b]);
                assert!(apart >= 6.0 - 1e-9, "{a} {b} {offsets:?}");
            }
        }
        assert_eq!(offsets[3], 0.0);
    }

    #[test]
    fn a_swarm_stays_inside_its_room() {
        let offsets = swarm(&vec![5.0; 500], 3.0, 20.0);
        assert!(offsets.iter().all(|offset| offset.abs() <= 20.0));
    }

    #[test]
    fn few_marks_are_all_drawn() {
        assert_eq!(thinned(0, 2000), 1);
        assert_eq!(thinned(2000, 2000), 1);
        assert_eq!(thinned(2001, 2000), 2);
    }
}
