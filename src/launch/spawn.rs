//! From a [`Spec`] to a running process, with as little as possible between the clock and exec.
//!
//! fork(2) copies this process's page tables, which takes longer the more the harness has in
//! memory; posix_spawn(3) avoids that but cannot change the user. So this is what posix_spawn
//! does inside (clone(2) with `CLONE_VM | CLONE_VFORK` on a stack of its own), with the user,
//! the parent-death signal and a pidfd added.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;

use super::{Failure, Spec, User};

/// The child's descriptors are first moved here, so that dup2 onto 0..=3 overwrites none of them.
const HIGH_FD: RawFd = 10;
const STACK_BYTES: usize = 64 * 1024;

/// A process that was started; its id is its process group's id too.
#[derive(Debug)]
pub struct Child {
    pub pid: libc::pid_t,
    pub pidfd: OwnedFd,
    /// CLOCK_MONOTONIC just before clone(2); later by the time that entering a control group and
    /// moving to its CPUs took: they wait for the kernel's grace periods and for another CPU, and
    /// are no part of a start.
    pub spawned: Instant,
}

/// A spec in the form in which the system calls take it.
pub struct Prepared {
    program: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    folder: CString,
    user: User,
    group: Option<Arc<File>>,
    cpus: Option<CpuSet>,
    stack: Vec<u8>,
}

impl Prepared {
    /// Turns a spec's strings into the system's; the variable takes the place of one that the
    /// spec's environment has.
    ///
    /// # Errors
    /// When one of them holds a NUL.
    pub fn new(spec: &Spec, variable: Option<&(OsString, OsString)>) -> Result<Self, Failure> {
        let text = |bytes: &OsStr| {
            CString::new(bytes.as_bytes()).map_err(|error| Failure::Spawn {
                step: "a text with a NUL in it",
                error: error.to_string(),
            })
        };
        let mut args = vec![text(spec.program.as_os_str())?];
        for arg in &spec.args {
            args.push(text(arg)?);
        }
        let is_replaced = |name: &OsStr| variable.is_some_and(|(new, _)| new == name);
        let env = spec
            .env
            .iter()
            .filter(|(name, _)| !is_replaced(name))
            .chain(variable)
            .map(|(name, value)| {
                let mut pair = name.clone();
                pair.push("=");
                pair.push(value);
                text(&pair)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            program: text(spec.program.as_os_str())?,
            args,
            env,
            folder: text(spec.folder.as_os_str())?,
            user: spec.user,
            group: spec.group.clone(),
            cpus: None,
            stack: vec![0; STACK_BYTES],
        })
    }

    /// Keeps the process to these CPUs, if any are given.
    pub fn on(self, cpus: Option<CpuSet>) -> Self {
        Self { cpus, ..self }
    }

    /// Starts the process with these as its standard input, output, error and, perhaps, report.
    ///
    /// # Errors
    /// The system call that failed, in this process or in the child before its exec.
    pub fn spawn(
        &mut self,
        stdin: &OwnedFd,
        stdout: &OwnedFd,
        stderr: &OwnedFd,
        report: Option<&OwnedFd>,
    ) -> Result<Child, Failure> {
        let failed = |step: &'static str, error: io::Error| Failure::Spawn {
            step,
            error: error.to_string(),
        };
        let mut moved = Vec::with_capacity(4);
        for descriptor in [Some(stdin), Some(stdout), Some(stderr), report]
            .into_iter()
            .flatten()
        {
            moved.push(high(descriptor).map_err(|error| failed("descriptors", error))?);
        }
        let mut argv = pointers(&self.args);
        let mut envp = pointers(&self.env);
        let mut plan = ChildPlan {
            program: self.program.as_ptr(),
            argv: argv.as_mut_ptr(),
            envp: envp.as_mut_ptr(),
            folder: self.folder.as_ptr(),
            user: self.user,
            group: self.group.as_ref().map(AsRawFd::as_raw_fd),
            cpus: self.cpus,
            entering: Duration::ZERO,
            descriptors: &moved,
            failure: None,
        };
        // The child shares this memory, so none of this process's signal handlers may run in it.
        let mut before = SigSet::empty();
        sigprocmask(
            SigmaskHow::SIG_SETMASK,
            Some(&SigSet::all()),
            Some(&mut before),
        )
        .map_err(|error| failed("sigprocmask", error.into()))?;
        let mut pidfd: RawFd = -1;
        let top = self.stack.as_mut_ptr_range().end;
        let spawned = Instant::now();
        // SAFETY: the stack is ours, 64 KiB long, aligned below, and outlives the call, since
        // CLONE_VFORK holds this thread until the child has called exec or _exit. `plan` and all
        // it points to live as long, for the same reason. The child function only makes
        // async-signal-safe system calls.
        let pid = unsafe {
            let aligned = top.sub(top as usize % 16);
            libc::clone(
                child_main,
                aligned.cast(),
                libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
                (&raw mut plan).cast(),
                &raw mut pidfd,
            )
        };
        let error = io::Error::last_os_error();
        let failure = plan.failure.take();
        let entering = plan.entering;
        // Restoring a mask that was just read cannot fail.
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
        if pid < 0 {
            return Err(failed("clone", error));
        }
        // SAFETY: clone succeeded with CLONE_PIDFD, so this is a new descriptor that nobody owns.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
        if let Some((step, errno)) = failure {
            // SAFETY: waits for the child that has just called _exit; no memory is passed.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            return Err(failed(step, io::Error::from_raw_os_error(errno)));
        }
        Ok(Child {
            pid,
            pidfd,
            spawned: spawned + entering,
        })
    }
}

/// What the child needs; it lives on the parent's stack.
struct ChildPlan<'a> {
    program: *const libc::c_char,
    argv: *mut *const libc::c_char,
    envp: *mut *const libc::c_char,
    folder: *const libc::c_char,
    user: User,
    group: Option<RawFd>,
    cpus: Option<CpuSet>,
    /// What entering the group and moving to the CPUs took.
    entering: Duration,
    /// To become 0, 1, 2 and perhaps 3.
    descriptors: &'a [OwnedFd],
    /// The step that failed and its errno; memory is shared, so the parent reads it here.
    failure: Option<(&'static str, i32)>,
}

/// The child between clone and exec: system calls only, no allocation, no lock, no panic.
extern "C" fn child_main(argument: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the argument is the `ChildPlan` given to clone, and the parent is held until this
    // function ends or execs.
    let plan = unsafe { &mut *argument.cast::<ChildPlan<'_>>() };
    let step = child_steps(plan);
    // SAFETY: reads this thread's errno.
    plan.failure = Some((step, unsafe { *libc::__errno_location() }));
    // SAFETY: ends the child without running the parent's exit handlers.
    unsafe { libc::_exit(127) }
}

/// Returns the step that failed; after a successful exec it does not return.
fn child_steps(plan: &mut ChildPlan<'_>) -> &'static str {
    // SAFETY: plain system calls with valid arguments. setgroups, setresgid and setresuid are
    // made directly, since libc's wrappers would change all threads of a process that this child
    // does not have.
    unsafe {
        // A group of its own: a Ctrl-C at the terminal reaches the harness only, and whatever the
        // app forks can be ended with it.
        if libc::setpgid(0, 0) != 0 {
            return "setpgid";
        }
        // Before the change of user, who may not.
        if let Some(group) = plan.group {
            let begun = Instant::now();
            if libc::write(group, b"0".as_ptr().cast(), 1) != 1 {
                return "entering the control group";
            }
            plan.entering = begun.elapsed();
        }
        // After the group, whose own CPUs would replace these.
        if let Some(cpus) = &plan.cpus {
            let begun = Instant::now();
            if sched_setaffinity(Pid::from_raw(0), cpus).is_err() {
                return "keeping to its CPUs";
            }
            plan.entering += begun.elapsed();
        }
        for (target, descriptor) in (0..).zip(plan.descriptors) {
            if libc::dup2(descriptor.as_raw_fd(), target) < 0 {
                return "dup2";
            }
        }
        if let User::Unprivileged { uid, gid } = plan.user {
            if libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) != 0 {
                return "setgroups";
            }
            if libc::syscall(libc::SYS_setresgid, gid, gid, gid) != 0 {
                return "setresgid";
            }
            if libc::syscall(libc::SYS_setresuid, uid, uid, uid) != 0 {
                return "setresuid";
            }
        }
        // After the change of user, which clears it: if the harness is killed, so is the app.
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return "prctl";
        }
        if libc::chdir(plan.folder) != 0 {
            return "entering the working directory";
        }
        // Rust ignores SIGPIPE, and what is ignored stays so across exec.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(plan.program, plan.argv.cast_const(), plan.envp.cast_const());
    }
    "executing the program"
}

/// A copy of the descriptor with a number that dup2 onto the standard ones does not touch.
fn high(descriptor: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: duplicates a descriptor that is open for as long as the borrow lasts; the result is
    // new and owned by nobody else.
    unsafe {
        let copy = libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH_FD);
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(copy))
    }
}

/// The NULL-ended array that execve takes.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts
        .iter()
        .map(|text| text.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}
