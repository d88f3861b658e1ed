//! The authorities whose certificates clients may show, which can be replaced.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;

use super::pem::{Pem, Verifiers};
use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// The authorities that sign the certificates of clients (mutual TLS), for
/// [`TlsConfig::require_client_certificate`](super::super::TlsConfig::require_client_certificate).
///
/// Clones are the same authorities: what is [reloaded](ClientAuthorities::reload) by one is so for all, and for
/// every server that has been given one. That cuts no connection. A client that connects later is judged by the
/// new ones, also if it was here before.
///
/// They are PEM, one certificate or many. Each is the certificate of an authority, or that of one client
/// alone, which has signed itself. Lists of what was revoked are not looked at: take an authority out, or sign for
/// hours instead of years.
///
/// # Examples
///
/// ```no_run
/// use futures_lite::AsyncWriteExt;
/// use neap::net::{self, Certificates, ClientAuthorities, Stream, TlsConfig};
///
/// let certificates = Certificates::from_files("chain.pem", "key.pem")?;
/// let authorities = ClientAuthorities::from_file("clients.pem")?;
/// let tls = TlsConfig::new(&certificates).require_client_certificate(&authorities);
/// let greet = async |mut stream: Stream, _| {
///     let shown = stream.tls().map_or(0, |tls| tls.client_certificates().len());
///     stream.write_all(format!("you have shown {shown} certificates\n").as_bytes()).await
/// };
/// let server = net::Server::new("[::]:4433", greet).tls(tls);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct ClientAuthorities {
    shared: Arc<Shared>,
}

struct Shared {
    current: Mutex<Verifiers>,
    /// How often they were replaced.
    generation: AtomicUsize,
    /// The file; `None` if they have come as bytes.
    file: Option<PathBuf>,
}

/// What authorities that have come as bytes are called in errors.
const BYTES: &str = "the authorities of clients";

impl ClientAuthorities {
    /// Reads the certificates of authorities from a file.
    ///
    /// The file is read now, while the caller waits.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no certificate, or one that is malformed. The message names the file and says
    /// what is wrong; the kind is that of the read, or `InvalidData`.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::ClientAuthorities;
    ///
    /// let error = ClientAuthorities::from_file("/no/clients.pem").unwrap_err();
    /// assert!(error.to_string().starts_with("`/no/clients.pem`: "), "{error}");
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> io::Result<ClientAuthorities> {
        let path = path.as_ref();
        let verifiers = Pem::read(path)?.verifiers()?;
        Ok(ClientAuthorities::new(verifiers, Some(path.to_owned())))
    }

    /// Takes the certificates of authorities as PEM.
    ///
    /// # Errors
    ///
    /// Those of [`from_file`](ClientAuthorities::from_file).
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::ClientAuthorities;
    ///
    /// let error = ClientAuthorities::from_pem(b"").unwrap_err();
    /// assert!(error.to_string().starts_with("the authorities of clients: no certificate in it"));
    /// ```
    pub fn from_pem(authorities: &[u8]) -> io::Result<ClientAuthorities> {
        let verifiers = Pem::of_bytes(BYTES, authorities).verifiers()?;
        Ok(ClientAuthorities::new(verifiers, None))
    }

    fn new(verifiers: Verifiers, file: Option<PathBuf>) -> ClientAuthorities {
        ClientAuthorities {
            shared: Arc::new(Shared {
                current: Mutex::new(verifiers),
                generation: AtomicUsize::new(0),
                file,
            }),
        }
    }

    /// Reads the file again, for clients that come from now on.
    ///
    /// The file is read while the caller waits. Write a new one aside, and rename it.
    ///
    /// # Errors
    ///
    /// Those of [`from_file`](ClientAuthorities::from_file), and `Unsupported` if the authorities have come as
    /// bytes, which are [replaced](ClientAuthorities::replace) instead. After an error nothing has changed.
    pub fn reload(&self) -> io::Result<()> {
        let Some(path) = &self.shared.file else {
            let error =
                "the authorities of clients were not read from a file, and can only be replaced";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        };
        self.shared.set(Pem::read(path)?.verifiers()?);
        Ok(())
    }

    /// Puts other authorities, as PEM, in the place of the present ones.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](ClientAuthorities::from_pem). After an error nothing has changed.
    pub fn replace(&self, authorities: &[u8]) -> io::Result<()> {
        self.shared
            .set(Pem::of_bytes(BYTES, authorities).verifiers()?);
        Ok(())
    }

    /// Returns how often they were replaced.
    pub(super) fn generation(&self) -> usize {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// Returns what judges the certificates of clients. One that has none is refused if they are `required`.
    pub(super) fn verifier(&self, required: bool) -> Arc<dyn ClientCertVerifier> {
        let current = lock(&self.shared.current);
        match required {
            true => Arc::clone(&current.required),
            false => Arc::clone(&current.requested),
        }
    }
}

impl Shared {
    fn set(&self, verifiers: Verifiers) {
        let old = std::mem::replace(&mut *lock(&self.current), verifiers);
        drop(old);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// The file, if there is one.
impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_struct("ClientAuthorities");
        tuple
            .field("file", &self.shared.file)
            .finish_non_exhaustive()
    }
}
