//! Adaptors: an echo server whose reads and accepts end with the stop.
//!
//! ```text
//! cargo run --example until
//! ```
//!
//! Type into `nc 127.0.0.1 7000`, then press Ctrl-C: the pending read ends.

#[path = "support/help.rs"]
mod help;

use std::net::TcpListener;

use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};
use neap::{Group, Scope, UntilExt, signal};
use smol::Async;

async fn echo(scope: Scope<'_>) -> std::io::Result<()> {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 7000))?;
    println!("listening on {}", listener.get_ref().local_addr()?);
    let token = scope.token();
    let mut incoming = Box::pin(listener.incoming().until(&token));
    while let Some(stream) = incoming.next().await {
        let (mut stream, token) = (stream?, token.clone());
        scope.spawn(async move {
            let mut buffer = [0; 1024];
            loop {
                // An error is the stop, or a connection that is gone. Both end the child.
                match (&mut stream).until(&token).read(&mut buffer).await {
                    Ok(read @ 1..) => stream.write_all(&buffer[..read]).await?,
                    _ => return stream.write_all(b"good bye\n").await,
                }
            }
        });
    }
    Ok(())
}

fn main() -> Result<(), neap::Error> {
    help::on_request(include_str!("until.rs"));
    let mut group = Group::new().stop_on(signal::termination()?);
    group.add("echo", echo);
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
