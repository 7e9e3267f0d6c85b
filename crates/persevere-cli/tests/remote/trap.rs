//! Kills a program at the very system call that a test is about: by a filter of the kernel (seccomp), as container
//! runtimes make them, which no program can catch.

use std::collections::BTreeMap;
use std::process::{Child, Command};

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// What the program does not get to do any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Create a file that must not be there yet: the partial file.
    Create,
    /// Give a file another name: the partial one that of the target.
    Rename,
    /// Remove a file: the journal.
    Remove,
}

impl Call {
    fn rules(self) -> BTreeMap<i64, Vec<SeccompRule>> {
        match self {
            Self::Create => {
                let flag = u64::from(libc::O_EXCL.unsigned_abs());
                let exclusive = SeccompCondition::new(
                    2,
                    SeccompCmpArgLen::Dword,
                    SeccompCmpOp::MaskedEq(flag),
                    flag,
                );
                let rule = SeccompRule::new(vec![exclusive.unwrap()]).unwrap();
                [(libc::SYS_openat, vec![rule])].into()
            }
            #[cfg(target_arch = "x86_64")]
            Self::Rename => [(libc::SYS_rename, vec![]), (libc::SYS_renameat, vec![])].into(),
            #[cfg(target_arch = "x86_64")]
            Self::Remove => [(libc::SYS_unlink, vec![]), (libc::SYS_unlinkat, vec![])].into(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Rename => [(libc::SYS_renameat, vec![]), (libc::SYS_renameat2, vec![])].into(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Remove => [(libc::SYS_unlinkat, vec![])].into(),
        }
    }
}

/// Starts a program that is killed when it makes this call.
pub(crate) fn spawn(mut command: Command, fatal: Call) -> Child {
    // A filter is that of a thread and of what it starts.
    let thread = std::thread::spawn(move || {
        let filter = SeccompFilter::new(
            fatal.rules(),
            SeccompAction::Allow,
            SeccompAction::KillProcess,
            TargetArch::try_from(std::env::consts::ARCH).unwrap(),
        );
        let program = BpfProgram::try_from(filter.unwrap()).unwrap();
        seccompiler::apply_filter(&program).unwrap();
        command.spawn().unwrap()
    });
    thread.join().unwrap()
}
