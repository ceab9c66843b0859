//! How the time of a diagnosis grows with its text, on texts that are made to be slow.
//!
//! Prints the factor by which twice the text takes longer, and fails if one is above the bound:
//! then something is not linear.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of the shorter text.
const SIZE: usize = 128 << 10;
/// Twice the text may take that many times as long.
const BOUND: f64 = 2.6;
/// Each text is diagnosed until that much time is spent: the processor's clock ticks slowly.
const ENOUGH: Duration = Duration::from_millis(150);
/// A factor above the bound is measured again that often before it counts.
const LOOKS: usize = 3;

/// What a text strains, and how its piece of that number is written.
type Killer = (&'static str, fn(usize) -> String);

const KILLERS: &[Killer] = &[
    ("many short lines", |_| {
        "WebSocket closed with code: 1006\n".to_owned()
    }),
    ("one long line", |_| {
        "var a=function(b){return b.close(1006)};".to_owned()
    }),
    ("one literal repeated", |_| "websocket ".to_owned()),
    ("one address repeated", |_| {
        "wss://a.example.org/live?room=1 ".to_owned()
    }),
    ("many addresses", |number| {
        format!("wss://h{number}.example.org/live/{number} ")
    }),
    ("words like tokens", |_| {
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl ".to_owned()
    }),
    ("many secrets", |number| {
        format!("token=Zk9vQmFyQmF6UXV4{number:08x} ")
    }),
    ("many marks", |number| format!("[token:{number}] ")),
    ("lines of a proxy", |_| {
        "HTTP/1.1 502 Bad Gateway upstream timed out\n".to_owned()
    }),
    ("many empty lines", |_| "\n".to_owned()),
    ("one huge word", |_| "a".to_owned()),
    ("deep arrays", |_| "[".to_owned()),
    ("deep objects", |_| "{\"a\":".to_owned()),
    ("a recording without an end", |number| {
        if number == 0 {
            "{\"log\":{\"version\":\"1.2\",\"entries\":[".to_owned()
        } else {
            "{\"request\":{\"url\":\"wss://a.example/ws\",\"headers\":[]}},".to_owned()
        }
    }),
    ("nested braces", |_| "location / {\n".to_owned()),
    ("closed braces", |_| "}\n".to_owned()),
    ("fragments of configuration", |number| {
        format!("location /ws{number} {{ proxy_pass http://b:{number}; }}\nthen\n")
    }),
    ("rules of Apache", |number| {
        format!("ProxyPass /ws{number} ws://b:80/\n")
    }),
    ("beginnings of literals", |_| {
        "unexpected response cod econnrefuse ".to_owned()
    }),
    ("a match at every byte", |_| "1006".to_owned()),
    ("no match for long", |_| "closed (code= ".to_owned()),
    ("quotation marks", |_| "\\\"token\\\":\\\"".to_owned()),
    ("percent signs", |_| "%2525token%253D".to_owned()),
    ("letters outside ASCII", |_| "ſKé\u{2019} ".to_owned()),
];

fn text(write: fn(usize) -> String, size: usize) -> String {
    let mut text = String::with_capacity(size + 128);
    let mut number = 0;
    while text.len() < size {
        text.push_str(&write(number));
        number += 1;
    }
    text
}

/// Time on the processor where the system tells it, else the clock's: others do not count then.
fn now(start: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn time(engine: &Engine, write: fn(usize) -> String, size: usize) -> Duration {
    let evidence = [Evidence {
        text: Some(text(write, size)),
        ..Evidence::default()
    }];
    let start = Instant::now();
    let before = now(start);
    let mut runs = 0;
    loop {
        black_box(engine.diagnose(black_box(&evidence)));
        runs += 1;
        let spent = now(start).saturating_sub(before);
        if spent >= ENOUGH {
            return spent / runs;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> ExitCode {
    let engine = Engine::new(read(&files::shipped()).graph);
    let mut is_linear = true;
    for (name, write) in KILLERS {
        let look = || {
            let once = time(&engine, *write, SIZE);
            let twice = time(&engine, *write, 2 * SIZE);
            (once, twice, twice.as_secs_f64() / once.as_secs_f64())
        };
        let mut best = look();
        for _ in 1..LOOKS {
            if best.2 <= BOUND {
                break;
            }
            let again = look();
            if again.2 < best.2 {
                best = again;
            }
        }
        let (once, twice, factor) = best;
        let judgement = if factor > BOUND { "  NOT LINEAR" } else { "" };
        println!("{name:28} {once:>12.2?} {twice:>12.2?} factor {factor:.2}{judgement}");
        is_linear &= factor <= BOUND;
    }
    if is_linear {
        ExitCode::SUCCESS
    } else {
        println!("A factor is above {BOUND}.");
        ExitCode::FAILURE
    }
}
