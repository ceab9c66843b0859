//! The command line as a program: streams and exit codes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut standard_input = child.stdin.take().expect("a pipe");
    let _ = standard_input.write_all(input);
    drop(standard_input);
    child.wait_with_output().expect("an end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn diagnose_exits_with_zero_whatever_it_finds() {
    for input in [
        &b"connect ECONNREFUSED 127.0.0.1:8080"[..],
        b"",
        b"\xff\xfe\x00garbage",
        b"nothing known",
    ] {
        for format in ["text", "json", "markdown"] {
            let output = run(&["diagnose", "--format", format], input);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            assert!(!output.stdout.is_empty());
        }
    }
}

#[test]
fn diagnose_exits_with_two_on_usage_and_unreadable_input() {
    assert_eq!(
        run(&["diagnose", "/no/such/file"], b"").status.code(),
        Some(2)
    );
    assert_eq!(
        run(&["diagnose", "--format", "xml"], b"").status.code(),
        Some(2)
    );
    assert_eq!(
        run(&["diagnose", "--batch"], b"not json\n").status.code(),
        Some(2)
    );
}

#[test]
fn diagnose_says_why_a_cause() {
    let line = b"Unexpected response code: 400";
    let why = run(&["diagnose", "--why", "tls-cert-expired"], line);
    assert_eq!(why.status.code(), Some(0));
    assert!(text(&why.stdout).contains("What would make it likelier"));
    let json = ["diagnose", "--why", "tls-cert-expired", "--format", "json"];
    let json: serde_json::Value = serde_json::from_slice(&run(&json, line).stdout).expect("JSON");
    assert_eq!(json["id"], "tls-cert-expired");
    let unknown = run(&["diagnose", "--why", "tls-cert-expird"], line);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("tls-cert-expired"));
}

#[test]
fn batch_answers_line_by_line_in_order() {
    let input = b"{\"id\": \"a\", \"text\": \"connect ECONNREFUSED 10.0.0.1:80\"}\n{\"id\": 2, \"text\": \"\"}\n\n{\"id\": \"c\", \"text\": \"net::ERR_NAME_NOT_RESOLVED\", \"context\": {\"edge\": [\"nginx\"]}}\n";
    let output = run(&["diagnose", "--batch"], input);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let ids: Vec<&serde_json::Value> = lines.iter().map(|line| &line["id"]).collect();
    assert_eq!(
        ids,
        [
            &serde_json::json!("a"),
            &serde_json::json!(2),
            &serde_json::json!("c")
        ]
    );
    assert_eq!(lines[2]["causes"][0]["id"], "dns-name-not-found");
}

#[test]
fn explain_knows_codes_and_offers_near_names() {
    let known = run(&["explain", "1006"], b"");
    assert_eq!(known.status.code(), Some(0));
    assert!(text(&known.stdout).contains("1006"));
    let near = run(&["explain", "proxy-idle-timeot"], b"");
    assert_eq!(near.status.code(), Some(1));
    assert!(
        text(&near.stderr).contains("proxy-idle-timeout"),
        "{}",
        text(&near.stderr)
    );
}

#[test]
fn explain_takes_codes_as_logs_write_them() {
    for (written, told) in [
        ("close code 1006", "1006"),
        ("UF,URX", "URX (Envoy)"),
        ("502 3 12002", "ERROR_WINHTTP_TIMEOUT"),
    ] {
        let known = run(&["explain", written], b"");
        assert_eq!(known.status.code(), Some(0), "{written}");
        assert!(text(&known.stdout).contains(told), "{written}");
    }
}

#[test]
fn explain_names_the_limits_of_a_duration() {
    let known = run(&["explain", "60s"], b"");
    assert_eq!(known.status.code(), Some(0));
    let told = text(&known.stdout);
    assert!(
        told.contains("Limits of 60 seconds") && told.contains("proxy_read_timeout 3600s;"),
        "{told}"
    );
}

#[test]
fn knowledge_check_tells_good_from_bad() {
    assert_eq!(
        run(&["knowledge", "check", "--quiet"], b"").status.code(),
        Some(0)
    );
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("causes")).expect("a folder");
    std::fs::write(
        folder.path().join("causes/x.md"),
        "+++\nid = \"x\"\ncolour = 1\n+++\n",
    )
    .expect("a file");
    let bad = run(
        &["knowledge", "check", &folder.path().display().to_string()],
        b"",
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        text(&bad.stdout).contains("causes/x.md:3: error: unknown field `colour`"),
        "{}",
        text(&bad.stdout)
    );
    assert_eq!(
        run(&["knowledge", "check", "/no/such/folder"], b"")
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_terminal_cannot_be_steered_by_a_paste() {
    let output = run(
        &["diagnose"],
        b"WebSocket connection to 'ws://a.example/\x1b[2Jx' failed: \x1b]0;owned\x07",
    );
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn knowledge_goes_out_as_files_and_comes_back_with_its_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let database = format!("sqlite://{}", place("a.db"));
    let knowledge = |arguments: &[&str]| {
        let mut all = vec!["knowledge"];
        all.extend(arguments);
        all.extend(["--database", &database]);
        let output = run(&all, b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    knowledge(&["export", &place("files")]);
    let shipped = std::fs::read(place("files/patterns/nginx.toml")).expect("a file");
    let own =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/patterns/nginx.toml");
    assert_eq!(shipped, std::fs::read(own).expect("a file"));

    let code = place("files/codes/close.toml");
    let before = std::fs::read_to_string(&code).expect("codes");
    let added = "\n[[code]]\nid = \"4999\"\nfamily = \"vendor\"\ntitle = \"4999: ours\"\ntext = \"Our own.\"\ncauses = [\"handshake-auth\"]\nreferences = [\"https://a.example/\"]\n";
    std::fs::write(&code, before + added).expect("codes");
    let told = knowledge(&[
        "import",
        &place("files"),
        "--author",
        "kim",
        "--note",
        "ours",
    ]);
    assert_eq!(told, "1 entries changed, 0 as shipped again\n");
    let stats = knowledge(&["stats"]);
    assert!(
        stats.contains("code vendor/4999: not shipped, version 1 by kim"),
        "{stats}"
    );
    let history = knowledge(&["history", "code", "vendor/4999"]);
    assert!(history.contains("+title = \"4999: ours\""), "{history}");
    knowledge(&["export", &place("again")]);
    assert_eq!(
        std::fs::read(&code).expect("codes"),
        std::fs::read(place("again/codes/close.toml")).expect("codes")
    );

    let taken = run(
        &[
            "knowledge",
            "export",
            &place("again"),
            "--database",
            &database,
        ],
        b"",
    );
    assert_eq!(
        taken.status.code(),
        Some(2),
        "a folder with files is left alone"
    );
    std::fs::write(place("files/causes/broken.md"), "no front matter").expect("a file");
    let refused = run(
        &[
            "knowledge",
            "import",
            &place("files"),
            "--database",
            &database,
        ],
        b"",
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("causes/broken.md:1: error"),
        "{}",
        text(&refused.stderr)
    );
}
