//! `HOST` and `PORT` of the environment.

use std::env;
use std::io;
use std::net::SocketAddr;

/// Returns `HOST:PORT` by the variables of these names, each with its default from `default`.
///
/// # Errors
///
/// A variable, or the default, is not what it must be. The message names it and its value.
pub(super) fn host_and_port(default: &str) -> io::Result<String> {
    Variables {
        host: variable("HOST"),
        port: variable("PORT"),
    }
    .or(default)
}

/// What the variables say.
struct Variables {
    host: Option<String>,
    port: Option<String>,
}

/// Returns a variable, unless it is not set or empty.
fn variable(name: &str) -> Option<String> {
    let value = env::var_os(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

impl Variables {
    /// Returns a host and a port, with what is missing from the default.
    fn or(self, default: &str) -> io::Result<String> {
        let (default_host, default_port) = split(default).ok_or_else(|| {
            bad(
                "the default",
                default,
                "a host and a port: `127.0.0.1:8080`",
            )
        })?;
        let host = match self.host {
            Some(host) => as_host(&host).ok_or_else(|| bad("HOST", &host, HOST))?,
            None => default_host,
        };
        let port = match self.port {
            Some(port) if is_port(&port) => port,
            Some(port) => return Err(bad("PORT", &port, PORT)),
            None => default_port,
        };
        Ok(format!("{host}:{port}"))
    }
}

/// What `HOST` has to be.
const HOST: &str = "a name or an IP address, without a port";

/// What `PORT` has to be.
const PORT: &str = "a number from 0 to 65535";

/// Splits a host and a port. No host stands for every IPv4 address.
fn split(text: &str) -> Option<(String, String)> {
    let (host, port) = text.rsplit_once(':').filter(|(_, port)| is_port(port))?;
    let host = match host {
        "" => Some(String::new()),
        host => as_host(host),
    };
    Some((host?, port.to_owned()))
}

/// Returns a host as it stands in front of a port; `None` if it cannot stand there.
fn as_host(host: &str) -> Option<String> {
    // An IPv6 address may have its brackets or not.
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let bracketed = format!("[{}]", bare.unwrap_or(host));
    if format!("{bracketed}:0").parse::<SocketAddr>().is_ok() {
        return Some(bracketed);
    }
    let is_part = |c: char| !c.is_whitespace() && !c.is_control() && !":/[]".contains(c);
    (!host.is_empty() && host.chars().all(is_part)).then(|| host.to_owned())
}

/// Returns true if the text is a port: without the sign that `parse` takes.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The error of a value that is not what it must be.
fn bad(name: &str, value: &str, expected: &str) -> io::Error {
    let value = value.escape_debug();
    let message =
        format!("cannot listen as the environment says: {name} is `{value}`, expected {expected}");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::Variables;

    /// Returns where to listen with these variables, or the error.
    fn at(host: Option<&str>, port: Option<&str>, default: &str) -> Result<String, String> {
        let (host, port) = (host.map(str::to_owned), port.map(str::to_owned));
        let address = Variables { host, port }.or(default);
        address.map_err(|error| error.to_string())
    }

    #[test]
    fn each_variable_has_its_default() {
        let default = "127.0.0.1:8000";
        for (host, port, expected) in [
            (None, None, "127.0.0.1:8000"),
            (Some("0.0.0.0"), None, "0.0.0.0:8000"),
            (None, Some("80"), "127.0.0.1:80"),
            (Some("localhost"), Some("0"), "localhost:0"),
        ] {
            assert_eq!(at(host, port, default).unwrap(), expected);
        }
        assert_eq!(at(None, Some("80"), ":8000").unwrap(), ":80");
        assert_eq!(at(Some("::1"), None, ":8000").unwrap(), "[::1]:8000");
        assert_eq!(at(None, Some("80"), "[::]:8000").unwrap(), "[::]:80");
    }

    #[test]
    fn an_ipv6_address_may_have_brackets() {
        for host in ["::", "[::]", "[fe80::1%2]", "fe80::1%2", "::ffff:127.0.0.1"] {
            let bare = host.trim_matches(['[', ']']);
            let expected = format!("[{bare}]:80");
            assert_eq!(at(Some(host), Some("80"), ":1").unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_host_or_no_port_is_named() {
        for port in [
            "http",
            "-1",
            "+80",
            "65536",
            "80 ",
            "80\r",
            "tcp://10.0.0.1:80",
        ] {
            let error = at(None, Some(port), ":8000").unwrap_err();
            let said = format!(
                "PORT is `{}`, expected a number from 0",
                port.escape_debug()
            );
            assert!(error.contains(&said), "{error}");
        }
        for host in [
            "127.0.0.1:80",
            "http://a",
            " a",
            "[::1",
            "[a]",
            "unix:/run/a",
            "::1]",
        ] {
            let error = at(Some(host), None, ":8000").unwrap_err();
            let said = format!("HOST is `{host}`, expected a name or an IP address");
            assert!(error.contains(&said), "{error}");
        }
        for default in ["localhost", "", ":http", "::1:", "unix:/run/a", "[::1]"] {
            let error = at(Some("a"), Some("1"), default).unwrap_err();
            let said = format!("the default is `{default}`, expected a host and a port");
            assert!(error.contains(&said), "{error}");
        }
    }
}
