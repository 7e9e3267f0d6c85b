//! What the monitor's thread has cost so far, by the kernel's own books.

use std::fs;
use std::ops::Sub;
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) cpu: Duration,
    /// How often it has gone to sleep, which is how often it was awake.
    pub(super) sleeps: u64,
}

impl Cost {
    /// Of the thread of this process that has the monitor's name.
    ///
    /// # Panics
    ///
    /// When there is no such thread, or a kernel without these books.
    pub(super) fn now() -> Self {
        let tasks = fs::read_dir("/proc/self/task").expect("a Linux");
        let is_it = |comm: String| comm.trim() == "network-monitor";
        let task = tasks
            .flatten()
            .map(|task| task.path())
            .find(|task| fs::read_to_string(task.join("comm")).is_ok_and(is_it))
            .expect("a monitor that has begun");
        let status = fs::read_to_string(task.join("status")).expect("its status");
        let sleeps = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .and_then(|count| count.trim().parse().ok());
        let schedstat = fs::read_to_string(task.join("schedstat")).expect("CONFIG_SCHED_INFO");
        let nanos = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        Self {
            cpu: Duration::from_nanos(nanos.expect("nanoseconds on a processor")),
            sleeps: sleeps.expect("context switches"),
        }
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, sleeps: self.sleeps - before.sleeps }
    }
}
