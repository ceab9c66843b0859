use proptest::prelude::*;

use super::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwfQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// Places with `§` where the secret stands.
const PLACES: &[&str] = &[
    "wss://h.example/ws?token=§",
    "wss://h.example/ws?access_token=§&v=2",
    "wss://h.example/ws?v=2&accessToken=§#top",
    "wss://h.example/ws?api-key=§",
    "wss://h.example/ws?apikey=§&vsn=1.0.0",
    "wss://h.example/ws?key=§",
    "wss://h.example/ws?auth=§",
    "wss://h.example/ws?sig=§",
    "wss://h.example/ws?X-Amz-Signature=§&X-Amz-Date=20250101T000000Z",
    "wss://h.example/ws?X-Amz-Security-Token=§",
    "wss://h.example/ws?jwt=§",
    "wss://h.example/ws?ticket=§",
    "wss://h.example/socket.io/?EIO=4&transport=websocket&sid=§",
    "https://h.example/callback?code=§&state=1",
    "https://h.example/hub?id=§&connectionToken=§",
    "https://h.example/#access_token=§",
    "https://h.example/login?next=wss%3A%2F%2Fh.example%2Fws%3Ftoken%3D§%26v%3D2",
    "https://h.example/?u=https%253A%252F%252Fa%252F%253Ftoken%253D§%2526v%253D2",
    "\"url\": \"wss://h.example/ws?v=1\\u0026token=§\\u0026x=1\"",
    "postgres://bob:§@db.example/app",
    "redis://:§@cache.example:6379/0",
    "amqp://guest:§@mq.example/%2f",
    "mqtt://u:§@mq.example",
    "Authorization: Bearer §",
    "authorization: bearer §",
    "AUTHORIZATION:§",
    "Proxy-Authorization: Basic §",
    "curl -H 'Authorization: Bearer §' https://h.example",
    "curl -H \"X-Api-Key: §\" https://h.example",
    "curl -u bob:§ https://h.example",
    "curl -u 'bob:§' https://h.example",
    "curl -b 'sid=§; lang=§' https://h.example",
    "{\"authorization\": \"Bearer §\"}",
    "{\"name\":\"Authorization\",\"value\":\"Bearer §\"}",
    "{\"name\": \"Cookie\",\n \"value\": \"a=§; b=§\"}",
    "\"cookies\": [{\"name\": \"sid\", \"value\": \"§\", \"path\": \"/\"}]",
    "{'Authorization': 'Bearer §', 'User-Agent': 'x'}",
    "[ 'Authorization', 'Bearer §' ]",
    "(b'authorization', b'Bearer §')",
    "map[Authorization:[Bearer §] Host:[h.example]]",
    "[authorization §]",
    "Cookie: session=§; theme=§",
    "Set-Cookie: connect.sid=§; Path=/; HttpOnly; SameSite=Lax",
    "\"GET /ws HTTP/1.1\\r\\nCookie: a=§; b=§\\r\\nHost: h.example\\r\\n\\r\\n\"",
    "X-Auth-Token: §",
    "{\"token\": \"§\"}",
    "{\"payload\":\"{\\\"token\\\":\\\"§\\\"}\"}",
    "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"secret\\\\\\\":\\\\\\\"§\\\\\\\"}\\\"}\"}",
    "&quot;token&quot;:&quot;§&quot;",
    "password=§",
    "API_KEY=§",
    "export SECRET_KEY='§'",
    "secret: §",
    "client_secret: \"§\"",
    "DB_PASSWORD: §",
    "Server=db;User Id=sa;Password=§;Encrypt=true",
    "//packages.example/:_authToken=§",
    "--token §",
    "--password=§",
    "<password>§</password>",
    "Sec-WebSocket-Protocol: bearer, §",
    "Sec-WebSocket-Protocol: graphql-transport-ws, access_token, §",
    "Sec-WebSocket-Protocol: token-§",
    "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.§, v4.channel.k8s.io",
    "\"Sec-WebSocket-Protocol\": \"bearer, §\"",
    "new WebSocket(url, ['access_token', '§'])",
    "{\"type\":\"connection_init\",\"payload\":{\"authToken\":\"§\"}}",
    "{\"type\":\"connection_init\",\"payload\":{\"unusual\":\"§\"}}",
    "40{\"token\":\"§\"}",
    "40/admin,{\"unusual\":\"§\"}",
    "0{\"sid\":\"§\",\"upgrades\":[]}",
    "CONNECT\nlogin:§\npasscode:§\naccept-version:1.2\n\n",
    "CONNECT\\naccept-version:1.2\\npasscode:§\\n\\n\\u0000",
    "machine h.example login bob password §",
    "io(url, { auth: { token: \"§\" } })",
    "io(url, { auth: { whatever: '§' } })",
];

const SECRETS: &[&str] = &[
    JWT,
    "Zx81kQ0pLm29TvRw47YbNc",
    "9f86d081884c7d659a2feaa0c55ad015",
];

#[test]
fn places_are_marked() {
    for place in PLACES {
        for secret in SECRETS {
            if place.contains("hub?id=") && *secret != SECRETS[1] {
                continue;
            }
            let text = place.replace('§', secret);
            let redacted = redact(&text);
            assert!(!redacted.text.contains(secret), "{text}\n{}", redacted.text);
            let (start, end) = place.split_once('§').unwrap();
            assert!(
                redacted.text.starts_with(start),
                "{text}\n{}",
                redacted.text
            );
            let end = end.rsplit('§').next().unwrap();
            assert!(redacted.text.ends_with(end), "{text}\n{}", redacted.text);
            check(&redacted);
        }
    }
}

#[test]
fn shapes_are_marked_anywhere() {
    // Put together here, so that no scanner takes this file for a leak.
    let body = "a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8g9";
    let hex = "0123456789abcdef0123456789abcdef";
    let shapes = [
        format!("AKIA{}", "ABCDEFGHIJKLMN01"),
        format!("ghp_{body}"),
        format!("github_pat_{body}"),
        format!("glpat-{}", &body[..20]),
        format!("xoxb-{body}"),
        format!("sk-proj-{body}"),
        format!("sk_live_{body}"),
        format!("AIza{}", &body[..35]),
        format!("npm_{body}"),
        format!("SG.{}.{body}", &body[..22]),
        format!("hf_{body}"),
        format!("dop_v1_{hex}{hex}"),
        format!("shpat_{hex}"),
        format!("AC{hex}"),
        format!("SK{hex}"),
        format!("AGE-SECRET-KEY-1{}", body.to_uppercase()),
        JWT.to_owned(),
    ];
    for secret in shapes {
        for place in ["seen § here", "(§)", "x=§", "%3D§%26", "\\n§\\n"] {
            let text = place.replace('§', &secret);
            let redacted = redact(&text);
            assert!(
                !redacted.text.contains(&secret),
                "{text}\n{}",
                redacted.text
            );
            check(&redacted);
        }
    }
    let pem = "key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIEabc+/=\nMIIEdef\n-----END RSA PRIVATE KEY-----\nafter";
    assert_eq!(redact(pem).text, "key:\n[key:1]\nafter");
    let hook = redact(
        "POST https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop01234567",
    );
    assert_eq!(hook.text, "POST https://hooks.slack.com/services/[key:1]");
}

#[test]
fn look_alikes_survive() {
    for text in [
        "WebSocket connection to 'wss://h.example/ws' failed: Error during WebSocket handshake: Unexpected response code: 400",
        "WebSocket closed: code=1006 reason=\"\" wasClean=false",
        "closed 4401 Unauthorized: token expired",
        "{\"code\":1,\"message\":\"Session ID unknown\"}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw=='",
        "Sec-WebSocket-Protocol: graphql-transport-ws, v12.stomp, mqtt, soap, wamp.2.json, actioncable-v1-json",
        "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1, v5.channel.k8s.io, json.webpubsub.azure.v1",
        "Sent non-empty 'Sec-WebSocket-Protocol' header but no response was received",
        "https://h.example/assets/index-B7f2kQ9x.js:12:345",
        "https://h.example/static/js/main.8f3a2b1c.chunk.js",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-request-id: 7b1c9f0e-2f7c-4a36-9f13-0a5f3c1d2e4b",
        "ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
        "CF-RAY: 8a1b2c3d4e5f6789-FRA",
        "wss://h.example/rooms/550e8400-e29b-41d4-a716-446655440000/ws",
        "ws://[2001:db8::1]:8080/ws?EIO=4&transport=websocket&t=Ob3xYzQ",
        "connect to fe80::1ff:fe23:4567:890a port 443",
        "integrity=\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"",
        "(anonymous) @ socket.io.js:1118",
        "connect@https://h.example/app.js:3:4",
        "emit@socket.io.js:627",
        "npm ERR! ws@8.18.0 socket.io-client@4.7.5",
        "draft org.java_websocket.drafts.Draft_17@f2ec968 refuses",
        "git clone git@github.com:a/b.git",
        "Extended master secret: yes",
        "Server Temp Key: X25519, 253 bits",
        "Access-Control-Allow-Headers: Authorization, Content-Type, X-Api-Key",
        "Vary: Cookie",
        "WWW-Authenticate: Bearer realm=\"api\", error=\"invalid_token\"",
        "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "proxy_pass http://backend:8080;",
        "proxy_set_header Authorization $http_authorization;",
        "ssl_certificate_key /etc/nginx/tls/server.key;",
        "token = req.query.token",
        "socket.auth = { token: getToken() }",
        "wss://h.example/ws?token=undefined",
        "wss://h.example/ws?token=[object Object]",
        "wss://h.example/ws?token=YOUR_API_KEY&a=<token>&apikey=....&key={token}&sig=$TOKEN&auth=REDACTED&jwt=xxx&pwd=",
        "fetch(url, { credentials: 'include' })",
        "Error: invalid token: expected 3 segments",
        "password authentication failed for user \"bob\"",
        "token_type: bearer, expires_in: 3600",
        "{\"error\":\"invalid_token\",\"error_description\":\"The token has expired\"}",
        "getaddrinfo ENOTFOUND auth.h.example:443",
        "host secret-service:8080",
        "INFO:     127.0.0.1:39774 - \"WebSocket /ws?token=expired\" 403",
        "Primary key: user_42, cache key=room:17",
        "Digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "0{\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000}",
    ] {
        assert_eq!(redact(text).text, text);
    }
}

#[test]
fn the_same_secret_has_the_same_mark() {
    let text = "GET /ws?token=Zx81kQ0pLm29TvRw47&x=1\nAuthorization: Bearer Zx81kQ0pLm29TvRw47\nother=1 password=hunter2hunter2 seen Zx81kQ0pLm29TvRw47";
    let redacted = redact(text);
    assert_eq!(
        redacted.text,
        "GET /ws?token=[token:1]&x=1\nAuthorization: Bearer [token:1]\nother=1 password=[password:1] seen [token:1]"
    );
    assert_eq!(redacted.counts.get("token"), Some(&1));
    assert_eq!(redacted.counts.get("password"), Some(&1));
}

#[test]
fn every_encoding_goes() {
    let secret = "p@ss/w+rd&\"1\u{e9}Q";
    let json = "p@ss/w+rd&\\\"1\u{e9}Q";
    for encoded in [
        "p%40ss%2Fw%2Brd%26%221%C3%A9Q",
        "p%40ss%2fw%2brd%26%221%c3%a9Q",
        "p%2540ss%252Fw%252Brd%2526%25221%25C3%25A9Q",
        "p@ss\\/w+rd&\\\"1\u{e9}Q",
        "p@ss/w+rd&amp;&quot;1\u{e9}Q",
        "cEBzcy93K3JkJiIxw6lR",
        "dXNlcjpwQHNzL3crcmQmIjHDqVE=",
        "704073732f772b7264262231c3a951",
        "704073732F772B7264262231C3A951",
    ] {
        let text = format!("{{\"password\": \"{json}\"}} and [{encoded}]");
        let redacted = redact(&text);
        assert!(
            !redacted.text.contains(encoded),
            "{encoded}: {}",
            redacted.text
        );
        assert!(!redacted.text.contains(secret));
        check(&redacted);
    }
    for encoded in [
        "jane.doe@h.example",
        "jane.doe%40h.example",
        "jane.doe\\u0040h.example",
        "jane.doe%2540h.example",
        "jane.doe&#64;h.example",
    ] {
        let redacted = redact(&format!("mail={encoded} x"));
        assert!(
            redacted.text.starts_with("mail=[email:1]"),
            "{}",
            redacted.text
        );
        assert!(redacted.text.ends_with("h.example x"), "{}", redacted.text);
    }
    let base64 = redact("to jane.doe@h.example: amFuZS5kb2VAaC5leGFtcGxl");
    assert_eq!(base64.text, "to [email:1]@h.example: [email:1]");
    let basic =
        redact("Authorization: Basic Ym9iOmNvcnJlY3QtaG9yc2UtOTk=\nlogin with correct-horse-99");
    assert_eq!(
        basic.text,
        "Authorization: Basic [password:1]\nlogin with [password:2]"
    );
    let sasl = redact("AUTH PLAIN AGJvYgBjb3JyZWN0LWhvcnNl");
    assert_eq!(sasl.text, "AUTH PLAIN [password:1]");
}

#[test]
fn wrapped_tokens_go_whole() {
    let wrapped = format!("{}\n{}", &JWT[..80], &JWT[80..]);
    assert_eq!(
        redact(&format!("token: {wrapped}\nnext line")).text,
        "token: [token:1]\nnext line"
    );
}

#[test]
fn facts_stay() {
    let redacted = redact(&format!(
        "Sec-WebSocket-Protocol: graphql-ws, bearer, {JWT}"
    ));
    assert_eq!(
        redacted.text,
        "Sec-WebSocket-Protocol: graphql-ws, bearer, [token:1]"
    );
    assert_eq!(
        redacted.marks[0].facts,
        [
            ("subprotocol.offered", "graphql-ws, bearer".to_owned()),
            ("token.algorithm", "HS256".to_owned()),
            ("token.expires", "2023-11-14T23:13:20Z".to_owned()),
            ("token.issued", "2023-11-14T22:13:20Z".to_owned()),
        ]
    );
    let redacted = redact("Cookie: sid=abcdefgh; b=zz\r\nHost: h");
    assert_eq!(
        redacted.text,
        "Cookie: sid=[cookie:1]; b=[cookie:2]\r\nHost: h"
    );
    assert_eq!(redacted.marks[0].facts, [("cookie.bytes", "18".to_owned())]);
}

#[test]
fn numbers_go_on_after_marks_in_the_text() {
    let redacted = redact("a [token:7] ?token=Zx81kQ0pLm29TvRw47");
    assert_eq!(redacted.text, "a [token:7] ?token=[token:8]");
    assert_eq!(redacted.counts.get("token"), Some(&2));
    // What only looks like a mark is none.
    for text in ["a [token:04] b", "a [token:0] b"] {
        let redacted = redact(text);
        for mark in &redacted.marks {
            let written = format!("[{}:{}]", mark.kind.name(), mark.number);
            assert_eq!(redacted.text.get(mark.start..mark.end), Some(&*written));
        }
        assert_eq!(redact(&redacted.text).text, redacted.text);
    }
}

#[test]
fn huge_hostile_texts_end() {
    for part in [
        "token=",
        "token=<",
        "token=xxx ",
        "token:\"",
        "token=\\\"",
        "eyJ",
        "eyJ.",
        "@",
        "a.a.a.a@",
        "a@b.cc",
        "://",
        "a://b@",
        "%40",
        "Cookie: ",
        "cookie: a=xxx; ",
        "Authorization: ",
        "authorization: digest ",
        "bearer ",
        "40{",
        "40{\"",
        "connection_init",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "plain ",
        " -u ",
        "Sec-WebSocket-Protocol: ",
        "sec-websocket-protocol: a,",
        "[token:1]",
        "\"cookies\":[",
        "auth:{",
        "key=",
        "?id=",
        "sk-",
        "\\",
        "%25",
        "token=[token:1]",
        "?code=",
        "\"auth\":\"",
        "hf_",
        "SG.",
        "cookie=[",
        "session=",
        "/bot",
        "[authorization ",
        "key=\"a b ",
        " -P mosquitto",
        "redis-cli -a ",
        "subprotocol '",
        "--protocol a,",
        "- name: password\n",
        "name: DB_PASSWORD\nvalue: ",
        "bearer', '",
        ";password=",
        "A_KEY=\"A_KEY=",
        "password: a(\n",
        "a://b%40",
        "%2B",
    ] {
        let text = part.repeat(100_000 / part.len());
        check(&redact(&text));
    }
    let many: String = (0..2_000).map(|n| format!("?token=aZ{n:08}Qx ")).collect();
    assert_eq!(redact(&many).counts.get("token"), Some(&2_000));
}

/// What holds for every redacted text.
fn check(redacted: &Redacted) {
    for mark in &redacted.marks {
        let expected = format!("[{}:{}]", mark.kind.name(), mark.number);
        assert_eq!(&redacted.text[mark.start..mark.end], expected);
    }
    let again = redact(&redacted.text);
    assert_eq!(again.text, redacted.text);
    assert_eq!(again.counts, redacted.counts);
}

fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        prop::sample::select(vec![
            "token",
            "=",
            ":",
            " ",
            "\"",
            "'",
            "\\",
            "\\\"",
            "&",
            "?",
            "%3D",
            "%26",
            "%40",
            "@",
            "a.example",
            "Bearer ",
            "Basic ",
            "Authorization",
            "Cookie",
            "Set-Cookie",
            ";",
            ",",
            "[",
            "]",
            "{",
            "}",
            "<",
            ">",
            "\n",
            "\r\n",
            "eyJhbGciOiJI",
            ".",
            "40{\"",
            "connection_init",
            "password",
            "Sec-WebSocket-Protocol",
            "sid",
            "[token:1]",
            "[email:2]",
            "[cookie:3]",
            "xxx",
            "null",
            "://",
            "http://u:p",
            "ghp_a1B2c3D4e5F6a7B8c9D0e1F2",
            "a1B2c3D4e5F6a7B8c9D0",
            "-----BEGIN PRIVATE KEY-----",
            " -u ",
            "é",
            "…",
            "🦀",
            "session id",
            "key",
            "code=",
            "value",
            "login:",
            "passcode:",
            "AUTH PLAIN AGJvYgBjb3JyZWN0",
            "\"name\":\"Authorization\",\"value\":\"",
            "%20",
            "/",
            "-",
            "\\u0026",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9]{1,12}",
    ];
    prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat())
}

#[test]
fn pairs_of_har_hide_their_value_on_either_side() {
    let secret = "pp86d081884c7d659a2feaa0c55ad0pp";
    for name in ["Authorization", "X-Api-Key", "access_token"] {
        for text in [
            format!(r#"{{"value":"{secret}","name":"{name}"}}"#),
            format!("{{\n \"value\": \"{secret}\",\n \"name\": \"{name}\"\n}}"),
            format!(r#"{{"name":"{name}","value":"{secret}"}}"#),
        ] {
            assert!(!redact(&text).text.contains(secret), "{text}");
        }
    }
    let cookies = r#"{"value":"a=qwertz12345; b=asdfgh67890","name":"Cookie"}"#;
    assert_eq!(
        redact(cookies).text,
        r#"{"value":"a=[cookie:1]; b=[cookie:2]","name":"Cookie"}"#
    );
    // The value of the pair before is none of this name.
    let other = r#"[{"name":"a","value":"harmless"},{"name":"token"}]"#;
    assert_eq!(redact(other).text, other);
}

#[test]
fn a_secret_may_end_within_an_escaped_at_sign() {
    let redacted = redact("Cookie: session=9f86d081884c7d659jane.doe&#64;h.example");
    assert!(!redacted.text.contains("9f86d081884c7d659"));
    check(&redacted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_redacted_once_and_for_all(text in "\\PC*") {
        check(&redact(&text));
    }

    #[test]
    fn any_mixture_of_fragments_is_redacted_once_and_for_all(text in fragments()) {
        check(&redact(&text));
    }
}
