//! What `compare` and `compare/peers` share: the median of samples, numbers in digits, and progress.

mod digits;
mod progress;
mod spread;

pub use digits::thousands;
pub use progress::Progress;
pub use spread::Spread;
