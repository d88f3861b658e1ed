//! The heads of one connection, whose parser remembers the last one: each has the result that it has on a
//! connection of its own.
//!
//! The first bytes of an input choose which heads come, and what is changed of them; the rest are the heads.

#![no_main]

mod input;
mod plain;

use input::Input;
use libfuzzer_sys::fuzz_target;
use plain::{Heads, parse, parse_afresh};

/// What divides the heads.
const DIVIDER: u8 = 0xff;
/// The most heads of an input: more of them repeat nothing new.
const MOST: usize = 12;

/// How a head comes.
#[derive(Debug, Clone, Copy)]
enum Change {
    None,
    /// One byte is another.
    Byte,
    /// Two bytes change places.
    Swap,
    /// The bytes from a place on are not there yet.
    Cut,
    /// A field stands before the last line.
    Field,
    /// The connection was idle before, and has forgotten what it knew.
    Forgotten,
}

const CHANGES: [Change; 8] = [
    Change::None,
    Change::None,
    Change::None,
    Change::Byte,
    Change::Swap,
    Change::Cut,
    Change::Field,
    Change::Forgotten,
];

/// A choice of one head.
struct Turn {
    head: usize,
    change: Change,
    place: usize,
    byte: u8,
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let turns = 2 + input.below(MOST - 1);
    let turns: Vec<_> = (0..turns).map(|_| turn(&mut input)).collect();
    let heads: Vec<_> = input.0.split(|byte| *byte == DIVIDER).collect();
    let mut kept = Heads::default();
    for Turn {
        head,
        change,
        place,
        byte,
    } in turns
    {
        let mut head = heads[head % heads.len()].to_vec();
        let place = place * head.len() / 256;
        match change {
            Change::None => {}
            Change::Byte => head[place..].iter_mut().take(1).for_each(|old| *old = byte),
            Change::Swap if place > 0 => head.swap(place - 1, place),
            Change::Swap => {}
            Change::Cut => head.truncate(place),
            Change::Field => {
                if let Some(end) = head.windows(4).position(|part| part == b"\r\n\r\n") {
                    head.splice(end..end, [b"\r\nx-new: ", &[byte][..]].concat());
                }
            }
            Change::Forgotten => kept.forget(),
        }
        let (afresh, found) = (parse_afresh(&head), parse(&mut kept, &head));
        assert_eq!(found, afresh, "{}", head.escape_ascii());
    }
});

fn turn(input: &mut Input<'_>) -> Turn {
    Turn {
        head: input.below(4),
        change: input.one_of(&CHANGES),
        place: input.below(256),
        byte: b'0'.wrapping_add(u8::try_from(input.below(256)).expect("below 256")),
    }
}
