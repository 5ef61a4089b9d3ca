//! The real launcher: clone, poll, wait4.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::CpuSet;
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;

use super::affinity::Affinity;
use super::counting::{Events, Perf};
use super::family::signal_group;
use super::meanwhile::Meanwhile;
use super::ready::{Given, Wait, Watch};
use super::spawn::{Child, Prepared};
use super::stream::{Stream, pipe};
use super::{Failure, GRACE, Interrupt, Interrupted, Launched, Launcher, Spec, Subreaper, Until};
use crate::record::{Times, Usage};

/// A killed process has this long to end.
const DEATH: Duration = Duration::from_secs(3);
/// What is kept of stderr, and what is shown of it.
const TAIL_BYTES: usize = 8 * 1024;
const TAIL_LINES: usize = 12;
/// What is kept of a report.
const REPORT_BYTES: usize = 64 * 1024;

/// Launches real processes, one at a time.
#[derive(Debug)]
pub struct System<'a> {
    interrupt: &'a Interrupt,
    subreaper: Subreaper,
    null: OwnedFd,
    /// What the launched processes are kept to.
    cpus: Option<CpuSet>,
    perf: Perf,
}

impl<'a> System<'a> {
    /// Gets ready to launch.
    ///
    /// # Errors
    /// When `/dev/null` cannot be opened, or orphans cannot be inherited.
    pub fn new(interrupt: &'a Interrupt) -> io::Result<Self> {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        Ok(Self {
            interrupt,
            subreaper: Subreaper::become_one()?,
            null: null.into(),
            cpus: None,
            perf: Perf::probe(),
        })
    }

    /// Keeps what is launched from now on to its CPUs.
    pub fn keep_to(&mut self, affinity: &Affinity) {
        self.cpus = affinity.for_children();
    }

    /// The same launcher, which leaves the kernel's counters alone: to see what they cost.
    #[must_use]
    pub fn without_counters(self) -> Self {
        Self {
            perf: Perf::none(),
            ..self
        }
    }
}

impl Launcher for System<'_> {
    fn launch(&mut self, spec: &Spec) -> Result<Launched, Interrupted> {
        self.interrupt.check()?;
        let meanwhile = Meanwhile::begin();
        let watched = match self.start(spec) {
            Ok(watched) => watched,
            Err(failure) => {
                return Ok(Launched {
                    spawned: Duration::ZERO,
                    times: Times::default(),
                    usage: Usage::default(),
                    report: Vec::new(),
                    service: None,
                    precedent: None,
                    outcome: Err(failure),
                });
            }
        };
        let mut launched = watched.see_through(spec, self.interrupt, &self.subreaper)?;
        meanwhile.end(&mut launched.usage);
        Ok(launched)
    }
}

impl System<'_> {
    fn start(&self, spec: &Spec) -> Result<Watched, Failure> {
        let (watch, given) = match &spec.until {
            Until::Ready { sign, search } => {
                let (watch, given) = Watch::new(sign, *search)?;
                (Some(watch), given)
            }
            Until::ExitOrService => {
                let (watch, given) = Watch::discover(spec.timeout)?;
                (Some(watch), given)
            }
            Until::Exit | Until::ExitWithReport => (None, Given::default()),
        };
        let mut prepared = Prepared::new(spec, given.variable.as_ref())?.on(self.cpus);
        let (stderr, stderr_end) = pipe()?;
        let report = match spec.until {
            Until::ExitWithReport => Some(pipe()?),
            Until::Exit | Until::Ready { .. } | Until::ExitOrService => None,
        };
        forget_peak_memory();
        let events = self.perf.open();
        let child = prepared.spawn(
            &self.null,
            given.stdout.as_ref().unwrap_or(&self.null),
            &stderr_end,
            report.as_ref().map(|(_, end)| end),
        )?;
        Ok(Watched {
            child,
            stderr: Stream::new(stderr, TAIL_BYTES),
            report: report.map(|(read_end, _)| Stream::new(read_end, REPORT_BYTES)),
            watch,
            events,
        })
    }
}

/// A process on its way.
struct Watched {
    child: Child,
    stderr: Stream,
    report: Option<Stream>,
    watch: Option<Watch>,
    events: Events,
}

/// What was waited for, and came.
enum Event {
    Ended(Instant),
    Ready(Instant),
    TimedOut,
    Interrupted,
}

impl Watched {
    fn see_through(
        mut self,
        spec: &Spec,
        interrupt: &Interrupt,
        subreaper: &Subreaper,
    ) -> Result<Launched, Interrupted> {
        let deadline = self.child.spawned + spec.timeout;
        let event = self.wait(deadline, Some(interrupt));
        let spawned = self.child.spawned;
        let mut times = Times::default();
        let mut last = None;
        if let Some(watch) = &mut self.watch {
            times.accept = watch.accepted().map(|at| at - spawned);
            last = watch.last();
        }
        let mut cpu_ready = None;
        let mut counted = None;
        let mut confirmed = Ok(());
        let mut service = None;
        let mut precedent = None;
        if let Event::Ready(at) = event {
            cpu_ready = cpu_time(self.child.pid);
            counted = Some(self.events.read());
            times.ready = Some(at - spawned);
            if let Some(watch) = &self.watch {
                confirmed = watch.confirm(&self.child);
                precedent = watch.precedent(&self.child);
                service = watch.service();
            }
        }
        let ended = match event {
            Event::Ended(at) => at,
            Event::Ready(_) | Event::TimedOut => self.stop(spec.grace),
            // Whoever interrupts is waiting.
            Event::Interrupted => self.stop(spec.grace.min(GRACE)),
        };
        let (status, mut usage) = reap(self.child.pid);
        subreaper.bury(self.child.pid);
        self.stderr.drain();
        if let Some(report) = &mut self.report {
            report.drain();
        }
        times.wall = ended - spawned;
        usage.cpu_ready = cpu_ready;
        usage.counted = counted.unwrap_or_else(|| self.events.read());
        let stderr = || self.stderr.tail.text(TAIL_LINES);
        let outcome = match event {
            Event::Interrupted => return Err(Interrupted),
            Event::Ready(_) => confirmed,
            Event::TimedOut => Err(Failure::TimedOut {
                timeout: spec.timeout,
                awaited: match &spec.until {
                    Until::Ready { sign, .. } => Some(sign.to_string()),
                    Until::ExitOrService => {
                        Some("its end, or a port on which it answers".to_owned())
                    }
                    Until::Exit | Until::ExitWithReport => None,
                },
                last,
                stderr: stderr(),
            }),
            Event::Ended(_) => match (status, &spec.until) {
                (Status::Signalled(signal), _) => Err(Failure::Signalled {
                    signal,
                    stderr: stderr(),
                }),
                (Status::Exited(status), Until::Ready { sign, .. }) => Err(Failure::EndedUnready {
                    status,
                    before: sign.happened(),
                    last,
                    stderr: stderr(),
                }),
                (Status::Exited(0), Until::Exit | Until::ExitWithReport | Until::ExitOrService) => {
                    times.exit = Some(times.wall);
                    Ok(())
                }
                (
                    Status::Exited(status),
                    Until::Exit | Until::ExitWithReport | Until::ExitOrService,
                ) => Err(Failure::Exited {
                    status,
                    stderr: stderr(),
                }),
            },
        };
        if outcome.is_err() {
            times.ready = None;
        }
        Ok(Launched {
            spawned: monotonic(spawned),
            times,
            usage,
            report: self.report.map(|report| report.kept).unwrap_or_default(),
            service,
            precedent: precedent.filter(|_| outcome.is_ok()),
            outcome,
        })
    }

    /// Waits for the process's end, its readiness, the deadline, or the user's signal.
    fn wait(&mut self, deadline: Instant, interrupt: Option<&Interrupt>) -> Event {
        loop {
            let mut wake = deadline;
            let mut fds = vec![PollFd::new(self.child.pidfd.as_fd(), PollFlags::POLLIN)];
            let mut add = |descriptor| {
                fds.push(PollFd::new(descriptor, PollFlags::POLLIN));
                fds.len() - 1
            };
            let stderr = self.stderr.file.as_ref().map(|file| add(file.as_fd()));
            let report = self.report.as_ref().and_then(|report| report.file.as_ref());
            let report = report.map(|file| add(file.as_fd()));
            let signals = interrupt.map(|interrupt| add(interrupt.as_fd()));
            match self.watch.as_ref().map(Watch::waits_for) {
                Some(Wait::Readable(fd)) => {
                    add(fd);
                }
                Some(Wait::Until(at)) => wake = wake.min(at),
                Some(Wait::Nothing) | None => {}
            }
            let pause = wake.saturating_duration_since(Instant::now());
            // An error here is EINTR; then it is not known what happened, and all is looked at.
            let known = ppoll(&mut fds, Some(TimeSpec::from_duration(pause)), None).is_ok();
            let now = Instant::now();
            let happened = |place: Option<usize>| {
                let fd = place.and_then(|place| fds.get(place));
                fd.is_some_and(|fd| !known || fd.any().unwrap_or(true))
            };
            let ended = known && happened(Some(0));
            let (wrote, reported, signalled) =
                (happened(stderr), happened(report), happened(signals));
            drop(fds);
            let sign = match &mut self.watch {
                Some(watch) if ended => watch.left_behind(&self.child),
                Some(watch) => watch.advance(&self.child),
                None => None,
            };
            if let Some(at) = sign {
                return Event::Ready(at);
            }
            if ended {
                return Event::Ended(now);
            }
            // A server is asked for hundreds of times: what nothing happened to is left alone.
            if wrote {
                self.stderr.drain();
            }
            if let Some(report) = self.report.as_mut().filter(|_| reported) {
                report.drain();
            }
            if signalled && interrupt.is_some_and(|interrupt| interrupt.check().is_err()) {
                return Event::Interrupted;
            }
            if now >= deadline {
                return Event::TimedOut;
            }
        }
    }

    /// Ends the process and its group: SIGTERM, and SIGKILL if that does not help.
    fn stop(&mut self, grace: Duration) -> Instant {
        self.watch = self.watch.take().and_then(Watch::dismiss);
        // Twice, as a signal that comes just before a system call that waits may be seen after it
        // only: Python's own handlers do no more than leave a note (Modules/signalmodule.c).
        let term = (Signal::SIGTERM, grace / 2);
        let steps = [term, term, (Signal::SIGKILL, DEATH)];
        for (signal, patience) in steps {
            signal_group(self.child.pid, signal);
            // A second Ctrl-C does not shorten this: children that survive are worse than having
            // to wait.
            if let Event::Ended(at) = self.wait(Instant::now() + patience, None) {
                return at;
            }
        }
        Instant::now()
    }
}

enum Status {
    Exited(i32),
    Signalled(String),
}

/// Waits for the child with its own resource usage. `RUSAGE_CHILDREN` would be the sum, and the
/// greatest memory, over all launches so far.
fn reap(pid: libc::pid_t) -> (Status, Usage) {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zero is a valid value; wait4 gets pointers to
    // two live values of its types.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        while libc::wait4(pid, &raw mut status, 0, &raw mut usage) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
        usage
    };
    let time = |value: libc::timeval| {
        Duration::from_secs(value.tv_sec.unsigned_abs())
            + Duration::from_micros(value.tv_usec.unsigned_abs())
    };
    let status = if libc::WIFSIGNALED(status) {
        let number = libc::WTERMSIG(status);
        Status::Signalled(
            Signal::try_from(number)
                .map_or_else(|_| number.to_string(), |signal| signal.as_str().to_owned()),
        )
    } else {
        Status::Exited(libc::WEXITSTATUS(status))
    };
    let usage = Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        cpu_ready: None,
        peak_memory_kib: usage.ru_maxrss.unsigned_abs(),
        minor_faults: usage.ru_minflt.unsigned_abs(),
        major_faults: usage.ru_majflt.unsigned_abs(),
        voluntary_switches: usage.ru_nvcsw.unsigned_abs(),
        involuntary_switches: usage.ru_nivcsw.unsigned_abs(),
        blocks_read: usage.ru_inblock.unsigned_abs(),
        blocks_written: usage.ru_oublock.unsigned_abs(),
        ..Usage::default()
    };
    (status, usage)
}

/// A moment as clock_gettime(2) gives it. Rust's `Instant` is of the same clock, and does not show it;
/// the two readings here lie less than a microsecond apart.
fn monotonic(at: Instant) -> Duration {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(Duration::ZERO, Duration::from)
        .saturating_sub(at.elapsed())
}

/// CPU time that the process has used so far (clock_getcpuclockid(3)).
fn cpu_time(pid: libc::pid_t) -> Option<Duration> {
    let clock = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(pid)).ok()?;
    Some(nix::time::clock_gettime(clock).ok()?.into())
}

/// exec(2) carries the peak memory of the process that called clone over to the child, so a
/// child would never "use" less than the harness once did. Resetting our own peak (proc(5),
/// `clear_refs`, 5) keeps that floor as low as what we hold now.
fn forget_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
