//! A command and what it has started, as far as that stayed in the command's process group.
//!
//! Without a terminal the command leads a group of its own, as under GNU `timeout`. On a terminal it
//! stays in ours, or it could not read from it; there its descendants are looked up one by one. Call
//! these only while the command has not been reaped: until then its number is nobody else's.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

use super::processes::{self, Process};

/// Between two looks at the list of processes, at first and at the longest.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(100);

pub(super) struct Family {
    command: Pid,
    group: Pid,
    /// On a terminal: who was seen to descend from the command. It may end before they do, and then
    /// nobody could tell any more.
    seen: HashSet<Process>,
}

impl Family {
    pub(super) fn of(command: Pid) -> Self {
        let group = getpgid(Some(command)).unwrap_or(command);
        let mut family = Self { command, group, seen: HashSet::new() };
        family.living();
        family
    }

    fn leads_its_group(&self) -> bool {
        self.group == self.command
    }

    /// Sends a signal to all of them.
    pub(super) fn send(&mut self, signal: Signal) {
        if self.leads_its_group() {
            send_to_group(self.group, signal);
            return;
        }
        let others = self.living();
        for pid in others.iter().filter_map(|process| process.pid()).chain([self.command]) {
            // It may have ended this very moment.
            let _gone = kill_process(pid, signal);
        }
    }

    /// Whether all but the command itself have ended by then, as far as the system tells.
    pub(super) fn ends_by(&mut self, end: Instant) -> bool {
        let mut pause = FIRST_LOOK;
        loop {
            if self.living().is_empty() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            sleep(pause.min(left));
            pause = LAST_LOOK.min(pause * 2);
        }
    }

    /// All but the command itself.
    fn living(&mut self) -> Vec<Process> {
        let group = self.group.as_raw_pid();
        let mut rest = processes::all();
        rest.retain(|it| it.group == group && it.number != self.command.as_raw_pid());
        if self.leads_its_group() {
            return rest;
        }
        let mut parents: HashSet<i32> = HashSet::from([self.command.as_raw_pid()]);
        let mut living = Vec::new();
        loop {
            let is_ours = |it: &Process| self.seen.contains(it) || parents.contains(&it.parent);
            let (found, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_ours);
            if found.is_empty() {
                break;
            }
            parents.extend(found.iter().map(|it| it.number));
            living.extend(found);
            rest = others;
        }
        self.seen.extend(living.iter().copied());
        living
    }
}

/// A group that the command leads.
pub(super) fn send_to_group(group: Pid, signal: Signal) {
    // All of it may have ended this very moment, or run as somebody else.
    let _gone = kill_process_group(group, signal);
}
