//! A certificate chain and a private key from PEM, with words for what is wrong with them.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys, RootCertStore};

/// Where PEM has come from, in words.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    File(&'a Path),
    /// Bytes that are called this.
    Bytes(&'static str),
}

/// PEM, and where it has come from.
pub(super) struct Pem<'a> {
    origin: Origin<'a>,
    bytes: Vec<u8>,
}

impl<'a> Pem<'a> {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn read(path: &'a Path) -> io::Result<Pem<'a>> {
        let origin = Origin::File(path);
        let words = |error: io::Error| io::Error::new(error.kind(), format!("{origin}: {error}"));
        let bytes = fs::read(path).map_err(words)?;
        Ok(Pem { origin, bytes })
    }

    /// Takes bytes, which error messages call by this name.
    pub(super) fn of_bytes(name: &'static str, bytes: &[u8]) -> Pem<'static> {
        Pem {
            origin: Origin::Bytes(name),
            bytes: bytes.to_vec(),
        }
    }

    /// Returns an error that names where this has come from.
    fn error(&self, what: impl fmt::Display) -> io::Error {
        let origin = self.origin;
        io::Error::new(io::ErrorKind::InvalidData, format!("{origin}: {what}"))
    }

    /// Returns the sections that are known.
    fn sections(&self) -> io::Result<Vec<(SectionKind, Vec<u8>)>> {
        let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(&self.bytes);
        sections
            .map(|section| section.map_err(|error| self.error(in_words(&error))))
            .collect()
    }

    /// Returns the certificates, at least one.
    fn chain(&self) -> io::Result<Vec<CertificateDer<'static>>> {
        let sections = self.sections()?;
        let certificates = sections
            .into_iter()
            .filter(|(kind, _)| *kind == SectionKind::Certificate)
            .map(|(_, der)| CertificateDer::from(der));
        let chain: Vec<_> = certificates.collect();
        match chain.is_empty() {
            true => {
                Err(self
                    .error("no certificate in it, which begins with `-----BEGIN CERTIFICATE-----`"))
            }
            false => Ok(chain),
        }
    }

    /// Returns what judges the certificates of clients that the authorities in here have signed.
    ///
    /// # Errors
    ///
    /// There is no certificate, or a malformed one.
    pub(super) fn verifiers(&self) -> io::Result<Verifiers> {
        let mut roots = RootCertStore::empty();
        for (at, authority) in self.chain()?.into_iter().enumerate() {
            let added = roots.add(authority);
            let number = at + 1;
            added.map_err(|error| {
                self.error(format_args!("certificate {number} is malformed: {error}"))
            })?;
        }
        let provider = Arc::new(ring::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let failed = |error| self.error(error);
        Ok(Verifiers {
            required: builder.clone().build().map_err(failed)?,
            requested: builder.allow_unauthenticated().build().map_err(failed)?,
        })
    }

    /// Returns the first private key.
    fn key(&self) -> io::Result<PrivateKeyDer<'static>> {
        let mut sections = self.sections()?.into_iter();
        let key = sections.find_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
        key.ok_or_else(|| {
            let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
            let is_encrypted = self
                .bytes
                .windows(encrypted.len())
                .any(|at| at == encrypted);
            self.error(match is_encrypted {
                true => "the private key is encrypted, and there is nobody to ask for its password",
                false => "no private key in it, which begins with `-----BEGIN PRIVATE KEY-----`",
            })
        })
    }
}

/// What judges the certificates of clients.
pub(super) struct Verifiers {
    /// One that refuses clients without a certificate.
    pub(super) required: Arc<dyn ClientCertVerifier>,
    /// One that takes them.
    pub(super) requested: Arc<dyn ClientCertVerifier>,
}

/// Returns a chain with its key.
///
/// # Errors
///
/// Either is missing or malformed, or they do not belong together.
pub(super) fn certified(chain: &Pem<'_>, key: &Pem<'_>) -> io::Result<CertifiedKey> {
    let certificates = chain.chain()?;
    let provider = ring::default_provider();
    let load = |der| provider.key_provider.load_private_key(der);
    let signing = load(key.key()?)
        .map_err(|error| key.error(format_args!("the private key cannot be used: {error}")))?;
    let certified = CertifiedKey::new(certificates, signing);
    match certified.keys_match() {
        // A key that does not tell its public half cannot be compared.
        Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(TlsError::InconsistentKeys(_)) => {
            let chain = chain.origin;
            Err(key.error(format_args!(
                "the private key is not that of the first certificate of {chain}"
            )))
        }
        Err(error) => Err(chain.error(format_args!("the first certificate is malformed: {error}"))),
    }
}

/// Returns what is wrong with PEM. The library's own words have lines as lists of numbers.
fn in_words(error: &PemError) -> String {
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match error {
        PemError::MissingSectionEnd { end_marker } => {
            // The label alone, or the whole line.
            let line = line(end_marker);
            let label = line.trim_matches('-').trim_start_matches("END ");
            format!("it ends before `-----END {label}-----`")
        }
        PemError::IllegalSectionStart { line: start } => {
            format!("a section begins with `{}`", line(start))
        }
        PemError::Base64Decode(error) => format!("a section is not base64: {error}"),
        error => error.to_string(),
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(path) => write!(f, "`{}`", path.display()),
            Origin::Bytes(name) => f.write_str(name),
        }
    }
}
