//! Reviews of configurations: what a difference adds is all that is missing, comments say nothing,
//! and the programs themselves accept what comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wsdoctor::engine::Diagnosis;
use wsdoctor::engine::evidence::LineKind;

use crate::support::diagnose;

/// Kinds of samples with configurations in them.
const KINDS: &[&str] = &[
    "nginx-configuration",
    "apache-configuration",
    "haproxy-configuration",
    "caddyfile",
    "traefik-configuration",
    "compose",
    "ingress",
    "dev-server",
];

fn samples(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/evidence")
        .join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the samples' folder")
        .map(|file| file.expect("a sample").path())
        .collect();
    files.sort();
    files
}

/// The text with the differences of all reviews applied.
fn repaired(text: &str, diagnosis: &Diagnosis) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = text.lines().collect();
    let mut added: Vec<Vec<String>> = vec![Vec::new(); lines.len() + 1];
    let mut removed = vec![false; lines.len() + 1];
    for stretch in diagnosis
        .configurations
        .iter()
        .flat_map(|review| &review.difference)
    {
        let first = stretch
            .iter()
            .find_map(|line| line.number)
            .expect("a line with a number");
        let mut last = first - 1;
        for line in stretch {
            match (line.kind, line.number) {
                (LineKind::Added, _) => added[last].push(line.text.clone()),
                (kind, Some(number)) => {
                    assert_eq!(lines[number - 1], line.text);
                    removed[number] |= kind == LineKind::Removed;
                    last = number;
                }
                (_, None) => panic!("only added lines have no number"),
            }
        }
    }
    let mut out: Vec<String> = added[0].clone();
    for (number, line) in lines.iter().enumerate() {
        if !removed[number + 1] {
            out.push((*line).to_owned());
        }
        out.extend(added[number + 1].iter().cloned());
    }
    out.join(newline) + newline
}

#[test]
fn a_difference_leaves_nothing_to_add() {
    for kind in KINDS {
        for file in samples(kind) {
            let text = fs::read_to_string(&file).expect("a sample");
            let diagnosis = diagnose(&text);
            assert!(!diagnosis.configurations.is_empty(), "{}", file.display());
            let after = repaired(&text, &diagnosis);
            let again = diagnose(&after);
            for review in &again.configurations {
                assert!(
                    review.difference.is_empty(),
                    "{}:\n{after}\n{review:#?}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn correct_configurations_get_no_finding() {
    for kind in KINDS {
        for file in samples(kind) {
            let name = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&file).expect("a sample");
            let diagnosis = diagnose(&text);
            let is_clean = diagnosis
                .configurations
                .iter()
                .all(|review| review.findings.is_empty());
            if name.contains("correct") {
                assert!(is_clean, "{name}: {:#?}", diagnosis.configurations);
            } else {
                assert!(!is_clean, "{name}: {:#?}", diagnosis.configurations);
            }
        }
    }
}

/// What the facts say, without their places.
fn told(text: &str) -> Vec<(String, String)> {
    diagnose(text)
        .facts
        .iter()
        .map(|seen| (seen.fact.key.to_string(), seen.fact.value.to_string()))
        .collect()
}

/// The sign of a comment in a kind of sample.
fn comment(kind: &str) -> &'static str {
    if kind == "dev-server" { "//" } else { "#" }
}

/// Lines that are comments as a whole, with addresses of examples or not, tell nothing.
#[test]
fn comments_yield_no_facts() {
    for kind in KINDS {
        for file in samples(kind) {
            let text = fs::read_to_string(&file).expect("a sample");
            if text.contains("# LoadModule") || text.contains("#LoadModule") {
                // There the comment is what is wrong.
                continue;
            }
            let without: String = text
                .lines()
                .filter(|line| !line.trim_start().starts_with(comment(kind)))
                .map(|line| format!("{line}\n"))
                .collect();
            assert_eq!(told(&text), told(&without), "{}", file.display());
            let address = format!(
                "{} see wss://docs.example:9000/chat, https://page.example/ fails\n",
                comment(kind)
            );
            let more = format!("{without}{address}");
            assert_eq!(told(&more), told(&without), "{}", file.display());
        }
    }
}

/// A configuration that is commented out as a whole is none.
#[test]
fn what_is_commented_out_is_not_configured() {
    for kind in KINDS {
        for file in samples(kind) {
            let text = fs::read_to_string(&file).expect("a sample");
            // After a number sign a sentence is a heading, and still says what it says.
            if text.contains("LoadModule") || file.ends_with("one-line.txt") {
                continue;
            }
            let commented: String = text
                .lines()
                .map(|line| format!("{} {line}\n", comment(kind)))
                .collect();
            let diagnosis = diagnose(&commented);
            assert!(diagnosis.configurations.is_empty(), "{}", file.display());
            for (key, value) in told(&commented) {
                let is_of_configuration = [
                    "edge.config",
                    "dev-server.",
                    "container.",
                    "edge.tunnel",
                    "edge.up",
                ]
                .iter()
                .any(|beginning| key.starts_with(beginning));
                assert!(!is_of_configuration, "{}: {key}={value}", file.display());
            }
        }
    }
}

/// Whether a program is there; with `CI=true` it must be.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-v").output().is_ok();
    assert!(
        found || std::env::var("CI").as_deref() != Ok("true"),
        "{program} is missing"
    );
    found
}

fn check(program: &str, arguments: &[&str], directory: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{program}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Writes a configuration with its difference applied, and gives its path.
fn write_repaired(directory: &Path, broken: &str) -> String {
    let diagnosis = diagnose(broken);
    assert!(
        diagnosis
            .configurations
            .iter()
            .any(|review| !review.difference.is_empty()),
        "{broken}"
    );
    let after = repaired(broken, &diagnosis);
    let path = directory.join("configuration");
    fs::write(&path, after).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn nginx_accepts_what_comes_out() {
    if !has("nginx") {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    let pid = directory.path().join("pid").to_string_lossy().into_owned();
    let begin =
        format!("error_log stderr;\npid {pid};\nevents {{}}\nhttp {{\n    access_log off;\n");
    for inner in [
        "    server {\n        listen 8080;\n        location /ws/ {\n            proxy_pass http://127.0.0.1:3000;\n        }\n    }\n}\n",
        "    server {\n        listen 8080;\n        location /ws { proxy_pass http://127.0.0.1:3000; }\n    }\n}\n",
        "    upstream app { server 127.0.0.1:3000; keepalive 8; }\n    server {\n        listen 8080;\n        proxy_set_header X-Real-IP $remote_addr;\n        location /ws {\n            proxy_pass http://app;   # here\n            proxy_read_timeout 20s;\n        }\n        location /hub {\n            proxy_http_version 1.0;\n            proxy_set_header Connection \"\";\n            proxy_pass http://app;\n        }\n    }\n}\n",
    ] {
        let path = write_repaired(directory.path(), &format!("{begin}{inner}"));
        check(
            "nginx",
            &["-t", "-q", "-c", &path, "-e", "stderr"],
            directory.path(),
        );
    }
}

#[test]
fn haproxy_accepts_what_comes_out() {
    if !has("haproxy") {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    for file in samples("haproxy-configuration") {
        let text = fs::read_to_string(&file).expect("a sample");
        let name = file.to_string_lossy().into_owned();
        if name.ends_with("correct.cfg") || name.ends_with(".txt") {
            continue;
        }
        let path = write_repaired(directory.path(), &text);
        check("haproxy", &["-c", "-f", &path], directory.path());
    }
}

#[test]
fn apache_accepts_what_comes_out() {
    let modules = Path::new("/usr/lib/apache2/modules");
    if !has("apache2") || !modules.exists() {
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    let load = |name: &str| {
        format!(
            "LoadModule {name}_module {}/mod_{name}.so\n",
            modules.display()
        )
    };
    let begin: String = [
        "mpm_event",
        "authz_core",
        "proxy",
        "proxy_http",
        "proxy_wstunnel",
    ]
    .into_iter()
    .map(load)
    .collect();
    for host in [
        "<VirtualHost *:8080>\n    ServerName app.example\n    ProxyPass / http://127.0.0.1:3000/\n</VirtualHost>\n",
        "<VirtualHost *:8080>\n    ServerName app.example\n    ProxyPass / http://127.0.0.1:3000/\n    ProxyPass /ws ws://127.0.0.1:3000/ws\n</VirtualHost>\n",
    ] {
        let text = format!(
            "ServerRoot {0}\nPidFile {0}/pid\nServerName localhost\nErrorLog {0}/log\nListen 8080\n{begin}{host}",
            directory.path().display()
        );
        let path = write_repaired(directory.path(), &text);
        check("apache2", &["-t", "-f", &path], directory.path());
    }
}

#[test]
fn caddy_accepts_what_comes_out() {
    if Command::new("caddy").arg("version").output().is_err() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "caddy is missing"
        );
        return;
    }
    let directory = tempfile::tempdir().expect("a folder");
    for name in ["header-removed.txt", "versions-2.txt"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/evidence/caddyfile")
            .join(name);
        let text = fs::read_to_string(file).expect("a sample");
        let path = write_repaired(directory.path(), &text);
        check(
            "caddy",
            &["adapt", "--adapter", "caddyfile", "--config", &path],
            directory.path(),
        );
    }
}
