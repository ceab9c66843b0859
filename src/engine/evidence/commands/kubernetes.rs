//! Tables and descriptions of `kubectl`: pods, services, endpoints, endpoint slices, ingresses,
//! events.
//!
//! <https://kubernetes.io/docs/reference/kubectl/>,
//! <https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/>,
//! <https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/>

use super::super::reading::looks_like_socket;
use super::{Line, Output, Reading, Span, Word, add_on_server};

/// What a table lists, told by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Pods,
    Endpoints,
    EndpointSlices,
    Services,
    Ingresses,
    Other,
}

/// Events, in a table or a description. What a probe dials is not what the client dials, and a
/// container that fails is no rollout.
/// <https://kubernetes.io/docs/concepts/workloads/pods/probes/>
fn events(output: &Output<'_>, reading: &mut Reading) {
    if !output.holds_one_of(&["Back-off restarting failed container", " probe failed: "]) {
        return;
    }
    for line in output.lines() {
        if let Some(at) = line.text.find("Back-off restarting failed container") {
            let words = line.span_of(line.text[at..].trim_end());
            add_on_server(reading, "container.state", "exited", words);
            reading.add("environment.kubernetes", "yes", words);
            reading.owned.push(line.span());
        } else if let Some(at) = line.text.find(" probe failed: ") {
            let begin = line.text[..at].rfind(' ').map_or(0, |space| space + 1);
            let words = line.span_of(line.text[begin..].trim_end());
            add_on_server(reading, "upstream.health", "none", words);
            if line.text[at..].contains("connection refused") {
                add_on_server(reading, "server.listening", "none", words);
            }
            reading.add("environment.kubernetes", "yes", words);
            reading.owned.push(line.span());
            reading.regions.push(line.span());
        }
    }
}

/// NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE: a load balancer that never got its address leads
/// nobody in.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>
fn service(words: &[Word<'_>], reading: &mut Reading) {
    if let [_, kind, _, outside, ..] = words
        && kind.text == "LoadBalancer"
        && matches!(outside.text, "<pending>" | "<none>")
    {
        add_on_server(reading, "edge.config", "address-missing", outside.span);
    }
}

/// NAME CLASS HOSTS ADDRESS PORTS AGE, where ADDRESS stays empty until a controller takes the
/// ingress.
/// <https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource>
fn ingress(words: &[Word<'_>], reading: &mut Reading) {
    if let [_, class, hosts, ports, ..] = words
        && !hosts.text.ends_with(',')
        && ports
            .text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b',')
    {
        let span = if class.text == "<none>" {
            class.span
        } else {
            ports.span
        };
        add_on_server(reading, "edge.config", "address-missing", span);
    }
}

/// A pod's row.
#[derive(Debug)]
struct Pod<'a> {
    name: &'a str,
    is_ready: bool,
    restarts: u32,
    state: Word<'a>,
    span: Span,
}

/// A pod that restarted that often does so again and again.
const MANY_RESTARTS: u32 = 5;

/// Reads the output of `kubectl` in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    events(output, &mut reading);
    if !output.holds_one_of(&["NAME", "(<error: ", " ()"]) {
        return reading;
    }
    let mut table = None;
    let mut pods = Vec::new();
    for line in output.lines() {
        let words = line.words();
        if let Some((kind, offset)) = head(&words) {
            table = Some((kind, offset));
            reading.add("environment.kubernetes", "yes", line.span());
            continue;
        }
        if line.is_blank() {
            table = None;
        }
        match table {
            Some((Table::Pods, offset)) => pods.extend(pod(*line, words.get(offset..))),
            Some((Table::Services, offset)) => {
                service(words.get(offset..).unwrap_or_default(), &mut reading);
            }
            Some((Table::Ingresses, offset)) => {
                ingress(words.get(offset..).unwrap_or_default(), &mut reading);
            }
            Some((kind, offset)) => {
                endpoints(output, kind, *line, words.get(offset..), &mut reading)
            }
            None => described(*line, &mut reading),
        }
    }
    judge(&pods, &mut reading);
    reading
}

/// The kind of a table, and how many columns stand before the name (`-A` shows the namespace).
fn head(words: &[Word<'_>]) -> Option<(Table, usize)> {
    let names: Vec<&str> = words.iter().map(|word| word.text).collect();
    let offset = names.iter().take(2).position(|name| *name == "NAME")?;
    let has = |name: &str| names.contains(&name);
    let is_kubectl = has("AGE") && !has("IMAGE");
    let kind = if has("READY") && has("STATUS") && has("RESTARTS") {
        Table::Pods
    } else if has("ADDRESSTYPE") {
        Table::EndpointSlices
    } else if has("ENDPOINTS") {
        Table::Endpoints
    } else if has("EXTERNAL-IP") && has("PORT(S)") {
        Table::Services
    } else if has("CLASS") && has("HOSTS") && has("ADDRESS") {
        Table::Ingresses
    } else {
        Table::Other
    };
    is_kubectl.then_some((kind, offset))
}

/// NAME READY STATUS RESTARTS AGE, where RESTARTS may be `3 (2m ago)`.
fn pod<'a>(line: Line<'a>, words: Option<&[Word<'a>]>) -> Option<Pod<'a>> {
    let words = words?;
    let (ready, all) = words.get(1)?.text.split_once('/')?;
    Some(Pod {
        name: words.first()?.text,
        is_ready: ready == all,
        restarts: words.get(3)?.text.parse().ok()?,
        state: *words.get(2)?,
        span: line.span(),
    })
}

/// A row of endpoints: those of a service that counts must not be empty.
fn endpoints(
    output: &Output<'_>,
    table: Table,
    line: Line<'_>,
    words: Option<&[Word<'_>]>,
    reading: &mut Reading,
) {
    let column = match table {
        Table::Endpoints => 1,
        Table::EndpointSlices => 3,
        _ => return,
    };
    let Some([name, ..]) = words else {
        return;
    };
    reading.owned.push(line.span());
    let Some(addresses) = words.and_then(|words| words.get(column)) else {
        return;
    };
    let is_empty = matches!(addresses.text, "<none>" | "<unset>");
    let counts = looks_like_socket(name.text)
        || output
            .host()
            .is_some_and(|host| host.split('.').next() == Some(name.text))
        || is_only_row(output, line);
    if is_empty && counts {
        reading.add("upstream.health", "none", addresses.span);
    }
}

/// Whether the table has no other row than this and that of the cluster's own service.
fn is_only_row(output: &Output<'_>, line: Line<'_>) -> bool {
    let at = output
        .lines()
        .partition_point(|other| other.start < line.start);
    let is_row =
        |other: &&Line<'_>| !other.is_blank() && !other.text.trim_start().starts_with("kubernetes");
    let before = output.lines()[..at]
        .iter()
        .rev()
        .take(3)
        .take_while(|other| !other.text.contains("NAME"))
        .filter(is_row)
        .count();
    let after = output.lines()[at + 1..]
        .iter()
        .take(3)
        .take_while(|other| !other.is_blank())
        .filter(is_row)
        .count();
    before + after == 0
}

/// A line of `kubectl describe`.
fn described(line: Line<'_>, reading: &mut Reading) {
    let text = line.text;
    // Rules of an ingress: `/ws   chat:3000 (<error: endpoints "chat" not found>)` and
    // `(<error: services "chat" not found>)`; a service without pods has empty parentheses.
    if let Some(at) = text.find("(<error: ") {
        let error = text[at..].trim_end();
        reading.add("upstream.health", "none", line.span_of(error));
        reading.add("environment.kubernetes", "yes", line.span());
    } else if let Some(before) = text.trim_end().strip_suffix(" ()")
        && text.starts_with(' ')
        && before.split_whitespace().last().is_some_and(is_backend)
    {
        reading.add("upstream.health", "none", line.span());
        reading.add("environment.kubernetes", "yes", line.span());
    }
}

/// `chat:3000` or `chat:http`.
fn is_backend(word: &str) -> bool {
    word.split_once(':')
        .is_some_and(|(name, port)| !name.is_empty() && !port.is_empty() && !port.contains(':'))
}

/// Says what the pods show together.
fn judge(pods: &[Pod<'_>], reading: &mut Reading) {
    let failing = pods.iter().find(|pod| {
        !pod.is_ready
            && [
                "CrashLoop",
                "Error",
                "OOMKilled",
                "ImagePull",
                "ErrImage",
                "CreateContainer",
                "RunContainer",
            ]
            .iter()
            .any(|state| pod.state.text.contains(state))
    });
    if let Some(pod) = failing {
        add_on_server(reading, "container.state", "exited", pod.state.span);
        return;
    }
    if let Some(pod) = pods.iter().find(|pod| pod.restarts >= MANY_RESTARTS) {
        add_on_server(reading, "server.process", "restarting", pod.span);
    } else if !pods.is_empty()
        && pods
            .iter()
            .all(|pod| pod.is_ready && pod.state.text == "Running")
    {
        add_on_server(reading, "server.process", "running", pods[0].span);
    } else if let Some(pod) = pods
        .iter()
        .find(|pod| pod.state.text == "Running" && !pod.is_ready)
    {
        // A pod that is not ready gets no requests.
        reading.add("upstream.health", "none", pod.span);
    }
    instances(pods, reading);
}

/// Whether one deployment runs as one pod or as several.
fn instances(pods: &[Pod<'_>], reading: &mut Reading) {
    let deployment = |name: &str| -> Option<String> {
        let mut parts: Vec<&str> = name.split('-').collect();
        (parts.len() >= 3).then(|| {
            parts.truncate(parts.len() - 2);
            parts.join("-")
        })
    };
    let mut seen = std::collections::HashSet::new();
    for pod in pods.iter().filter(|pod| pod.state.text == "Running") {
        if let Some(name) = deployment(pod.name)
            && !seen.insert(name)
        {
            add_on_server(reading, "environment.instances", "several", pod.span);
            return;
        }
    }
}
