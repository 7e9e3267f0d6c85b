//! The program on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::thread::{self, JoinHandle};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Folder;

pub(crate) struct Terminal {
    /// What the person at the terminal has in front of them.
    person: File,
    child: Child,
    screen: JoinHandle<String>,
}

impl Terminal {
    /// Runs the program with all three streams on a new terminal, which is its controlling one.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let person = openpt(flags).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let stream = || {
            use std::os::unix::fs::OpenOptionsExt;
            let no_terminal_of_ours = OFlags::NOCTTY.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(no_terminal_of_ours).open(&name).unwrap()
        };
        let mut command: Command = folder.program("setsid");
        command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_persevere")]).args(arguments);
        command.env("TERM", "xterm");
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let child = command.spawn().unwrap();
        // It holds the other side of the terminal open.
        drop(command);
        let person = File::from(person);
        let screen = watch(person.try_clone().unwrap());
        Self { person, child, screen }
    }

    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.person.write_all(keys).unwrap();
    }

    /// How it ended, and what the screen showed.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.screen.join().unwrap())
    }
}

/// Reads until nobody has the terminal open any more, which Linux tells by an error.
fn watch(mut person: File) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut screen = Vec::new();
        let _closed = person.read_to_end(&mut screen);
        String::from_utf8_lossy(&screen).replace("\r\n", "\n")
    })
}
