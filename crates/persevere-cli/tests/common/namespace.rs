//! Network namespaces, in which a test may pull every cable.

use std::process::Command;

use super::Folder;

/// Runs a shell script in a network namespace with nothing but `lo`, with mounts of its own, and gives its standard output.
/// `None` where there are none to be had.
pub(crate) fn inside(name: &str, script: &str) -> Option<String> {
    let folder = Folder::new();
    let succeeds = |command: &mut Command| command.output().is_ok_and(|it| it.status.success());
    let available = succeeds(Command::new("ip").arg("-V"))
        && succeeds(Command::new("unshare").args(["--net", "--mount", "--map-root-user", "true"]));
    if !available {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no namespaces, and CI skips nothing"
        );
        eprintln!("SKIPPED: {name}: network namespaces or `ip` (iproute2) are not to be had here");
        return None;
    }
    let mut shell = folder.program("unshare");
    shell.args(["--net", "--mount", "--map-root-user", "bash", "-euc"]);
    shell.arg(format!("{CABLE}\n{script}"));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_persevere")).parent().unwrap();
    let path = std::env::join_paths(
        [program.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    shell.env("PATH", path.unwrap());
    let output = shell.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{stdout}\n{stderr}", output.status);
    Some(stdout)
}

const CABLE: &str = "
ip link set lo up
# A network that leads nowhere else.
local_network() {
    ip link add v0 type veth peer name v1
    ip link set v1 up
    ip link set v0 up
    ip addr add 10.9.0.1/24 dev v0
    persevere network wait --target 10.9.0.2:80 --deadline 60s >/dev/null
}
cable() {
    local_network
    ip route add default via 10.9.0.2
    persevere network wait --deadline 60s >/dev/null
}
# eventually COMMAND: again and again, for a minute at the most.
eventually() { for _ in $(seq 1200); do if \"$@\"; then return 0; fi; sleep 0.05; done; return 1; }";
