//! OpenSSH's sshd, with keys of its own.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running sshd that lets in the user who runs the tests, by a key only, with SFTP.
pub(super) struct Sshd {
    pub(super) address: SocketAddr,
    pub(super) user: String,
    pub(super) key: PathBuf,
    pub(super) encrypted_key: PathBuf,
    pub(super) strangers_key: PathBuf,
    pub(super) known_hosts: PathBuf,
    pub(super) wrong_known_hosts: PathBuf,
    /// An empty folder, which is home too.
    pub(super) folder: PathBuf,
    child: Child,
    temporary: TempDir,
}

impl Sshd {
    pub(super) const PASSPHRASE: &str = "correct horse";

    /// `None` if there is none, where that is no failure.
    pub(super) fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The first word on a setting holds.
    pub(super) fn start_with(settings: &str) -> Option<Self> {
        let Some(program) = program() else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no sshd");
            eprintln!("SKIPPED: there is no sshd");
            return None;
        };
        Some(Self::try_start(&program, settings).expect("sshd could not be started"))
    }

    fn try_start(program: &Path, settings: &str) -> io::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let path = |name: &str| temporary.path().join(name);
        for name in ["host_key", "other_host_key", "user_key", "strangers_key"] {
            make_key(&path(name), "ed25519", "")?;
        }
        make_key(&path("encrypted_key"), "ed25519", Self::PASSPHRASE)?;
        let mut authorized = fs::read_to_string(path("user_key.pub"))?;
        authorized.push_str(&fs::read_to_string(path("encrypted_key.pub"))?);
        fs::write(path("authorized_keys"), authorized)?;
        fs::create_dir(path("files"))?;
        if run(Command::new("id").arg("-u"))? == "0" {
            // Its home for the process without privileges; packages make it only when they start sshd.
            fs::create_dir_all("/run/sshd")?;
        }
        let folder = temporary.path().display();
        let subsystem = match settings.contains("Subsystem") {
            true => String::new(),
            false => format!("Subsystem sftp internal-sftp -d {folder}/files"),
        };
        fs::write(
            path("sshd_config"),
            format!(
                "{settings}\nMaxStartups 200\nHostKey {folder}/host_key\n\
                 AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nUseDNS no\n\
                 PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PidFile none\n{subsystem}\n"
            ),
        )?;
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .arg("-o")
            .arg(format!("ListenAddress={address}"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(path("log"))?)
            .spawn()?;
        let begun = Instant::now();
        while !greets(address) {
            if begun.elapsed() > Duration::from_secs(30) || child.try_wait()?.is_some() {
                return Err(io::Error::other(fs::read_to_string(path("log"))?));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let known = |name: &str| known_host(address, &path(name));
        fs::write(path("known_hosts"), known("host_key.pub")?)?;
        fs::write(path("wrong_known_hosts"), known("other_host_key.pub")?)?;
        Ok(Self {
            address,
            user: run(Command::new("id").arg("-un"))?,
            key: path("user_key"),
            encrypted_key: path("encrypted_key"),
            strangers_key: path("strangers_key"),
            known_hosts: path("known_hosts"),
            wrong_known_hosts: path("wrong_known_hosts"),
            folder: path("files"),
            child,
            temporary,
        })
    }

    /// A file for a test, which is not among those that are served.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    /// Lets in whoever has the key with this public half.
    pub(super) fn authorize(&self, public: &Path) {
        let mut keys = fs::read_to_string(self.beside("authorized_keys")).unwrap();
        keys.push_str(&fs::read_to_string(public).unwrap());
        fs::write(self.beside("authorized_keys"), keys).unwrap();
    }

    /// Sends a signal to the processes that serve connections.
    pub(super) fn signal(&self, signal: &str) {
        let processes = descendants(self.child.id());
        assert!(!processes.is_empty(), "nobody is connected");
        for process in processes {
            // One of them may have ended with another.
            let _ = run(Command::new("kill").args([signal, &process.to_string()]));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for process in descendants(self.child.id()) {
            let _ = run(Command::new("kill").args(["-KILL", &process.to_string()]));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Another key than those of every server.
pub(super) fn make_key(path: &Path, kind: &str, passphrase: &str) -> io::Result<()> {
    let mut keygen = Command::new("ssh-keygen");
    run(keygen.args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(path)).map(drop)
}

pub(super) fn run(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{command:?}: {}: {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A line for the host at this address.
pub(super) fn known_host(address: SocketAddr, key: &Path) -> io::Result<String> {
    let key = fs::read_to_string(key)?;
    Ok(format!("[{}]:{} {key}", address.ip(), address.port()))
}

fn program() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = vec!["/usr/sbin".into(), "/usr/local/sbin".into()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().map(|folder| folder.join("sshd")).find(|path| path.is_file())
}

fn greets(address: SocketAddr) -> bool {
    let mut start = [0; 4];
    let mut greeting = || TcpStream::connect(address)?.read_exact(&mut start);
    greeting().is_ok() && &start == b"SSH-"
}

/// By Linux's /proc: each connection has processes in sessions of their own.
fn descendants(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}
