//! A peer's process: alive as long as its owner.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::PeerError;

/// How long a peer may take to answer. Node and Python on a busy machine need several seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often another port is tried, if somebody took the free one before the peer did.
const TRIES: usize = 4;

/// Runs the peer, which is `"$@"`, in a process group of its own. A word on standard input kills the peer and waits
/// for its end; that standard input closes kills the whole group, and it does when the test's process ends: by a
/// panic that aborts or a signal too, and for a peer in a `static`, which is never dropped.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
peer=$!
(
    read -r word <&3
    kill -KILL "$peer"
    [ -n "$word" ] || kill -KILL 0
) &
guard=$!
exec 3<&-
wait "$peer"
status=$?
kill -KILL "$guard" 2>/dev/null
exit "$status"
"#;

/// A running peer.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts a peer on a free port, by the command that `command` makes for it, and waits until `answers` says
    /// that it is there.
    pub(crate) fn start(
        program: &'static str,
        mut command: impl FnMut(SocketAddr) -> Command,
        answers: impl Fn(SocketAddr) -> bool,
    ) -> Result<Self, PeerError> {
        let mut why = String::new();
        for _ in 0..TRIES {
            let address = free_address().map_err(|error| PeerError::broken(program, error))?;
            let output = tempfile::tempfile().map_err(|error| PeerError::broken(program, error))?;
            let mut process = Self::spawn(&command(address), address, &output)
                .map_err(|error| PeerError::broken(program, error))?;
            match process.wait_until(&answers) {
                Ok(()) => return Ok(process),
                Err(what) => why = format!("{what}; it printed: {}", text_of(output)),
            }
            if !why.to_lowercase().contains("in use") {
                break;
            }
        }
        Err(PeerError::broken(program, why))
    }

    fn spawn(command: &Command, address: SocketAddr, output: &File) -> io::Result<Self> {
        let mut guarded = Command::new("sh");
        guarded.args(["-c", GUARD, "sh"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            guarded.current_dir(folder);
        }
        let child = guarded
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .process_group(0)
            .spawn()?;
        Ok(Self { child, address })
    }

    fn wait_until(&mut self, answers: impl Fn(SocketAddr) -> bool) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let answered = answers(self.address);
            // Asked afterwards: what answers while the peer is gone is somebody else.
            match self.child.try_wait() {
                Ok(Some(status)) => return Err(format!("it ended with {status}")),
                Ok(None) if answered => return Ok(()),
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!("it does not answer within {} seconds", PATIENCE.as_secs()))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Process {
    /// Its port refuses connections when this returns.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // First what the peer has started: sshd gives each connection a process in a session of its own, which
            // no signal to the group reaches.
            for process in children_of(self.child.id()).into_iter().flat_map(descendants_of) {
                kill(process);
            }
            if let Some(mut input) = self.child.stdin.take() {
                let _gone = input.write_all(b"stop\n");
                // Open until the peer is gone, for its closing would kill who waits for that.
                let _gone = self.child.wait();
            }
        }
        let _gone = self.child.wait();
    }
}

fn kill(process: u32) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(process, Signal::KILL);
    }
}

fn descendants_of(process: u32) -> Vec<u32> {
    let children = children_of(process);
    children.iter().copied().chain(children.iter().copied().flat_map(descendants_of)).collect()
}

/// By Linux's /proc; elsewhere none are found.
fn children_of(process: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let parse = |text: String| text.split_whitespace().filter_map(|id| id.parse().ok()).collect();
    children.map(parse).unwrap_or_default()
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn text_of(mut output: File) -> String {
    let mut bytes = Vec::new();
    let _unreadable = output.rewind().and_then(|()| output.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
