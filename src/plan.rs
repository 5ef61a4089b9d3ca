//! Which launch comes when: randomised complete blocks.
//!
//! A block holds every arm once (each scenario, and the baseline's twin) for each kind of launch,
//! in an order that the seed shuffles. Machine speed drifts, so arms that are compared must stand
//! close together in time; a fixed order would give one of them the better place every time.
//! Within a block all arms share the environment's padding and the hash seed.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::record::{Arm, Role};
use crate::stage::Conditions;
use crate::suite::{LaunchKind, Suite};

/// The plan of a run; block after block, without end.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    arms: Vec<Arm>,
    kinds: Vec<LaunchKind>,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub index: u32,
    pub conditions: Conditions,
    pub launches: Vec<(Arm, LaunchKind)>,
}

impl Plan {
    /// The plan for a suite and a seed.
    pub fn new(suite: &Suite, seed: u64) -> Self {
        let baseline = suite
            .scenarios
            .iter()
            .position(|scenario| scenario.name == suite.measure.baseline);
        let arm = |role| move |scenario| Arm { scenario, role };
        Self {
            seed,
            arms: (0..suite.scenarios.len())
                .map(arm(Role::Itself))
                .chain(baseline.map(arm(Role::Twin)))
                .collect(),
            kinds: suite.launch_kinds(),
        }
    }

    /// Launches in each block.
    pub fn launches_per_block(&self) -> usize {
        self.arms.len() * self.kinds.len()
    }

    /// The block of that index; it depends on nothing but seed, suite and index.
    pub fn block(&self, index: u32) -> Block {
        let (mut rng, conditions) = begin(self.seed, index);
        let mut kinds = self.kinds.clone();
        kinds.shuffle(&mut rng);
        let mut launches = Vec::with_capacity(self.launches_per_block());
        // One kind after the other: arms are compared within a kind, and stand closer so.
        for kind in kinds {
            let mut arms = self.arms.clone();
            arms.shuffle(&mut rng);
            launches.extend(arms.into_iter().map(|arm| (arm, kind)));
        }
        Block {
            index,
            conditions,
            launches,
        }
    }
}

/// The conditions of a block of that index, and what it launches in a random order: for blocks of
/// other arms than a suite's.
pub fn shuffled<T: Clone>(seed: u64, index: u32, arms: &[T]) -> (Conditions, Vec<T>) {
    let (mut rng, conditions) = begin(seed, index);
    let mut arms = arms.to_vec();
    arms.shuffle(&mut rng);
    (conditions, arms)
}

fn begin(seed: u64, index: u32) -> (ChaCha8Rng, Conditions) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(index));
    let conditions = Conditions {
        padding: rng.random_range(0..4096),
        hash_seed: rng.random(),
    };
    (rng, conditions)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::path::Path;

    use super::*;
    use crate::suite::SuiteFile;

    fn suite() -> Suite {
        let text = r#"
            [app]
            name = "x"
            source = "app"
            command = ["{python}", "x.py"]
            module = "x"
            [[scenario]]
            name = "warm"
            [[scenario]]
            name = "cold"
            bytecode = "absent"
        "#;
        SuiteFile::from_text(Path::new("x.toml"), text)
            .suite()
            .unwrap()
    }

    #[test]
    fn every_block_launches_every_arm_once_a_kind_with_the_baselines_twin() {
        let plan = Plan::new(&suite(), 7);
        for index in 0..50 {
            let block = plan.block(index);
            let distinct: HashSet<_> = block.launches.iter().collect();
            assert_eq!(block.launches.len(), 6);
            assert_eq!(distinct.len(), 6);
            let twins = block
                .launches
                .iter()
                .filter(|(arm, _)| arm.role == Role::Twin);
            assert!(twins.clone().count() == 2 && twins.clone().all(|(arm, _)| arm.scenario == 0));
        }
    }

    #[test]
    fn every_arm_comes_first_about_as_often_as_the_others() {
        let plan = Plan::new(&suite(), 7);
        let mut first: HashMap<Arm, u32> = HashMap::new();
        for index in 0..600 {
            *first.entry(plan.block(index).launches[0].0).or_default() += 1;
        }
        assert_eq!(first.len(), 3);
        // 200 expected; a standard deviation is 11.5.
        assert!(
            first.values().all(|&count| (150..250).contains(&count)),
            "{first:?}"
        );
    }

    #[test]
    fn the_seed_alone_decides_and_conditions_change_from_block_to_block() {
        let plan = Plan::new(&suite(), 7);
        assert_eq!(plan.block(3), Plan::new(&suite(), 7).block(3));
        assert_ne!(
            plan.block(3).launches,
            Plan::new(&suite(), 8).block(3).launches
        );
        let conditions: HashSet<_> = (0..20)
            .map(|i| plan.block(i).conditions.hash_seed)
            .collect();
        assert_eq!(conditions.len(), 20);
    }
}
