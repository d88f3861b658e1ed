//! Where to cut an input in two.

/// So many bytes or fewer are cut in every place.
const ALL: usize = 96;

/// Places to cut `bytes`: all of a short input; of a longer one some, and around each line's end.
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
