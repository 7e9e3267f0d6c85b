//! The outage: what lets bytes and connections through, or not.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::Outage;

/// The state of the network.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    outage: Option<Outage>,
    /// When it is to end by itself.
    until: Option<Instant>,
    /// How many times connections were reset.
    resets: u64,
}

/// Changes the state. Clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate(watch::Sender<Weather>);

/// Sees the state, from one connection's view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    weather: watch::Receiver<Weather>,
    resets: u64,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Weather::default()))
    }

    /// Begins an outage; without a duration it lasts until [`end`](Self::end).
    pub(crate) fn begin(&self, outage: Outage, duration: Option<Duration>) {
        let until = duration.and_then(|duration| Instant::now().checked_add(duration));
        self.0.send_modify(|weather| {
            weather.outage = Some(outage);
            weather.until = until;
            weather.resets += u64::from(outage == Outage::Refuse);
        });
    }

    /// Resets what connections there are.
    pub(crate) fn reset(&self) {
        self.0.send_modify(|weather| weather.resets += 1);
    }

    pub(crate) fn end(&self) {
        self.0.send_modify(|weather| {
            weather.outage = None;
            weather.until = None;
        });
    }

    /// The present state, for a connection that begins now.
    pub(crate) fn view(&self) -> View {
        let weather = self.0.subscribe();
        let resets = weather.borrow().resets;
        View { weather, resets }
    }

    /// Ends outages when their time is over.
    pub(crate) async fn keep_time(&self) {
        let mut weather = self.0.subscribe();
        loop {
            let until = weather.borrow_and_update().until;
            let over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = over => self.0.send_if_modified(|weather| {
                    // Another may have begun meanwhile.
                    let over = weather.until.is_some_and(|until| until <= Instant::now());
                    if over {
                        (weather.outage, weather.until) = (None, None);
                    }
                    over
                }),
                _ = weather.changed() => true,
            };
        }
    }
}

impl View {
    /// Waits until bytes get through. They do in an outage that refuses, for it resets the connection.
    pub(crate) async fn passable(&mut self) {
        self.wait_for(|weather| weather.outage != Some(Outage::Silence)).await;
    }

    /// Waits until connections are to be reset.
    pub(crate) async fn reset(&mut self) {
        let resets = self.resets;
        self.wait_for(|weather| weather.resets != resets).await;
    }

    /// Waits until there is an outage that refuses, or none.
    pub(crate) async fn refusing(&mut self, refusing: bool) {
        self.wait_for(|weather| (weather.outage == Some(Outage::Refuse)) == refusing).await;
    }

    async fn wait_for(&mut self, mut right: impl FnMut(&Weather) -> bool) {
        if self.weather.wait_for(|weather| right(weather)).await.is_err() {
            // The proxy is gone, and with it soon whoever waits.
            pending::<()>().await;
        }
    }
}
