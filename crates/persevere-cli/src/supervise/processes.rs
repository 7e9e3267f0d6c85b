//! The processes of the system, where it lists them in files: Linux, proc_pid_stat(5). Elsewhere there
//! are none.

use std::fs;
use std::hash::{Hash, Hasher};

use rustix::process::Pid;

/// A process that has not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) number: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// In ticks since the system's start: with the number, no two processes have the same.
    started: u64,
}

impl Process {
    pub(super) fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.number)
    }
}

/// Its parent and its group may change.
impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        (self.number, self.started) == (other.number, other.started)
    }
}

impl Eq for Process {}

impl Hash for Process {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number, self.started).hash(state);
    }
}

pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(read).collect()
}

fn read(number: i32) -> Option<Process> {
    // One that is gone by now is as good as ended.
    parse(number, &fs::read_to_string(format!("/proc/{number}/stat")).ok()?)
}

fn parse(number: i32, stat: &str) -> Option<Process> {
    // The second field is the name in parentheses, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // The 22nd of all; five are behind us.
    let started = fields.nth(16)?.parse().ok()?;
    let ended = matches!(state, "Z" | "X");
    (!ended).then_some(Process { number, parent, group, started })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_says() {
        let stat = |state| {
            format!("77 (a) b) {state} 5 6 7 0 -1 64 1 2 3 4 5 6 7 8 20 0 1 0 4242 10000 100")
        };
        let process = parse(77, &stat("S")).unwrap();
        assert_eq!((process.parent, process.group, process.started), (5, 6, 4242));
        assert!(parse(77, &stat("Z")).is_none());
        assert!(parse(77, "77 (sh) S 5").is_none());
    }
}
