//! A service manager: the socket that a process tells how it is.

use std::env;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{LIMIT, Process, scenario};

/// A socket at a path of its own.
pub(crate) struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

/// The lines of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message(pub(crate) Vec<String>);

impl Manager {
    pub(crate) fn new() -> Manager {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "neap-notify-{}-{}",
            id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = env::temp_dir().join(name);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Manager { socket, path }
    }

    /// Starts a scenario that tells this manager how it is. Its standard input is open until
    /// [`Process::close_stdin`].
    pub(crate) fn start(&self, name: &str) -> Process {
        Process::read_stdout(&mut self.command(name))
    }

    /// Returns the command of that.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = command(name);
        command.env("NOTIFY_SOCKET", &self.path);
        command
    }

    /// Waits for the next message.
    #[track_caller]
    pub(crate) fn next(&self) -> Message {
        receive(&self.socket).expect("no message came in time")
    }

    /// Waits for the next message that is no mere sign of life.
    #[track_caller]
    pub(crate) fn next_news(&self) -> Message {
        loop {
            let message = self.next();
            if message.0 != ["WATCHDOG=1"] {
                return message;
            }
        }
    }

    /// Waits for a message with this line, and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&self, line: &str) -> Message {
        loop {
            let message = self.next();
            if message.has(line) {
                return message;
            }
        }
    }

    /// Returns all messages that are there already.
    pub(crate) fn all(&self) -> Vec<Message> {
        self.socket.set_nonblocking(true).unwrap();
        let all = std::iter::from_fn(|| receive(&self.socket)).collect();
        self.socket.set_nonblocking(false).unwrap();
        all
    }

    /// Waits so long for the next message.
    pub(crate) fn next_within(&self, time: Duration) -> Option<Message> {
        self.socket.set_read_timeout(Some(time)).unwrap();
        let message = receive(&self.socket);
        self.socket.set_read_timeout(Some(LIMIT)).unwrap();
        message
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Message {
    /// Returns true if this is one of its lines.
    pub(crate) fn has(&self, line: &str) -> bool {
        self.0.iter().any(|own| own == line)
    }

    /// Returns what is said of a key.
    #[track_caller]
    pub(crate) fn value(&self, key: &str) -> &str {
        let mut values = self
            .0
            .iter()
            .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        values
            .next()
            .unwrap_or_else(|| panic!("no `{key}` in {self:?}"))
    }

    /// Returns the time that is asked for.
    #[track_caller]
    pub(crate) fn extension(&self) -> Duration {
        Duration::from_micros(self.value("EXTEND_TIMEOUT_USEC").parse().unwrap())
    }
}

/// Receives a message; `None` if none comes in the time that the socket has.
pub(crate) fn receive(socket: &UnixDatagram) -> Option<Message> {
    let mut buffer = [0; 8192];
    let length = socket.recv(&mut buffer).ok()?;
    let text = std::str::from_utf8(&buffer[..length]).unwrap();
    Some(Message(text.lines().map(str::to_owned).collect()))
}

/// Returns the command of a scenario, without what this process may have from a service manager.
pub(crate) fn command(name: &str) -> Command {
    let mut command = scenario("children::child", name);
    for variable in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped());
    command
}
