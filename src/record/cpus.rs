//! A set of CPUs, written as the kernel and taskset(1) write it: `0,2-3`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// As many as `cpu_set_t` holds (sched_setaffinity(2)); the kernel numbers them from 0.
pub const MOST_CPUS: u32 = 1024;

/// Numbers of CPUs; never empty when it was parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpus(BTreeSet<u32>);

/// A text that is no list of CPUs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no list of CPUs: numbers below {MOST_CPUS} and ranges of them, such as 0,2-3")]
pub struct NoCpus(String);

impl Cpus {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, cpu: u32) -> bool {
        self.0.contains(&cpu)
    }

    /// From the lowest number up.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// Those that are not in the other set.
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// Those that are in both.
    pub fn shared_with(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }
}

impl FromIterator<u32> for Cpus {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

impl FromStr for Cpus {
    type Err = NoCpus;

    fn from_str(text: &str) -> Result<Self, NoCpus> {
        let number = |text: &str| {
            let text = text.trim();
            let number = text
                .parse::<u32>()
                .ok()
                .filter(|number| *number < MOST_CPUS);
            // `parse` would take "+1".
            number.filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut cpus = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => cpus.extend(first..=last),
                _ => return Err(NoCpus(text.to_owned())),
            }
        }
        Ok(Self(cpus))
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u32> = self.iter().collect();
        for (index, run) in numbers.chunk_by(|a, b| a + 1 == *b).enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match run {
                [first, .., last] => write!(formatter, "{comma}{first}-{last}")?,
                [only] => write!(formatter, "{comma}{only}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Cpus;

    fn parsed(text: &str) -> Option<String> {
        text.parse::<Cpus>().ok().map(|cpus| cpus.to_string())
    }

    #[test]
    fn a_list_is_written_as_the_kernel_writes_it() {
        assert_eq!(parsed("3,0-1,2").as_deref(), Some("0-3"));
        assert_eq!(parsed("0, 2-2,7-9").as_deref(), Some("0,2,7-9"));
        assert_eq!(parsed("1023").as_deref(), Some("1023"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "",
            ",",
            "0,",
            "a",
            "1-",
            "-1",
            "3-1",
            "+1",
            "0x1",
            "1024",
            "1-2-3",
            "99999999999",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
