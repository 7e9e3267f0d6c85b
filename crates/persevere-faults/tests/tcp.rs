//! Connections without HTTP.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::time::Duration;

use common::{connect, only_exchange, pattern, read_to_end, wait_for};
use persevere_faults::{At, Fault, FaultProxy, Outage, Plan, Rule};

/// Sends back what it is sent.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || {
                let mut back = connection.try_clone().unwrap();
                let _gone = std::io::copy(&mut connection, &mut back);
                let _gone = back.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

fn proxy(fault: Fault) -> FaultProxy {
    FaultProxy::tcp(echo(), Plan::new().rule(Rule::new(fault).nth(1))).unwrap()
}

/// Sends all of it beside the reading of what comes back.
fn exchange(proxy: &FaultProxy, data: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
    let mut client = connect(proxy);
    let mut writer = client.try_clone().unwrap();
    let data = data.to_vec();
    std::thread::spawn(move || {
        let _gone = writer.write_all(&data);
        let _gone = writer.shutdown(Shutdown::Write);
    });
    read_to_end(&mut client)
}

#[test]
fn bytes_and_half_closes_pass() {
    let proxy = FaultProxy::tcp(echo(), Plan::new()).unwrap();
    let data = pattern(3_000_000);
    assert!(exchange(&proxy, &data) == (data, None));
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.request_bytes, exchange.answer_bytes), (3_000_000, 3_000_000));
    assert!(exchange.complete && exchange.fault.is_none());
    assert_eq!((exchange.method.as_str(), exchange.target.as_str()), ("", ""));
}

#[test]
fn a_connection_is_reset_at_a_byte() {
    let proxy = proxy(Fault::ResetAnswer(At::Byte(123_456)));
    let data = pattern(1_000_000);
    assert!(
        exchange(&proxy, &data) == (data[..123_456].to_vec(), Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(only_exchange(&proxy).fault, Some("reset answer"));
    assert!(exchange(&proxy, &data) == (data, None), "the second connection passes");
}

#[test]
fn a_connection_is_reset_at_a_byte_on_its_way_up() {
    let proxy = proxy(Fault::ResetRequest(At::Byte(1000)));
    let (_, ended) = exchange(&proxy, &pattern(1_000_000));
    assert_eq!(ended, Some(ErrorKind::ConnectionReset));
    assert_eq!(only_exchange(&proxy).request_bytes, 1000);
}

#[test]
fn a_connection_is_cut_cleanly() {
    let proxy = proxy(Fault::TruncateAnswer(At::Byte(10)));
    assert_eq!(exchange(&proxy, &pattern(100)), (pattern(10), None));
}

#[test]
fn a_connection_stalls_at_a_byte() {
    let proxy = proxy(Fault::StallAnswer(At::Byte(10)));
    let mut client = connect(&proxy);
    client.write_all(&pattern(100)).unwrap();
    client.read_exact(&mut [0; 10]).unwrap();
    wait_for("it stalls", || proxy.exchanges()[0].fault == Some("stall answer"));
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    client.read(&mut [0]).unwrap_err();
    assert_eq!(proxy.exchanges()[0].answer_bytes, 10);
}

#[test]
fn an_outage_resets_and_refuses() {
    let proxy = FaultProxy::tcp(echo(), Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(b"a").unwrap();
    client.read_exact(&mut [0]).unwrap();
    proxy.begin_outage(Outage::Refuse);
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
    let refused = std::net::TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    proxy.end_outage();
    assert_eq!(exchange(&proxy, b"abc"), (b"abc".to_vec(), None));
}

#[test]
fn rules_that_need_http_are_refused() {
    for rule in [
        Rule::new(Fault::LoseAnswer),
        Rule::new(Fault::slow_down(None)),
        Rule::new(Fault::ResetRequest(At::Byte(0))).method("PUT"),
        Rule::new(Fault::ResetRequest(At::Byte(0))).when(|_| true),
    ] {
        let plan = Plan::new().rule(Rule::new(Fault::ResetAnswer(At::Byte(9)))).rule(rule);
        let error = FaultProxy::tcp(echo(), plan).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("rule 2"), "{error}");
    }
}
