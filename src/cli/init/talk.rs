//! Asking the person in front of the terminal, or nobody.

use super::super::Exit;
use super::super::output::complain;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Whether anybody is there to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// Questions go to standard error, answers come from standard input.
    With,
    /// Whatever is missing is an error that names the flag.
    Nobody,
}

impl Talk {
    /// A line; `usual` is taken for an empty answer.
    pub(super) fn ask(
        self,
        question: &str,
        flag: &str,
        usual: Option<&str>,
    ) -> Result<String, Exit> {
        match (self, usual) {
            (Self::Nobody, Some(usual)) => return Ok(usual.to_owned()),
            (Self::Nobody, None) => return Err(missing(flag)),
            (Self::With, _) => {}
        }
        loop {
            match usual {
                Some(usual) => prompt(&format!("{question} [{usual}]: ")),
                None => prompt(&format!("{question}: ")),
            }
            let answer = read(flag)?;
            match (answer.trim(), usual) {
                ("", Some(usual)) => return Ok(usual.to_owned()),
                ("", None) => {}
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// A line that a terminal does not show.
    pub(super) fn ask_secret(self, question: &str, flag: &str) -> Result<String, Exit> {
        if self == Self::Nobody {
            return Err(missing(flag));
        }
        loop {
            prompt(&format!("{question}: "));
            let answer = if io::stdin().is_terminal() {
                rpassword::read_password().map_err(|error| {
                    complain(&format!("error: cannot read from the terminal: {error}"));
                    Exit::Failed
                })?
            } else {
                read(flag)?
            };
            if !answer.is_empty() {
                return Ok(answer);
            }
        }
    }

    /// Yes or no.
    pub(super) fn agree(self, question: &str, flag: &str, usual: bool) -> Result<bool, Exit> {
        let hint = if usual { "Y/n" } else { "y/N" };
        loop {
            let answer = self.ask(&format!("{question} ({hint})"), flag, Some(""))?;
            match answer.to_lowercase().as_str() {
                "" => return Ok(usual),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// One of `options`, by number or by name.
    pub(super) fn choose(
        self,
        question: &str,
        flag: &str,
        options: &[(String, String)],
    ) -> Result<usize, Exit> {
        if self == Self::Nobody {
            return Err(missing(flag));
        }
        for (number, (name, what)) in options.iter().enumerate() {
            complain(&format!("  {:>2}  {name:<12} {what}", number + 1));
        }
        loop {
            let answer = self.ask(question, flag, Some("1"))?;
            let by_name = options.iter().position(|(name, _)| *name == answer);
            let by_number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            match by_name.or(by_number).filter(|index| *index < options.len()) {
                Some(index) => return Ok(index),
                None => complain("  a number or a name from the list"),
            }
        }
    }
}

fn missing(flag: &str) -> Exit {
    complain(&format!("error: {flag} is needed, since nobody is asked"));
    Exit::Usage
}

fn prompt(text: &str) {
    let mut err = io::stderr().lock();
    // When the terminal is gone, reading the answer fails.
    let _nobody = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn read(flag: &str) -> Result<String, Exit> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => {
            complain(&format!(
                "\nerror: no answer; {flag} gives it on the command line"
            ));
            Err(Exit::Failed)
        }
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            complain(&format!("\nerror: cannot read the answer: {error}"));
            Err(Exit::Failed)
        }
    }
}
