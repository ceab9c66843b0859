//! Fragments of servers' configurations, each within what it needs around it, given to its server.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

/// A folder for configurations, with a certificate in it.
pub(super) struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    /// Makes the certificate that stands for every certificate of the fragments.
    pub(super) fn new() -> Workplace {
        let folder = tempfile::tempdir().expect("a folder");
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-batch"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", "/CN=chat.example.org"])
            .args(["-keyout", "key.pem", "-out", "only.pem"])
            .current_dir(folder.path())
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{made:?}");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
        let both = read("only.pem") + &read("key.pem");
        fs::write(folder.path().join("pair.pem"), both).expect("a file");
        Workplace { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a server over a text; the answer is its complaint.
    fn complaint(&self, text: &str, program: &str, arguments: &[&str]) -> Option<String> {
        fs::write(self.path("configuration"), text).expect("a file");
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("the server runs");
        (!output.status.success()).then(|| {
            let told = String::from_utf8_lossy(&output.stderr);
            format!("{}\n{text}", told.trim_end())
        })
    }

    /// What `nginx -t` says against a fragment.
    pub(super) fn nginx(&self, fragment: &str) -> Option<String> {
        let text = within_nginx(&self.with_certificates(fragment));
        let text = text.replace("PID", &self.path("pid"));
        // Fragments that listen with TLS may leave the certificate to the reader.
        let certificate = format!(
            "http {{\nssl_certificate {};\nssl_certificate_key {};\n",
            self.path("only.pem"),
            self.path("key.pem")
        );
        let text = text.replacen("http {\n", &certificate, 1);
        let arguments = [
            "-t",
            "-q",
            "-e",
            "stderr",
            "-c",
            &self.path("configuration"),
        ];
        self.complaint(&text, "nginx", &arguments)
    }

    /// What `apache2 -t` says against a fragment.
    pub(super) fn apache(&self, fragment: &str) -> Option<String> {
        let folder = self.folder.path().display();
        let mut text = format!(
            "ServerRoot {folder}\nPidFile {folder}/pid\nServerName localhost\nErrorLog {folder}/log\nListen 8080\n"
        );
        for name in APACHE_MODULES {
            let file = Path::new(APACHE_FOLDER).join(format!("mod_{name}.so"));
            if file.exists() {
                text += &format!("LoadModule {name}_module {}\n", file.display());
            }
        }
        let fragment = self.with_certificates(fragment);
        if fragment.contains("<VirtualHost") {
            text += &fragment;
        } else {
            text += &format!("<VirtualHost *:8080>\n{fragment}</VirtualHost>\n");
        }
        let arguments = ["-t", "-f", &self.path("configuration")];
        self.complaint(&text, "apache2", &arguments)
    }

    /// What `haproxy -c` says against a fragment.
    pub(super) fn haproxy(&self, fragment: &str) -> Option<String> {
        let section = Regex::new(r"(?m)^(global|defaults|frontend|backend|listen)\b").expect("one");
        let mut text = self.with_certificates(fragment);
        if !section.is_match(&text) {
            text = format!("listen any\n    bind 127.0.0.1:8080\n{text}");
        }
        if !text.contains("bind ") {
            text += "frontend any\n    bind 127.0.0.1:8080\n";
        }
        // Names of machines are looked up, and the examples' are nowhere.
        let machine = Regex::new(r"(?m)^(\s*server\s+\S+\s+)[A-Za-z][\w.-]*(:\d+)").expect("one");
        text = machine.replace_all(&text, "${1}127.0.0.1${2}").into_owned();
        // Where requests go is the reader's own.
        let named = Regex::new(r"(?:use_backend|default_backend)\s+(\S+)").expect("one");
        let names: BTreeSet<String> = named
            .captures_iter(&text)
            .map(|found| found[1].to_owned())
            .filter(|name| {
                let head = format!("backend {name}");
                !text.lines().any(|line| line.trim_end() == head)
            })
            .collect();
        for name in names {
            text += &format!("backend {name}\n");
        }
        if !text.contains("defaults") {
            let times = "timeout connect 5s\n    timeout client 30s\n    timeout server 30s";
            text = format!("defaults\n    mode http\n    {times}\n{text}");
        }
        let arguments = ["-c", "-f", &self.path("configuration")];
        self.complaint(&text, "haproxy", &arguments)
    }

    /// What `caddy adapt` says against a fragment.
    pub(super) fn caddy(&self, fragment: &str) -> Option<String> {
        let text = self.with_certificates(fragment);
        let first = text
            .lines()
            .find(|line| !line.trim_start().starts_with('#'));
        let is_whole = first.is_some_and(|line| {
            let name = line.trim_end().strip_suffix('{').map(str::trim);
            name.is_some_and(|name| {
                name.is_empty() || name.contains(['.', ':']) && !name.contains(' ')
            })
        });
        let text = if is_whole {
            text
        } else {
            format!(":8080 {{\n{text}}}\n")
        };
        let config = self.path("configuration");
        let arguments = ["adapt", "--adapter", "caddyfile", "--config", &config];
        self.complaint(&text, "caddy", &arguments)
    }

    /// Certificates that are named are not there; this workplace's is.
    fn with_certificates(&self, fragment: &str) -> String {
        let certificate = Regex::new(
            r"(\b(?:ssl_certificate|ssl_client_certificate|ssl_trusted_certificate|SSLCertificateFile|SSLCACertificateFile|trusted_ca_cert_file)\s+)[^\s;]+",
        )
        .expect("one");
        let key = Regex::new(r"(\b(?:ssl_certificate_key|SSLCertificateKeyFile)\s+)[^\s;]+")
            .expect("one");
        let pair = Regex::new(r"(\b(?:crt|ca-file)\s+)\S+").expect("one");
        let text = certificate.replace_all(fragment, format!("${{1}}{}", self.path("only.pem")));
        let text = key.replace_all(&text, format!("${{1}}{}", self.path("key.pem")));
        pair.replace_all(&text, format!("${{1}}{}", self.path("pair.pem")))
            .into_owned()
    }
}

const APACHE_FOLDER: &str = "/usr/lib/apache2/modules";
const APACHE_MODULES: &[&str] = &[
    "mpm_event",
    "authz_core",
    "authn_core",
    "proxy",
    "proxy_http",
    "proxy_wstunnel",
    "slotmem_shm",
    "proxy_balancer",
    "lbmethod_byrequests",
    "rewrite",
    "headers",
    "setenvif",
    "socache_shmcb",
    "ssl",
    "reqtimeout",
];

const NGINX_MAIN: &[&str] = &[
    "worker_",
    "events",
    "error_log",
    "pid",
    "user",
    "load_module",
];
const NGINX_HTTP: &[&str] = &[
    "map",
    "server",
    "upstream",
    "limit_req_zone",
    "limit_conn_zone",
    "geo",
];

/// Each statement at the level where it belongs: of the process, of `http`, or of a server.
fn within_nginx(fragment: &str) -> String {
    let (mut main, mut http, mut server) = (String::new(), String::new(), String::new());
    for statement in nginx_statements(fragment) {
        let word = statement
            .split(|letter: char| letter.is_whitespace() || letter == '{' || letter == ';')
            .next()
            .unwrap_or_default();
        if NGINX_MAIN.iter().any(|name| word.starts_with(name)) {
            main += &statement;
        } else if NGINX_HTTP.contains(&word) {
            http += &statement;
        } else {
            server += &statement;
        }
    }
    if !main.contains("events") {
        main += "events {}\n";
    }
    let names = Regex::new(r"(proxy_pass\s+https?://)([A-Za-z][A-Za-z0-9.-]*)").expect("one");
    let http = format!("{http}server {{\n{server}}}\n");
    let text = names.replace_all(&http, |found: &regex::Captures<'_>| {
        // Names of machines are looked up, so those that are no upstream of the fragment go.
        let is_upstream = http.contains(&format!("upstream {} ", &found[2]));
        let name = if is_upstream { &found[2] } else { "127.0.0.1" };
        format!("{}{name}", &found[1])
    });
    format!("error_log stderr;\npid PID;\n{main}http {{\naccess_log off;\n{text}}}\n")
}

/// The statements of the outermost level, a block with all that is in it. Comments are dropped.
fn nginx_statements(fragment: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let (mut statement, mut depth, mut quote) = (String::new(), 0_usize, None);
    for line in fragment.lines() {
        for (at, letter) in line.char_indices() {
            let begins_comment = letter == '#' && (at == 0 || line[..at].ends_with(' '));
            if quote.is_none() && begins_comment {
                break;
            }
            statement.push(letter);
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (Some(_), _) => continue,
                (None, '\'' | '"') => quote = Some(letter),
                (None, '{') => depth += 1,
                (None, '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && quote.is_none() && matches!(letter, ';' | '}') {
                statements.push(std::mem::take(&mut statement).trim().to_owned() + "\n");
            }
        }
        statement.push('\n');
    }
    if !statement.trim().is_empty() {
        statements.push(statement);
    }
    statements
}
