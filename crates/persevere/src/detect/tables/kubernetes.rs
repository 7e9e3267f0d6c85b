//! Kubernetes: the reasons of its API's `Status`, as clients print them.
//!
//! Source: `k8s.io/apimachinery/pkg/apis/meta/v1/types.go` (StatusReason), `pkg/api/errors`.

use super::Entry;
use crate::detect::evidence::Rank::{Code, Decisive, Phrase, Vague};
use crate::provider::Provider::Kubernetes;
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, NotFound, Permission, Server, Throttle, Timeout,
    Unsupported,
};

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    Entry::retry(Code, Timeout, "kubernetes.timeout",
        &["Error from server (ServerTimeout)", "Error from server (Timeout)"]).of(Kubernetes).answered(),
    Entry::retry(Code, Throttle, "kubernetes.throttled",
        &["Error from server (TooManyRequests)", "cannot evict pod", "client-side throttling"]).of(Kubernetes).answered().unprocessed(),
    Entry::retry(Code, Server, "kubernetes.server",
        &["Error from server (InternalError)", "Error from server (ServiceUnavailable)", "apiserver not ready",
          "context deadline exceeded (client.timeout", "the server was unable to return a response", "no endpoints available for service",
          "the server is currently unable to handle"]).of(Kubernetes).answered(),
    Entry::retry(Vague, Server, "kubernetes.server",
        &["etcdserver"]).of(Kubernetes).answered(),
    Entry::retry(Code, Conflict, "kubernetes.conflict",
        &["an operation with the given", "Error from server (Conflict)", "the object has been modified",
          "please apply your changes to the latest version", "being terminated"]).of(Kubernetes).answered(),
    Entry::stop(Code, NotFound, "kubernetes.not_found",
        &["Error from server (NotFound)", "the server could not find the requested resource", "the server doesn't have a resource type",
          "no matches for kind", "no resources found", "no context exists", "context was not found", "imagepullbackoff", "errimagepull"]).of(Kubernetes).answered(),
    Entry::stop(Code, Permission, "kubernetes.forbidden",
        &["Error from server (Forbidden)", "cannot list resource", "cannot get resource", "cannot create resource", "cannot delete resource",
          "admission webhook", "violates podsecurity"]).of(Kubernetes).answered(),
    Entry::stop(Code, Auth, "kubernetes.unauthorized",
        &["Error from server (Unauthorized)", "you must be logged in to the server"]).of(Kubernetes).answered(),
    Entry::stop(Code, Conflict, "kubernetes.exists",
        &["Error from server (AlreadyExists)"]).of(Kubernetes).answered(),
    Entry::stop(Code, Invalid, "kubernetes.invalid",
        &["Error from server (Invalid)", "Error from server (BadRequest)", "Error from server (RequestEntityTooLarge)",
          "Error from server (NotAcceptable)", "Error from server (UnsupportedMediaType)", "Error from server (Gone)", "Error from server (Expired)",
          "strict decoding error", "error validating data", "field is immutable", "unable to recognize", "crashloopbackoff",
          "createcontainerconfigerror", "invalid kubeconfig"]).of(Kubernetes).answered(),
    Entry::stop(Code, Unsupported, "kubernetes.unsupported",
        &["Error from server (MethodNotAllowed)"]).of(Kubernetes).answered(),
    Entry::stop(Decisive, ExhaustedResource, "kubernetes.quota",
        &["mvcc: database space exceeded", "exceeded quota:", "insufficient cpu", "insufficient pods", "nodes are available"]).of(Kubernetes),
    Entry::stop(Phrase, Invalid, "kubernetes.config",
        &["stat /root/.kube", "kubeconfig", "missing context"]).of(Kubernetes),
];
