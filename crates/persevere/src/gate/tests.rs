//! The gate by itself: who waits, and in which order and how spread out they come back.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::*;

fn staggers(waiting: u32) -> Vec<Duration> {
    let mut random = Random::seeded(3);
    (0..waiting)
        .map(|ticket| {
            Release { ticket, waiting, canary: false, place: None }.stagger(None, &mut random)
        })
        .collect()
}

#[test]
fn a_small_crowd_comes_back_within_250_ms() {
    let staggers = staggers(16);
    assert!(staggers.iter().all(|wait| *wait <= FIRST_SPREAD));
    assert!(staggers.iter().max() > staggers.iter().min());
}

#[test]
fn a_large_crowd_sends_canaries_first_and_never_comes_in_one_instant() {
    let staggers = staggers(100_000);
    assert!(staggers[..2].iter().all(|wait| *wait <= FIRST_SPREAD));
    assert!(staggers[2..].iter().all(|wait| *wait >= CANARY_LEAD));
    assert!(staggers.iter().all(|wait| *wait <= Duration::from_secs(32)));

    let mut per_10_ms = std::collections::BTreeMap::<u128, usize>::new();
    for wait in &staggers {
        *per_10_ms.entry(wait.as_millis() / 10).or_default() += 1;
    }
    let busiest = per_10_ms.values().max().copied().unwrap_or(0);
    assert!(busiest <= 2_000, "{busiest} of 100,000 within 10 ms");
}

#[test]
fn one_who_never_waited_takes_no_ticket_of_an_earlier_recovery() {
    let gate = NetworkGate::new(NetworkState::Down);
    let mut context = Context::from_waker(Waker::noop());
    let mut crowd: Vec<_> = (0..500).map(|_| gate.recovered()).collect();
    for waiting in &mut crowd {
        assert!(waiting.poll(&mut context, None).is_pending());
    }
    gate.set(NetworkState::Up);
    for waiting in &mut crowd {
        assert!(waiting.poll(&mut context, None).is_ready());
    }
    let Poll::Ready(late) = gate.recovered().poll(&mut context, None) else {
        panic!("the network is up");
    };
    assert!(late.stagger(None, &mut Random::seeded(3)) <= FIRST_SPREAD);
}

#[test]
fn a_dropped_waiter_leaves_nothing_behind() {
    let gate = NetworkGate::new(NetworkState::Down);
    let mut waiting = gate.recovered();
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.poll(&mut context, None).is_pending());
    assert_eq!(gate.waiting(), 1);
    drop(waiting);
    assert_eq!(gate.waiting(), 0);
}

proptest::proptest! {
    /// Whatever happens in between: nobody is forgotten, and nobody stays behind.
    #[test]
    fn no_waiter_is_lost(steps in proptest::collection::vec((0_u8..6, 0_usize..8), 0..100)) {
        let gate = NetworkGate::new(NetworkState::Down);
        let mut context = Context::from_waker(Waker::noop());
        let mut waiters: Vec<_> = (0..8).map(|_| Some(gate.recovered())).collect();
        for (step, index) in steps {
            match step {
                0 => waiters[index] = None,
                1 => waiters[index] = Some(gate.recovered()),
                2 => gate.set(NetworkState::Down),
                3 => gate.set(NetworkState::Up),
                4 => _ = gate.admit_one(),
                _ => {
                    let polled = waiters[index].as_mut().map(|waiter| waiter.poll(&mut context, None));
                    match polled {
                        Some(Poll::Ready(release)) => {
                            let down = gate.state() == NetworkState::Down;
                            proptest::prop_assert_eq!(release.canary, down);
                            waiters[index] = None;
                        }
                        Some(Poll::Pending) => {
                            proptest::prop_assert_eq!(gate.state(), NetworkState::Down);
                        }
                        None => {}
                    }
                }
            }
        }
        gate.set(NetworkState::Up);
        for mut waiter in waiters.into_iter().flatten() {
            proptest::prop_assert!(waiter.poll(&mut context, None).is_ready());
        }
        proptest::prop_assert_eq!(gate.waiting(), 0);
    }
}

/// The network comes back for so short a time that only some of those who were woken have noticed.
#[test]
fn a_blip_while_a_crowd_is_being_woken_does_not_make_it_a_small_one() {
    let gate = NetworkGate::new(NetworkState::Down);
    let mut context = Context::from_waker(Waker::noop());
    let mut crowd: Vec<_> = (0..1_000).map(|_| gate.recovered()).collect();
    for waiting in &mut crowd {
        assert!(waiting.poll(&mut context, None).is_pending());
    }
    gate.set(NetworkState::Up);
    gate.set(NetworkState::Down);
    for waiting in &mut crowd[..5] {
        assert!(waiting.poll(&mut context, None).is_pending());
    }
    gate.set(NetworkState::Up);
    let mut random = Random::seeded(3);
    let turns = crowd.iter_mut().filter_map(|waiting| match waiting.poll(&mut context, None) {
        Poll::Ready(release) => Some(release.stagger(None, &mut random)),
        Poll::Pending => None,
    });
    let early = turns.filter(|stagger| *stagger <= FIRST_SPREAD).count();
    assert_eq!(early, 2, "all but the first two have to wait for their turn");
}

/// Notes who was woken, in which order.
struct Noted {
    who: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.who);
    }
}

/// Wakers of a crowd, and who was woken by them.
fn wakers(count: usize) -> (Vec<Waker>, Arc<Mutex<Vec<usize>>>) {
    let woken = Arc::new(Mutex::new(Vec::new()));
    let noted = |who| Waker::from(Arc::new(Noted { who, woken: woken.clone() }));
    ((0..count).map(noted).collect(), woken)
}

proptest::proptest! {
    /// Each turn comes in the order in which they came to wait, no later than its place in the queue
    /// says; whoever has left, and however often the network came back for too short a time before.
    #[test]
    fn turns_come_in_order_and_in_time(
        count in 2_usize..300,
        blips in proptest::collection::vec(0_usize..300, 0..4),
        leave in proptest::collection::vec(0_usize..300, 0..50),
        seed in 0_u64..u64::MAX,
    ) {
        let gate = NetworkGate::new(NetworkState::Down);
        let (wakers, woken) = wakers(count);
        let mut crowd: Vec<_> = (0..count).map(|_| Some(gate.recovered())).collect();
        let mut kept = vec![None; count];
        let poll = |crowd: &mut Vec<Option<Recovery<'_>>>, who: usize, kept| {
            let recovery = crowd[who].as_mut()?;
            Some(recovery.poll(&mut Context::from_waker(&wakers[who]), kept))
        };
        for who in 0..count {
            proptest::prop_assert!(poll(&mut crowd, who, None).is_some_and(|poll| poll.is_pending()));
        }
        for noticed in blips {
            gate.set(NetworkState::Up);
            let order = std::mem::take(&mut *woken.lock().unwrap());
            // These notice, and when their stagger is over the network is gone again.
            let (noticed, missed) = order.split_at(noticed.min(order.len()));
            for who in noticed.iter().copied() {
                if let Some(Poll::Ready(release)) = poll(&mut crowd, who, kept[who]) {
                    kept[who] = release.place.or(kept[who]);
                    crowd[who] = Some(gate.recovered());
                }
            }
            gate.set(NetworkState::Down);
            for who in missed.iter().chain(noticed).copied() {
                if let Some(polled) = poll(&mut crowd, who, kept[who]) {
                    proptest::prop_assert!(polled.is_pending());
                }
            }
        }
        leave.into_iter().filter(|who| *who < count).for_each(|who| crowd[who] = None);
        let waiting = crowd.iter().flatten().count();
        proptest::prop_assert_eq!(gate.waiting(), waiting);

        gate.set(NetworkState::Up);
        let order = std::mem::take(&mut *woken.lock().unwrap());
        let mut random = Random::seeded(seed);
        let mut turns = Vec::new();
        for who in order {
            if let Some(Poll::Ready(release)) = poll(&mut crowd, who, kept[who]) {
                turns.push((who, release.stagger(None, &mut random)));
            }
        }
        proptest::prop_assert_eq!(turns.len(), waiting, "none lost");
        proptest::prop_assert!(turns.is_sorted_by_key(|(who, _)| *who), "{:?}", turns);
        if waiting > SMALL_CROWD as usize {
            proptest::prop_assert!(turns[CANARIES as usize..].is_sorted_by_key(|(_, turn)| *turn));
        }
        for (place, (_, turn)) in turns.into_iter().enumerate() {
            let slot = Duration::from_secs(1) / MIN_RATE as u32;
            proptest::prop_assert!(turn <= CANARY_LEAD + slot * (place as u32 + 1), "{turn:?}");
        }
        drop(crowd);
        proptest::prop_assert_eq!(gate.waiting(), 0);
        proptest::prop_assert_eq!(gate.waiters.places(), 0);
    }
}
