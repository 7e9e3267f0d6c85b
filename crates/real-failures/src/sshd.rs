//! OpenSSH's sshd on loopback, with keys of its own, started once for each connection (`sshd -i`), so
//! that it needs no port and no root.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use russh::keys::PrivateKey;
use tempfile::TempDir;

use crate::peer;

/// A running server.
#[derive(Debug)]
pub struct Sshd {
    address: SocketAddr,
    user: String,
    folder: TempDir,
}

impl Sshd {
    /// Starts one, if OpenSSH's server is installed.
    ///
    /// # Panics
    ///
    /// If it is installed, but cannot be started.
    pub fn start() -> Option<Self> {
        let program = program()?;
        Some(Self::start_program(program).expect("sshd could not be set up"))
    }

    fn start_program(program: PathBuf) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["host_key", "user_key", "stranger_key"] {
            make_key(&folder.path().join(name))?;
        }
        std::fs::copy(folder.path().join("user_key.pub"), folder.path().join("authorized_keys"))?;
        let config = folder.path().join("sshd_config");
        std::fs::write(&config, configuration(folder.path()))?;
        if user_is_root()? {
            // Its home for the process without privileges; packages make it only when they start sshd.
            std::fs::create_dir_all("/run/sshd")?;
        }
        let address = peer::serve(move |connection| serve_one(&program, &config, connection))?;
        Ok(Self { address, user: output_of(Command::new("id").arg("-un"))?, folder })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The user that it lets in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The key that it accepts.
    ///
    /// # Panics
    ///
    /// If the key that ssh-keygen wrote cannot be read.
    pub fn user_key(&self) -> Arc<PrivateKey> {
        self.key("user_key")
    }

    /// A key that it does not know.
    ///
    /// # Panics
    ///
    /// If the key that ssh-keygen wrote cannot be read.
    pub fn strangers_key(&self) -> Arc<PrivateKey> {
        self.key("stranger_key")
    }

    fn key(&self, name: &str) -> Arc<PrivateKey> {
        let key = russh::keys::load_secret_key(self.folder.path().join(name), None);
        Arc::new(key.expect("ssh-keygen wrote it"))
    }
}

fn program() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = vec!["/usr/sbin".into(), "/usr/local/sbin".into()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().map(|folder| folder.join("sshd")).find(|path| path.is_file())
}

fn serve_one(program: &Path, config: &Path, connection: TcpStream) -> io::Result<()> {
    let output = OwnedFd::from(connection.try_clone()?);
    Command::new(program)
        .arg("-i")
        .arg("-f")
        .arg(config)
        .stdin(OwnedFd::from(connection))
        .stdout(output)
        .stderr(Stdio::null())
        .status()
        .map(drop)
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "HostKey {folder}/host_key\n\
         AuthorizedKeysFile {folder}/authorized_keys\n\
         StrictModes no\n\
         UsePAM no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PidFile none\n\
         Subsystem sftp internal-sftp\n"
    )
}

fn make_key(path: &Path) -> io::Result<()> {
    output_of(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path))
        .map(drop)
}

fn user_is_root() -> io::Result<bool> {
    Ok(output_of(Command::new("id").arg("-u"))? == "0")
}

fn output_of(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{command:?}: {}: {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
