//! Parses the arguments, runs, and ends with the status.

fn main() -> coldsnake::cli::Status {
    coldsnake::cli::main()
}
