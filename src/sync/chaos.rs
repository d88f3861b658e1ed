//! Pauses at random, so that two processors see what sixteen would.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

/// The variable that holds the seed unless [`seed`] is called.
const VARIABLE: &str = "NEAP_CHAOS_SEED";

/// The seed of all threads in the lower bits, and how often it was set above [`SEED_BITS`].
static SEED: OnceLock<AtomicU64> = OnceLock::new();

/// How many bits of [`SEED`] are the seed.
const SEED_BITS: u32 = 48;

/// Counts the threads that have drawn since the program started.
static THREADS: AtomicU64 = AtomicU64::new(0);

/// What a thread draws from.
struct Dice {
    /// The value of [`SEED`] that it goes by.
    seed: u64,

    /// The number of the thread.
    thread: u64,

    rng: Rng,

    /// One in this many points is a pause: some threads hurry, and others dawdle.
    rarity: u32,
}

thread_local! {
    static DICE: RefCell<Option<Dice>> = const { RefCell::new(None) };
}

/// Sets the seed of all threads, from their next point on.
pub fn seed(seed: u64) {
    let lower = (1 << SEED_BITS) - 1;
    let next = |now: u64| Some((now | lower).wrapping_add(1) | seed & lower);
    let _ = shared().fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
}

fn shared() -> &'static AtomicU64 {
    SEED.get_or_init(|| {
        let seed = std::env::var(VARIABLE).ok();
        let seed = seed.and_then(|seed| seed.parse().ok());
        AtomicU64::new(seed.unwrap_or(0))
    })
}

/// Mostly does nothing. Sometimes yields, or sleeps for up to 200 us; rarely sleeps for 2 ms.
pub(super) fn point() {
    let seed = shared().load(Ordering::Relaxed);
    // A thread that ends has no dice any more, and goes on without a pause.
    let pause = DICE.try_with(|dice| {
        let mut dice = dice.borrow_mut();
        match &mut *dice {
            Some(dice) if dice.seed == seed => dice.draw(),
            dice => {
                let thread = dice.as_ref().map(|dice| dice.thread);
                let thread = thread.unwrap_or_else(|| THREADS.fetch_add(1, Ordering::Relaxed));
                dice.insert(Dice::new(seed, thread)).draw()
            }
        }
    });
    match pause {
        Ok(Some(Duration::ZERO)) => thread::yield_now(),
        Ok(Some(pause)) => thread::sleep(pause),
        Ok(None) | Err(_) => {}
    }
}

impl Dice {
    fn new(seed: u64, thread: u64) -> Dice {
        let mut rng = Rng::with_seed(seed ^ thread.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let rarity = [8, 32, 32, 128][rng.usize(..4)];
        Dice {
            seed,
            thread,
            rng,
            rarity,
        }
    }

    /// Returns how long to pause, if at all; zero is a yield.
    fn draw(&mut self) -> Option<Duration> {
        if self.rng.u32(..self.rarity) > 0 {
            return None;
        }
        Some(match self.rng.u32(..64) {
            0 => Duration::from_millis(2),
            1..24 => Duration::from_micros(self.rng.u64(1..=200)),
            _ => Duration::ZERO,
        })
    }
}
