//! What a large log costs: megabytes a second and memory.

use std::time::Instant;

use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of the log.
const SIZE: usize = 50 << 20;

/// A line of nginx' access or error log; every so often one with a secret, if asked for.
fn line(number: usize, has_secrets: bool) -> String {
    let random = number.wrapping_mul(2_654_435_761) >> 7;
    let address = random % 254 + 1;
    let (hours, minutes, seconds) = (number / 25_200 % 24, number / 420 % 60, number / 7 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if number.is_multiple_of(40) {
        return format!(
            "2025/11/20 {clock} [error] 812#812: *{number} upstream prematurely closed connection \
             while reading response header from upstream, client: 203.0.113.{address}, server: \
             app.example, request: \"GET /ws HTTP/1.1\", upstream: \"http://127.0.0.1:3000/ws\", \
             host: \"app.example\"\n"
        );
    }
    let path = match random % 6 {
        0 => "/api/v1/users",
        1 => "/static/js/main.4f2a91c3.js",
        2 => "/socket.io/?EIO=4&transport=polling&t=Oabc",
        3 if has_secrets && number.is_multiple_of(50) => "/ws?token=Zk9vQmFyQmF6UXV4MTIzNDU2",
        3 => "/ws",
        4 => "/live/feed",
        _ => "/",
    };
    let status = [200, 200, 200, 304, 404, 101, 502, 499][random / 11 % 8];
    let size = random % 90_000;
    format!(
        "203.0.113.{address} - - [20/Nov/2025:{clock} +0000] \"GET {path} HTTP/1.1\" {status} \
         {size} \"https://app.example/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
         (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\"\n"
    )
}

fn log(has_secrets: bool) -> String {
    let mut log = String::with_capacity(SIZE + 1024);
    let mut number = 0;
    while log.len() < SIZE {
        log.push_str(&line(number, has_secrets));
        number += 1;
    }
    log
}

/// A figure of the process' own memory, in megabytes.
fn memory(name: &str) -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() {
    let engine = Engine::new(read(&files::shipped()).graph);
    println!("the engine alone: {:.0} MB resident", memory("VmRSS"));
    for (name, has_secrets) in [("without secrets", false), ("with secrets", true)] {
        let before = memory("VmRSS");
        let text = log(has_secrets);
        let size = text.len() as f64 / f64::from(1 << 20);
        // The kernel forgets the peak so far where it lets itself be told to.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let start = Instant::now();
        let diagnosis = engine.diagnose_owned(vec![Evidence {
            text: Some(text),
            ..Evidence::default()
        }]);
        let seconds = start.elapsed().as_secs_f64();
        let peak = memory("VmHWM") - before;
        println!(
            "{size:.0} MB {name}: {:.0} MB/s, peak {peak:.0} MB above the engine, {:.2} of the \
             input; {} facts",
            size / seconds,
            peak / size,
            diagnosis.facts.len()
        );
    }
}
