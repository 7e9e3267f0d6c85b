//! What can be switched off.

use crate::monitor::Monitor;

/// How a monitor works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) probes: bool,
    pub(crate) kernel_events: bool,
    /// For the kernel's messages; `None` is the system's own choice.
    pub(crate) receive_buffer: Option<usize>,
    /// How many times as fast its time passes.
    pub(crate) speed: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { probes: true, kernel_events: true, receive_buffer: None, speed: 1 }
    }
}

/// Makes a [`Monitor`] of which parts are switched off.
///
/// ```
/// use persevere_network::Monitor;
///
/// let monitor = Monitor::builder().probes(false).build();
/// # drop(monitor);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct MonitorBuilder {
    options: Options,
}

impl MonitorBuilder {
    /// Whether a target is probed, by connecting to it, when its operations fail although there is a
    /// route. Default: yes. Without probes only the kernel's word makes the network `Down`.
    pub fn probes(mut self, probes: bool) -> Self {
        self.options.probes = probes;
        self
    }

    /// Whether the kernel's messages are listened to. Default: yes. Without them the route is looked
    /// up every 2 s, as on systems that send none.
    pub fn kernel_events(mut self, events: bool) -> Self {
        self.options.kernel_events = events;
        self
    }

    /// How many bytes of the kernel's messages may wait: so few, in tests, that many are lost.
    #[doc(hidden)]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.options.receive_buffer = Some(bytes);
        self
    }

    /// Its time passes so many times as fast: what it waits for, and what it grants, is shorter by as
    /// much. For tests, which cannot wait for 30 s.
    #[doc(hidden)]
    pub fn speed(mut self, times: u32) -> Self {
        self.options.speed = times.max(1);
        self
    }

    /// The monitor. Its thread begins when it is first needed.
    pub fn build(self) -> Monitor {
        Monitor::with(self.options)
    }
}
