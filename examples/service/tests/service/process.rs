//! The program as a process, in a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for what has to come. No machine needs that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "there is still no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder with the files of the program, which outlives its processes.
pub struct Home {
    pub path: PathBuf,
    variables: Vec<(String, String)>,
}

impl Home {
    pub fn new() -> Home {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        let home = Home {
            path,
            variables: Vec::new(),
        };
        home.with("SETTINGS", "settings.json").settings("{}")
    }

    /// Sets a variable.
    pub fn with(mut self, name: &str, value: &str) -> Home {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Writes the settings.
    pub fn settings(self, json: &str) -> Home {
        self.write("settings.json", json);
        self
    }

    /// Puts a whole file in the place of the old one, as should be done with a configuration.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let draft = self.path.join("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, self.path.join(name)).unwrap();
    }

    /// Returns the command that starts the program.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_letters"));
        command
            .current_dir(&self.path)
            .env_clear()
            .envs([("PORT", "0"), ("ADMIN", "127.0.0.1:0")])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped());
        command
    }

    /// Starts the program, and waits until it serves.
    pub fn start(&self) -> Process {
        self.start_by(&mut self.command())
    }

    /// Starts the program by its command, and waits until it serves.
    pub fn start_by(&self, command: &mut Command) -> Process {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let written = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
        let mut process = Process {
            child,
            log,
            reader: Some(reader),
            http: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
        };
        process.http = process.address("`http` listens on ");
        process.admin = process.address("`admin` listens on ");
        process
    }

    /// Opens the database as the program has left it: closed well, and whole.
    pub fn database(&self) -> Connection {
        for file in ["letters.db-wal", "letters.db-shm"] {
            assert!(!self.path.join(file).exists(), "{file} is left");
        }
        let database = Connection::open(self.path.join("letters.db")).unwrap();
        let check = "PRAGMA integrity_check";
        let said: String = database.query_row(check, [], |row| row.get(0)).unwrap();
        assert_eq!(said, "ok");
        database
    }

    /// Returns the numbers of the letters that were delivered.
    pub fn delivered(&self) -> Vec<i64> {
        let Ok(entries) = fs::read_dir(self.path.join("outbox")) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let numbers = names.filter_map(|name| name.strip_suffix(".txt")?.parse().ok());
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        numbers
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // It is of use where a test has failed.
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Returns a number that a query has.
pub fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The program. It is killed when this is dropped.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Reads the log to its end.
    reader: Option<thread::JoinHandle<()>>,
    pub http: SocketAddr,
    pub admin: SocketAddr,
}

impl Process {
    /// Returns what was written to the log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has this text.
    pub fn logs(&self, text: &str) {
        until(text, || self.log().contains(text).then_some(()));
    }

    /// Waits for the address behind a text of the log.
    fn address(&mut self, text: &str) -> SocketAddr {
        until(text, || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.log());
            let log = self.log();
            let (_, rest) = log.split_once(text)?;
            rest.split_once('\n')?.0.parse().ok()
        })
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until the process has ended, and returns its status and its log.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = until("end", || self.child.try_wait().unwrap());
        self.reader.take().unwrap().join().unwrap();
        (status, self.log())
    }

    /// Stops the program, which has to end well.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
