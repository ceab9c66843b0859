//! Two machines in network namespaces of their own: firewalls, names and routes at will. Only root
//! may make them.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::programs::{self, here};
use super::{Seen, table};

/// The names of the two namespaces, removed when dropped.
struct Machines {
    client: String,
    server: String,
    programs: Vec<Child>,
}

const SERVER: &str = "10.213.7.2";

fn run(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output();
    output.is_ok_and(|output| output.status.success())
}

impl Drop for Machines {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
        for name in [&self.client, &self.server] {
            run(&format!("ip netns del {name}"));
        }
        let _ = fs::remove_dir_all(self.names_folder());
    }
}

impl Machines {
    /// None where namespaces cannot be made.
    fn make() -> Option<Self> {
        let number = std::process::id();
        let machines = Machines {
            client: format!("wsdoctor-c{number}"),
            server: format!("wsdoctor-s{number}"),
            programs: Vec::new(),
        };
        let (client, server) = (&machines.client, &machines.server);
        let is_made = [
            format!("ip netns add {client}"),
            format!("ip netns add {server}"),
            format!("ip -n {client} link add c0 type veth peer name s0 netns {server}"),
            format!("ip -n {client} addr add 10.213.7.1/24 dev c0"),
            format!("ip -n {server} addr add {SERVER}/24 dev s0"),
            format!("ip -n {client} link set c0 up"),
            format!("ip -n {server} link set s0 up"),
            format!("ip -n {client} link set lo up"),
            format!("ip -n {server} link set lo up"),
        ]
        .iter()
        .all(|line| run(line));
        fs::create_dir_all(machines.names_folder()).ok()?;
        let resolver = machines.names_folder().join("resolv.conf");
        fs::write(
            resolver,
            "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        )
        .ok()?;
        is_made.then_some(machines)
    }

    fn names_folder(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.client)
    }

    /// Starts a program in a namespace and gives it time to listen.
    fn start(&mut self, namespace: &str, program: &str, script: &str, words: &[&str]) {
        let child = Command::new("ip")
            .args(["netns", "exec", namespace, program])
            .arg(here(script))
            .args(words)
            .env("NODE_PATH", programs::modules().join("node_modules"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ip");
        self.programs.push(child);
        std::thread::sleep(Duration::from_millis(1500));
    }

    fn on_server(&self, rule: &str) {
        assert!(
            run(&format!("ip netns exec {} {rule}", self.server)),
            "{rule}"
        );
    }

    /// The command line's answer in the client's namespace.
    fn probe(&self, url: &str) -> Value {
        let output = Command::new("ip")
            .args([
                "netns",
                "exec",
                &self.client,
                env!("CARGO_BIN_EXE_wsdoctor"),
            ])
            .args(["probe", url, "--allow-private", "--format", "json"])
            .output()
            .expect("ip");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{url}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn seen(&self, name: &str, url: &str, right: &str) -> Seen {
        let report = self.probe(url);
        let diagnosis = &report["diagnosis"];
        let is_healthy = diagnosis["verdict"]["kind"] == "healthy";
        let first = &diagnosis["causes"][0];
        let root = first["id"].as_str().unwrap_or_default();
        let narrower = first["variants"].as_array().and_then(|all| all.first());
        let probability = first["probability"].as_f64().unwrap_or_default();
        let cause = match narrower {
            _ if is_healthy => "healthy",
            Some(one) if one["probability"].as_f64().unwrap_or_default() > probability / 2.0 => {
                one["id"].as_str().unwrap_or_default()
            }
            _ => root,
        };
        let is_right = right == cause || (!is_healthy && right == root);
        Seen {
            name: name.to_owned(),
            facts: table::facts_of(
                report["facts"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|fact| {
                        let text = |key: &str| fact[key].as_str().unwrap_or_default().to_owned();
                        (text("key"), text("value"))
                    }),
            ),
            cause: cause.to_owned(),
            probability,
            after: None,
            complaints: (!is_right)
                .then(|| format!("{cause} instead of {right}: {report:#}"))
                .into_iter()
                .collect(),
        }
    }
}

/// All set-ups that need two machines; none where they cannot be made.
#[expect(clippy::print_stderr, reason = "what was left out is told")]
pub(super) fn examine() -> Vec<Seen> {
    let is_strict = std::env::var("CI").as_deref() == Ok("true");
    if !(programs::has("ip") && programs::has("iptables") && programs::has_node()) {
        return Vec::new();
    }
    let Some(mut machines) = Machines::make() else {
        assert!(!is_strict, "network namespaces cannot be made");
        eprintln!("left out, because network namespaces cannot be made: firewalls, names, routes");
        return Vec::new();
    };
    let server = machines.server.clone();
    machines.start(&server, "node", "server.js", &["ws-everywhere", "8080"]);
    machines.start(&server, "node", "server.js", &["ws", "8081"]);
    let url = format!("ws://{SERVER}:8080/ws");
    let mut all = vec![machines.seen("another machine, healthy", &url, "healthy")];
    let drop = "INPUT -p tcp --dport 8080 -j DROP";
    machines.on_server(&format!("iptables -A {drop}"));
    let mut filtered = machines.seen("filtered port: DROP", &url, "tcp-firewall-drop");
    machines.on_server(&format!("iptables -D {drop}"));
    filtered.after = Some(machines.seen("mended", &url, "healthy").cause);
    all.push(filtered);
    let reject = "INPUT -p tcp --dport 8080 -j REJECT --reject-with icmp-host-prohibited";
    machines.on_server(&format!("iptables -A {reject}"));
    let mut rejected = machines.seen("filtered port: REJECT", &url, "tcp-firewall-reject");
    machines.on_server(&format!("iptables -D {reject}"));
    rejected.after = Some(machines.seen("mended", &url, "healthy").cause);
    all.push(rejected);
    all.push(machines.seen(
        "listens on 127.0.0.1 of another machine",
        &format!("ws://{SERVER}:8081/ws"),
        "tcp-bound-to-loopback",
    ));
    all.push(machines.seen(
        "no route",
        "ws://10.99.1.1:8080/ws",
        "tcp-network-unreachable",
    ));
    all.push(machines.seen(
        "no such machine",
        "ws://10.213.7.77:8080/ws",
        "tcp-network-unreachable",
    ));
    all.extend(names(&mut machines));
    all
}

fn names(machines: &mut Machines) -> Vec<Seen> {
    let client = machines.client.clone();
    let url = "wss://missing.example.com/ws";
    let known = "ws://chat.example.com:8080/ws";
    let mut all = vec![machines.seen("no name server", url, "dns-resolver-failing")];
    for (answer, url, cause) in [
        ("nxdomain", url, "dns-name-not-found"),
        ("nodata", url, "dns-name-not-found"),
        ("alias", url, "dns-name-not-found"),
        ("servfail", url, "dns-resolver-failing"),
        ("silent", url, "dns-resolver-failing"),
        ("aaaa-servfail", known, "healthy"),
        ("aaaa-silent", known, "healthy"),
    ] {
        machines.start(&client, "python3", "names.py", &[answer]);
        all.push(machines.seen(&format!("name server: {answer}"), url, cause));
        if let Some(mut program) = machines.programs.pop() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
    all
}
