//! How the time of a diagnosis grows with its text, on texts that are made to be slow.
//!
//! Prints the factor by which twice the text takes longer; above 2.6 something is not linear.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// Pieces that are repeated, with what they are to strain.
const PIECES: &[(&str, &str)] = &[
    ("many short lines", "WebSocket closed with code: 1006\n"),
    ("one long line", "var a=function(b){return b.close(1006)};"),
    ("one literal", "websocket "),
    ("many addresses", "wss://a.example.org/live?room=1 "),
    (
        "words like tokens",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl ",
    ),
    (
        "lines of a proxy",
        "HTTP/1.1 502 Bad Gateway upstream timed out\n",
    ),
];
/// Bytes of the shorter text.
const SIZE: usize = 128 << 10;

fn time(engine: &Engine, piece: &str, size: usize) -> Duration {
    let evidence = [Evidence {
        text: Some(piece.repeat(size / piece.len())),
        ..Evidence::default()
    }];
    // The fastest of several runs: others may be using the machine.
    (0..5)
        .map(|_| {
            let start = Instant::now();
            black_box(engine.diagnose(black_box(&evidence)));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() {
    let engine = Engine::new(read(&files::shipped()).graph);
    for (name, piece) in PIECES {
        let once = time(&engine, piece, SIZE);
        let twice = time(&engine, piece, 2 * SIZE);
        let factor = twice.as_secs_f64() / once.as_secs_f64();
        println!("{name:20} {once:>12.2?} {twice:>12.2?} factor {factor:.2}");
    }
}
