//! OpenSSH's sshd, with keys of its own.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::{PeerError, install};

const PROGRAM: &str = "sshd";

/// A running sshd that lets in the user who runs the tests, by a key only, with SFTP.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sshd {
    /// Where it listens.
    pub address: SocketAddr,
    /// The user whom it lets in.
    pub user: String,
    /// The private key that it accepts, as ssh-keygen writes it, without a passphrase; the public one is beside
    /// it, with `.pub`.
    pub key: PathBuf,
    /// The same key under the passphrase [`PASSPHRASE`](Self::PASSPHRASE).
    pub encrypted_key: PathBuf,
    /// A private key that it does not know.
    pub strangers_key: PathBuf,
    /// A `known_hosts` file that has its host key for its address and port.
    pub known_hosts: PathBuf,
    /// A `known_hosts` file that has another host key for its address and port.
    pub wrong_known_hosts: PathBuf,
    /// An empty folder for the tests' files.
    pub folder: PathBuf,
    _process: Process,
    _temporary: TempDir,
}

impl Sshd {
    /// The passphrase of [`encrypted_key`](Self::encrypted_key).
    pub const PASSPHRASE: &str = "correct horse";
}

/// sshd, with [`sshd_with`]'s settings alone.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn sshd() -> Result<Sshd, PeerError> {
    sshd_with(&[])
}

/// sshd with further lines of `sshd_config`, such as `MaxSessions 2`. They come first, and with sshd the first
/// word on a setting holds.
///
/// # Errors
///
/// If it is missing or does not start.
pub fn sshd_with(settings: &[&str]) -> Result<Sshd, PeerError> {
    let program = install::program(PROGRAM)?;
    start(&program, settings).map_err(|error| match error {
        StartError::Io(error) => PeerError::broken(PROGRAM, error),
        StartError::Peer(error) => error,
    })
}

enum StartError {
    Io(io::Error),
    Peer(PeerError),
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn start(program: &Path, settings: &[&str]) -> Result<Sshd, StartError> {
    let temporary = tempfile::tempdir()?;
    let path = |name: &str| temporary.path().join(name);
    for (name, passphrase) in
        [("host_key", ""), ("other_host_key", ""), ("user_key", ""), ("stranger_key", "")]
    {
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
            .arg(path(name)))?;
    }
    std::fs::copy(path("user_key"), path("encrypted_key"))?;
    run(Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", Sshd::PASSPHRASE, "-f"])
        .arg(path("encrypted_key")))?;
    std::fs::copy(path("user_key.pub"), path("authorized_keys"))?;
    std::fs::create_dir(path("files"))?;
    if run(Command::new("id").arg("-u"))? == "0" {
        // Its home for the process without privileges; packages make it only when they start sshd.
        std::fs::create_dir_all("/run/sshd")?;
    }
    let config = path("sshd_config");
    std::fs::write(&config, configuration(temporary.path(), settings))?;
    run(Command::new(program).arg("-t").arg("-f").arg(&config))?;
    let command = |address: SocketAddr| {
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(&config);
        command.arg("-o").arg(format!("ListenAddress={address}"));
        command
    };
    let process = Process::start(PROGRAM, command, greets).map_err(StartError::Peer)?;
    let address = process.address();
    known_host(address, &path("host_key.pub"), &path("known_hosts"))?;
    known_host(address, &path("other_host_key.pub"), &path("wrong_known_hosts"))?;
    Ok(Sshd {
        address,
        user: run(Command::new("id").arg("-un"))?,
        key: path("user_key"),
        encrypted_key: path("encrypted_key"),
        strangers_key: path("stranger_key"),
        known_hosts: path("known_hosts"),
        wrong_known_hosts: path("wrong_known_hosts"),
        folder: path("files"),
        _process: process,
        _temporary: temporary,
    })
}

fn configuration(folder: &Path, settings: &[&str]) -> String {
    let folder = folder.display();
    let mut text = settings.join("\n");
    // Of ten connections that are not logged in yet, it drops one in three by default, which no test wants to
    // meet by chance.
    text.push_str(&format!(
        "\n\
         MaxStartups 200\n\
         HostKey {folder}/host_key\n\
         AuthorizedKeysFile {folder}/authorized_keys\n\
         StrictModes no\n\
         UsePAM no\n\
         UseDNS no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PidFile none\n\
         Subsystem sftp internal-sftp\n"
    ));
    text
}

/// Whether an SSH server greets there.
fn greets(address: SocketAddr) -> bool {
    let greeting = || -> io::Result<[u8; 4]> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut start = [0; 4];
        connection.read_exact(&mut start)?;
        Ok(start)
    };
    greeting().is_ok_and(|start| &start == b"SSH-")
}

fn known_host(address: SocketAddr, key: &Path, file: &Path) -> io::Result<()> {
    let key = std::fs::read_to_string(key)?;
    // The comment at its end is of no use there.
    let key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    std::fs::write(file, format!("[{}]:{} {key}\n", address.ip(), address.port()))
}

fn run(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{command:?}: {}: {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
