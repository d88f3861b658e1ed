//! An error with its causes, in one line.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes, as in `cannot start: cannot read a.toml: no such file`.
///
/// Errors of some crates display their cause too. One that the text already has is left out.
pub(crate) struct Chain<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !last.contains(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn chain(error: &anyhow::Error) -> String {
        Chain(error.as_ref()).to_string()
    }

    #[test]
    fn each_cause_is_named_once() {
        let error = anyhow!("no such file").context("cannot read a.toml");
        let error = error.context("cannot start");
        assert_eq!(
            chain(&error),
            "cannot start: cannot read a.toml: no such file"
        );
        assert_eq!(chain(&anyhow!("alone")), "alone");
    }

    #[test]
    fn a_cause_that_the_text_has_is_left_out() {
        let error = anyhow!("no such file").context("cannot read a.toml: no such file");
        assert_eq!(chain(&error), "cannot read a.toml: no such file");
        let error = error.context("cannot start");
        assert_eq!(
            chain(&error),
            "cannot start: cannot read a.toml: no such file"
        );
    }
}
