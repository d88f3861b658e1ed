//! A client of HTTP that sees when a request is lost.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::process::PATIENCE;

/// A connection, with or without TLS.
pub struct Client<S: Read + Write = TcpStream> {
    stream: BufReader<S>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub closes: bool,
    pub body: String,
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Client {
    pub fn new(address: SocketAddr) -> io::Result<Client> {
        let stream = BufReader::new(connect(address)?);
        Ok(Client { stream })
    }
}

/// A connection with TLS.
pub type TlsClient = Client<StreamOwned<ClientConnection, TcpStream>>;

impl TlsClient {
    /// Connects, and trusts this certificate alone.
    pub fn trusting(pem: &str, address: SocketAddr) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config.with_no_client_auth()), name).unwrap();
        let stream = StreamOwned::new(session, connect(address).unwrap());
        Client {
            stream: BufReader::new(stream),
        }
    }
}

impl<S: Read + Write> Client<S> {
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))?;
        self.answer()
    }

    pub fn post(&mut self, to: &str, text: &str) -> io::Result<Answer> {
        let body = format!(r#"{{"to":"{to}","text":"{text}"}}"#);
        let length = body.len();
        self.send(&format!(
            "POST /letters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))?;
        self.answer()
    }

    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())
    }

    /// Reads an answer; one that is not whole is an error.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        let mut next = || {
            line.clear();
            self.stream.read_line(&mut line)?;
            match line.strip_suffix("\r\n") {
                Some(text) => Ok(text.to_ascii_lowercase()),
                None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            }
        };
        let status = next()?[9..12].parse().unwrap();
        let (mut closes, mut length) = (false, 0);
        loop {
            match next()?.split_once(": ") {
                None => break,
                Some(("connection", value)) => closes = value == "close",
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = String::from_utf8(body).unwrap();
        Ok(Answer {
            status,
            closes,
            body,
        })
    }
}
