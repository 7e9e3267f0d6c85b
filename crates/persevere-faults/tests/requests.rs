//! Faults of requests: the server gets so many bytes, and not one more.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{ErrorKind, Write};

use common::{
    answer_of, connect, first_body, only_exchange, pattern, put, raw_server, read_answer,
    read_to_end, wait_for,
};
use persevere_faults::{At, Fault, FaultProxy, Plan, Rule};

#[test]
fn a_request_is_reset_at_a_byte() {
    for byte in [0, 1, 65_536, 700_001, 3_000_000] {
        let (server, received) = raw_server("");
        let plan = Plan::new().rule(Rule::new(Fault::ResetRequest(At::Byte(byte))));
        let proxy = FaultProxy::http(server, plan).unwrap();
        let mut client = connect(&proxy);
        let data = pattern(4_000_000);
        // The reset may come while it is still being sent.
        let sent = client.write_all(&put("/key", &data));
        let (answer, ended) = read_to_end(&mut client);
        assert!(answer.is_empty());
        let reset = [Some(ErrorKind::ConnectionReset), Some(ErrorKind::BrokenPipe)];
        assert!(reset.contains(&ended) || reset.contains(&sent.err().map(|e| e.kind())));

        let exchange = only_exchange(&proxy);
        assert_eq!((exchange.request_bytes, exchange.fault), (byte, Some("reset request")));
        assert_eq!((exchange.status, exchange.complete), (None, false));
        assert_eq!(exchange.request_length, Some(4_000_000));
        wait_for("the server has it", || {
            first_body(&received).is_some_and(|body| body.len() as u64 >= byte)
        });
        drop(proxy);
        assert_eq!(first_body(&received).unwrap(), &data[..byte as usize]);
    }
}

#[test]
fn a_chunked_request_is_reset_at_a_byte_of_its_data() {
    let (server, received) = raw_server("");
    let plan = Plan::new().rule(Rule::new(Fault::ResetRequest(At::Byte(7))));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    let request = b"PUT /key HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
    client.write_all(request).unwrap();
    read_to_end(&mut client);
    assert_eq!(only_exchange(&proxy).request_bytes, 7);
    drop(proxy);
    let all = b"5\r\nhello\r\n5\r\nwo";
    wait_for("the server has it", || {
        first_body(&received).is_some_and(|body| body.len() >= all.len())
    });
    assert_eq!(first_body(&received).unwrap(), all);
}

#[test]
fn a_request_shorter_than_that_goes_to_the_server_whole() {
    let (server, received) = raw_server("");
    let plan = Plan::new().rule(Rule::new(Fault::ResetRequest(At::Byte(1000))));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&put("/key", b"short")).unwrap();
    assert_eq!(read_to_end(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.request_bytes, exchange.fault), (5, Some("reset request")));
    wait_for("the server has it", || first_body(&received).is_some_and(|body| body == b"short"));
}

#[test]
fn a_request_stalls_at_a_byte() {
    let (server, received) = raw_server("");
    let plan = Plan::new().rule(Rule::new(Fault::StallRequest(At::Byte(1234))));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    let data = pattern(5000);
    client.write_all(&put("/key", &data)).unwrap();
    wait_for("it stalls", || proxy.exchanges().iter().any(|exchange| exchange.fault.is_some()));
    let exchange = &proxy.exchanges()[0];
    assert_eq!((exchange.request_bytes, exchange.fault), (1234, Some("stall request")));
    assert_eq!(exchange.ended, None);
    drop(proxy);
    wait_for("the server has it", || first_body(&received).is_some_and(|body| body.len() >= 1234));
    assert_eq!(first_body(&received).unwrap(), &data[..1234]);
}

#[test]
fn every_second_request_breaks_at_a_byte_that_the_seed_chooses() {
    let run = |seed| {
        let (server, _) = raw_server(answer_of(0));
        let plan =
            Plan::new().seed(seed).rule(Rule::new(Fault::ResetRequest(At::Anywhere)).every(2));
        let proxy = FaultProxy::http(server, plan).unwrap();
        for index in 0..8 {
            let mut client = connect(&proxy);
            let _reset = client.write_all(&put("/key", &pattern(100_000)));
            if index % 2 == 0 {
                read_answer(&mut client);
            } else {
                read_to_end(&mut client);
            }
            wait_for("it is over", || proxy.exchanges().iter().all(|e| e.ended.is_some()));
        }
        let bytes = |exchange: persevere_faults::Exchange| exchange.request_bytes;
        proxy.exchanges().into_iter().map(bytes).collect::<Vec<_>>()
    };
    let bytes = run(1);
    let broken: Vec<_> = bytes.iter().skip(1).step_by(2).collect();
    assert!(bytes.iter().step_by(2).all(|bytes| *bytes == 100_000), "{bytes:?}");
    assert!(broken.iter().all(|bytes| **bytes < 100_000), "{bytes:?}");
    assert!(broken.windows(2).any(|pair| pair[0] != pair[1]), "{bytes:?}");
    assert_eq!(bytes, run(1));
    assert_ne!(bytes, run(2));
}

#[test]
fn a_drip_delays_and_loses_nothing() {
    let (server, received) = raw_server(answer_of(300));
    let plan = Plan::new().rule(Rule::new(Fault::Drip { bytes_per_second: 4000 }));
    let proxy = FaultProxy::http(server, plan).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&put("/key", &pattern(600))).unwrap();
    assert_eq!(read_answer(&mut client).1, pattern(300));
    wait_for("the server has it", || first_body(&received).is_some_and(|body| body.len() == 600));
    drop(client);
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.request_bytes, exchange.answer_bytes), (600, 300));
    assert_eq!((exchange.fault, exchange.complete), (Some("drip"), true));
    // What 600 bytes take at that rate.
    let took = exchange.ended.unwrap() - exchange.started;
    assert!(took >= std::time::Duration::from_millis(140), "{took:?}");
}

#[test]
fn a_slow_line_is_no_fault_and_faults_happen_on_it() {
    let (server, received) = raw_server(answer_of(300));
    let reset = Rule::new(Fault::ResetRequest(At::Byte(200))).path_contains("broken");
    let proxy = FaultProxy::http(server, Plan::new().pace(4000).rule(reset)).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&put("/key", &pattern(600))).unwrap();
    assert_eq!(read_answer(&mut client).1, pattern(300));
    wait_for("the server has it", || first_body(&received).is_some_and(|body| body.len() == 600));
    drop(client);
    let exchange = only_exchange(&proxy);
    assert_eq!((exchange.request_bytes, exchange.answer_bytes), (600, 300));
    assert_eq!((exchange.fault, exchange.complete), (None, true));
    // What 600 bytes take at that rate.
    let took = exchange.ended.unwrap() - exchange.started;
    assert!(took >= std::time::Duration::from_millis(140), "{took:?}");

    let mut client = connect(&proxy);
    client.write_all(&put("/broken", &pattern(600))).unwrap();
    wait_for("it is broken", || proxy.exchanges().get(1).is_some_and(|it| it.ended.is_some()));
    let exchange = &proxy.exchanges()[1];
    assert_eq!((exchange.request_bytes, exchange.fault), (200, Some("reset request")));
    assert_eq!(proxy.counters().faults, 1);
}
