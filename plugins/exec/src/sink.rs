//! Gives events to a program and tells the host what it answered.

use crate::answer::Answer;
use crate::config::{Ack, Command, Config};
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::lines::Lines;
use crate::outgoing::Outgoing;
use crate::program::{Exchange, Program};
use crate::restarts::{Life, Restarts};
use std::fmt;
use std::io;
use std::process::ExitStatus;
use unifi_herald_plugin::{
    Batch, BufferedEvent, BuildContext, BuildError, DeliveryError, Fault, Sink, SinkPlugin,
    async_trait,
};

/// Gives events to a program.
pub struct Exec {
    context: BuildContext,
    command: Command,
    ack: Ack,
    program: Option<Program>,
    restarts: Restarts,
    ledger: Ledger,
    outgoing: Outgoing,
    answers: Lines,
    complaints: Gate,
    /// How many deliveries in a row were cancelled while the program did nothing at all.
    silent: u32,
    /// Whether this run of the program has acknowledged something.
    worked: bool,
}

/// Longest answer that is read.
const LONGEST_ANSWER: usize = 16 * 1024;
/// A program that was silent for so many timeouts of the lane is killed.
const SILENT_TIMEOUTS: u32 = 3;

impl SinkPlugin for Exec {
    const NAME: &'static str = "exec";
    const SUMMARY: &'static str =
        "gives events to a program in any language, as lines of JSON that it acknowledges";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            context: context.clone(),
            command: config.command(context)?,
            ack: config.ack,
            program: None,
            restarts: Restarts::default(),
            ledger: Ledger::default(),
            outgoing: Outgoing::default(),
            answers: Lines::new(LONGEST_ANSWER),
            complaints: Gate::new(),
            silent: 0,
            worked: false,
        })
    }
}

#[async_trait]
impl Sink for Exec {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        // Whatever is open here was left by a delivery that was cancelled.
        let idle = !self.ledger.is_open();
        self.silent = if idle { 0 } else { self.silent + 1 };
        let gone = idle && self.program.as_mut().is_some_and(Program::has_ended);
        if gone {
            self.bury().await;
        } else if self.silent >= SILENT_TIMEOUTS {
            return Err(self.give_up(&batch).await);
        }
        self.start()?;
        self.give(&batch);
        while self.ledger.awaits(&batch) {
            if !self.exchange().await {
                let ended = self.bury().await;
                return self.report(&batch, Some(&said(ended)));
            }
        }
        self.report(&batch, None)
    }

    async fn check(&mut self) -> Result<(), DeliveryError> {
        self.command.check()
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        self.outgoing.only_the_line();
        if let Some(program) = &mut self.program {
            let until = self.context.now() + FINISH_LINE;
            tokio::select! {
                () = finish_line(program, &mut self.outgoing) => {}
                // Half a line would be taken for an event: who does not read it is not asked politely.
                () = self.context.sleep_until(until) => program.kill(),
            }
            program.stop(&self.context).await;
        }
        Ok(())
    }
}

/// How long a program may take to read the line it has the beginning of.
const FINISH_LINE: std::time::Duration = std::time::Duration::from_secs(1);

async fn finish_line(program: &mut Program, outgoing: &mut Outgoing) {
    while !outgoing.is_empty() {
        match program.write(outgoing.next()).await {
            Ok(count) => outgoing.wrote(count),
            Err(_closed) => return,
        };
    }
}

impl Exec {
    /// Start the program unless it runs.
    fn start(&mut self) -> Result<(), DeliveryError> {
        if self.program.is_some() {
            return Ok(());
        }
        let wait = self.restarts.wait(self.context.now());
        if !wait.is_zero() {
            let message = "the program ended and is started again after a pause";
            return Err(DeliveryError::after(wait, message));
        }
        self.command.check()?;
        let started = Program::start(&self.command, self.ack, &self.context);
        self.program = Some(started.map_err(|error| cannot_start(&self.command.name, &error))?);
        self.answers = Lines::new(LONGEST_ANSWER);
        tracing::info!(sink = self.context.name(), "program started");
        Ok(())
    }

    /// Let what the program does not have yet be written to it.
    fn give(&mut self, batch: &[BufferedEvent]) {
        let known: Vec<bool> = batch.iter().map(|event| self.ledger.knows(event)).collect();
        for (event, known) in batch.iter().zip(known) {
            if !known {
                self.ledger.give(event);
                self.outgoing.push(event);
            }
        }
    }

    /// Write or read something; false when the program has ended. Cancelling this is harmless.
    async fn exchange(&mut self) -> bool {
        let Some(program) = &mut self.program else {
            return false;
        };
        let mut bytes = [0; 4096];
        let out = if program.reads() {
            self.outgoing.next()
        } else {
            &[]
        };
        match program.exchange(out, &mut bytes).await {
            Exchange::Wrote(count) => {
                let lines = self.outgoing.wrote(count);
                if self.ack == Ack::Write {
                    self.ledger.acknowledge(lines);
                    self.silent = 0;
                }
                true
            }
            Exchange::Read(count) => {
                self.listen(&bytes[..count]);
                true
            }
            // It may have answered before; its end is what it says last.
            Exchange::Closed => self.ack == Ack::Lines,
            Exchange::Ended => false,
        }
    }

    /// Note the answers in what the program wrote.
    fn listen(&mut self, bytes: &[u8]) {
        let Self {
            answers,
            ledger,
            complaints,
            context,
            silent,
            worked,
            ..
        } = self;
        answers.push(bytes, |line, cut| {
            let answer = if cut { None } else { Answer::parse(line) };
            let problem = match &answer {
                Some((id, answer)) if ledger.answer(id, answer) => {
                    *silent = 0;
                    *worked |= matches!(answer, Answer::Ack);
                    return;
                }
                Some(_) => "the program answered for an event that it does not have",
                None if line.trim_ascii().is_empty() => return,
                None => "the program wrote something that is no answer",
            };
            if let Some(suppressed) = complaints.admit(context.now()) {
                tracing::warn!(sink = context.name(), problem, suppressed, "answer ignored");
            }
        });
    }

    /// What became of `batch`; `ended` says how the program ended, if it did.
    fn report(
        &mut self,
        batch: &[BufferedEvent],
        ended: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let (accepted, other) = self.ledger.report(batch);
        if accepted == batch.len() {
            return Ok(());
        }
        let error = other.and_then(Answer::error).unwrap_or_else(|| {
            let wait = self.restarts.wait(self.context.now());
            let ended = ended.unwrap_or("the program gave no answer");
            if wait.is_zero() {
                DeliveryError::later(ended).with_fault(Fault::Unavailable)
            } else {
                DeliveryError::after(wait, ended)
            }
        });
        Err(error.with_accepted(accepted))
    }

    /// Kill a program that does nothing.
    async fn give_up(&mut self, batch: &[BufferedEvent]) -> DeliveryError {
        if let Some(program) = &mut self.program {
            program.kill();
        }
        self.bury().await;
        let message = "the program answered nothing for a long time, it was killed";
        match self.report(batch, Some(message)) {
            Err(error) => error,
            // Nothing of a batch that is open has an answer.
            Ok(()) => DeliveryError::later(message),
        }
    }

    /// The program has ended, or shall: see to it, and forget what it had. May be cancelled and called again.
    async fn bury(&mut self) -> Option<ExitStatus> {
        let program = self.program.as_mut()?;
        let started = program.started();
        let status = program.stop(&self.context).await;
        self.program = None;
        self.ledger.forget_open();
        self.outgoing.clear();
        self.silent = 0;
        let now = self.context.now();
        let life = Life {
            lived: now.saturating_duration_since(started),
            worked: std::mem::take(&mut self.worked),
            well: status.is_some_and(|status| status.success()),
        };
        self.restarts.ended(now, life);
        let status_text = said(status);
        tracing::warn!(
            sink = self.context.name(),
            status = status_text,
            "program ended"
        );
        status
    }
}

fn said(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("the program ended before it had answered: {status}"),
        None => "the program ended before it had answered".to_owned(),
    }
}

fn cannot_start(name: &str, error: &io::Error) -> DeliveryError {
    let message = format!("cannot start `{name}`: {error}");
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::ArgumentListTooLong => DeliveryError::misconfigured(message),
        _ => DeliveryError::later(message),
    }
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("command", &self.command)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
