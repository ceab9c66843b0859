//! What a format puts around arbitrary text, so that a fuzzer gets past the front door.

/// What stands before each line, `§` where the line stands.
const LOG_LINES: &[&str] = &[
    "§",
    "2026/11/20 20:52:22 [error] 29#29: *1 §",
    "2026/11/20 20:52:22 [error] 29#29: *1 upstream §, client: 203.0.113.9, server: app.example, request: \"GET /ws HTTP/1.1\", upstream: \"http://127.0.0.1:3000/ws\", host: \"app.example\"",
    "203.0.113.9 - - [20/Nov/2026:20:52:22 +0000] \"§\" 502 157 \"-\" \"Mozilla/5.0\"",
    "203.0.113.9 - - [20/Nov/2026:20:52:22 +0000] \"GET /ws HTTP/1.1\" §",
    "Nov 20 20:52:22 host haproxy[29]: 203.0.113.9:51776 [20/Nov/2026:20:52:22.123] https app/srv1 §",
    "[Fri Nov 20 20:52:22.123456 2026] [proxy:error] [pid 29:tid 29] §",
    "{\"level\":\"error\",\"ts\":1795207942.1,\"logger\":\"http.log.error\",\"msg\":\"§\"}",
    "{\"level\":\"error\",\"request\":{\"host\":\"app.example\",\"uri\":\"/ws\"},§}",
    "{\"log\":\"§\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T20:52:22.123Z\"}",
    "Nov 20 20:52:22 host app[29]: §",
    "2026-11-20T20:52:22.123Z §",
    "app-1  | §",
    "0|app  | 2026-11-20 20:52:22: §",
    "[2026-11-20T20:52:22.123Z] \"GET /ws HTTP/1.1\" §",
    "https 2026-11-20T20:52:22.123456Z app/lb/50dc6c495c0c9188 203.0.113.9:51776 10.0.0.1:80 §",
    "at=error §",
    "time=\"2026-11-20T20:52:22Z\" level=error msg=\"§\"",
];

/// Blocks with `§` where the text stands.
const BLOCKS: &[&str] = &[
    "§",
    "server {\n    listen 443 ssl;\n    server_name app.example;\n    location /ws {\n        proxy_pass http://127.0.0.1:3000;\n        §\n    }\n}\n",
    "http {\n    map $http_upgrade $connection_upgrade {\n        §\n    }\n}\n",
    "<VirtualHost *:443>\n    ServerName app.example\n    §\n</VirtualHost>\n",
    "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule §\n",
    "defaults\n    mode http\n    timeout client 50s\nfrontend https\n    bind :443\n    default_backend app\nbackend app\n    §\n",
    "app.example {\n    reverse_proxy 127.0.0.1:3000 {\n        §\n    }\n}\n",
    "services:\n  app:\n    image: app\n    §\n",
    "services:\n  proxy:\n    image: traefik:v3\n    labels:\n      - \"§\"\n",
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: app\n  annotations:\n    §\nspec:\n  rules:\n    - host: app.example\n",
    "static_resources:\n  listeners:\n    - filter_chains:\n        - filters:\n            - typed_config:\n                §\n",
    "<configuration>\n  <system.webServer>\n    §\n  </system.webServer>\n</configuration>\n",
    "http:\n  routers:\n    app:\n      §\n",
    "FROM node:22\n§\nCMD [\"node\", \"server.js\"]\n",
];

/// The first character chooses a wrapping; the rest is what it is put around.
fn choice<'a>(text: &'a str, wrappings: &[&'static str]) -> (&'static str, &'a str) {
    let mut letters = text.chars();
    // Seeds are whole files: most letters leave them as they are.
    let first = letters.clone().next().map_or(0, |letter| letter as usize);
    if first >= wrappings.len() {
        return (wrappings[0], text);
    }
    letters.next();
    (wrappings[first], letters.as_str())
}

/// Lines of a log.
pub(crate) fn log(text: &str) -> String {
    let (wrapping, text) = choice(text, LOG_LINES);
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| wrapping.replacen('§', line, 1))
        .collect();
    lines.join("\n")
}

/// A configuration.
pub(crate) fn configuration(text: &str) -> String {
    let (wrapping, text) = choice(text, BLOCKS);
    wrapping.replacen('§', text, 1)
}

/// A HAR file whose one entry is the text.
pub(crate) fn har(entry: &str) -> String {
    format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"WebInspector\",\"version\":\"537.36\"}},\"pages\":[],\"entries\":[{{\"_resourceType\":\"websocket\",\"request\":{{\"method\":\"GET\",\"url\":\"wss://app.example/ws\",\"headers\":[]}},{entry}}}]}}}}"
    )
}

/// A network log whose events are the text.
pub(crate) fn netlog(events: &str) -> String {
    format!(
        "{{\"constants\":{{\"logEventTypes\":{{\"REQUEST_ALIVE\":2,\"URL_REQUEST_START_JOB\":100,\"WEBSOCKET_READ_BUFFER_SIZE_CHANGED\":300}},\"logSourceType\":{{\"URL_REQUEST\":1,\"SOCKET\":5}},\"netError\":{{\"ERR_CONNECTION_REFUSED\":-102}}}},\"events\":[{events}]}}"
    )
}
