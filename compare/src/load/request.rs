//! The bytes of requests, of which some are new each time.

use std::net::SocketAddr;

use super::loads::Load;

/// A request that is sent again and again. In its head `$host` stands for the server's address, `$length`
/// for the length of what follows, and a run of eight or more `#` for hexadecimal digits that are new each
/// time.
#[derive(Debug)]
pub(super) struct Template {
    bytes: Vec<u8>,
    /// Where digits are new each time.
    places: Vec<usize>,
    count: u64,
}

impl Template {
    /// Makes the requests of a load to a server. Those of another `seed` have other digits.
    pub(super) fn new(load: &Load, address: SocketAddr, seed: usize) -> Template {
        let length = load.body.len() as u64 + load.upload;
        let head = load.head.replace("$host", &address.to_string());
        let bytes = head.replace("$length", &length.to_string()) + load.body;
        let bytes = bytes.into_bytes();
        let runs = bytes.chunk_by(|one, other| (*one == b'#') == (*other == b'#'));
        let (mut at, mut places) = (0, Vec::new());
        for run in runs {
            if run.starts_with(b"########") {
                places.extend(at..at + run.len());
            }
            at += run.len();
        }
        Template {
            bytes,
            places,
            count: (seed as u64) << 40,
        }
    }

    /// Appends the next request.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) {
        let mut digits = 0;
        for (nth, place) in self.places.iter().enumerate() {
            if nth % 16 == 0 {
                self.count += 1;
                digits = mix(self.count);
            }
            self.bytes[*place] = b"0123456789abcdef"[(digits & 15) as usize];
            digits >>= 4;
        }
        out.extend_from_slice(&self.bytes);
    }
}

/// Spreads a number over all bits: the function of splitmix64 (Steele, Lea and Flood, 2014).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::Template;
    use crate::load::{REALISTIC, named};

    #[test]
    fn what_is_new_is_new_each_time() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for load in [REALISTIC, named("query").expect("there is one")[0]] {
            let mut template = Template::new(load, address, 0);
            let mut request = || {
                let mut bytes = Vec::new();
                template.write_next(&mut bytes);
                String::from_utf8(bytes).expect("requests are ASCII")
            };
            let (one, other) = (request(), request());
            assert_ne!(one, other);
            assert!(!one.contains('#') && !one.contains('$'), "{one}");
        }
    }
}
