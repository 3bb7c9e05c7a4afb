//! The headless console.

fn main() -> std::process::ExitCode {
    ratiba_console::cli::main()
}
