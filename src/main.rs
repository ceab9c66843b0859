//! Parses nothing itself: hands over to the command line.

fn main() -> std::process::ExitCode {
    wsdoctor::cli::run()
}
