//! What time goes into: the phases of importing a module, and what is no module's.

use std::fmt;

/// By whose they are, modules are summed up.
pub use crate::python::Part as Group;

/// What the import system does with a module, and what the module itself does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Asking finders, and looking into folders.
    Find,
    /// The source's status, the pyc, the source.
    Read,
    /// From a pyc's bytes to a code object.
    Unmarshal,
    /// From source to a code object.
    Compile,
    /// Making and writing a pyc, whether or not that works.
    Write,
    /// Loading an extension module and its libraries, and its own initialisation.
    Dlopen,
    /// The module's code.
    Execute,
    /// What the import system does besides.
    Machinery,
}

impl Phase {
    /// How many there are.
    pub const COUNT: usize = 8;
    pub const ALL: [Self; Self::COUNT] = [
        Self::Find,
        Self::Read,
        Self::Unmarshal,
        Self::Compile,
        Self::Write,
        Self::Dlopen,
        Self::Execute,
        Self::Machinery,
    ];

    /// Its word in texts, files and charts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Read => "read",
            Self::Unmarshal => "unmarshal",
            Self::Compile => "compile",
            Self::Write => "write",
            Self::Dlopen => "dlopen",
            Self::Execute => "execute",
            Self::Machinery => "machinery",
        }
    }

    /// What happens to modules then, after "% went into".
    pub fn doing(self) -> &'static str {
        match self {
            Self::Find => "finding",
            Self::Read => "reading",
            Self::Unmarshal => "unmarshalling",
            Self::Compile => "compiling",
            Self::Write => "writing the bytecode of",
            Self::Dlopen => "loading",
            Self::Execute => "executing",
            Self::Machinery => "the import machinery for",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A part of a launch. They share out all of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// From the spawn until the hook: exec, dynamic linking, the interpreter, `site`, path files.
    Start,
    Module(Phase),
    /// The program outside of imports: `__main__`, and whatever it calls or waits for.
    Program,
    /// The hook itself.
    Tracer,
    /// From the last of the program's exit functions to the end of the process.
    End,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = Phase::COUNT + 4;
    /// In the order in which they are shown.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Start,
        Self::Module(Phase::Find),
        Self::Module(Phase::Read),
        Self::Module(Phase::Unmarshal),
        Self::Module(Phase::Compile),
        Self::Module(Phase::Write),
        Self::Module(Phase::Dlopen),
        Self::Module(Phase::Execute),
        Self::Module(Phase::Machinery),
        Self::Program,
        Self::Tracer,
        Self::End,
    ];

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Module(phase) => 1 + phase as usize,
            Self::Program => 1 + Phase::COUNT,
            Self::Tracer => 2 + Phase::COUNT,
            Self::End => 3 + Phase::COUNT,
        }
    }

    /// Its word in texts, files and charts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "interpreter start",
            Self::Module(phase) => phase.name(),
            Self::Program => "program",
            Self::Tracer => "tracer",
            Self::End => "interpreter end",
        }
    }

    /// Its key in `trace.json`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            other => other.name(),
        }
    }

    /// What it is, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Start => "before the first import that is seen",
            Self::Module(Phase::Find) => "looking for modules",
            Self::Module(Phase::Read) => "source's status, pycs, sources",
            Self::Module(Phase::Unmarshal) => "code out of pycs",
            Self::Module(Phase::Compile) => "code out of sources",
            Self::Module(Phase::Write) => "new pycs",
            Self::Module(Phase::Dlopen) => "extension modules",
            Self::Module(Phase::Execute) => "the modules' own code",
            Self::Module(Phase::Machinery) => "the rest of importing",
            Self::Program => "outside of imports",
            Self::Tracer => "what tracing itself took",
            Self::End => "finalisation",
        }
    }
}

/// What loaded a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    Source,
    Sourceless,
    Extension,
    Builtin,
    Frozen,
    Zip,
    Namespace,
    /// Not importlib's: what it does is taken for the module's execution.
    Other,
    /// There is no such module.
    Missing,
}

impl Loader {
    /// By the name of its class; `-` where nothing was found.
    pub fn of_class(name: &str) -> Self {
        match name {
            "SourceFileLoader" => Self::Source,
            "SourcelessFileLoader" => Self::Sourceless,
            "ExtensionFileLoader" => Self::Extension,
            "BuiltinImporter" => Self::Builtin,
            "FrozenImporter" => Self::Frozen,
            "zipimporter" => Self::Zip,
            // Before 3.11 a namespace's spec has no loader yet when it is found.
            "NamespaceLoader" | "_NamespaceLoader" | "NoneType" => Self::Namespace,
            "-" => Self::Missing,
            _ => Self::Other,
        }
    }

    /// Its word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sourceless => "sourceless",
            Self::Extension => "extension",
            Self::Builtin => "builtin",
            Self::Frozen => "frozen",
            Self::Zip => "zip",
            Self::Namespace => "namespace",
            Self::Other => "other",
            Self::Missing => "missing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_place_and_a_key_of_its_own() {
        let mut keys = Vec::new();
        for (index, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part.index(), index);
            assert!(!keys.contains(&part.key()));
            keys.push(part.key());
        }
        for (index, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(phase as usize, index);
        }
    }
}
