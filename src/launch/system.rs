//! The real launcher: clone, poll, wait4.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;

use super::family::{bury, holds_socket, signal_group};
use super::http::{Probe, Ready};
use super::spawn::{Child, Prepared};
use super::tail::Tail;
use super::{Failure, Interrupt, Interrupted, Launched, Launcher, Spec, Subreaper, Until, ports};
use crate::record::{Times, Usage, host};

/// After SIGTERM, a process has this long to end before SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
/// What is kept of stderr, and what is shown of it.
const TAIL_BYTES: usize = 8 * 1024;
const TAIL_LINES: usize = 12;
/// What is kept of a report.
const REPORT_BYTES: usize = 64 * 1024;

/// Launches real processes, one at a time.
#[derive(Debug)]
pub struct System<'a> {
    interrupt: &'a Interrupt,
    _subreaper: Subreaper,
    null: OwnedFd,
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
            _subreaper: Subreaper::become_one()?,
            null: null.into(),
        })
    }
}

impl Launcher for System<'_> {
    fn launch(&mut self, spec: &Spec) -> Result<Launched, Interrupted> {
        self.interrupt.check()?;
        let steal = host::steal();
        let watched = match self.start(spec) {
            Ok(watched) => watched,
            Err(failure) => {
                return Ok(Launched {
                    times: Times::default(),
                    usage: Usage::default(),
                    report: Vec::new(),
                    outcome: Err(failure),
                });
            }
        };
        let mut launched = watched.see_through(spec, self.interrupt)?;
        launched.usage.steal = host::steal().saturating_sub(steal);
        Ok(launched)
    }
}

impl System<'_> {
    fn start(&self, spec: &Spec) -> Result<Watched, Failure> {
        let pipe = || {
            nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|error| Failure::Spawn {
                step: "pipe",
                error: error.to_string(),
            })
        };
        if let Until::Http { port, .. } = spec.until
            && ports::is_taken(port)
        {
            return Err(Failure::PortTaken { port });
        }
        let mut prepared = Prepared::new(spec)?;
        let (stderr, stderr_end) = pipe()?;
        let report = match spec.until {
            Until::ExitWithReport => Some(pipe()?),
            Until::Exit | Until::Http { .. } => None,
        };
        forget_peak_memory();
        let child = prepared.spawn(
            &self.null,
            &self.null,
            &stderr_end,
            report.as_ref().map(|(_, end)| end),
        )?;
        let probe = match &spec.until {
            Until::Http { port, path, status } => {
                Some(Probe::new(*port, path, *status, child.spawned))
            }
            Until::Exit | Until::ExitWithReport => None,
        };
        Ok(Watched {
            child,
            stderr: Stream::new(stderr, TAIL_BYTES),
            report: report.map(|(read_end, _)| Stream::new(read_end, REPORT_BYTES)),
            probe,
        })
    }
}

/// A pipe that is read as it fills, so that the process never waits for us.
#[derive(Debug)]
struct Stream {
    /// `None` after its end.
    file: Option<File>,
    tail: Tail,
    kept: Vec<u8>,
    limit: usize,
}

impl Stream {
    fn new(descriptor: OwnedFd, limit: usize) -> Self {
        // Without O_NONBLOCK a last read after the process's end could wait for a grandchild
        // that holds the other end. Setting a flag on a pipe that was just made does not fail.
        let _ = nix::fcntl::fcntl(
            &descriptor,
            nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK),
        );
        Self {
            file: Some(descriptor.into()),
            tail: Tail::new(limit),
            kept: Vec::new(),
            limit,
        }
    }

    /// Takes what is there, at most a mebibyte: a process that writes without end must not keep
    /// us from looking at the clock.
    fn drain(&mut self) {
        let mut buffer = [0; 64 * 1024];
        for _ in 0..16 {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    self.tail.push(&buffer[..count]);
                    let room = self.limit - self.kept.len();
                    self.kept.extend_from_slice(&buffer[..count.min(room)]);
                }
                Err(_) => return,
            }
        }
    }
}

/// A process on its way.
struct Watched {
    child: Child,
    stderr: Stream,
    report: Option<Stream>,
    probe: Option<Probe>,
}

/// What was waited for, and came.
enum Event {
    Ended(Instant),
    Ready(Ready),
    TimedOut,
    Interrupted,
}

impl Watched {
    fn see_through(mut self, spec: &Spec, interrupt: &Interrupt) -> Result<Launched, Interrupted> {
        let deadline = self.child.spawned + spec.timeout;
        let event = self.wait(deadline, Some(interrupt));
        let accept = self.probe.as_ref().and_then(|probe| probe.accepted);
        let last = self.probe.as_mut().and_then(|probe| probe.last.take());
        let spawned = self.child.spawned;
        let mut times = Times {
            accept: accept.map(|at| at - spawned),
            ..Times::default()
        };
        let mut cpu_ready = None;
        let mut foreign = None;
        if let Event::Ready(ready) = event {
            cpu_ready = cpu_time(self.child.pid);
            times.ready = Some(ready.at - spawned);
            let inodes = ports::listeners(ready.address.port());
            if !holds_socket(self.child.pid, &inodes) {
                foreign = Some(ready.address);
            }
        }
        let ended = match event {
            Event::Ended(at) => at,
            Event::Ready(_) | Event::TimedOut | Event::Interrupted => self.stop(),
        };
        let (status, mut usage) = reap(self.child.pid);
        bury(self.child.pid);
        self.stderr.drain();
        if let Some(report) = &mut self.report {
            report.drain();
        }
        times.wall = ended - spawned;
        usage.cpu_ready = cpu_ready;
        let stderr = || self.stderr.tail.text(TAIL_LINES);
        let outcome = match event {
            Event::Interrupted => return Err(Interrupted),
            Event::Ready(_) => match foreign {
                Some(address) => Err(Failure::ForeignListener { address }),
                None => Ok(()),
            },
            Event::TimedOut => Err(Failure::TimedOut {
                timeout: spec.timeout,
                last: last.or_else(|| unanswered(&spec.until, accept)),
                stderr: stderr(),
            }),
            Event::Ended(_) => match (status, &spec.until) {
                (Status::Signalled(signal), _) => Err(Failure::Signalled {
                    signal,
                    stderr: stderr(),
                }),
                (Status::Exited(status), Until::Http { .. }) => Err(Failure::EndedUnready {
                    status,
                    stderr: stderr(),
                }),
                (Status::Exited(0), Until::Exit | Until::ExitWithReport) => {
                    times.exit = Some(times.wall);
                    Ok(())
                }
                (Status::Exited(status), Until::Exit | Until::ExitWithReport) => {
                    Err(Failure::Exited {
                        status,
                        stderr: stderr(),
                    })
                }
            },
        };
        if outcome.is_err() {
            times.ready = None;
        }
        Ok(Launched {
            times,
            usage,
            report: self.report.map(|report| report.kept).unwrap_or_default(),
            outcome,
        })
    }

    /// Waits for the process's end, its readiness, the deadline, or the user's signal.
    fn wait(&mut self, deadline: Instant, interrupt: Option<&Interrupt>) -> Event {
        loop {
            let mut wake = deadline;
            let mut fds = vec![PollFd::new(self.child.pidfd.as_fd(), PollFlags::POLLIN)];
            let streams = [Some(&self.stderr), self.report.as_ref()];
            for file in streams
                .into_iter()
                .flatten()
                .filter_map(|s| s.file.as_ref())
            {
                fds.push(PollFd::new(file.as_fd(), PollFlags::POLLIN));
            }
            if let Some(interrupt) = interrupt {
                fds.push(PollFd::new(interrupt.as_fd(), PollFlags::POLLIN));
            }
            match self.probe.as_ref().map(Probe::waits_for) {
                Some(Ok(descriptor)) => fds.push(PollFd::new(descriptor, PollFlags::POLLIN)),
                Some(Err(at)) => wake = wake.min(at),
                None => {}
            }
            let pause = wake.saturating_duration_since(Instant::now());
            // An error here is EINTR; whatever it is, the loop looks at everything anyway.
            let _ = ppoll(&mut fds, Some(TimeSpec::from_duration(pause)), None);
            let now = Instant::now();
            let ended = fds[0].any().unwrap_or(false);
            drop(fds);
            if ended {
                return Event::Ended(now);
            }
            if let Some(ready) = self.probe.as_mut().and_then(Probe::advance) {
                return Event::Ready(ready);
            }
            self.stderr.drain();
            if let Some(report) = &mut self.report {
                report.drain();
            }
            if interrupt.is_some_and(|interrupt| interrupt.check().is_err()) {
                return Event::Interrupted;
            }
            if now >= deadline {
                return Event::TimedOut;
            }
        }
    }

    /// Ends the process and its group: SIGTERM, and SIGKILL if that does not help.
    fn stop(&mut self) -> Instant {
        self.probe = None;
        for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, GRACE)] {
            signal_group(self.child.pid, signal);
            // A second Ctrl-C does not shorten this: the grace is short, and children that
            // survive are worse than three seconds.
            if let Event::Ended(at) = self.wait(Instant::now() + patience, None) {
                return at;
            }
        }
        Instant::now()
    }
}

/// What a server did that never gave an answer of any kind.
fn unanswered(until: &Until, accept: Option<Instant>) -> Option<String> {
    match (until, accept) {
        (Until::Exit | Until::ExitWithReport, _) => None,
        (Until::Http { .. }, None) => Some("nobody ever listened on its port".to_owned()),
        (Until::Http { .. }, Some(_)) => {
            Some("it took the connection, but gave no answer".to_owned())
        }
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
        steal: Duration::ZERO,
    };
    (status, usage)
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
