//! Configurations of servers and proxies as people paste them: what is read, and what is found.

mod nginx;

use proptest::prelude::*;

use crate::engine::evidence::{Contents, Structures, addresses, structures};

fn read(text: &str) -> Structures {
    structures(&Contents::of(text), &addresses(text), None, 0)
}

/// The values of a key, in the order of the text.
fn values(text: &str, key: &str) -> Vec<String> {
    read(text)
        .facts
        .iter()
        .filter(|fact| *fact.key == *key)
        .map(|fact| fact.value.to_string())
        .collect()
}

#[test]
fn apache_tunnels_or_not() {
    let host = |body: &str| format!("<VirtualHost *:443>\n{body}\n</VirtualHost>\n");
    let cases: &[(String, &[&str])] = &[
        (host("ProxyPass / http://127.0.0.1:3000/"), &["upgrade-missing"]),
        (host("Include more.conf\nProxyPass / http://127.0.0.1:3000/"), &[]),
        ("ProxyPass / http://127.0.0.1:3000/".into(), &[]),
        ("ProxyPass /ws ws://127.0.0.1:3000/ws\nProxyPass / http://127.0.0.1:3000/".into(), &["upgrade-present"]),
        ("ProxyPass / http://127.0.0.1:3000/\nProxyPass /ws ws://127.0.0.1:3000/ws".into(), &["upgrade-missing"]),
        (host("ProxyPass \"/\" \"http://127.0.0.1:3000/\" upgrade=websocket"), &["upgrade-present"]),
        (host("# ProxyPass /ws ws://127.0.0.1:3000/ws\nProxyPass / http://127.0.0.1:3000/"), &["upgrade-missing"]),
        (host("<Location \"/ws\">\nProxyPass ws://127.0.0.1:3000/ws\n</Location>"), &["upgrade-present"]),
        (host("RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule /(.*) ws://localhost:3000/$1 [P,L]\nProxyPass / http://localhost:3000/"), &["upgrade-present"]),
        ("#LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\nProxyPass /ws ws://127.0.0.1:3000/ws".into(), &["no-protocol-handler"]),
        (host("ProxyPassMatch ^/(.*) http://127.0.0.1:3000/$1"), &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(values(text, "edge.config"), *expected, "{text}");
    }
    let text = "ProxyPass /ws ws://inner.example:3000/ws";
    assert!(read(text).covers(addresses(text)[0].span));
}

#[test]
fn haproxy_needs_a_tunnel_timeout() {
    let text = "defaults\n  timeout client 30s\n  timeout server 30s\nbackend app\n  server a 10.0.0.1:80\n";
    assert_eq!(values(text, "edge.tunnel-timeout"), ["absent"]);
    let told = text.replace("timeout server", "timeout tunnel 1h\n  timeout server");
    assert!(values(&told, "edge.tunnel-timeout").is_empty());
    let http2 = text.replace(":80", ":443 ssl alpn h2");
    assert_eq!(values(&http2, "edge.upstream-protocol"), ["http2"]);
    assert!(
        values(
            &http2.replace("alpn h2", "alpn h2 ws h1"),
            "edge.upstream-protocol"
        )
        .is_empty()
    );
}

#[test]
fn caddy_needs_nothing() {
    for (text, expected) in [
        (
            "a.example {\n  reverse_proxy localhost:8080\n}",
            Some("upgrade-present"),
        ),
        ("a.example {\n  # reverse_proxy localhost:8080\n}", None),
        (
            "reverse_proxy localhost:8080 {\n  header_up -Upgrade\n}",
            Some("upgrade-missing"),
        ),
        ("reverse_proxy /api/* localhost:8080", None),
        (
            "wss://a.example/ws fails\nreverse_proxy /ws* localhost:8080",
            Some("upgrade-present"),
        ),
        ("the reverse_proxy works", None),
    ] {
        assert_eq!(
            values(text, "edge.config").first().map(String::as_str),
            expected,
            "{text}"
        );
    }
}

#[test]
fn compose_publishes_a_port_or_none() {
    let text = "services:\n  app:\n    image: app\n    expose:\n      - \"8080\"\n";
    assert_eq!(values(text, "container.port"), ["unpublished"]);
    assert!(values(&text.replace("expose", "ports"), "container.port").is_empty());
    assert!(values("services: all fine", "container.port").is_empty());
}

#[test]
fn long_and_broken_texts_take_no_time() {
    let texts = [
        "{".repeat(1 << 20),
        "location / {".repeat(1 << 16),
        "proxy_pass ".repeat(1 << 16),
        format!("proxy_pass {}", "# ".repeat(1 << 19)),
        format!("{}{}", "location ".repeat(400), " ".repeat(1 << 20)),
        format!("proxy_pass '{}", "\\é".repeat(1 << 18)),
        "proxy_pass x; location y".repeat(1 << 15),
        "server { location / { proxy_pass http://a; } }\n".repeat(1 << 14),
        format!(
            "server {{ {} }}",
            "location /a { proxy_pass http://a; }".repeat(1 << 14)
        ),
        "proxy_pass x; }".repeat(1 << 16),
        "location ~ ^/(a{1,90}|b){1,90}x { proxy_pass http://a; }\n".repeat(1 << 14),
        "location /a { location /a { proxy_pass http://a; } }".repeat(1 << 14),
    ];
    // Anything that is not linear takes minutes here; the clock is the test runner's.
    for text in texts {
        read(&format!("wss://a.example/ws\n{text}"));
    }
}

/// Pieces of which configurations are made.
const PIECES: &[&str] = &[
    "location ",
    "/ws ",
    "~ ",
    "{",
    "}",
    ";",
    "\n",
    "server ",
    "http ",
    "upstream a ",
    "map $http_upgrade $x ",
    "proxy_pass http://a/;",
    "proxy_set_header Upgrade ",
    "$http_upgrade;",
    "\"",
    "'",
    "\\",
    "# ",
    "é",
    "…",
    "...",
    "proxy_http_version 1.1;",
    "try_files $uri @x;",
    "location @x {",
    "${",
    "if ($a) {",
    "ProxyPass /ws ws://b/\n",
    "<Location /ws>\n",
    "</Location>\n",
    "RewriteRule ^/(.*) ws://b/$1 [P]\n",
    "backend b\n",
    "  timeout server 30s\n",
    "  server s 10.0.0.1:80\n",
    "services:\n",
    "  app:\n",
    "    ports:\n",
    "      - \"80:80\"\n",
    "reverse_proxy a:1 {\n",
    "wss://c.example/ws ",
    "kind: Ingress\n",
    "metadata:\n",
    "  name: a\n",
    "  annotations:\n",
    "http:\n",
    "  routers:\n",
    "    a:\n",
    "      rule: PathPrefix(`/ws`)\n",
    "[http.routers.a]\n",
    "rule = \"Path(`/ws`)\"\n",
    "defineConfig({",
    "'/ws': ",
    "target: 'http://b:1'",
    "'http://b:1'",
    "\r\n",
];

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,400}") {
        read(&text);
    }

    #[test]
    fn any_mixture_is_read(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        for fact in read(&text).facts {
            let span = fact.span.expect("a span");
            prop_assert!(text.get(span.start..span.end).is_some());
        }
    }
}
