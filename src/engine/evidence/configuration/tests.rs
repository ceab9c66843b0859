use proptest::prelude::*;

use crate::engine::evidence::{Structures, addresses, structures};

fn read(text: &str) -> Structures {
    structures(text, &addresses(text), None, 0)
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

const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection \"upgrade\";";

#[test]
fn nginx_passes_the_upgrade_on_or_not() {
    let map = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n";
    let with = |body: &str| format!("location /ws {{\n  proxy_pass http://app:3000;\n  {body}\n}}");
    let server = |body: &str| format!("server {{\n  listen 80;\n{body}\n}}");
    let cases: &[(&str, String, &[&str])] = &[
        ("bare", with(""), &["upgrade-missing"]),
        (
            "on one line after words",
            "my rule: location / { proxy_pass http://app:3000; }".into(),
            &["upgrade-missing"],
        ),
        ("right", with(UPGRADE), &["upgrade-present"]),
        (
            "without the version",
            with(
                "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"Upgrade\";",
            ),
            &["http-1.0"],
        ),
        (
            "the version written out as 1.0",
            with(
                "proxy_http_version 1.0; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
            ),
            &["http-1.0"],
        ),
        (
            "only one of the two",
            with("proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"),
            &["upgrade-missing"],
        ),
        (
            "Connection is emptied",
            with(
                "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"\";",
            ),
            &["upgrade-missing"],
        ),
        (
            "Connection: close",
            with(
                "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection close;",
            ),
            &["upgrade-missing"],
        ),
        (
            "commented out",
            with(
                "# proxy_http_version 1.1;\n #proxy_set_header Upgrade $http_upgrade;\n # proxy_set_header Connection \"upgrade\";\n proxy_set_header Host $host;",
            ),
            &["upgrade-missing"],
        ),
        (
            "a brace in a comment",
            with(&format!("# }} not the end\n {UPGRADE}")),
            &["upgrade-present"],
        ),
        (
            "a map's variable",
            format!(
                "{map}{}",
                with(
                    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
                )
            ),
            &["upgrade-present"],
        ),
        (
            "the map is elsewhere",
            with(
                "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;",
            ),
            &["upgrade-present"],
        ),
        (
            "a map that closes",
            format!(
                "{}{}",
                map.replace("default upgrade", "default close"),
                with(
                    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
                )
            ),
            &["upgrade-missing"],
        ),
        (
            "an unknown variable",
            with(
                "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $mine;",
            ),
            &[],
        ),
        (
            "inherited from the server",
            server(&format!(
                "{UPGRADE}\nlocation / {{ proxy_pass http://app; }}"
            )),
            &["upgrade-present"],
        ),
        (
            "not inherited past a header of its own",
            server(&format!(
                "{UPGRADE}\nlocation / {{ proxy_set_header Host $host; proxy_pass http://app; }}"
            )),
            &["upgrade-missing"],
        ),
        (
            "inherited from http",
            format!(
                "http {{ {UPGRADE} {} }}",
                server("location / { proxy_pass http://app; }")
            ),
            &["upgrade-present"],
        ),
        ("an include", with("include proxy.conf;"), &[]),
        (
            "an include beside headers",
            with("proxy_set_header Host $host; include /etc/nginx/proxy_params;"),
            &[],
        ),
        (
            "an include that cannot matter",
            server(
                "include /etc/letsencrypt/options-ssl-nginx.conf;\nlocation / { proxy_pass http://app; }",
            ),
            &["upgrade-missing"],
        ),
        (
            "an include in the server",
            server("include custom.conf;\nlocation / { proxy_pass http://app; }"),
            &[],
        ),
        ("left out with dots", with("..."), &[]),
        (
            "cut before its end",
            "location /ws {\n proxy_pass http://app:3000;\n".into(),
            &[],
        ),
        (
            "cut, then a log",
            "location /ws {\n proxy_pass http://app:3000;\nAnd this is what I get: 426".into(),
            &[],
        ),
        (
            "the rule for sockets counts",
            server(&format!(
                "location / {{ proxy_pass http://app; }}\nlocation /socket.io/ {{ proxy_pass http://app; {UPGRADE} }}"
            )),
            &["upgrade-present"],
        ),
        (
            "the rule for sockets lacks it",
            server(&format!(
                "location /cable {{ proxy_pass http://app; }}\nlocation / {{ proxy_pass http://app; {UPGRADE} }}"
            )),
            &["upgrade-missing"],
        ),
        (
            "rules for sockets that differ",
            server(&format!(
                "location /ws {{ proxy_pass http://app; }}\nlocation /hub {{ proxy_pass http://app; {UPGRADE} }}"
            )),
            &[],
        ),
        (
            "scripts beside",
            server(&format!(
                "location ~ \\.php$ {{ fastcgi_pass unix:/run/php.sock; }}\nlocation / {{ proxy_pass http://app; {UPGRADE} }}"
            )),
            &["upgrade-present"],
        ),
        (
            "a named location",
            server(&format!(
                "location / {{ try_files $uri @app; }}\nlocation @app {{ proxy_pass http://app; {UPGRADE} }}"
            )),
            &["upgrade-present"],
        ),
        (
            "nested",
            server(&format!(
                "location /api/ {{ proxy_pass http://app; location /api/ws {{ proxy_pass http://app; {UPGRADE} }} }}"
            )),
            &["upgrade-present"],
        ),
        (
            "nested, not inherited",
            server(&format!(
                "location /api/ {{ {UPGRADE} location /api/ws {{ proxy_set_header Host $host; proxy_pass http://app; }} }}"
            )),
            &["upgrade-missing"],
        ),
        (
            "lines without their block",
            "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";\n"
                .into(),
            &["complete"],
        ),
        (
            "lines without their block, wrong",
            "proxy_pass http://app;\nproxy_set_header Connection \"\";\n".into(),
            &["upgrade-missing"],
        ),
        (
            "a brace too many",
            format!("{}\n}}\n}}", with("")),
            &["upgrade-missing"],
        ),
        (
            "the redirecting server is passed over",
            format!(
                "{}\n{}",
                server("return 301 https://$host$request_uri;"),
                server(&format!(
                    "location / {{ proxy_pass http://app; {UPGRADE} }}"
                ))
            ),
            &["upgrade-present"],
        ),
        (
            "a sentence",
            "The location / has a proxy_pass and proxy_set_header; it fails.".into(),
            &[],
        ),
        (
            "a program",
            "const server = http.createServer(app); server.listen(3000); location.reload();".into(),
            &[],
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(values(text, "edge.config"), *expected, "{name}: {text}");
    }
}

#[test]
fn nginx_rule_is_chosen_by_the_path() {
    let log =
        |path: &str| format!("WebSocket connection to 'wss://app.example{path}' failed: 426\n");
    let server = |body: &str| {
        format!("server {{\n listen 443 ssl;\n server_name app.example;\n{body}\n}}\n")
    };
    let plain = "proxy_pass http://app;";
    let right = format!("proxy_pass http://app; {UPGRADE}");
    let cases: &[(&str, String, &[&str])] = &[
        (
            "/chat",
            format!("location / {{ {plain} }} location /chat {{ {right} }}"),
            &["upgrade-present"],
        ),
        (
            "/chat",
            format!("location / {{ {right} }} location /chat {{ {plain} }}"),
            &["upgrade-missing"],
        ),
        (
            "/chat",
            format!("location / {{ {plain} }} location /ws {{ {right} }}"),
            &["upgrade-missing"],
        ),
        (
            "/chat",
            format!("location / {{ try_files $uri /index.html; }} location /ws {{ {right} }}"),
            &["location-missing"],
        ),
        (
            "/chat",
            format!("location /ws {{ {right} }}"),
            &["location-missing"],
        ),
        (
            "/chat",
            format!("include more.conf; location /ws {{ {right} }}"),
            &[],
        ),
        (
            "/chat",
            format!("location = /chat {{ {right} }} location /chat {{ {plain} }}"),
            &["upgrade-present"],
        ),
        (
            "/chat/7",
            format!("location = /chat {{ {right} }} location /chat {{ {plain} }}"),
            &["upgrade-missing"],
        ),
        (
            "/chat",
            format!("location ~ ^/(chat|ws)$ {{ {right} }} location /chat {{ {plain} }}"),
            &["upgrade-present"],
        ),
        (
            "/chat",
            format!("location ~* ^/CHAT {{ {right} }} location / {{ {plain} }}"),
            &["upgrade-present"],
        ),
        (
            "/chat",
            format!("location ~ ^/chat {{ {right} }} location ^~ /chat {{ {plain} }}"),
            &["upgrade-missing"],
        ),
        (
            "/chat",
            format!("location ~ ^/(?!api) {{ {right} }} location /chat {{ {plain} }}"),
            &[],
        ),
        (
            "/chat",
            "location /chat { uwsgi_pass app:3031; }".into(),
            &["upgrade-missing"],
        ),
        (
            "/ws/chat",
            format!("location /ws {{ proxy_pass http://app/; {UPGRADE} }}"),
            &["upgrade-present", "prefix-stripped"],
        ),
        (
            "/ws/chat",
            format!("location /ws/ {{ proxy_pass http://app/; {UPGRADE} }}"),
            &["upgrade-present", "path-changed"],
        ),
        (
            "/ws/chat",
            format!("location /ws/ {{ proxy_pass http://app/ws/; {UPGRADE} }}"),
            &["upgrade-present"],
        ),
    ];
    for (path, body, expected) in cases {
        let text = format!("{}{}", log(path), server(body));
        assert_eq!(values(&text, "edge.config"), *expected, "{text}");
    }
}

#[test]
fn nginx_port_and_host_choose_the_server() {
    let text = format!(
        "server {{ listen 80; server_name a.example; location / {{ proxy_pass http://a; }} }}\n\
         server {{ listen 80; server_name b.example; location / {{ proxy_pass http://b; {UPGRADE} }} }}\n"
    );
    for (host, expected) in [("a", "upgrade-missing"), ("b", "upgrade-present")] {
        let text = format!("ws://{host}.example/live fails\n{text}");
        assert_eq!(values(&text, "edge.config"), [expected]);
    }
}

#[test]
fn nginx_says_where_requests_go() {
    let text =
        "upstream app { server 10.0.0.5:3000; }\nserver { location / { proxy_pass http://app; } }";
    assert_eq!(values(text, "edge.upstream"), ["10.0.0.5:3000"]);
    assert_eq!(values(text, "edge.server"), ["nginx"]);
    assert_eq!(values(text, "edge.present"), ["yes"]);
}

#[test]
fn facts_stand_at_the_rules_line() {
    let text = "I have\nlocation /ws {\n    proxy_pass http://app;\n}\n";
    let read = read(text);
    let config = read.facts.iter().find(|fact| *fact.key == *"edge.config");
    let span = config.and_then(|fact| fact.span).expect("a span");
    assert_eq!(&text[span.start..span.end], "location /ws");
}

#[test]
fn addresses_and_comments_inside_are_nobodys() {
    let text = "location / {\n  # see wss://other.example/x\n  proxy_pass https://inner.example:8443;\n}\nws://a.example/ws fails";
    let read = read(text);
    let outside: Vec<String> = addresses(text)
        .into_iter()
        .filter(|address| !read.covers(address.span))
        .map(|address| address.host)
        .collect();
    assert_eq!(outside, ["a.example"]);
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
