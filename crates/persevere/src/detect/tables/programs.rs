//! What common programs say in words of their own.
//!
//! Sources: the programs' own sources and manuals: curl's `tool_operate.c` and `strerror.c`, wget,
//! rsync's `errcode.h`, git's `remote-curl.c`,
//! apt's `acquire-item.cc`, npm's "Common errors", pip, Docker's `errdefs`, the Kubernetes client,
//! Terraform, Helm, systemd, `mount(8)`, GNU tar.

use super::Entry;
use crate::detect::evidence::Rank::{Decisive, Phrase, Status, Vague};
use crate::verdict::Kind::{
    Auth, Conflict, Invalid, Network, NotFound, Permission, Server, TransientIo, Unsupported,
};

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    // curl.
    Entry::stop(Phrase, NotFound, "curl.read_local",
        &["failed to open/read local data", "can't open '", "failed to open file", "couldn't open file"]),
    Entry::stop(Phrase, Invalid, "curl.usage",
        &["url rejected", "no url specified", "proper numerical parameter", "failed writing body", "failure writing output",
          "url using bad/illegal format", "protocol \"", "disabled in libcurl"]),
    Entry::retry(Phrase, Network, "curl.transfer",
        &["recv failure", "send failure", "failed sending data", "error in the http2 framing layer", "http/2 framing layer", "ssl_read", "ssl_write",
          "ssl_connect", "gnutls_handshake", "gnutls recv"]),
    Entry::retry(Vague, Network, "curl.transfer",
        &["failure when receiving data", "failed to receive", "rpc failed"]),
    // wget.
    Entry::retry(Vague, Network, "wget.read",
        &["read error", "write error", "giving up"]),
    // git.
    Entry::stop(Phrase, NotFound, "git.not_found",
        &["repository not found", "not a git repository", "did not match any file", "remote branch", "unknown revision", "bad revision",
          "bad object", "not our ref", "does not appear to be a git repository", "did not send all necessary objects"]),
    Entry::stop(Phrase, Conflict, "git.rejected",
        &["unstaged changes", "uncommitted changes", "commit or stash", "untracked working tree", "failed to push some refs", "unrelated histories",
          "would be overwritten", "needs merge", "unmerged files", "local changes", "refusing to", "non-empty directory", "cannot lock ref",
          "remote rejected", "pre-receive hook declined", "protected branch"]),
    // Package managers.
    Entry::retry(Phrase, Conflict, "packages.locked",
        &["dpkg frontend lock", "dpkg/lock", "lists/lock", "archives/lock", "lock-frontend", "waiting for file lock", "another git process",
          "yum lock", "existing lock", "is the package manager running", "another instance"]),
    Entry::retry(Vague, Network, "packages.fetch",
        &["failed to fetch", "unable to fetch", "hash sum mismatch", "mirror sync in progress", "err_socket_timeout", "cannot download",
          "failed to download", "network timeout at", "fetch_failed", "could not transfer artifact", "unable to download", "download failed"]),
    Entry::stop(Phrase, NotFound, "packages.not_found",
        &["no matching version", "no matching distribution", "no package", "no installation candidate", "is not in this registry",
          "not in the npm registry", "no match for argument", "no matching package", "etarget", "e404", "no such package", "not available from",
          "does not have a release file"]),
    Entry::stop(Phrase, Invalid, "packages.unsolvable",
        &["requires a different python", "unmet dependencies", "eresolve", "unable to resolve dependency", "resolutionimpossible", "broken packages", "conflicting dependencies",
          "ejsonparse", "eintegrity", "ebadengine", "eusage", "epublishconflict", "yanked", "failed to select a version",
          "failed to parse lock file", "lock file needs to be updated", "requires python", "subprocess-exited-with-error", "build failed",
          "compilation failed", "could not compile", "failed building wheel", "externally-managed-environment"]),
    Entry::stop(Phrase, Auth, "packages.auth",
        &["e401", "eneedauth", "eotp", "enoauth"]),
    Entry::stop(Phrase, Permission, "packages.permission",
        &["e403"]),
    // Containers.
    Entry::stop(Phrase, Permission, "docker.denied",
        &["may require 'docker login'", "no basic auth credentials"]),
    Entry::stop(Phrase, Conflict, "docker.conflict",
        &["stop the container", "before removing", "port is already allocated", "is already in use by container", "the container name",
          "image is being used", "conflict: unable to"]),
    Entry::stop(Phrase, NotFound, "docker.not_found",
        &["manifest for", "not found: manifest", "no such service", "no such plugin", "name unknown", "blob unknown", "no space on"]),
    Entry::retry(Phrase, Network, "docker.daemon",
        &["cannot connect to the docker daemon", "is the docker daemon running", "connection to the server"]),
    Entry::retry(Vague, Network, "docker.daemon",
        &["error during connect", "error pulling image", "failed to copy", "failed to do request", "httpreadseeker"]),
    // Terraform, Helm, Ansible.
    Entry::retry(Phrase, Conflict, "deploy.locked",
        &["another operation (install/upgrade/rollback)", "state lock", "another update operation", "unable to lock the state"]),
    Entry::stop(Phrase, Conflict, "deploy.conflict",
        &["cannot re-use a name", "name that is still in use", "resource already managed"]),
    Entry::stop(Status, Invalid, "deploy.invalid",
        &["error validating", "unsupported argument", "missing required argument", "invalid resource type", "reference to undeclared",
          "no configuration files", "chart not found", "template error", "error converting yaml", "error parsing", "rendered manifests contain",
          "unable to build kubernetes objects", "mandatory", "role not found", "playbook"]),
    // Whatever it is that keeps the lock: a row of a table, say, that already exists.
    Entry::retry(Decisive, Conflict, "deploy.locked", &["error acquiring the state lock"]),
    // systemd, mount, tar.
    Entry::stop(Phrase, NotFound, "systemd.not_found",
        &[".service not found", "unit not found", "not loaded", "failed to enable unit", "is masked"]),
    Entry::stop(Phrase, Permission, "systemd.permission",
        &["interactive authentication required", "only root can", "polkit", "requires root", "you cannot perform this operation unless you are root"]),
    Entry::stop(Decisive, Invalid, "rsync.usage",
        &["syntax or usage error", "errors selecting input/output files", "the --max-delete limit", "protocol version mismatch",
          "protocol incompatibility", "is your shell clean"]),
    Entry::retry(Phrase, Network, "rsync.transport",
        &["error in rsync protocol data stream", "timeout in data send/receive", "timeout waiting for daemon connection",
          "error starting client-server protocol"]),
    Entry::stop(Phrase, Unsupported, "rsync.unsupported",
        &["requested action not supported", "not supported by server"]),
    Entry::retry(Phrase, TransientIo, "tar.changed",
        &["file changed as we read it", "file removed before we read it", "vanished"]),
    // Backups and file transfer: restic, borg, duplicity, rclone.
    Entry::retry(Phrase, Conflict, "backup.locked",
        &["repository is already locked", "unable to create lock", "failed to create/acquire the lock", "already locked exclusively",
          "already locked by", "lock timeout", "lockerror", "locktimeout"]),
    Entry::stop(Phrase, NotFound, "rclone.not_found",
        &["no urls matched", "matched no objects", "directory not found", "didn't find section in config", "object not found", "bucket not found"]),
    Entry::stop(Phrase, Auth, "rclone.auth",
        &["couldn't fetch token", "failed to authenticate", "empty token found", "passphrase", "decryption failed", "failed to decrypt",
          "bad password"]),
    // Mail: RFC 5321 section 4.2, RFC 3463.
    Entry::retry(Phrase, Server, "smtp.transient",
        &["error_temp", "421 4.", "450 4.", "451 4.", "452 4.", "greylisted", "greylisting"]).answered(),
    Entry::stop(Phrase, Invalid, "smtp.permanent",
        &["host blocked", "client host rejected", "smtprecipientsrefused", "smtpsenderrefused", "smtpauthenticationerror", "error_perm", "550 5.",
          "551 5.", "552 5.", "553 5.", "554 5.", "530 5.", "535 5.", "mailbox unavailable", "user unknown", "relay access denied",
          "relaying denied", "bad sequence of commands", "address rejected", "sender rejected", "recipient rejected"]),
];
