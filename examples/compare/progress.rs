//! What is being done, on one line that is written over, or a line each where nobody looks.

use std::io::{IsTerminal, Write, stderr};

#[derive(Debug)]
pub(crate) struct Progress {
    done: usize,
    total: usize,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Progress {
        Progress {
            done: 0,
            total,
            terminal: stderr().is_terminal(),
        }
    }

    /// Tells what comes next.
    pub(crate) fn step(&mut self, what: &str) {
        let percent = 100 * self.done / self.total.max(1);
        self.done += 1;
        match self.terminal {
            // Back to the beginning of the line, and clear it (ECMA-48, EL).
            true => self.write(&format!("\r\x1b[K{percent:3} %  {what}")),
            false => self.write(&format!("{percent:3} %  {what}\n")),
        }
    }

    /// Tells what is to be read later, too.
    pub(crate) fn say(&self, what: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        self.write(&format!("{clear}{what}\n"));
    }

    pub(crate) fn done(&self) {
        if self.terminal {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        // Nobody may be there to read it.
        let _ = stderr().write_all(text.as_bytes());
        let _ = stderr().flush();
    }
}
