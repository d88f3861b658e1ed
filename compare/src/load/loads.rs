//! The loads, by name.

use super::heads::{HELLO, JSON, ORDER, PROXY, QUERY, UPLOAD};
use crate::Failure;
use crate::apps::{self, DOWNLOAD, MEGABYTE};
use crate::response::Expected;

/// What clients ask for, and how.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    /// What stands above its table.
    pub(crate) title: &'static str,
    /// The request's head, as [`Template`](super::request::Template) takes it, and its body.
    pub(super) head: &'static str,
    pub(super) body: &'static str,
    /// How many more bytes of a body follow.
    pub(super) upload: u64,
    pub(super) expected: Expected,
    /// How many connections, where that is not for the command line to say.
    pub(super) connections: Option<usize>,
    /// How many requests a connection sends ahead of their answers.
    pub(super) ahead: usize,
    /// True if requests are sent at a fixed rate, however long the answers take.
    pub(crate) paced: bool,
    /// How many threads the server has. With more than one it has all processors, and shares them.
    pub(crate) threads: usize,
    /// How many requests are enough to count their instructions.
    pub(crate) few: usize,
}

/// The load with realistic heads, which stands first in every table.
pub(crate) const REALISTIC: &Load = &LOADS[0];

const HELLO_BODY: Expected = Expected::Exactly(apps::HELLO.as_bytes());

/// One request at a time on each connection, with a small answer.
const SMALL: Load = Load {
    name: "",
    title: "",
    head: PROXY,
    body: "",
    upload: 0,
    expected: HELLO_BODY,
    connections: None,
    ahead: 1,
    paced: false,
    threads: 1,
    few: 5000,
};

/// Bodies that take their time.
const LARGE: Load = Load {
    expected: Expected::Letters(DOWNLOAD as u64),
    connections: Some(4),
    few: 4,
    ..SMALL
};

/// Bodies of 1 MB.
const MEDIUM: Load = Load {
    expected: Expected::Letters(MEGABYTE as u64),
    connections: Some(16),
    few: 100,
    ..SMALL
};

/// Uploads of 1 MB.
pub(crate) const BURST: &Load = &Load {
    name: "burst",
    title: "Uploads of 1 MB",
    head: UPLOAD,
    upload: MEGABYTE as u64,
    expected: Expected::Exactly(b"1000000"),
    ..SMALL
};

/// An upload of nothing, to see whether there is a route.
pub(crate) const EMPTY: &Load = &Load {
    name: "empty",
    title: "Uploads of nothing",
    head: UPLOAD,
    expected: Expected::Exactly(b"0"),
    ..SMALL
};

/// All loads, in the order of their tables.
pub(crate) const LOADS: &[Load] = &[
    Load {
        name: "proxy",
        title: "12 fields as behind a proxy, a new `traceparent` each",
        ..SMALL
    },
    Load {
        name: "query",
        title: "A short head, every query new",
        head: QUERY,
        ..SMALL
    },
    Load {
        name: "hello",
        title: "A short head, the same each time",
        head: HELLO,
        ..SMALL
    },
    Load {
        name: "json",
        title: "`POST`, 1 kB of JSON, and JSON back",
        head: JSON,
        body: ORDER,
        expected: Expected::Exactly(ORDER.as_bytes()),
        ..SMALL
    },
    Load {
        name: "megabyte",
        title: "Answers of 1 MB",
        head: "GET /megabyte HTTP/1.1\r\nHost: $host\r\n\r\n",
        ..MEDIUM
    },
    Load {
        name: "download",
        title: "100 MB streamed down",
        head: "GET /download HTTP/1.1\r\nHost: $host\r\n\r\n",
        ..LARGE
    },
    Load {
        name: "upload",
        title: "100 MB up",
        head: UPLOAD,
        upload: DOWNLOAD as u64,
        expected: Expected::Exactly(b"100000000"),
        ..LARGE
    },
    Load {
        name: "file-1mb",
        title: "A file of 1 MB",
        head: "GET /file/1mb HTTP/1.1\r\nHost: $host\r\n\r\n",
        ..MEDIUM
    },
    Load {
        name: "file-100mb",
        title: "A file of 100 MB",
        head: "GET /file/100mb HTTP/1.1\r\nHost: $host\r\n\r\n",
        ..LARGE
    },
    Load {
        name: "ahead",
        title: "16 requests ahead, 12 fields as behind a proxy",
        connections: Some(16),
        ahead: 16,
        ..SMALL
    },
    Load {
        name: "ahead-hello",
        title: "16 requests ahead, a short head, the same each time",
        head: HELLO,
        connections: Some(16),
        ahead: 16,
        ..SMALL
    },
    Load {
        name: "paced",
        title: "At a fixed rate, 12 fields as behind a proxy",
        paced: true,
        ..SMALL
    },
    Load {
        name: "threads",
        title: "Two threads, 12 fields as behind a proxy",
        threads: 2,
        ..SMALL
    },
];

impl Load {
    /// Returns how many bytes of bodies a request moves, if they are what counts.
    pub(crate) fn volume(&self) -> Option<u64> {
        match (self.upload, self.expected) {
            (0, Expected::Letters(length)) => Some(length),
            (0, Expected::Exactly(_)) => None,
            (length, _) => Some(length),
        }
    }
}

/// Returns the loads of these names, divided by commas, or all.
///
/// # Errors
///
/// There is no load of such a name; the message has those that there are.
pub(crate) fn named(names: &str) -> Result<Vec<&'static Load>, Failure> {
    if names == "all" {
        return Ok(LOADS.iter().collect());
    }
    let one = |name| {
        let named = LOADS.iter().find(|load| load.name == name);
        named.ok_or_else(|| {
            let all: Vec<_> = LOADS.iter().map(|load| load.name).collect();
            format!(
                "no such load: `{name}`; there are {}, and all",
                all.join(", ")
            )
            .into()
        })
    };
    names.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{LOADS, REALISTIC, named};

    #[test]
    fn a_load_is_found_by_its_name() {
        assert_eq!(REALISTIC.name, "proxy");
        for load in LOADS {
            let found = named(load.name).map(|found| found[0].title);
            assert_eq!(found.ok(), Some(load.title));
        }
        assert_eq!(named("hello,query").map(|found| found.len()).ok(), Some(2));
        assert!(named("hallo").is_err());
    }
}
