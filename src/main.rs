//! Parses nothing itself: hands over to the command line.

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    wsdoctor::cli::run()
}
