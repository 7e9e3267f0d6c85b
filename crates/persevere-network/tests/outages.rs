//! A real download that lives through outages, and how quickly they are noticed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{Peer, be_peer, cable, inside, ip, server, wait_for};
use persevere::{Event, EventKind, NetworkMonitor, NetworkState, RetryPolicy, Retryer};
use persevere_network::{Monitor, Reason, Target};

const SIZE: usize = 600_000;
const CHUNK: usize = 1_000;

fn content(range: std::ops::Range<usize>) -> Vec<u8> {
    range.map(|position| (position * 31 % 251) as u8).collect()
}

/// Serves `GET` with a range, slowly enough for cables to be pulled meanwhile.
fn serve() {
    let listener = TcpListener::bind(("0.0.0.0", 80)).unwrap();
    for stream in listener.incoming() {
        std::thread::spawn(move || answer(stream?));
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let start = request.split_once("bytes=").and_then(|(_, range)| range.split_once('-'));
    let start: usize = start.map_or(0, |(start, _)| start.parse().unwrap());
    write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\r\n", SIZE - start)?;
    for position in (start..SIZE).step_by(CHUNK) {
        stream.write_all(&content(position..position + CHUNK))?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// One attempt: goes on where the last one was cut off.
fn download(body: &mut Vec<u8>, progress: &AtomicUsize) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&server(), Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    write!(stream, "GET /disk HTTP/1.1\r\nHost: peer\r\nRange: bytes={}-\r\n\r\n", body.len())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        read(&mut stream, &mut byte)?;
        head.extend(byte);
    }
    let mut buffer = [0; CHUNK];
    while body.len() < SIZE {
        let count = read(&mut stream, &mut buffer)?;
        body.extend(&buffer[..count]);
        progress.store(body.len(), Ordering::SeqCst);
    }
    Ok(())
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    match stream.read(buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        // What a read timeout is called on Unix.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
        other => other,
    }
}

#[test]
fn a_download_lives_through_three_outages_with_two_attempts() {
    inside("a_download_lives_through_three_outages_with_two_attempts", || {
        let mut peer = Peer::start();
        let monitor = Monitor::new();
        let policy = RetryPolicy::builder()
            .max_attempts(2)
            .initial_delay(Duration::from_millis(50))
            .wait_for_network(true)
            .build()
            .unwrap();
        let (sender, events) = mpsc::channel();
        let retryer = Retryer::new(policy)
            .network_monitor(monitor.target(server()))
            .observer(move |event: &Event<'_>| _ = sender.send(event.kind));
        let retryer = &retryer;
        let progress = AtomicUsize::new(0);
        let mut body = Vec::new();
        std::thread::scope(|scope| {
            let (body, progress) = (&mut body, &progress);
            let running =
                scope.spawn(move || retryer.run_blocking("download", |_| download(body, progress)));
            let wait_for_event = |wanted: EventKind| {
                while events.recv_timeout(common::GENEROUS).expect("it never happens") != wanted {}
            };
            // Each breaks another part, in the middle of the transfer.
            for (part, breaks, mends) in [
                (1, "v1 link set v1 down", "v1 link set v1 up"),
                (2, "v0 link set v0 down", "v0 link set v0 up"),
                (3, "v0 addr del 10.9.0.1/24 dev v0", "v0 addr add 10.9.0.1/24 dev v0"),
            ] {
                while progress.load(Ordering::SeqCst) < part * SIZE / 5 {
                    assert!(!running.is_finished());
                    std::thread::yield_now();
                }
                let mut run = |command: &str| match command.split_once(' ').unwrap() {
                    ("v1", command) => peer.ip(command),
                    (_, command) => ip(command),
                };
                run(breaks);
                wait_for_event(EventKind::NetworkDown);
                run(mends);
                wait_for_event(EventKind::NetworkRecovered);
            }
            running.join().unwrap().unwrap();
        });
        assert!(body == content(0..SIZE), "every byte, once");
    });
}

/// How long it takes from the moment a cable is pulled, until a thread that waits knows; with the
/// time that it takes to run `ip`. Printed with `--nocapture`; that it is in the docs is for the
/// eyes, since a time measured on a busy machine is no test.
#[test]
fn figures() {
    inside("figures", || {
        cable();
        let cases: [(&str, &str, &[&str]); 4] = [
            ("carrier loss", "link set v1 down", &["link set v1 up"]),
            ("link down", "link set v0 down", &["link set v0 up"]),
            ("route deleted", "route del default", &[]),
            ("address deleted", "addr del 10.9.0.1/24 dev v0", &["addr add 10.9.0.1/24 dev v0"]),
        ];
        let rounds = if std::env::var_os("PERSEVERE_FIGURES").is_some() { 20 } else { 1 };
        for (name, breaks, mends) in cases {
            let route_only = name == "route deleted";
            let (mut lost, mut found) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                // A new one each time, or it would be a network that flaps, which must settle first.
                let monitor = Monitor::new();
                let target = if route_only { Target::anywhere() } else { server().into() };
                let watched = &monitor.target(target);
                let up = wait_for(watched, |status| status.state == NetworkState::Up);
                let (waiter, seen) = (Arc::clone(watched), up);
                let thread = std::thread::spawn(move || {
                    let status = waiter.wait_for_change(&seen, Some(common::GENEROUS));
                    (status, Instant::now())
                });
                let began = Instant::now();
                ip(breaks);
                let (status, noticed) = thread.join().unwrap();
                assert_eq!(status.state, NetworkState::Down, "{name}: {status}");
                lost.push(noticed - began);
                let began = Instant::now();
                mends.iter().for_each(|command| ip(command));
                if !matches!(name, "carrier loss") {
                    ip("route replace default via 10.9.0.2");
                }
                wait_for(watched, |status| status.state == NetworkState::Up);
                found.push(began.elapsed());
                assert_ne!(watched.status().reason, Reason::NoEvidence);
            }
            println!("{name}: noticed {:?}, recovered {:?}", median(lost), median(found));
        }
        let target = Monitor::new().target(server());
        let began = Instant::now();
        for _ in 0..1_000 {
            target.look();
        }
        println!("look at the route: {:?}", began.elapsed() / 1_000);
        let began = Instant::now();
        for _ in 0..1_000_000 {
            std::hint::black_box(target.gate().state());
        }
        println!("state read, a million: {:?}", began.elapsed());
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Not a test: the other end of the cables, where it is started as that.
#[test]
fn peer() {
    if std::env::var_os(common::PEER).is_some() {
        be_peer(serve);
    }
}
