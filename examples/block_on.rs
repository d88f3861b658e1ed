//! A group without any executor: the thread that awaits it polls its services.
//!
//! ```text
//! cargo run --example block_on
//! ```
//!
//! Ends by itself. There is no runtime: `futures_lite::future::block_on` parks the thread until a waker
//! unparks it, and a group in place is one future.

#[path = "support/help.rs"]
mod help;

use futures_lite::future;
use neap::Group;

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("block_on.rs"));
    let (sender, receiver) = async_channel::bounded(1);
    let mut group = Group::new();
    group.add("producer", async move |_| {
        for number in 1..=3 {
            sender.send(number).await?;
        }
        Ok::<_, async_channel::SendError<i32>>(())
    });
    group.add("consumer", async move |_| {
        // Ends when the producer has ended and dropped the sender.
        while let Ok(number) = receiver.recv().await {
            println!("consumer: {number}");
        }
    });
    println!("{}", future::block_on(group.run())?);
    Ok(())
}
