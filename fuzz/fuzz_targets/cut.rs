//! The places where an input is cut in two.

/// The longest input that is cut in every place, in bytes.
const ALL: usize = 96;

/// Returns the places to cut `bytes`: all of a short input; some of a longer one, and those around
/// its line ends.
pub fn places(bytes: &[u8]) -> Vec<usize> {
    if bytes.len() <= ALL {
        return (0..=bytes.len()).collect();
    }
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let around = ends
        .take(ALL / 3)
        .flat_map(|(at, _)| [at.saturating_sub(1), at, at + 1]);
    let some = (0..=bytes.len()).step_by(bytes.len() / ALL);
    around.chain(some).collect()
}
