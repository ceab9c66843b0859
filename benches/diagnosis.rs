//! What a diagnosis costs. `cargo bench` prints the figures of docs/performance.md.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A console paste of 1,064 bytes: one useful line in the noise that people copy along.
const PASTE: &str = "[HMR] Waiting for update signal from WDS...
react-dom.development.js:29840 Download the React DevTools for a better development experience: https://reactjs.org/link/react-devtools
main.4f2a91c3.js:1:22019 Socket: connecting to the live feed
main.4f2a91c3.js:1 WebSocket connection to 'wss://chat.example.org:8443/live/feed?room=42&token=Zk9vQmFyQmF6UXV4MTIzNDU2' failed: Error during WebSocket handshake: Unexpected response code: 400
t.connect @ main.4f2a91c3.js:1
(anonymous) @ main.4f2a91c3.js:1
Promise.then (async)
t.start @ main.4f2a91c3.js:1
(anonymous) @ main.4f2a91c3.js:1
main.4f2a91c3.js:1:22310 Socket closed: CloseEvent {isTrusted: true, wasClean: false, code: 1006, reason: '', type: 'close'}
main.4f2a91c3.js:1:22418 reconnecting in 1000 ms (attempt 1 of 10)
DevTools failed to load source map: Could not load content for https://chat.example.org/static/js/main.4f2a91c3.js.map: HTTP error: status code 404
< HTTP/1.1 400 Bad Request
< Server: nginx/1.22.1
< Content-Type: text/html
It works on my machine, there is an nginx in front of the server.
";

/// What Chrome's console alone shows of a socket that closes again and again, 1,003 bytes.
const CONSOLE: &str = "main.4f2a91c3.js:1 WebSocket connection to 'wss://chat.example.org/live/feed?room=42' failed: 
t.connect @ main.4f2a91c3.js:1
(anonymous) @ main.4f2a91c3.js:1
Promise.then (async)
t.start @ main.4f2a91c3.js:1
main.4f2a91c3.js:1 WebSocket error:  Event {isTrusted: true, type: 'error', target: WebSocket, currentTarget: WebSocket, eventPhase: 2, …}
onerror @ main.4f2a91c3.js:1
main.4f2a91c3.js:1 WebSocket closed:  CloseEvent {isTrusted: true, wasClean: false, code: 1006, reason: '', type: 'close', …}
main.4f2a91c3.js:1 Reconnecting in 1000 ms
main.4f2a91c3.js:1 WebSocket connection to 'wss://chat.example.org/live/feed?room=42' failed: 
t.connect @ main.4f2a91c3.js:1
(anonymous) @ main.4f2a91c3.js:1
setTimeout (async)
(anonymous) @ main.4f2a91c3.js:1
t.retry @ main.4f2a91c3.js:1
onclose @ main.4f2a91c3.js:1
main.4f2a91c3.js:1 WebSocket error:  Event {isTrusted: true, type: 'error', target: WebSocket, currentTarget: WebSocket, eventPhase: 2, …}
main.4f2a91c3.js:1 Reconnecting in 2000 ms
";

fn evidence() -> [Evidence; 1] {
    [Evidence {
        text: Some(PASTE.to_owned()),
        ..Evidence::default()
    }]
}

fn benches(criterion: &mut Criterion) {
    let files = files::shipped();
    let engine = Engine::new(read(&files).graph);
    let evidence = evidence();
    criterion.bench_function("diagnose a 1 KB console paste", |bencher| {
        bencher.iter(|| engine.diagnose(black_box(&evidence)));
    });
    let exact = [Evidence {
        text: Some(PASTE.chars().take(1000).collect()),
        ..Evidence::default()
    }];
    criterion.bench_function("diagnose exactly 1,000 bytes of it", |bencher| {
        bencher.iter(|| engine.diagnose(black_box(&exact)));
    });
    let console = [Evidence {
        text: Some(CONSOLE.to_owned()),
        ..Evidence::default()
    }];
    criterion.bench_function("diagnose what Chrome's console alone shows", |bencher| {
        bencher.iter(|| engine.diagnose(black_box(&console)));
    });
    criterion.bench_function("redact a 1 KB console paste", |bencher| {
        bencher.iter(|| wsdoctor::engine::redact::redact(black_box(PASTE)));
    });
    let graph = read(&files).graph;
    criterion.bench_function("build the engine", |bencher| {
        bencher.iter(|| Engine::new(black_box(graph.clone())));
    });
}

criterion_group!(all, benches);
criterion_main!(all);
