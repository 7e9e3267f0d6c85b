//! Async: awaited one after the other inside of a task, which is where most calls are made. The
//! compiler may melt these calls into the task, as it may in a caller's program.

use std::hint::black_box;
use std::time::Duration;

use backon::Retryable;
use tokio_retry2::{MapErr, Retry};

use super::{BACKON, DEADLINE, LOOP, OURS, Setup, TOKIO_RETRY2, Variant};
use crate::operation::{by_hand, operation, operation_async};

pub(super) const VARIANTS: [Variant; 5] = [
    Variant { name: LOOP, repeat: by_loop },
    Variant { name: OURS, repeat: ours },
    Variant { name: BACKON, repeat: backon },
    Variant { name: TOKIO_RETRY2, repeat: tokio_retry2 },
    Variant { name: DEADLINE, repeat: deadline },
];

fn by_loop(setup: &Setup, times: u64) {
    setup.runtime.block_on(async {
        for _ in 0..times {
            drop(black_box(by_hand(|| operation_async(black_box(1))).await));
        }
    });
}

fn ours(setup: &Setup, times: u64) {
    setup.runtime.block_on(async {
        for _ in 0..times {
            let retryer = black_box(&setup.retryer);
            drop(black_box(retryer.run("operation", |_| operation_async(black_box(1))).await));
        }
    });
}

fn deadline(setup: &Setup, times: u64) {
    setup.runtime.block_on(async {
        for _ in 0..times {
            let retryer = black_box(&setup.retryer);
            let call = retryer.call("operation").deadline(Duration::from_secs(60));
            drop(black_box(call.run(|_| operation_async(black_box(1))).await));
        }
    });
}

fn backon(setup: &Setup, times: u64) {
    setup.runtime.block_on(async {
        for _ in 0..times {
            let policy = black_box(&setup.backon);
            drop(black_box((|| operation_async(black_box(1))).retry(policy).await));
        }
    });
}

fn tokio_retry2(setup: &Setup, times: u64) {
    setup.runtime.block_on(async {
        for _ in 0..times {
            let delays = black_box(setup).tokio_retry2_delays();
            let operation = || async { operation(black_box(1)).map_transient_err() };
            drop(black_box(Retry::spawn(delays, operation).await));
        }
    });
}
