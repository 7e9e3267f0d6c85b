//! The network is down for a time.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::{answer_of, connect, get, pattern, raw_server, read_answer, read_to_end, wait_for};
use persevere_faults::{Fault, FaultProxy, Outage, Plan, Rule};

fn proxy(plan: Plan) -> FaultProxy {
    FaultProxy::http(raw_server(answer_of(100)).0, plan).unwrap()
}

fn fetch(proxy: &FaultProxy) -> Vec<u8> {
    let mut client = connect(proxy);
    client.write_all(&get("/key")).unwrap();
    read_answer(&mut client).1
}

#[test]
fn connections_are_reset_and_new_ones_refused_until_it_is_over() {
    let proxy = proxy(Plan::new());
    let mut idle = connect(&proxy);
    idle.write_all(&get("/key")).unwrap();
    read_answer(&mut idle);
    let address = proxy.address();
    proxy.begin_outage(Outage::Refuse);
    for _ in 0..3 {
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(read_to_end(&mut idle), (vec![], Some(ErrorKind::ConnectionReset)));
    proxy.end_outage();
    assert_eq!(proxy.address(), address);
    assert_eq!(fetch(&proxy), pattern(100));
    assert_eq!(proxy.counters().faults, 1);
}

#[test]
fn it_ends_by_itself() {
    let proxy = proxy(Plan::new());
    proxy.outage(Outage::Refuse, Duration::from_millis(100));
    wait_for("the outage is over", || TcpStream::connect(proxy.address()).is_ok());
    assert_eq!(fetch(&proxy), pattern(100));
}

#[test]
fn a_later_outage_replaces_the_first_one() {
    let proxy = proxy(Plan::new());
    proxy.outage(Outage::Refuse, Duration::from_millis(1));
    proxy.begin_outage(Outage::Silence);
    wait_for("it listens again", || TcpStream::connect(proxy.address()).is_ok());
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    client.read(&mut [0]).unwrap_err();
}

#[test]
fn in_silence_connections_wait_and_go_on() {
    let proxy = proxy(Plan::new());
    let mut before = connect(&proxy);
    before.write_all(&get("/key")).unwrap();
    read_answer(&mut before);
    proxy.begin_outage(Outage::Silence);
    let mut during = connect(&proxy);
    for client in [&mut before, &mut during] {
        client.write_all(&get("/key")).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let silent = client.read(&mut [0]).unwrap_err();
        assert!(matches!(silent.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silent}");
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    proxy.end_outage();
    assert_eq!(read_answer(&mut during).1, pattern(100));
}

#[test]
fn a_rule_can_begin_one() {
    let outage = Fault::Outage { outage: Outage::Refuse, duration: Duration::from_secs(3600) };
    let proxy = proxy(Plan::new().rule(Rule::new(outage).nth(2)));
    assert_eq!(fetch(&proxy), pattern(100));
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
    wait_for("it refuses", || TcpStream::connect(proxy.address()).is_err());
    proxy.end_outage();
    wait_for("it accepts", || TcpStream::connect(proxy.address()).is_ok());
    assert_eq!(fetch(&proxy), pattern(100));
    assert_eq!(proxy.exchanges()[1].fault, Some("outage"));
}

#[test]
fn connections_are_reset_on_request() {
    let proxy = proxy(Plan::new());
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    read_answer(&mut client);
    proxy.reset_connections();
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
    assert_eq!(fetch(&proxy), pattern(100));
}

#[test]
fn a_server_that_is_not_there_resets() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = FaultProxy::http(nobody, Plan::new()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
}

#[test]
fn a_dropped_proxy_is_gone() {
    let proxy = proxy(Plan::new());
    let address = proxy.address();
    let mut client = connect(&proxy);
    client.write_all(&get("/key")).unwrap();
    read_answer(&mut client);
    drop(proxy);
    assert_eq!(read_to_end(&mut client).0, b"");
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
