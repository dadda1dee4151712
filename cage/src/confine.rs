//! A process gives up what it will not need: files, network, processes, memory and time without end.
//!
//! Nothing here is unsafe: the crates `rustix`, `landlock` and `seccompiler` carry the system calls. The order
//! matters: limits first, then landlock, then seccomp, which forbids the calls that the others need. Each guard is
//! then tried, because a guard that was set and does not hold is worse than none.

use std::collections::BTreeMap;
use std::io;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};

/// Descriptors a worker may have: the three it starts with, and room for one that is open while it is confined.
const DESCRIPTORS_MAX: u64 = 8;

/// How far a guard holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// It holds, and was tried.
    Holds,
    /// The kernel knows a part of it; what was tried holds.
    Partly,
    /// It does not: the reason.
    Missing(String),
}

impl Guard {
    /// Whether the guard holds at least in what was tried.
    pub fn holds(&self) -> bool {
        match self {
            Self::Holds | Self::Partly => true,
            Self::Missing(_) => false,
        }
    }
}

/// What confines a worker, as it found by trying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Memory, descriptors, file size, core dumps.
    pub limits: Guard,
    /// No file can be opened (landlock).
    pub files: Guard,
    /// No other system call than those it needs (seccomp): no socket, no process, no thread, no file.
    pub calls: Guard,
}

impl Confinement {
    /// The guards that do not hold, with their reasons.
    pub fn missing(&self) -> Vec<String> {
        [("limits", &self.limits), ("landlock", &self.files), ("seccomp", &self.calls)]
            .into_iter()
            .filter_map(|(name, guard)| match guard {
                Guard::Missing(reason) => Some(format!("{name}: {reason}")),
                Guard::Holds | Guard::Partly => None,
            })
            .collect()
    }
}

/// Confines this process for good. Called by a worker with one thread, before it reads a sample.
pub(crate) fn confine(memory_bytes_max: u64) -> Confinement {
    // First to go when memory is short. Where that cannot be said, nothing is lost but the preference.
    let _preference = std::fs::write("/proc/self/oom_score_adj", "1000");
    let limits = limit(memory_bytes_max).map_or_else(|cause| Guard::Missing(cause.to_string()), |()| Guard::Holds);
    let files = forbid_files();
    let calls = forbid_calls();
    Confinement { limits, files, calls }
}

/// From now on this process may use so many more milliseconds of processor time, rounded up to seconds; the kernel ends
/// it when they are used up.
///
/// # Errors
/// The kernel does not take the limit.
pub fn allow_cpu(more_ms: u64) -> io::Result<()> {
    let maximum = getrlimit(Resource::Cpu).maximum;
    let current = (cpu_used_ms() + more_ms).div_ceil(1000) + 1;
    Ok(setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum })?)
}

fn cpu_used_ms() -> u64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(used.tv_sec).unwrap_or(0) * 1000 + u64::try_from(used.tv_nsec).unwrap_or(0) / 1_000_000
}

fn limit(memory_bytes_max: u64) -> io::Result<()> {
    let fixed = |value| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::As, fixed(memory_bytes_max))?;
    setrlimit(Resource::Nofile, fixed(DESCRIPTORS_MAX))?;
    setrlimit(Resource::Fsize, fixed(0))?;
    setrlimit(Resource::Core, fixed(0))?;
    Ok(())
}

fn forbid_files() -> Guard {
    let abi = ABI::V6;
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.restrict_self());
    let status = match restricted {
        Ok(status) => status.ruleset,
        Err(cause) => return Guard::Missing(cause.to_string()),
    };
    let denied = std::fs::File::open("/").is_err_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied)
        || std::fs::read_dir("/").is_err_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied);
    match status {
        RulesetStatus::NotEnforced => Guard::Missing("this kernel does not offer it".to_owned()),
        _ if !denied => Guard::Missing("it was set, and a directory can still be read".to_owned()),
        RulesetStatus::FullyEnforced => Guard::Holds,
        RulesetStatus::PartiallyEnforced => Guard::Partly,
    }
}

fn forbid_calls() -> Guard {
    let applied = program().and_then(|program| seccompiler::apply_filter(&program).map_err(|cause| cause.to_string()));
    if let Err(cause) = applied {
        return Guard::Missing(cause);
    }
    let leaks = [
        ("a socket", std::net::UdpSocket::bind(("127.0.0.1", 0)).is_ok()),
        ("a file", std::fs::File::open("/proc/self/status").is_ok()),
        ("a thread", std::thread::Builder::new().spawn(|| {}).is_ok()),
        ("a process", std::process::Command::new("/bin/true").spawn().is_ok()),
    ];
    match leaks.into_iter().find(|leak| leak.1) {
        None => Guard::Holds,
        Some((what, _)) => Guard::Missing(format!("it was set, and {what} can still be made")),
    }
}

/// Calls that computing, memory and one socket need. Memory that can be executed is not among them.
fn program() -> Result<BpfProgram, String> {
    let plain = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_recvmsg,
        libc::SYS_sendmsg,
        libc::SYS_close,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_prlimit64,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = plain.into_iter().map(|call| (call, Vec::new())).collect();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let executable = libc::PROT_EXEC as u64;
        let never = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(|cause| cause.to_string())?;
        rules.insert(call, vec![never]);
    }
    let architecture = std::env::consts::ARCH.try_into().map_err(|_| "no filter for this processor".to_owned())?;
    // An error and not death: a library that probes for a feature goes without it.
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)
        .and_then(BpfProgram::try_from)
        .map_err(|cause| cause.to_string())
}
