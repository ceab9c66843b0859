//! How fast a large HAR file is diagnosed: `cargo bench --bench recordings`.
//!
//! `cargo bench --bench recordings -- FILE` also writes the file, for measuring what the command
//! takes: `command time -v wsdoctor diagnose FILE`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of the file.
const SIZE: usize = 50 << 20;

/// What a page loads: scripts with their text, and questions to its server.
fn archive() -> String {
    let script = "function a(b){return b.map(c=>{if(c.x!==\\\"y\\\")throw new Error('WebSocket closed 1006');return c})}\\n".repeat(150);
    let headers = |side: &str| -> String {
        let mut headers = String::new();
        for number in 0..14 {
            let separator = if number == 0 { "" } else { "," };
            let _ = write!(
                headers,
                "{separator}\n            {{\n              \"name\": \"x-{side}-{number}\",\n              \"value\": \"some value of a header {number}\"\n            }}"
            );
        }
        headers
    };
    let (asked, answered) = (headers("asked"), headers("answered"));
    let mut text = String::from(
        "{\n  \"log\": {\n    \"version\": \"1.2\",\n    \"creator\": {\"name\": \"WebInspector\", \"version\": \"537.36\"},\n    \"pages\": [],\n    \"entries\": [",
    );
    let mut number = 0;
    while text.len() < SIZE {
        let separator = if number == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{separator}\n      {{\n        \"_resourceType\": \"script\",\n        \"request\": {{\n          \"method\": \"GET\",\n          \"url\": \"https://app.example/static/{number}.js?token=9f86d081884c7d65{number}\",\n          \"headers\": [{asked}],\n          \"cookies\": [{{\"name\": \"sid\", \"value\": \"9f86d081884c7d65\"}}]\n        }},\n        \"response\": {{\n          \"status\": 200,\n          \"headers\": [{answered}],\n          \"content\": {{\"size\": 17000, \"text\": \"{script}\"}}\n        }},\n        \"startedDateTime\": \"2026-03-02T10:14:59.000Z\",\n        \"time\": 12.5,\n        \"timings\": {{\"blocked\": 1, \"dns\": -1, \"connect\": -1, \"send\": 0, \"wait\": 10, \"receive\": 1.5}}\n      }}"
        );
        number += 1;
        if number % 300 == 0 {
            text.push_str(",\n      {\"_resourceType\": \"websocket\", \"request\": {\"url\": \"wss://app.example/ws?token=9f86d081884c7d65\", \"headers\": []}, \"response\": {\"status\": 502, \"headers\": [{\"name\": \"Server\", \"value\": \"nginx\"}]}, \"_webSocketMessages\": []}");
        }
    }
    text.push_str("\n    ]\n  }\n}\n");
    text
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> std::io::Result<()> {
    let text = archive();
    let path = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if let Some(path) = path {
        std::fs::write(path, &text)?;
    }
    let megabytes = text.len() as f64 / 1e6;
    let engine = Engine::new(read(&files::shipped()).graph);
    let evidence = [Evidence {
        text: Some(text),
        ..Evidence::default()
    }];
    for _ in 0..5 {
        let start = Instant::now();
        let diagnosis = black_box(engine.diagnose(black_box(&evidence)));
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{megabytes:.1} MB in {:.0} ms: {:.0} MB/s; {} bytes kept; first cause {}",
            seconds * 1000.0,
            megabytes / seconds,
            diagnosis.texts.first().map_or(0, String::len),
            diagnosis
                .causes
                .first()
                .map_or("none", |cause| cause.id.as_str()),
        );
    }
    Ok(())
}
