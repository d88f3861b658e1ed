//! A line protocol on `net`, without HTTP: each line is sent back in upper case.
//!
//! ```text
//! cargo run --features net --example echo
//! nc 127.0.0.1 7007
//! ```
//!
//! Press Ctrl-C: each client is sent `good-bye`, and the program ends.

#[path = "support/help.rs"]
mod help;

use std::io;

use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt, io::BufReader};
use neap::net::{self, Stream};
use neap::{Group, StopToken, signal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    help::on_request(include_str!("echo.rs"));
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    smol::block_on(async {
        let mut group = Group::new().stop_on(signal::termination()?);
        group.add("echo", net::serve("127.0.0.1:7007", echo));
        println!("{}", group.run().await?);
        Ok(())
    })
}

async fn echo(stream: Stream, token: StopToken) -> io::Result<()> {
    let mut writer = &stream;
    let mut lines = BufReader::new(&stream).lines();
    while let Some(line) = token.run_until_stopped(lines.next()).await {
        let Some(line) = line else { return Ok(()) };
        writer
            .write_all(format!("{}\n", line?.to_uppercase()).as_bytes())
            .await?;
    }
    writer.write_all(b"good-bye\n").await
}
