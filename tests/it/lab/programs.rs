//! Real programs on loopback ports, ended when they are dropped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a program may take until it listens, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs, with the file that holds what it says.
pub(super) struct Running {
    child: Child,
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Below those that the kernel gives to clients, so that nobody takes it before it is used.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A port that is free now and is not given out again soon.
pub(super) fn free_port() -> u16 {
    loop {
        let step = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        let first = u16::try_from(std::process::id() % 8_000).expect("small");
        let port = 20_000 + (first + step) % 12_000;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Whether everything that `tests/run` installs has to be there.
fn is_strict() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// Whether a program is there; with `CI=true` it must be.
#[expect(clippy::print_stderr, reason = "what was left out is told")]
pub(super) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .any(|folder| folder.join(program).exists());
    assert!(found || !is_strict(), "{program} is missing");
    if !found {
        eprintln!("left out, because it is missing: {program}");
    }
    found
}

pub(super) fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/lab")
        .join(name)
}

/// Where the modules of the lab's own servers are put.
pub(super) fn modules() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
        .join("lab")
}

/// Installs a module where it is missing; without its registry what needs it is left out.
#[expect(clippy::print_stderr, reason = "what was left out is told")]
fn install(what: &str, program: &str, arguments: &[&str]) -> bool {
    let done = modules().join(format!("{what}.installed"));
    if done.exists() {
        return true;
    }
    if !has(program) {
        return false;
    }
    fs::create_dir_all(modules()).expect("a folder");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(modules())
        .output()
        .expect("the installer runs");
    let is_there = output.status.success();
    assert!(
        is_there || !is_strict(),
        "{what} cannot be installed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    if is_there {
        File::create(done).expect("a mark");
    } else {
        eprintln!("left out, because it cannot be installed: {what}");
    }
    is_there
}

/// The modules `ws` and `socket.io`.
pub(super) fn has_node() -> bool {
    let arguments = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        "ws@8",
        "socket.io@4",
    ];
    has("node") && install("node", "npm", &arguments)
}

/// The module `websockets`.
pub(super) fn has_python() -> bool {
    let arguments = [
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--root-user-action",
        "ignore",
        "--target",
        "python",
        "websockets",
    ];
    has("python3") && install("python", "python3", &arguments)
}

/// Starts a program in `folder`, which keeps its configuration and its log.
pub(super) fn start(system: &str, configuration: &str, folder: &Path) -> Running {
    let file = folder.join(format!("{system}.conf"));
    let text = whole(system, configuration, folder);
    fs::write(&file, &text).expect("a configuration");
    let mut command = match system {
        "nginx" => program("nginx", &["-e", "stderr", "-c"], Some(&file)),
        "haproxy" => program("haproxy", &["-db", "-f"], Some(&file)),
        "apache" => program("apache2", &["-X", "-f"], Some(&file)),
        "caddy" => program(
            "caddy",
            &["run", "--adapter", "caddyfile", "--config"],
            Some(&file),
        ),
        "squid" => program("squid", &["-N", "-f"], Some(&file)),
        "stunnel" => program("stunnel4", &[], Some(&file)),
        "openssl" => program("openssl", &words(configuration), None),
        "node" => {
            let mut node = Command::new("node");
            node.env("NODE_PATH", modules().join("node_modules"));
            node.arg(here("server.js")).args(words(configuration));
            node
        }
        "python" => {
            let mut python = Command::new("python3");
            python.env("PYTHONPATH", modules().join("python"));
            python.arg(here("server.py")).args(words(configuration));
            python
        }
        other => panic!("no program {other}"),
    };
    let log = folder.join(format!("{system}.log"));
    let out = File::create(&log).expect("a log");
    let child = command
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a log"))
        .stderr(out)
        .spawn()
        .unwrap_or_else(|error| panic!("{system}: {error}"));
    Running { child, log }
}

fn program(name: &str, arguments: &[&str], file: Option<&Path>) -> Command {
    let found = ["/usr/sbin", "/usr/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists());
    let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from(name)));
    command.args(arguments);
    command.args(file);
    command
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// What every configuration needs around it.
fn whole(system: &str, inner: &str, folder: &Path) -> String {
    let folder = folder.display();
    match system {
        "nginx" => format!(
            "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n\
             access_log off;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\n\
             scgi_temp_path {folder}/scgi;\n{inner}\n}}\n"
        ),
        "haproxy" => {
            let usual = match inner.contains("defaults\n") {
                true => "",
                false => {
                    "defaults\n    mode http\n    timeout connect 2s\n    timeout client 30s\n    \
                     timeout server 30s\n"
                }
            };
            format!("global\n    tune.ssl.default-dh-param 2048\n{usual}{inner}\n")
        }
        "apache" => {
            let modules: String = [
                "mpm_event",
                "authz_core",
                "authz_host",
                "authn_core",
                "authn_file",
                "auth_basic",
                "authz_user",
                "alias",
                "dir",
                "headers",
                "proxy",
                "proxy_http",
                "proxy_wstunnel",
                "rewrite",
                "setenvif",
                "socache_shmcb",
                "ssl",
            ]
            .iter()
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .collect();
            format!(
                "ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/apache.pid\n\
                 ServerName localhost\nErrorLog {folder}/apache-error.log\n{modules}\
                 DocumentRoot {folder}\n{inner}\n"
            )
        }
        "caddy" => {
            // There may be one block of global options only.
            let (options, sites) = match inner.trim_start().strip_prefix("{\n") {
                Some(rest) => rest.split_once("\n}\n").expect("global options"),
                None => ("", inner),
            };
            format!("{{\n    admin off\n    auto_https off\n{options}\n}}\n{sites}\n")
        }
        "squid" => format!(
            "pid_filename none\ncache_log /dev/stderr\naccess_log none\nnetdb_filename none\n\
             coredump_dir /tmp\npinger_enable off\ncache_mem 1 MB\nvisible_hostname lab\n\
             shutdown_lifetime 1 second\n{inner}\n"
        ),
        "stunnel" => format!("foreground = yes\npid =\ndebug = notice\n{inner}\n"),
        _ => String::new(),
    }
}

impl Running {
    /// Waits until it listens on the port. It looks at the kernel's list and does not connect: a
    /// server may count or answer a connection.
    pub(super) async fn listens_on(&mut self, port: u16) {
        let begun = Instant::now();
        while !is_listening(port) {
            let ended = self.child.try_wait().expect("a process");
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                panic!("does not listen on {port} ({ended:?}):\n{said}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_listening(port: u16) -> bool {
    let place = format!(":{port:04X} ");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|file| {
        let list = fs::read_to_string(file).unwrap_or_default();
        list.lines().any(|line| {
            let mut fields = line.split_whitespace();
            let own = fields.nth(1).unwrap_or_default();
            let state = fields.nth(1).unwrap_or_default();
            format!("{own} ").ends_with(&place) && state == "0A"
        })
    })
}
