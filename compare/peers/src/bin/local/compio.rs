//! The sockets of compio.

use std::io;
use std::net::SocketAddr;

use compio::BufResult;
use compio::io::{AsyncReadExt, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::{Runtime, spawn};

use crate::echo::{self, PING, Sockets};

struct Compio;

impl Sockets for Compio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let BufResult(read, bytes) = stream.read_exact(vec![0; PING.len()]).await;
        read.map(|()| bytes)
    }

    async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> io::Result<()> {
        stream.write_all(bytes).await.0
    }
}

pub fn run() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(echo::run::<Compio, _>(spawn));
}
