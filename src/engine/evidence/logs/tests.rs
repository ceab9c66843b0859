use super::*;

fn told(text: &str) -> Vec<String> {
    let addresses = super::super::addresses(text);
    readings(&Contents::of(text), &addresses)
        .into_iter()
        .flat_map(|reading| reading.findings)
        .filter(|finding| !finding.key.starts_with("edge.p") && !finding.key.starts_with("url."))
        .map(|finding| {
            assert!(text.get(finding.span.start..finding.span.end).is_some());
            format!("{}={}", finding.key, finding.value)
        })
        .collect()
}

const TIME: &str = "203.0.113.7 - - [11/Oct/2026:18:02:44 +0000]";

#[test]
fn other_requests_are_no_handshakes() {
    let text = format!(
        "{TIME} \"GET /favicon.ico HTTP/1.1\" 404 0 \"-\" \"-\"\n\
         {TIME} \"POST /api/ws-token HTTP/1.1\" 500 0 \"-\" \"-\"\n\
         {TIME} \"GET /ws HTTP/1.1\" 502 0 \"-\" \"-\"\n"
    );
    assert_eq!(told(&text), ["handshake.status=502"]);
}

#[test]
fn the_only_request_is_the_sockets() {
    let one = format!("{TIME} \"GET /notify HTTP/1.1\" 400 0 \"-\" \"-\"\n");
    assert!(told(&one).contains(&"handshake.status=400".to_owned()));
    let two = format!("{one}{TIME} \"GET /other HTTP/1.1\" 403 0 \"-\" \"-\"\n");
    assert!(told(&two).is_empty());
}

#[test]
fn a_poll_of_a_known_session_that_is_refused_was_not_known() {
    let poll = |rest: &str, status: u16| {
        format!("{TIME} \"POST /socket.io/?EIO=4&transport=polling{rest} HTTP/1.1\" {status} 41\n")
    };
    let unknown = "server.says=session-id-unknown".to_owned();
    assert!(told(&poll("&t=Pk&sid=Xa9c", 400)).contains(&unknown));
    assert!(!told(&poll("&t=Pk&sid=Xa9c", 200)).contains(&unknown));
    assert!(!told(&poll("&t=Pk", 400)).contains(&unknown));
}

#[test]
fn the_named_path_is_the_sockets() {
    let text = format!(
        "wss://app.example/notify fails\n{TIME} \"GET /ws HTTP/1.1\" 200 0 \"-\" \"-\"\n\
         {TIME} \"GET /notify HTTP/1.1\" 400 0 \"-\" \"-\"\n"
    );
    assert_eq!(told(&text), ["handshake.status=400"]);
}

#[test]
fn the_life_of_a_tunnel_is_its_requests_duration() {
    let nginx = format!("{TIME} \"GET /ws HTTP/1.1\" 101 5 \"-\" \"-\" 60.001");
    assert!(told(&nginx).contains(&"open.seconds=60.0".to_owned()));
    let traefik = format!(
        "{TIME} \"GET /ws HTTP/1.1\" 101 0 \"-\" \"-\" 1 \"ws@docker\" \"http://172.18.0.3:3000\" 60004ms"
    );
    assert!(told(&traefik).contains(&"open.seconds=60.0".to_owned()));
    let failed = format!("{TIME} \"GET /ws HTTP/1.1\" 504 5 \"-\" \"-\" 60.001");
    assert!(!told(&failed).iter().any(|fact| fact.starts_with("open.")));
}

#[test]
fn lines_that_are_cut_off_do_no_harm() {
    for whole in [
        "203.0.113.7 - - [11/Oct/2026:18:02:44 +0000] \"GET /ws HTTP/1.1\" 101 5 \"-\" \"ä\" 60.001",
        "wss 2026-10-11T18:02:44.1Z app/c/5 203.0.113.7:1 10.0.1.5:3000 0.0 0.0 0.0 101 101 5 7 \"GET https://app.example:443/ws HTTP/1.1\" \"ü\"",
        "203.0.113.7:5 [11/Oct/2026:18:02:44.123] f~ b/s 0/0/1/2/60004 101 3 - - sD-- 1/1/0/0/0 0/0 {ä} \"GET /ws HTTP/1.1\"",
        "[2026-10-11T18:02:44.123Z] \"GET /ws HTTP/1.1\" 503 UF é - \"x\" 0 5 9 - \"-\" \"-\" \"i\" \"h\" \"u\"",
        "{\"logger\":\"http.log.access\",\"request\":{\"method\":\"GET\",\"uri\":\"/wsö\"},\"status\":101}",
        "2026-10-11T18:02:44Z ERR  error=\"Unable ä\" originService=http://localhost:3000",
        "2026/10/11 18:02:44 [error] 31#31: *7 ä, client: 203.0.113.7, request: \"GET /ws HTTP/1.1\", host: \"ä\"",
    ] {
        for (end, _) in whole.char_indices() {
            told(&whole[..end]);
        }
    }
}

#[test]
fn a_line_of_caddy_without_its_request_tells_what_is_left() {
    let line = |rest: &str| format!("{{\"level\":\"error\",\"ts\":1792519364.1,{rest}}}\n");
    let access = line(
        r#""logger":"http.log.access","msg":"handled request","duration":"1m0.002s","status":101"#,
    );
    assert_eq!(
        told(&access),
        [
            "edge.server=caddy",
            "handshake.status=101",
            "open.seconds=60.0"
        ]
    );
    let refused = line(
        r#""logger":"http.handlers.reverse_proxy","msg":"dial tcp 10.0.0.7:9000: connect: connection refused","upstream":"10.0.0.7:9000""#,
    );
    let told_of_refused = told(&refused);
    for fact in ["tcp.connect=refused", "edge.upstream=10.0.0.7:9000"] {
        assert!(told_of_refused.contains(&fact.to_owned()), "{fact}");
    }
    let silent = line(
        r#""logger":"http.handlers.reverse_proxy","msg":"reading from backend","error":"read tcp 10.0.0.2:4100->10.0.0.3:80: i/o timeout""#,
    );
    assert!(told(&silent).contains(&"upstream.answer=timed-out".to_owned()));
    let failed = line(r#""logger":"http.log.error","err_id":"x","msg":"EOF","status":502"#);
    assert!(told(&failed).contains(&"handshake.status=502".to_owned()));
}

#[test]
fn a_complaint_without_its_request_leaves_the_request_of_another_line_the_sockets() {
    let text = format!(
        "{{\"level\":\"error\",\"ts\":1.5,\"logger\":\"http.handlers.reverse_proxy\",\"msg\":\"x\",\
         \"error\":\"dial tcp: lookup app: no such host\"}}\n\
         {TIME} \"GET /notify HTTP/1.1\" 502 0 \"-\" \"-\"\n"
    );
    let told = told(&text);
    for fact in ["dns.lookup=not-found", "handshake.status=502"] {
        assert!(told.contains(&fact.to_owned()), "{fact}");
    }
}

#[test]
fn an_answer_on_a_line_of_its_own_belongs_to_the_request_with_its_number() {
    let text = r#"{"level":30,"time":1795600000000,"pid":1,"hostname":"web","reqId":"req-1","req":{"method":"GET","url":"/ws","host":"chat.example","remoteAddress":"10.0.0.3"},"msg":"incoming request"}
{"level":30,"time":1795600000001,"pid":1,"hostname":"web","reqId":"req-2","req":{"method":"GET","url":"/favicon.ico","host":"chat.example","remoteAddress":"10.0.0.3"},"msg":"incoming request"}
{"level":30,"time":1795600000002,"pid":1,"hostname":"web","reqId":"req-2","res":{"statusCode":404},"responseTime":0.2,"msg":"request completed"}
{"level":30,"time":1795600000003,"pid":1,"hostname":"web","reqId":"req-1","res":{"statusCode":403},"responseTime":1.6,"msg":"request completed"}
"#;
    assert_eq!(told(text), ["handshake.status=403"]);
}

#[test]
fn werkzeug_writes_a_space_before_the_time_and_no_size() {
    let text = "172.18.0.1 - - [21/Nov/2026 10:11:12] \"GET /ws HTTP/1.1\" 500 -\n\
                172.18.0.1 - - [21/Nov/2026 10:11:12] \"GET /logo.png HTTP/1.1\" 404 -\n";
    assert_eq!(told(text), ["handshake.status=500"]);
}
