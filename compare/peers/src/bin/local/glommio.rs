//! The sockets of glommio.

use std::io;
use std::net::SocketAddr;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement, spawn_local};

use crate::echo::{self, PING, Sockets};

struct Glommio;

impl Sockets for Glommio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        Ok(listener.accept().await?)
    }

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        Ok(TcpStream::connect(address).await?)
    }

    async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PING.len()];
        stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> io::Result<()> {
        stream.write_all(&bytes).await
    }
}

pub fn run() {
    // Not bound to a processor, of which there may be one.
    let executor = LocalExecutorBuilder::new(Placement::Unbound).make();
    let executor = executor.expect("an executor");
    executor.run(echo::run::<Glommio, _>(spawn_local));
}
