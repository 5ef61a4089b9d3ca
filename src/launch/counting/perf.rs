//! The kernel's counters of a launch (perf_event_open(2)): instructions, cycles, page faults.
//!
//! They are opened by this process on its own thread, disabled, with `inherit` and
//! `enable_on_exec`. The thread's own never start, since it never calls exec. The child that clone
//! makes gets copies of them, which start at its exec and are handed on to whatever it starts;
//! what they counted is added to ours when a process ends, and when ours are read
//! (kernel/events/core.c: `inherit_event`, `perf_event_enable_on_exec`, `sync_child_event`). So
//! neither the harness nor the steps between clone and exec are counted, and nothing is asked of a
//! child that has given up its privileges.
//!
//! Only what happens in user mode is counted: with `kernel.perf_event_paranoid` at 2, which is the
//! kernel's default, an ordinary user may count nothing else, and figures of different users are to
//! mean the same.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read};
use std::os::fd::FromRawFd;

use nix::errno::Errno;
use perf_event_open_sys::{bindings, perf_event_open};

use crate::record::NOTHING;
use crate::record::format::{Counted, Counters};

/// The name of the counter of instructions.
pub const INSTRUCTIONS: &str = "instructions";
const PARANOID: &str = "/proc/sys/kernel/perf_event_paranoid";

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Instructions,
    Cycles,
    PageFaults,
}

impl Event {
    const ALL: [Self; 3] = [Self::Instructions, Self::Cycles, Self::PageFaults];

    /// The word used in records.
    fn name(self) -> &'static str {
        match self {
            Self::Instructions => INSTRUCTIONS,
            Self::Cycles => "cycles",
            Self::PageFaults => "page_faults",
        }
    }

    fn type_and_config(self) -> (u32, u32) {
        match self {
            Self::Instructions => (
                bindings::PERF_TYPE_HARDWARE,
                bindings::PERF_COUNT_HW_INSTRUCTIONS,
            ),
            Self::Cycles => (
                bindings::PERF_TYPE_HARDWARE,
                bindings::PERF_COUNT_HW_CPU_CYCLES,
            ),
            Self::PageFaults => (
                bindings::PERF_TYPE_SOFTWARE,
                bindings::PERF_COUNT_SW_PAGE_FAULTS,
            ),
        }
    }

    /// Opens it on the calling thread.
    fn open(self, begin: Begin) -> io::Result<File> {
        let (kind, config) = self.type_and_config();
        let mut attributes = bindings::perf_event_attr {
            type_: kind,
            size: size_of::<bindings::perf_event_attr>() as u32,
            config: config.into(),
            read_format: u64::from(
                bindings::PERF_FORMAT_TOTAL_TIME_ENABLED | bindings::PERF_FORMAT_TOTAL_TIME_RUNNING,
            ),
            ..Default::default()
        };
        attributes.set_exclude_kernel(1);
        attributes.set_exclude_hv(1);
        match begin {
            Begin::Now => {}
            Begin::Never => attributes.set_disabled(1),
            Begin::AtExec => {
                attributes.set_disabled(1);
                attributes.set_inherit(1);
                attributes.set_enable_on_exec(1);
            }
        }
        let (this_thread, any_cpu, no_group) = (0, -1, -1);
        // SAFETY: the attributes are plain numbers, all set, that live as long as the call.
        let descriptor = unsafe {
            perf_event_open(
                &raw mut attributes,
                this_thread,
                any_cpu,
                no_group,
                bindings::PERF_FLAG_FD_CLOEXEC.into(),
            )
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
        Ok(unsafe { File::from_raw_fd(descriptor) })
    }

    /// Some virtual machines let a counter be opened that stays at zero.
    fn counts(self) -> bool {
        let Ok(mut file) = self.open(Begin::Now) else {
            return false;
        };
        black_box((0..10_000u64).map(black_box).sum::<u64>());
        read(&mut file).is_some()
    }
}

/// When a counter begins to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    Now,
    /// In no process.
    Never,
    /// In children of this thread only.
    AtExec,
}

/// Which counters the kernel lets us read; each is tried once.
#[derive(Debug)]
pub struct Perf {
    available: Vec<Event>,
    refused: BTreeMap<String, String>,
    paranoid: Option<i32>,
    /// Counts nothing. The kernel changes its own code, and stops all CPUs for it, when its first
    /// software event is opened and when the last one is closed (kernel/events/core.c:
    /// `perf_swevent_enabled`): with this one open, not around every launch.
    _standing: Option<File>,
}

impl Perf {
    /// Tries all counters.
    pub fn probe() -> Self {
        let mut available = Vec::new();
        let mut refused = BTreeMap::new();
        for event in Event::ALL {
            let error = match event.open(Begin::AtExec) {
                Err(error) => format!("{:?}", Errno::from_raw(error.raw_os_error().unwrap_or(0))),
                // Faults are counted by the kernel itself; there may have been none just now.
                Ok(_) if event == Event::PageFaults || event.counts() => {
                    available.push(event);
                    continue;
                }
                Ok(_) => NOTHING.to_owned(),
            };
            refused.insert(event.name().to_owned(), error);
        }
        let paranoid = fs::read_to_string(PARANOID).ok();
        Self {
            available,
            refused,
            paranoid: paranoid.and_then(|text| text.trim().parse().ok()),
            _standing: Event::PageFaults.open(Begin::Never).ok(),
        }
    }

    /// No counters at all.
    pub fn none() -> Self {
        Self {
            available: Vec::new(),
            refused: BTreeMap::new(),
            paranoid: None,
            _standing: None,
        }
    }

    /// For the record.
    pub fn counters(&self) -> Counters {
        let names = self.available.iter().map(|event| event.name().to_owned());
        Counters {
            counted: names.collect(),
            refused: self.refused.clone(),
            paranoid: self.paranoid,
            instructions_by: None,
        }
    }

    /// Counters for the next process that this thread starts. One that cannot be opened any more
    /// is missing.
    pub fn open(&self) -> Events {
        let opened = self.available.iter().filter_map(|&event| {
            let file = event.open(Begin::AtExec).ok()?;
            Some((event, file))
        });
        Events(opened.collect())
    }
}

/// Counters of one launch.
#[derive(Debug)]
pub struct Events(Vec<(Event, File)>);

impl Events {
    /// What they have counted so far, in the process and in all that it started.
    pub fn read(&mut self) -> Counted {
        let mut counted = Counted::default();
        for (event, file) in &mut self.0 {
            let Some(reading) = read(file) else {
                continue;
            };
            let count = Some(reading.scaled());
            match event {
                Event::Instructions => counted.instructions = count,
                Event::Cycles => counted.cycles = count,
                Event::PageFaults => counted.page_faults = count,
            }
            if let Some(share) = reading.share() {
                counted.running = Some(counted.running.map_or(share, |other| share.min(other)));
            }
        }
        counted
    }
}

/// What read(2) gives for our `read_format`.
#[derive(Debug, Clone, Copy)]
struct Reading {
    count: u64,
    /// Nanoseconds in which it should have counted.
    enabled: u64,
    /// Nanoseconds in which it had one of the machine's counters.
    running: u64,
}

impl Reading {
    /// For the whole time, as if it had counted at the same rate while it waited.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate"
    )]
    fn scaled(self) -> u64 {
        match self.share() {
            Some(share) => (self.count as f64 / share) as u64,
            None => self.count,
        }
    }

    /// The share of the time in which it counted, if that is not all of it.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn share(self) -> Option<f64> {
        (self.running < self.enabled).then(|| self.running as f64 / self.enabled as f64)
    }
}

/// A counter that never ran says nothing, not even zero.
fn read(file: &mut File) -> Option<Reading> {
    let mut bytes = [0; 24];
    file.read_exact(&mut bytes).ok()?;
    let number = |index: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
        u64::from_ne_bytes(word)
    };
    let reading = Reading {
        count: number(0),
        enabled: number(1),
        running: number(2),
    };
    (reading.running > 0 && reading.count > 0).then_some(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_took_turns_is_scaled_up_and_says_so() {
        let reading = |running| Reading {
            count: 300,
            enabled: 1000,
            running,
        };
        assert_eq!(reading(750).scaled(), 400);
        assert_eq!(reading(750).share(), Some(0.75));
        assert_eq!(reading(1000).scaled(), 300);
        assert_eq!(reading(1000).share(), None);
    }

    #[test]
    fn each_counter_is_either_counted_or_refused() {
        let counters = Perf::probe().counters();
        for event in Event::ALL {
            let name = event.name();
            let counted = counters.counted.iter().any(|counted| counted == name);
            assert_eq!(
                counted,
                counters.why_refused(name).is_none(),
                "{counters:?}"
            );
        }
    }

    #[test]
    fn only_what_is_started_is_counted_and_what_that_starts() {
        let faults = |program: &str, args: &[&str]| {
            let mut events = Perf::probe().open();
            // Ours do not count.
            black_box(vec![1_u8; 64 << 20]);
            let before = events.read().page_faults;
            assert_eq!(before, None);
            let ended = std::process::Command::new(program).args(args).status();
            assert!(ended.unwrap().success());
            events.read().page_faults
        };
        if !Perf::probe().available.contains(&Event::PageFaults) {
            eprintln!("the kernel counts no page faults here: nothing is tested");
            return;
        }
        let few = faults("/bin/true", &[]).unwrap();
        let more = faults(
            "/bin/sh",
            &["-c", "/bin/true; /bin/true; /bin/true; exit 0"],
        )
        .unwrap();
        assert!(few > 0 && more > 3 * few, "{few} and {more}");
    }
}
