//! Ctrl-C and its kin, for commands that end in their own way: once tells them to, twice ends them.

#[cfg(unix)]
pub(crate) use unix::{Interrupt, die_by, ignored_signals};

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use persevere::CancellationToken;
    use rustix::process::{Resource, Rlimit, setrlimit};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    /// The first signal by which somebody wants us to end.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Interrupt {
        caught: Arc<AtomicUsize>,
    }

    impl Interrupt {
        /// Listens from now on, in a thread; the first signal cancels the token.
        pub(crate) fn listen(token: CancellationToken) -> io::Result<Self> {
            let interrupt = Self::default();
            let ignored = ignored_signals();
            let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
            let heard = |signal: &i32| ignored & (1 << (signal - 1)) == 0;
            let mut signals = Signals::new(ending.into_iter().filter(heard))?;
            let caught = interrupt.caught.clone();
            let listen = move || {
                for signal in &mut signals {
                    // The numbers are small and positive.
                    let number = usize::try_from(signal).unwrap_or_default();
                    if caught
                        .compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst)
                        .is_err()
                    {
                        die_by(signal);
                    }
                    token.cancel();
                }
            };
            thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
            Ok(interrupt)
        }

        pub(crate) fn caught(&self) -> Option<i32> {
            i32::try_from(self.caught.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
        }
    }

    /// Ends us by a signal that was meant to: from an exit status a shell could not tell that Ctrl-C
    /// was pressed, and would go on with its loop.
    pub(crate) fn die_by(signal: i32) {
        // SIGQUIT would leave a picture of our memory, which nobody wants. GNU timeout does the same.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _no_core = setrlimit(Resource::Core, none);
        // It does not return, and if it did, there is still the exit status.
        let _returned = signal_hook::low_level::emulate_default_handler(signal);
    }

    /// The signals that were ignored when we were started, by `nohup` or by a shell for its
    /// background: they stay so. Bit *n - 1* is signal *n*; none where nobody tells.
    pub(crate) fn ignored_signals() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

/// Elsewhere the system ends us, and what has arrived is kept all the same.
#[cfg(not(unix))]
#[derive(Debug, Clone)]
pub(crate) struct Interrupt;

#[cfg(not(unix))]
impl Interrupt {
    pub(crate) fn listen(_: persevere::CancellationToken) -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn caught(&self) -> Option<i32> {
        None
    }
}

#[cfg(not(unix))]
pub(crate) fn die_by(_: i32) {}
