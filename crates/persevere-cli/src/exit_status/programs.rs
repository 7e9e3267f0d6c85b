//! What the exit statuses of common programs say, where a status has one meaning. Left out are those that
//! cover many cases, such as 1, git's 128, ssh's 255 or rsync's 23: what was printed says more.

use persevere::Kind::{
    self, Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Other, Permission, Server,
    Throttle, Timeout, Tls, TransientIo, Unsupported,
};

/// A program's statuses.
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    pub(super) rule: &'static str,
    /// Statuses, whether to retry, kind, what the status means.
    pub(super) statuses: &'static [(&'static [u8], bool, Kind, &'static str)],
}

#[rustfmt::skip]
pub(super) const PROGRAMS: &[Program] = &[
    // curl(1), "EXIT CODES".
    Program { names: &["curl"], rule: "exit.curl", statuses: &[
        (&[1, 4, 41, 48], false, Unsupported, "unsupported protocol or feature"),
        (&[2, 3, 43], false, Invalid, "usage or URL malformed"),
        (&[5, 6, 97], true, Network, "name or proxy not resolved"),
        (&[7], true, Network, "failed to connect"),
        (&[9, 67, 94], false, Auth, "access or login denied"),
        (&[12, 28], true, Timeout, "operation timed out"),
        (&[16, 92, 95, 96], true, Network, "HTTP/2, HTTP/3 or QUIC error"),
        (&[18, 52, 55, 56], true, Network, "transfer cut off"),
        (&[35, 80], true, Network, "TLS handshake or shutdown failed"),
        (&[23, 26, 37], false, Permission, "local file cannot be written or read"),
        (&[27], false, ExhaustedResource, "out of memory"),
        (&[33], false, Invalid, "the server cannot resume"),
        (&[47], false, Invalid, "too many redirects"),
        (&[51, 53, 54, 58, 59, 60, 66, 77, 82, 83, 90, 91], false, Tls, "certificate or TLS not accepted"),
        (&[63], false, ExhaustedResource, "file too large"),
        (&[78], false, NotFound, "remote file not found"),
    ]},
    // GNU Wget manual, "Exit Status". 8, an error response, may be any.
    Program { names: &["wget"], rule: "exit.wget", statuses: &[
        (&[2], false, Invalid, "options or configuration not understood"),
        (&[3], false, Permission, "file error"),
        (&[4], true, Network, "network failure"),
        (&[5], false, Tls, "certificate not accepted"),
        (&[6], false, Auth, "authentication failed"),
        (&[7], true, Server, "protocol error"),
    ]},
    // rsync(1), "EXIT VALUES".
    Program { names: &["rsync"], rule: "exit.rsync", statuses: &[
        (&[1], false, Invalid, "syntax or usage error"),
        (&[2], false, Unsupported, "protocol incompatibility"),
        (&[3], false, NotFound, "errors selecting files"),
        (&[4], false, Unsupported, "requested action not supported"),
        (&[5], true, Network, "error starting the client-server protocol"),
        (&[10], true, Network, "error in socket I/O"),
        (&[12], true, Network, "error in the protocol data stream"),
        (&[22], false, ExhaustedResource, "out of memory"),
        (&[24], true, TransientIo, "source files vanished"),
        (&[25], false, Other, "deletions stopped by --max-delete"),
        (&[30, 35], true, Timeout, "timed out"),
    ]},
    // AWS CLI user guide, "Command line return codes". 254 and 255 may be any.
    Program { names: &["aws"], rule: "exit.aws", statuses: &[
        (&[252], false, Invalid, "the command was not understood"),
        (&[253], false, Auth, "configuration or credentials missing"),
    ]},
    // rclone, "List of exit codes".
    Program { names: &["rclone"], rule: "exit.rclone", statuses: &[
        (&[2], false, Invalid, "syntax or usage error"),
        (&[3, 4], false, NotFound, "folder or file not found"),
        (&[5], true, Server, "temporary error"),
        (&[7], false, Permission, "fatal error"),
        (&[8, 10], false, ExhaustedResource, "limit of the transfer reached"),
        (&[9], false, Other, "nothing was transferred"),
    ]},
    // psql(1), "Exit Status"; pg_isready(1).
    Program { names: &["psql"], rule: "exit.psql", statuses: &[
        (&[2], true, Network, "the connection went bad"),
        (&[3], false, Invalid, "error in a script"),
    ]},
    Program { names: &["pg_isready"], rule: "exit.pg_isready", statuses: &[
        (&[1], true, Server, "the server is starting up"),
        (&[2], true, Network, "no response"),
        (&[3], false, Invalid, "no attempt was made"),
    ]},
    // systemctl(1), "Exit status", and systemd.exec(5), after the Linux Standard Base.
    Program { names: &["systemctl", "service"], rule: "exit.systemctl", statuses: &[
        (&[2], false, Invalid, "invalid or excess argument"),
        (&[4], false, Permission, "not allowed, or no such unit"),
        (&[5], false, NotFound, "not installed"),
        (&[6], false, Invalid, "not configured"),
    ]},
    // git(1) and its commands print usage with 129.
    Program { names: &["git"], rule: "exit.git", statuses: &[
        (&[129], false, Invalid, "usage error"),
    ]},
    // restic, "Exit codes".
    Program { names: &["restic"], rule: "exit.restic", statuses: &[
        (&[10], false, NotFound, "the repository does not exist"),
        (&[11], true, Conflict, "the repository is locked"),
        (&[12], false, Auth, "wrong password"),
    ]},
    // borg, "Return codes" (modern ones).
    Program { names: &["borg"], rule: "exit.borg", statuses: &[
        (&[13, 15], false, NotFound, "the repository does not exist"),
        (&[52, 53], false, Auth, "passphrase or key missing or wrong"),
        (&[70, 71, 72, 73], true, Conflict, "the repository is locked"),
        (&[80, 81, 87], true, Network, "the connection to the repository failed"),
        (&[82, 83, 84], false, Invalid, "the server does not allow or know it"),
    ]},
    // ansible-playbook, `lib/ansible/cli`. 4 is unreachable hosts, and a parser's error too.
    Program { names: &["ansible", "ansible-playbook"], rule: "exit.ansible", statuses: &[
        (&[3], true, Network, "hosts unreachable"),
        (&[5], false, Invalid, "options not understood"),
    ]},
    // ping(8) of iputils: no reply.
    Program { names: &["ping"], rule: "exit.ping", statuses: &[
        (&[1], true, Network, "no reply"),
    ]},
    // mount(8), "EXIT STATUS".
    Program { names: &["mount"], rule: "exit.mount", statuses: &[
        (&[1], false, Permission, "incorrect invocation or permissions"),
        (&[2], true, TransientIo, "system error"),
    ]},
    // zypper(8), "EXIT CODES".
    Program { names: &["zypper"], rule: "exit.zypper", statuses: &[
        (&[2, 3], false, Invalid, "usage error"),
        (&[5], false, Permission, "insufficient privileges"),
        (&[7], true, Conflict, "the package manager is locked"),
        (&[104], false, NotFound, "no such package"),
        (&[106], true, Network, "a repository could not be refreshed"),
    ]},
    // grpcurl: 64 + the gRPC status.
    Program { names: &["grpcurl"], rule: "exit.grpcurl", statuses: &[
        (&[65, 67, 69, 70, 71, 73, 75, 76, 79, 80], false, Invalid, "a final gRPC status"),
        (&[68], true, Timeout, "DEADLINE_EXCEEDED"),
        (&[72], true, Throttle, "RESOURCE_EXHAUSTED"),
        (&[74, 77, 78], true, Server, "ABORTED, INTERNAL or UNAVAILABLE"),
    ]},
];
