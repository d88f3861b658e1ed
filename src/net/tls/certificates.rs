//! A certificate chain and its private key, which can be replaced.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pem::{Pem, certified};
use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// A certificate chain and its private key, for servers that speak TLS.
///
/// Clones are the same certificates: what is [reloaded](Certificates::reload) by one is so for all, and for
/// every server that has been given one. A connection keeps what it has begun its handshake with, so a reload
/// cuts none; those that come after it are shown the new chain, and no session from before it is resumed.
///
/// The chain is PEM, with the certificate of the server itself first, and then those that lead to one that the
/// clients know. The key is PEM that is not encrypted: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC). Both may be in the
/// same file. A certificate that has run out is taken all the same: it is for the clients to refuse it.
///
/// # Examples
///
/// Read again at each SIGHUP. If the new files are bad, the server goes on with the old ones:
///
/// ```no_run
/// # #[cfg(feature = "signal")]
/// # async {
/// use futures_lite::StreamExt;
/// use neap::net::{self, Certificates, Stream};
/// use neap::{Group, signal};
///
/// let certificates = Certificates::from_files("chain.pem", "key.pem")?;
/// let greet = async |stream: Stream, _| println!("{} is here", stream.peer_addr());
/// let mut group = Group::new().stop_on(signal::termination()?);
/// group.add("greet", net::Server::new("[::]:4433", greet).tls(&certificates).into_service());
/// let mut reloads = signal::reload()?;
/// group.race("certificates", async move {
///     while reloads.next().await.is_some() {
///         match certificates.reload() {
///             Ok(()) => println!("new certificates"),
///             Err(error) => eprintln!("the old certificates stay: {error}"),
///         }
///     }
/// });
/// group.run().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # };
/// ```
#[derive(Clone)]
pub struct Certificates {
    resolver: Arc<Resolver>,
}

/// What the sessions ask for certificates.
struct Resolver {
    current: Mutex<Arc<CertifiedKey>>,
    /// How often they were replaced.
    generation: AtomicUsize,
    /// The files of the chain and of the key; `None` if they have come as bytes.
    files: Option<[PathBuf; 2]>,
}

impl Certificates {
    /// Reads a certificate chain and its private key from two files, or twice from one.
    ///
    /// The files are read now, while the caller waits.
    ///
    /// # Errors
    ///
    /// A file cannot be read, has no certificate or no private key, or is malformed, or the key is not that
    /// of the certificate. The message names the file and says what is wrong; the kind is that of the read,
    /// or `InvalidData`.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Certificates;
    ///
    /// let error = Certificates::from_files("/no/chain.pem", "/no/key.pem").unwrap_err();
    /// assert!(error.to_string().starts_with("`/no/chain.pem`: "), "{error}");
    /// ```
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Certificates> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let certified = read(chain, key)?;
        let files = [chain, key].map(Path::to_owned);
        Ok(Certificates::new(certified, Some(files)))
    }

    /// Takes a certificate chain and its private key as PEM.
    ///
    /// # Errors
    ///
    /// Those of [`from_files`](Certificates::from_files). The message says whether it is the chain or the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::net::Certificates;
    ///
    /// let error = Certificates::from_pem(b"", b"").unwrap_err();
    /// assert!(error.to_string().starts_with("the certificate chain: no certificate in it"));
    /// ```
    pub fn from_pem(chain: &[u8], key: &[u8]) -> io::Result<Certificates> {
        Ok(Certificates::new(parse(chain, key)?, None))
    }

    fn new(certified: CertifiedKey, files: Option<[PathBuf; 2]>) -> Certificates {
        let current = Mutex::new(Arc::new(certified));
        Certificates {
            resolver: Arc::new(Resolver {
                current,
                generation: AtomicUsize::new(0),
                files,
            }),
        }
    }

    /// Reads the files again, and shows what is in them to clients that come from now on.
    ///
    /// The files are read while the caller waits. A program that replaces both should write the new ones
    /// aside, and rename them: between the two renames the key is not that of the certificate, and a reload
    /// at that moment fails without harm.
    ///
    /// # Errors
    ///
    /// Those of [`from_files`](Certificates::from_files), and `Unsupported` if the certificates have come as
    /// bytes, which are [replaced](Certificates::replace) instead. After an error nothing has changed.
    pub fn reload(&self) -> io::Result<()> {
        let Some([chain, key]) = &self.resolver.files else {
            let error = "the certificates were not read from files, and can only be replaced";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        };
        self.resolver.set(read(chain, key)?);
        Ok(())
    }

    /// Puts another chain and key, as PEM, in the place of the present ones.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Certificates::from_pem). After an error nothing has changed.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> io::Result<()> {
        self.resolver.set(parse(chain, key)?);
        Ok(())
    }

    /// Returns how often they were replaced.
    pub(super) fn generation(&self) -> usize {
        self.resolver.generation.load(Ordering::Acquire)
    }

    /// Returns what the sessions ask.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.resolver) as _
    }
}

fn read(chain: &Path, key: &Path) -> io::Result<CertifiedKey> {
    certified(&Pem::read(chain)?, &Pem::read(key)?)
}

fn parse(chain: &[u8], key: &[u8]) -> io::Result<CertifiedKey> {
    let chain = Pem::of_bytes("the certificate chain", chain);
    certified(&chain, &Pem::of_bytes("the private key", key))
}

impl Resolver {
    fn set(&self, certified: CertifiedKey) {
        let old = std::mem::replace(&mut *lock(&self.current), Arc::new(certified));
        drop(old);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&lock(&self.current)))
    }
}

/// The files, if there are any. Nothing is shown of the key.
impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resolver.fmt(f)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_struct("Certificates");
        tuple.field("files", &self.files).finish_non_exhaustive()
    }
}
