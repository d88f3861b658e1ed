//! Services that borrow from the stack, as scoped threads do.
//!
//! ```text
//! cargo run --example borrow
//! ```
//!
//! Ends by itself. A group in place is dropped before what it borrows, so nothing has to be in an
//! `Arc`.

#[path = "support/help.rs"]
mod help;

use std::sync::atomic::{AtomicU64, Ordering};

use futures_lite::future;
use neap::Group;

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("borrow.rs"));
    let words = String::from("a neap tide is the gentlest of tides");
    let letters = AtomicU64::new(0);
    let mut longest = "";

    let mut group = Group::new();
    for word in words.split(' ') {
        let letters = &letters;
        group.add("counter", async move |_| {
            letters.fetch_add(word.len() as u64, Ordering::Relaxed);
        });
    }
    group.add("longest", async |_| {
        longest = words.split(' ').max_by_key(|word| word.len()).unwrap_or("");
    });
    future::block_on(group.run())?;

    println!("{} letters, `{longest}` has the most", letters.into_inner());
    Ok(())
}
