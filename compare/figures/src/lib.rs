//! What `compare` and `compare/peers` do with samples: the median of some, and a number in digits.

mod digits;
mod spread;

pub use digits::thousands;
pub use spread::Spread;
