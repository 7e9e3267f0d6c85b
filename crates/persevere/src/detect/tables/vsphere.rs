//! VMware vSphere: faults of its SOAP API, and their messages.
//!
//! Sources: "vSphere Web Services API reference" (fault types), and the messages of vCenter's
//! message catalogue as govc, PowerCLI, pyVmomi and ovftool
//! print them. What to do about each is section 6 of the project's design.

use super::Entry;
use crate::detect::evidence::Rank::{Code, Decisive, Phrase};
use crate::provider::Provider::Vsphere;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Permission, Precondition,
    Server, Timeout, Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Network, "vsphere.host",
        &["HostCommunication", "HostNotConnected", "HostNotReachable", "HostConnectFault", "communicating with the remote host",
          "unable to communicate with the remote host", "host is not responding", "nfc server", "nfcnetworkerror", "nfc_network_error",
          "nfc_session_error"]).of(Vsphere),
    Entry::retry(Code, Conflict, "vsphere.busy",
        &["TaskInProgress", "ConcurrentAccess", "ResourceInUse", "FileLocked", "another task is already in progress", "failed to lock the file",
          "unable to access file since it is locked", "resourceinusefault", "operation is in progress on"]).of(Vsphere).answered(),
    Entry::retry(Code, Timeout, "vsphere.timed_out",
        &["vim.fault.Timedout", "GuestOperationsTimedOut", "operation timed out on the host"]).of(Vsphere),
    Entry::retry(Code, Server, "vsphere.system_error",
        &["SystemErrorFault", "a general system error occurred", "vcenter server is starting", "vpxd", "service is not running yet",
          "vmodl.fault.SystemError"]).of(Vsphere).answered(),
    Entry::stop(Code, Auth, "vsphere.login",
        &["InvalidLogin", "InvalidLoginFault", "NotAuthenticated", "NotAuthenticatedFault", "the session is not authenticated",
          "incorrect user name or password", "cannot complete login", "session has timed out"]).of(Vsphere).answered(),
    Entry::stop(Code, Permission, "vsphere.permission",
        &["NoPermission", "NoPermissionFault", "permission to perform this operation was denied", "RestrictedVersion", "RestrictedByAdministrator",
          "current license or esxi version prohibits"]).of(Vsphere).answered(),
    Entry::stop(Code, NotFound, "vsphere.not_found",
        &["ManagedObjectNotFound", "ManagedObjectNotFoundFault", "has already been deleted or has not been completely created",
          "managed object not found", "MethodNotFound", "vm not found", "virtual machine not found", "no such vm", "datastore not found",
          "host not found in inventory"]).of(Vsphere).answered(),
    Entry::stop(Code, Precondition, "vsphere.power_state",
        &["InvalidPowerState", "InvalidPowerStateFault", "InvalidStateFault", "InvalidVmState", "the operation is not allowed in the current state",
          "attempted operation cannot be performed in the current state", "ToolsUnavailable", "vmware tools is not running",
          "GuestOperationsUnavailable", "maintenance mode"]).of(Vsphere).answered(),
    Entry::stop(Code, Conflict, "vsphere.exists",
        &["DuplicateName", "DuplicateNameFault", "vim.fault.AlreadyExists", "FileAlreadyExists"]).of(Vsphere).answered(),
    Entry::stop(Code, Invalid, "vsphere.invalid",
        &["a specified parameter was not correct", "InvalidArgumentFault", "InvalidName", "InvalidDatastorePath", "InvalidDatastore",
          "InvalidDeviceSpec", "GenericVmConfigFault", "VmConfigFault", "InvalidRequestFault", "InvalidType", "CannotAccessFile", "OvfImport",
          "OvfExport", "line: 1: invalid", "ovf descriptor", "ovf package", "InvalidController", "InvalidFolder"]).of(Vsphere).answered(),
    Entry::stop(Code, Unsupported, "vsphere.unsupported",
        &["NotSupportedFault", "the operation is not supported on the object", "not supported by the host", "SnapshotFault",
          "disallowedoperationfault"]).of(Vsphere).answered(),
    Entry::stop(Decisive, ExhaustedResource, "vsphere.space",
        &["NoDiskSpaceFault", "InsufficientResourcesFault", "InsufficientCpuResourcesFault", "InsufficientMemoryResourcesFault", "NotEnoughLicenses",
          "NotEnoughLicensesFault", "LicenseExpired"]).of(Vsphere).answered(),
    Entry::stop(Phrase, NotFound, "vsphere.file_not_found",
        &["FileNotFoundFault", "unable to access file ["]).of(Vsphere),
];
