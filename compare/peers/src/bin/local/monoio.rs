//! The sockets of monoio.

use std::io;
use std::net::SocketAddr;

use monoio::io::{AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder, spawn};

use crate::echo::{self, PING, Sockets};

struct Monoio;

impl Sockets for Monoio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
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
        let (read, bytes) = stream.read_exact(vec![0; PING.len()]).await;
        read.map(|_| bytes)
    }

    async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> io::Result<()> {
        stream.write_all(bytes).await.0.map(drop)
    }
}

pub fn run() {
    let runtime = RuntimeBuilder::<IoUringDriver>::new().build();
    let mut runtime = runtime.expect("a runtime");
    runtime.block_on(echo::run::<Monoio, _>(spawn));
}
