//! Why a command cannot be made into a suite.

use std::path::PathBuf;

use thiserror::Error;

use crate::launch::{Failure, Interrupted};
use crate::python::PythonError;

/// A command that cannot be measured as it is.
#[derive(Debug, Error)]
pub enum InferError {
    #[error("there is no command after `--`\n  give one, such as `-- python -m myapp`")]
    Empty,
    #[error(
        "there is no program `{program}`\n  give a path, or a command that is on PATH; if it belongs \
         to a virtual environment, give the path in its bin folder"
    )]
    NoProgram { program: String },
    #[error(
        "{} is {what}, and only Python programs can be measured\n  \
         name the interpreter or the script itself, such as `-- .venv/bin/python -m myapp`",
        path.display()
    )]
    NotPython { path: PathBuf, what: String },
    #[error("`{word}` cannot stand before a command here\n  {help}")]
    Env { word: String, help: &'static str },
    #[error(
        "`{command}` does not work by itself: {failure}\n  \
         what stands after `--` must run from this folder with nothing of the shell's environment but \
         what is passed; --env NAME=VALUE and --pass-env NAME add variables"
    )]
    Failed { command: String, failure: Failure },
    #[error(
        "`{command}` neither ended nor served: {failure}\n  \
         give it more time with --observe-timeout, or write a suite and say there when it is ready: \
         `coldsnake init -- …` with a command that ends (such as `--help`) gives one to begin with, \
         and scenarios/README.md describes app.ready"
    )]
    Undecided { command: String, failure: Failure },
    #[error(
        "the interpreter of `{command}` did not load the hook that reports modules\n  \
         does the command switch PYTHONPATH off (-I, -E, -S)? Leave that flag out"
    )]
    NoHook { command: String },
    #[error(
        "{} lies directly in {}, which is not the app's alone\n  move the app to a folder of its own",
        file.display(),
        folder.display()
    )]
    Shared { file: PathBuf, folder: PathBuf },
    #[error("cannot prepare the launch that finds out what the app is: {0}")]
    Files(#[from] std::io::Error),
    #[error("{} does not say where its packages lie: {reason}", python.display())]
    Layout { python: PathBuf, reason: String },
    #[error(transparent)]
    Python(#[from] PythonError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
