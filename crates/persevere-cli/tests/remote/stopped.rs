//! Copies that are told to stop, and copies that meet.

use persevere_faults::{At, Fault, Plan, Rule};
use rustix::process::Signal;

use crate::common::{finish, finished};
use crate::copy::{Copy, Running};
use crate::place::{self, Asks, Place};

/// From the third part on, nothing arrives.
fn stalling(place: &Place) -> Plan {
    let protocol = place.protocol;
    let late = move |asks| matches!(asks, Asks::Send(number) if number >= 3);
    let stall = Rule::new(Fault::StallRequest(At::Byte(100_000)));
    Plan::new().rule(stall.when(move |request| late(protocol.asks(request))))
}

fn stalled<'a>(copy: &'a Copy<'a>) -> Running<'a> {
    copy.start(stalling(copy.place)).wait_for_faults("stall request", 2)
}

const HINT: &str = ": what has arrived is kept, run the same command again to go on\n";

#[test]
fn a_signal_ends_it_and_the_same_command_goes_on() {
    let Some(place) = place::s3s_fs("a_signal_ends_it") else { return };
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15)] {
        let copy = Copy::upload(&place, &format!("ended by {number}"));
        let (killed, run) = stalled(&copy).signal(signal).end();
        // A shell calls that 128 + n.
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&run.raw.status), Some(number));
        assert!(run.stderr.ends_with(&format!("interrupted{HINT}")), "{}", run.stderr);
        assert!(run.stdout.ends_with('\n') && run.stdout.contains("\"status\":\"interrupted\""));
        assert_eq!(copy.jobs()[0]["process"], serde_json::Value::Null);
        killed.has_confirmed(2).goes_on();
    }
}

#[test]
fn a_deadline_ends_it_and_the_same_command_goes_on() {
    let Some(place) = place::s3s_fs("a_deadline_ends_it") else { return };
    let copy = Copy::upload(&place, "ended by a deadline");
    let running = copy.start_by(stalling(&place), |mut command| {
        command.args(["--deadline", "4s"]).spawn().unwrap()
    });
    let (killed, run) = running.end();
    assert_eq!(run.code, Some(124), "{}", run.stderr);
    let told = format!("error: the deadline of 4s has passed{HINT}");
    assert!(run.stderr.ends_with(&told), "{}", run.stderr);
    killed.has_confirmed(2).goes_on();
}

#[test]
fn the_second_of_two_says_who_the_first_is() {
    let Some(place) = place::s3s_fs("the_second_of_two") else { return };
    let copy = Copy::upload(&place, "of two");
    let first = stalled(&copy);
    let before = place.proxy.exchanges().len();
    let second = copy.run();
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    let told = format!("process {} is working on this transfer", first.id());
    assert!(second.stderr.contains(&told), "{}", second.stderr);
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    let sent = place.proxy.exchanges()[before..].iter().map(|it| it.request_bytes).sum::<u64>();
    assert_eq!(sent, 0, "it sends nothing");
    // Neither may it give up what the other one works on.
    let clean = finish(&mut copy.program(&["jobs", "clean", "--all"]));
    assert_eq!((clean.succeeds().stdout.as_str(), copy.jobs().len()), ("", 1));
    assert_eq!(copy.jobs()[0]["process"], first.id());
    first.kill().has_confirmed(2).goes_on();
}

/// Many copies of one file to one place, at once: one of them does it, and the others say so or find it done.
#[test]
fn of_many_at_once_nobody_does_harm() {
    let Some(place) = place::versitygw("of_many_at_once") else { return };
    let copy = Copy::upload(&place, "by many");
    let many: Vec<_> = (0..4).map(|_| copy.command().spawn().unwrap()).collect();
    let many: Vec<_> =
        many.into_iter().map(|child| finished(child.wait_with_output().unwrap())).collect();
    assert!(many.iter().any(|run| run.code == Some(0)));
    for run in many.iter().filter(|run| run.code != Some(0)) {
        assert!(run.stderr.contains("is working on this transfer"), "{}", run.stderr);
    }
    copy.is_done();
}
