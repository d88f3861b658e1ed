//! The networks that proxies are in.

use std::fmt;
use std::net::IpAddr;

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    /// How many bits are the same.
    prefix: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, or an address alone.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let Ok(first) = address.parse::<IpAddr>() else {
            return Err(format!("`{address}` is no IP address"));
        };
        let most = bits_of(first);
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = prefix.parse().ok().filter(|prefix| *prefix <= most);
                number.ok_or_else(|| format!("the prefix is `{prefix}`, not 0 to {most}"))?
            }
            Some(prefix) => return Err(format!("the prefix is `{prefix}`, not 0 to {most}")),
        };
        let network = Self { first, prefix };
        let begin = network.begin();
        if begin.first != first {
            return Err(format!("it has bits behind its prefix: is it {begin}?"));
        }
        Ok(network.canonical())
    }

    /// Returns true if an address is in it. One of IPv4 is the same as IPv6 has it (RFC 4291, 2.5.5.2).
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let first = address.to_canonical();
        let prefix = self.prefix;
        first.is_ipv4() == self.first.is_ipv4() && Self { first, prefix }.begin() == *self
    }

    /// Returns the network that has this address in it.
    fn begin(self) -> Self {
        let Self { first, prefix } = self;
        let behind = bits_of(first) - prefix;
        let first = match first {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
                IpAddr::V4((ip.to_bits() & mask).into())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
                IpAddr::V6((ip.to_bits() & mask).into())
            }
        };
        Self { first, prefix }
    }

    /// Has addresses of IPv4 as such.
    fn canonical(self) -> Self {
        match (self.first, self.first.to_canonical()) {
            (IpAddr::V6(_), first @ IpAddr::V4(_)) if self.prefix >= 96 => Self {
                first,
                prefix: self.prefix - 96,
            },
            _ => self,
        }
    }
}

fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network = Network::parse(network).unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_with_it() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("10.1.2.3/32", "::ffff:10.1.2.3", "::ffff:10.1.2.2"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("::/0", "::1", "::ffff:203.0.113.9"),
            ("192.168.128.0/17", "192.168.255.255", "192.168.127.255"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("fd00::/7", "fc00::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.9.9.9"),
        ] {
            if network == "fd00::/7" {
                let error = Network::parse(network).unwrap_err();
                assert_eq!(error, "it has bits behind its prefix: is it fc00::/7?");
                continue;
            }
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn each_prefix_is_as_long_as_it_says() {
        for prefix in 0..=32_u32 {
            let network = format!("0.0.0.0/{prefix}");
            let inside = u32::MAX.checked_shr(prefix).unwrap_or(0);
            let network = Network::parse(&network).unwrap();
            assert!(network.contains(std::net::Ipv4Addr::from(inside).into()));
            if prefix > 0 {
                let outside = 1_u32 << (32 - prefix);
                assert!(!network.contains(std::net::Ipv4Addr::from(outside).into()));
            }
        }
    }

    #[test]
    fn what_is_none_is_said_in_words() {
        for (text, why) in [
            ("", "`` is no IP address"),
            ("balancer", "`balancer` is no IP address"),
            ("10.0.0.1:80", "`10.0.0.1:80` is no IP address"),
            ("[::1]", "`[::1]` is no IP address"),
            ("10.0.0/8", "`10.0.0` is no IP address"),
            ("10.0.0.0/33", "the prefix is `33`, not 0 to 32"),
            ("10.0.0.0/", "the prefix is ``, not 0 to 32"),
            ("10.0.0.0/+8", "the prefix is `+8`, not 0 to 32"),
            ("::/129", "the prefix is `129`, not 0 to 128"),
            (
                "::/99999999999",
                "the prefix is `99999999999`, not 0 to 128",
            ),
            (
                "10.0.0.1/8",
                "it has bits behind its prefix: is it 10.0.0.0/8?",
            ),
        ] {
            assert_eq!(Network::parse(text).unwrap_err(), why);
        }
    }
}
