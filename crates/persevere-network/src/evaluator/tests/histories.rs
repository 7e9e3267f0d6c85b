//! What holds for any sequence of inputs.

use proptest::prelude::*;

use super::*;

fn inputs() -> impl Strategy<Value = Vec<(u64, u8)>> {
    proptest::collection::vec((0_u64..20_000, 0_u8..12), 0..200)
}

/// One of the inputs, by number; probes that are due are answered well or badly.
fn step(scene: &mut Scene, which: u8) {
    let input = match which {
        0 => Input::Route(Route::Open),
        1 => Input::Route(Route::Missing),
        2 => Input::Route(Route::NoCarrier),
        3 => Input::Route(Route::Unknown),
        4 => Input::Success,
        5 => Input::Failure(Strength::Strong),
        6 => Input::Failure(Strength::Weak),
        7 => Input::Lost,
        8 => Input::Tick,
        11 => Input::SuccessElsewhere,
        _ => match scene.evaluator.takes_probe(scene.now) {
            Some(id) if which == 9 => Input::Probe(id, Probed::Answered),
            Some(id) => Input::Probe(id, Probed::Silent),
            None => Input::Tick,
        },
    };
    scene.take(input);
}

proptest! {
    /// Whatever has happened: a working network is found to be up in bounded time, also by somebody
    /// who only carries out what the evaluator asks for, and it ends asking for nothing.
    #[test]
    fn no_history_keeps_a_working_network_down(history in inputs()) {
        let mut scene = Scene::new();
        for (gap, which) in history {
            scene.pass(MS * u32::try_from(gap).unwrap_or(0));
            step(&mut scene, which);
        }
        let recovered = scene.now;
        scene.take(Input::Route(Route::Open));
        // An answer that never comes must not block the next one for ever, so this one comes.
        let pending = ProbeId(scene.evaluator.probes.last);
        scene.take(Input::Probe(pending, Probed::Answered));
        let mut turns = 0;
        while let Some(wakes) = scene.evaluator.wakes_at(true) {
            turns += 1;
            prop_assert!(turns < 100, "a hot loop");
            scene.pass(wakes.saturating_sub(scene.now));
            if let Some(id) = scene.evaluator.takes_probe(scene.now) {
                scene.take(Input::Probe(id, Probed::Answered));
            }
            scene.lets_canary();
        }
        prop_assert_eq!(scene.evaluator.state(), NetworkState::Up);
        prop_assert!(scene.now - recovered <= SECOND * 75, "{:?}", scene.now - recovered);
    }

    /// Down only on evidence: the kernel's latest word, or silence with failed probes; and a success
    /// always ends it.
    #[test]
    fn down_has_a_reason_and_a_success_ends_it(history in inputs()) {
        let mut scene = Scene::new();
        let (mut said_no_way, mut silent) = (false, 0);
        for (gap, which) in history {
            scene.pass(MS * u32::try_from(gap).unwrap_or(0));
            step(&mut scene, which);
            match which {
                1 | 2 => said_no_way = true,
                4 | 7 => (said_no_way, silent) = (false, 0),
                10 => silent += 1,
                _ => {}
            }
            match (scene.evaluator.state(), scene.evaluator.reason()) {
                (NetworkState::Down, Reason::ProbesFail) => prop_assert!(silent >= FAILED_PROBES),
                (NetworkState::Down, _) => prop_assert!(said_no_way),
                (_, reason) => prop_assert!(!matches!(
                    reason, Reason::NoRoute | Reason::NoCarrier | Reason::ProbesFail
                )),
            }
            let mut helped = scene.evaluator.clone();
            helped.take(scene.now, Input::Success);
            prop_assert_eq!(helped.state(), NetworkState::Up);
            prop_assert!(helped.is_content());
        }
    }

    /// Clocks are read by several threads, so that an input may come with a time that is a little old.
    #[test]
    fn times_out_of_order_do_no_harm(history in inputs()) {
        let mut scene = Scene::new();
        for (time, which) in history {
            scene.now = MS * u32::try_from(time).unwrap_or(0);
            step(&mut scene, which);
            scene.evaluator.wakes_at(true);
        }
    }
}
