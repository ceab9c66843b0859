use super::{read, values};
use crate::engine::evidence::addresses;

const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection \"upgrade\";";

#[test]
fn nginx_has_the_lines_in_another_block() {
    let lines = |path: &str| {
        let text = format!(
            "wss://a.example{path} fails\nserver {{\n  location /io/ {{ proxy_pass http://app; \
             {UPGRADE} }}\n  location / {{ proxy_pass http://app; }}\n}}"
        );
        values(&text, "edge.upgrade-lines")
    };
    assert_eq!(lines("/live"), ["elsewhere"]);
    assert!(lines("/io/").is_empty());
}

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
