//! Reads what the hook wrote. The app could write to that file too, so nothing in it is trusted: a
//! line that makes no sense is an error, and no number can lead out of a list.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::part::Loader;

/// What a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Import,
    Find,
    Read,
    Unmarshal,
    Compile,
    Write,
    Dlopen,
    Execute,
    Tracer,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Import,
        Self::Find,
        Self::Read,
        Self::Unmarshal,
        Self::Compile,
        Self::Write,
        Self::Dlopen,
        Self::Execute,
        Self::Tracer,
    ];

    /// The hook's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Find => "find",
            Self::Read => "read",
            Self::Unmarshal => "unmarshal",
            Self::Compile => "compile",
            Self::Write => "write",
            Self::Dlopen => "dlopen",
            Self::Execute => "execute",
            Self::Tracer => "tracer",
        }
    }
}

/// Something that began and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub kind: Kind,
    /// By CLOCK_MONOTONIC.
    pub begin: Duration,
    pub end: Duration,
    /// The module's; empty where it is that of what the span is a part of.
    pub name: String,
    /// Lines of source, of a compilation.
    pub lines: u64,
}

/// What was found of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub loader: Loader,
    /// As the process named it; empty if it has none.
    pub file: String,
}

/// What happened in one thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    /// In the order in which they ended.
    pub spans: Vec<Span>,
    /// Executions that began and, as far as is known, never ended.
    pub open: Vec<(Duration, String)>,
}

/// How a process came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Birth {
    /// An interpreter was started: by the harness, by another process, or in the place of one.
    Started,
    /// It was forked from one.
    Forked,
}

/// An interpreter, or a process that was forked from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The place in the list of what it came from, which stands before it.
    pub parent: Option<usize>,
    pub birth: Birth,
    /// The thread that it began with.
    pub main: u64,
    /// When the hook began, or the fork was over.
    pub began: Duration,
    /// Modules that were there before the hook.
    pub modules: u64,
    pub threads: BTreeMap<u64, Thread>,
    /// When the last of the program's exit functions was over.
    pub ended: Option<Duration>,
}

/// All processes of a launch, and what they found, by module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// In the order in which they began; at least one.
    pub processes: Vec<Process>,
    pub found: BTreeMap<String, Found>,
}

/// What the hook wrote makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    #[error(
        "the interpreter did not load the hook; does the command start an interpreter of its own \
         without PYTHONPATH, or with it switched off (-I, -E, -S)?"
    )]
    Empty,
    #[error("what the hook wrote is no text: {0}")]
    NoText(String),
    #[error("line {number} of what the hook wrote makes no sense: {line:?}")]
    Line { number: usize, line: String },
    #[error("what the hook wrote breaks off; is there room in the temporary folder?")]
    BrokenOff,
}

/// A line is shown up to here.
const SHOWN: usize = 120;

/// Reads all lines.
///
/// # Errors
/// The first line that the hook cannot have written, or that there is none.
pub fn parse(bytes: &[u8]) -> Result<Log, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ParseError::NoText(error.to_string()))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(ParseError::BrokenOff);
    }
    let mut reader = Reader::default();
    for (index, line) in text.split_terminator('\n').enumerate() {
        reader.line(line).ok_or_else(|| ParseError::Line {
            number: index + 1,
            line: line.chars().take(SHOWN).collect(),
        })?;
    }
    if reader.log.processes.is_empty() {
        return Err(ParseError::Empty);
    }
    Ok(reader.log)
}

#[derive(Default)]
struct Reader {
    log: Log,
    /// The latest process of each id: an interpreter may replace another in a process.
    latest: BTreeMap<u32, usize>,
    /// Process and thread of the lines that follow.
    here: Option<(usize, u64)>,
}

impl Reader {
    /// Takes in a line, or gives `None` if it makes no sense.
    fn line(&mut self, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["process", pid, parent, thread, time, modules] => {
                self.process(Birth::Started, [pid, parent, thread, time], modules)
            }
            ["fork", pid, parent, thread, time] => {
                self.process(Birth::Forked, [pid, parent, thread, time], "0")
            }
            ["in", pid, thread] => {
                let place = *self.latest.get(&pid.parse::<u32>().ok()?)?;
                self.here = Some((place, thread.parse().ok()?));
                Some(())
            }
            ["end", pid, time] => {
                let place = *self.latest.get(&pid.parse::<u32>().ok()?)?;
                self.log.processes.get_mut(place)?.ended = Some(nanos(time)?);
                Some(())
            }
            ["begun", begin, _, name] => {
                let begin = nanos(begin)?;
                self.thread()?.open.push((begin, name.to_owned()));
                Some(())
            }
            ["find", begin, end, name, loader, file] => {
                let loader = Loader::of_class(loader);
                // A search that found nothing leaves what another one found.
                if loader != Loader::Missing || !self.log.found.contains_key(name) {
                    let file = file.to_owned();
                    let found = Found { loader, file };
                    self.log.found.insert(name.to_owned(), found);
                }
                self.span(Kind::Find, begin, end, name, 0)
            }
            ["compile", begin, end, name, lines] => {
                self.span(Kind::Compile, begin, end, name, lines.parse().ok()?)
            }
            [kind, begin, end, name] => {
                let kind = Kind::ALL.into_iter().find(|each| each.name() == kind)?;
                match kind {
                    // They say more.
                    Kind::Find | Kind::Compile => None,
                    _ => self.span(kind, begin, end, name, 0),
                }
            }
            _ => None,
        }
    }

    fn process(
        &mut self,
        birth: Birth,
        [pid, parent, thread, time]: [&str; 4],
        modules: &str,
    ) -> Option<()> {
        let (pid, parent): (u32, u32) = (pid.parse().ok()?, parent.parse().ok()?);
        // One of the same id was replaced by this one.
        let parent = self
            .latest
            .get(&pid)
            .or_else(|| self.latest.get(&parent))
            .copied();
        self.latest.insert(pid, self.log.processes.len());
        self.log.processes.push(Process {
            pid,
            parent,
            birth,
            main: thread.parse().ok()?,
            began: nanos(time)?,
            modules: modules.parse().ok()?,
            threads: BTreeMap::new(),
            ended: None,
        });
        Some(())
    }

    fn thread(&mut self) -> Option<&mut Thread> {
        let (process, thread) = self.here?;
        let process = self.log.processes.get_mut(process)?;
        Some(process.threads.entry(thread).or_default())
    }

    fn span(&mut self, kind: Kind, begin: &str, end: &str, name: &str, lines: u64) -> Option<()> {
        let (begin, end) = (nanos(begin)?, nanos(end)?);
        if end < begin {
            return None;
        }
        let thread = self.thread()?;
        if kind == Kind::Execute {
            let open = thread.open.iter().rposition(|(at, _)| *at == begin);
            if let Some(place) = open {
                thread.open.remove(place);
            }
        }
        thread.spans.push(Span {
            kind,
            begin,
            end,
            name: name.to_owned(),
            lines,
        });
        Some(())
    }
}

fn nanos(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &str = "process\t7\t1\t70\t100\t30\nin\t7\t70\nfind\t110\t120\tm\tSourceFileLoader\t/m.py\n\
                         begun\t130\t130\tm\ncompile\t121\t129\tm\t12\nin\t7\t70\nexecute\t130\t140\tm\n\
                         import\t105\t141\tm\nend\t7\t150\n";

    #[test]
    fn the_hooks_lines_become_processes_threads_and_spans() {
        let log = parse(LINES.as_bytes()).unwrap();
        let process = &log.processes[0];
        assert_eq!((process.pid, process.main, process.modules), (7, 70, 30));
        assert_eq!(process.ended, Some(Duration::from_nanos(150)));
        let thread = &process.threads[&70];
        let kinds: Vec<Kind> = thread.spans.iter().map(|span| span.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Find, Kind::Compile, Kind::Execute, Kind::Import]
        );
        assert_eq!(thread.spans[1].lines, 12);
        assert!(thread.open.is_empty());
        assert_eq!(log.found["m"].loader, Loader::Source);
    }

    #[test]
    fn an_execution_that_never_ended_stays_open() {
        let lines = LINES.replace("execute\t130\t140\tm\n", "");
        let log = parse(lines.as_bytes()).unwrap();
        let open = &log.processes[0].threads[&70].open;
        assert_eq!(open[..], [(Duration::from_nanos(130), "m".to_owned())]);
    }

    #[test]
    fn a_fork_comes_from_its_parent_and_a_replacement_from_what_it_replaced() {
        let lines = "process\t7\t1\t70\t100\t30\nfork\t8\t7\t70\t200\nprocess\t8\t7\t71\t300\t31\n";
        let log = parse(lines.as_bytes()).unwrap();
        let parents: Vec<Option<usize>> = log.processes.iter().map(|p| p.parent).collect();
        assert_eq!(parents, [None, Some(0), Some(1)]);
    }

    #[test]
    fn what_the_hook_cannot_have_written_is_refused_with_its_line() {
        let refused = |lines: &str| parse(lines.as_bytes()).unwrap_err();
        assert_eq!(refused(""), ParseError::Empty);
        assert_eq!(refused("process\t7"), ParseError::BrokenOff);
        assert!(matches!(parse(b"\xff\n"), Err(ParseError::NoText(_))));
        for bad in [
            "nonsense",
            "",
            "in\t9\t70",
            "end\t9\t1",
            "find\t2\t1\tm\t-\t",
            "read\t1\t2\tm\tmore",
            "import\t-1\t2\tm",
            "import\t1\t99999999999999999999\tm",
            "fork\t8\t7\t70",
            "find\t1\t2\tm",
        ] {
            let lines = format!("process\t7\t1\t70\t100\t30\nin\t7\t70\n{bad}\n");
            match refused(&lines) {
                ParseError::Line { number: 3, line } => assert_eq!(line, bad),
                other => panic!("{bad:?}: {other:?}"),
            }
        }
        // Nobody has said where that was.
        assert!(matches!(
            refused("process\t7\t1\t70\t100\t30\nread\t1\t2\tm\n"),
            ParseError::Line { number: 2, .. }
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_lines_are_too_much(words in prop::collection::vec("(process|fork|in|end|begun|find|import|read|\t|\n|[0-9]{1,21}|m)", 0..80)) {
            let _ = parse(words.concat().as_bytes());
        }
    }
}
