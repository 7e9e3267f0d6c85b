//! Runs the real program, each test in a folder of its own and without the developer's settings.

// Each test file is a program of its own and uses only a part of this.
#![allow(dead_code, clippy::unwrap_used)]

#[cfg(target_os = "linux")]
pub(crate) mod namespace;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder of its own.
pub(crate) struct Folder {
    dir: TempDir,
}

/// What the program has left behind.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) raw: Output,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The program in this folder.
    pub(crate) fn persevere<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_persevere"));
        command.args(arguments);
        command
    }

    /// Any program in this folder.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn finish<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Finished {
        finish(&mut self.persevere(arguments))
    }

    /// `persevere run OPTIONS -- sh -c SCRIPT` with short delays.
    pub(crate) fn run_sh(&self, options: &[&str], script: &str) -> Finished {
        finish(&mut self.sh(options, script))
    }

    pub(crate) fn sh(&self, options: &[&str], script: &str) -> Command {
        let options = options.iter().copied();
        let before = ["run", "--initial-delay", "1ms", "--no-jitter"];
        let after = ["--", "sh", "-c", script];
        self.persevere(before.into_iter().chain(options).chain(after))
    }
}

pub(crate) fn finish(command: &mut Command) -> Finished {
    finished(command.output().unwrap())
}

pub(crate) fn finish_with_input(command: &mut Command, input: &[u8]) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program need not read all of it.
        let _closed = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    finished(output)
}

pub(crate) fn finished(raw: Output) -> Finished {
    Finished {
        code: raw.status.code(),
        stdout: String::from_utf8_lossy(&raw.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&raw.stderr).into_owned(),
        raw,
    }
}

impl Finished {
    /// Bad input: nothing but one line, which mentions all of `parts`.
    #[track_caller]
    pub(crate) fn is_refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert_eq!(self.stdout, "");
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert_eq!(self.stderr.matches('\n').count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "{part}: {}", self.stderr);
        }
    }

    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }
}
