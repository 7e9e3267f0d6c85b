//! tonic's client, with a server that answers each call as it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use h2::Reason;
use persevere::{Kind, Provider};
use real_failures::certificates::SelfSigned;
use real_failures::grpc::{Answer, call, serve};
use real_failures::{expect, expect_final, expect_retry, peer, tls};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{NOBODY, SHORT};

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).unwrap()
}

async fn failure_at(address: SocketAddr) -> Status {
    call(endpoint(address).connect_lazy()).await
}

async fn answered(status: Status) -> Status {
    failure_at(serve(Answer::Status(Box::new(status))).await.unwrap()).await
}

fn with_pushback(value: &'static str) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("grpc-retry-pushback-ms", MetadataValue::from_static(value));
    Status::with_metadata(Code::Unavailable, "down for a moment", metadata)
}

#[tokio::test]
async fn unavailable() {
    let verdict = expect(&answered(Status::unavailable("down")).await, true, Kind::Server);
    assert_eq!(verdict.provider(), Some(Provider::Grpc));
    assert!(verdict.has_answer() && !verdict.is_unprocessed());
    assert_eq!(verdict.hint(), None);
}

#[tokio::test]
async fn unavailable_with_pushback() {
    let verdict = expect(&answered(with_pushback("250")).await, true, Kind::Server);
    assert_eq!(verdict.hint(), Some(Duration::from_millis(250)));
    expect_final(&answered(with_pushback("-1")).await, Kind::Server);
}

#[tokio::test]
async fn resource_exhausted_with_and_without_retry_info() {
    expect_final(&answered(Status::resource_exhausted("quota")).await, Kind::ExhaustedResource);
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
    let status = Status::with_error_details(Code::ResourceExhausted, "slow down", details);
    let verdict = expect(&answered(status).await, true, Kind::Throttle);
    assert_eq!(verdict.hint(), Some(Duration::from_secs(3)));
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn other_codes() {
    expect_retry(&answered(Status::internal("bug")).await, Kind::Server);
    expect_retry(&answered(Status::aborted("lost the race")).await, Kind::Conflict);
    expect_final(&answered(Status::cancelled("stop")).await, Kind::Other);
    expect_final(&answered(Status::not_found("connection reset")).await, Kind::NotFound);
    expect_retry(&answered(Status::unknown("the gears grind")).await, Kind::Unknown);
}

#[tokio::test]
async fn refused() {
    let closed = peer::Closed::port().unwrap();
    let verdict = expect(&failure_at(closed.address()).await, true, Kind::Network);
    assert_eq!(verdict.rule(), "io.connection_refused");
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn reset() {
    expect_retry(&failure_at(peer::resets_at_once().unwrap()).await, Kind::Network);
}

#[tokio::test]
async fn unknown_host() {
    let endpoint = Endpoint::from_shared(format!("http://{NOBODY}:1")).unwrap();
    let verdict = expect(&call(endpoint.connect_lazy()).await, true, Kind::Network);
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn refused_stream() {
    let address = serve(Answer::Reset(Reason::REFUSED_STREAM)).await.unwrap();
    let verdict = expect(&failure_at(address).await, true, Kind::Network);
    assert!(verdict.is_unprocessed());
}

#[tokio::test]
async fn too_much() {
    let address = serve(Answer::Reset(Reason::ENHANCE_YOUR_CALM)).await.unwrap();
    expect_retry(&failure_at(address).await, Kind::Throttle);
}

#[tokio::test]
async fn going_away() {
    let address = serve(Answer::GoAway(Reason::NO_ERROR)).await.unwrap();
    expect_retry(&failure_at(address).await, Kind::Network);
}

#[tokio::test]
async fn dropped_within_the_call() {
    let address = serve(Answer::Drop).await.unwrap();
    let verdict = expect(&failure_at(address).await, true, Kind::Network);
    assert!(!verdict.is_unprocessed());
}

#[tokio::test]
async fn stalled() {
    let address = serve(Answer::Stall).await.unwrap();
    expect_retry(&call(endpoint(address).timeout(SHORT).connect_lazy()).await, Kind::Timeout);
}

async fn certificate_failure(presented: &SelfSigned, trusted: &SelfSigned) -> Status {
    let address = tls::answers(presented, "").unwrap();
    let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(trusted.pem()));
    let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
    call(endpoint.tls_config(config).unwrap().connect_lazy()).await
}

/// UNAVAILABLE to tonic, as everything is that cannot connect.
#[tokio::test]
async fn self_signed_certificate() {
    let presented = SelfSigned::new("127.0.0.1");
    let error = certificate_failure(&presented, &SelfSigned::new("127.0.0.1")).await;
    expect_final(&error, Kind::Tls);
}

#[tokio::test]
async fn wrong_name_in_the_certificate() {
    let presented = SelfSigned::new("somebody-else.invalid");
    expect_final(&certificate_failure(&presented, &presented).await, Kind::Tls);
}
