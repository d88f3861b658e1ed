//! Processes that a test starts, sends signals to, and waits for.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a process may run before it is killed. No machine needs that long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The environment variable that names a scenario.
const SCENARIO: &str = "NEAP_TEST_SCENARIO";

/// Returns a command that starts this test binary again, to run one scenario in a process of its own.
///
/// `test` is the path of an ignored test that looks at [`scenario_name`] and does what that asks for.
pub fn scenario(test: &str, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(SCENARIO, name);
    command
}

/// Returns the name of the scenario that this process is to run, or `None` if a person runs the
/// ignored tests.
pub fn scenario_name() -> Option<String> {
    std::env::var(SCENARIO).ok()
}

/// Returns true if a program is there, which `flag` has say something and end. Where `NEAP_TEST_PROGRAMS` is set, as
/// in CI, it has to be.
#[track_caller]
pub fn has(program: &str, flag: &str) -> bool {
    let is_there = Command::new(program).arg(flag).output().is_ok();
    let must = std::env::var_os("NEAP_TEST_PROGRAMS").is_some();
    assert!(is_there || !must, "there is no `{program}`");
    if !is_there {
        eprintln!("no `{program}`: nothing was tested");
    }
    is_there
}

/// A process whose lines the test reads. It is killed when this is dropped, or after [`LIMIT`].
pub struct Process {
    child: Child,
    lines: BufReader<Box<dyn Read + Send>>,
    /// Tells the thread that enforces [`LIMIT`], by being dropped, that it is no longer needed.
    _limit: Sender<()>,
}

/// Returns the command that sends a signal: by the shell, as not every machine has a program for it.
fn kill(signal: &str, pid: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -s \"$0\" \"$1\"", signal, pid]);
    command
}

impl Process {
    /// Starts a process whose standard output is read.
    pub fn read_stdout(command: &mut Command) -> Process {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Process::new(child, Box::new(stdout))
    }

    /// Starts a process whose standard error is read.
    pub fn read_stderr(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Process::new(child, Box::new(stderr))
    }

    fn new(child: Child, lines: Box<dyn Read + Send>) -> Process {
        let (limit, ended) = channel();
        let pid = child.id().to_string();
        // A test that waits for a line then reads the end of the file instead.
        thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = kill("KILL", &pid).status();
            }
        });
        Process {
            child,
            lines: BufReader::new(lines),
            _limit: limit,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads up to the first line that contains `text`, and returns what follows it in that line.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "no `{text}`");
            // The test harness of a scenario may have begun the line.
            if let Some((_, rest)) = line.split_once(text) {
                return rest.trim_end().to_owned();
            }
        }
    }

    /// Closes the read end: from now on the process writes into a broken pipe.
    pub fn stop_reading(&mut self) {
        self.lines = BufReader::new(Box::new(std::io::empty()));
    }

    /// Sends a signal, by its number or by its name without `SIG`.
    #[track_caller]
    pub fn send(&self, signal: impl Display) {
        let (signal, pid) = (signal.to_string(), self.id().to_string());
        assert!(kill(&signal, &pid).status().unwrap().success());
    }

    /// Writes to the standard input of the process, which has to be a pipe.
    #[track_caller]
    pub fn type_keys(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Closes the standard input of the process.
    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Closes the standard input of the process, and waits for its end. Returns how it ended, and all
    /// lines that were not read yet.
    #[track_caller]
    pub fn wait(mut self) -> (ExitStatus, String) {
        self.close_stdin();
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended and been waited for, which is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
