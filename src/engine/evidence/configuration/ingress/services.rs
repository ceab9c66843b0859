//! The Services behind an Ingress, and the containers behind those.

use super::super::yaml::Entry;
use super::{Controller, Draft, Object, Reading, Rule, annotate, controller};

/// The Service that the rule names.
fn service_of<'o, 'a, 'b>(
    objects: &'o [Object<'a, 'b>],
    rule: &Rule<'_>,
) -> Option<&'o Object<'a, 'b>> {
    objects.iter().find(|object| {
        object.is("Service")
            && object
                .get(&["metadata", "name"])
                .is_some_and(|name| name.value == rule.service)
    })
}

/// Whether the Service has the port that the rule names.
pub(super) fn look_at_service(
    objects: &[Object<'_, '_>],
    rule: &Rule<'_>,
    reading: &mut Reading,
    draft: &mut Draft,
) {
    let (Some(service), Some((port, span))) = (service_of(objects, rule), rule.port) else {
        return;
    };
    let ports: Vec<&str> = service
        .entries
        .iter()
        .filter(|entry| entry.ends_with(&["ports", "-", "port"]))
        .map(|entry| entry.value)
        .collect();
    let is_named = service
        .entries
        .iter()
        .any(|entry| entry.ends_with(&["ports", "-", "name"]) && entry.value == port);
    if ports.is_empty() || ports.contains(&port) || is_named {
        return;
    }
    reading.add("upstream.health", "no-server", span);
    draft.fault(
        format!(
            "The Service {} has no port {port}, but {}.",
            rule.service,
            ports.join(", ")
        ),
        span,
    );
    if let [only] = ports.as_slice() {
        draft.replace(span, *only);
    }
}

/// Whether the containers behind the Service have the port to which it leads. A port need not be
/// named to be open, so that another number is only a hint; another name is an error.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports>
pub(super) fn look_at_containers(
    objects: &[Object<'_, '_>],
    rule: &Rule<'_>,
    reading: &mut Reading,
    draft: &mut Draft,
) {
    let Some(service) = service_of(objects, rule) else {
        return;
    };
    let selected = |object: &&Object<'_, '_>| {
        let mut wanted = service
            .entries
            .iter()
            .filter(|entry| matches!(entry.path.as_slice(), ["spec", "selector", _]))
            .peekable();
        wanted.peek().is_some()
            && wanted.all(|entry| {
                let label = entry.path.last().copied().unwrap_or_default();
                object
                    .get(&["spec", "template", "metadata", "labels", label])
                    .is_some_and(|known| known.value == entry.value)
            })
    };
    let mut workloads = objects.iter().filter(selected);
    let (Some(workload), None) = (workloads.next(), workloads.next()) else {
        return;
    };
    let of = |key: &str| -> Vec<&str> {
        workload
            .entries
            .iter()
            .filter(|entry| entry.ends_with(&["containers", "-", "ports", "-", key]))
            .map(|entry| entry.value)
            .collect()
    };
    let (numbers, names) = (of("containerPort"), of("name"));
    let targets: Vec<&Entry<'_>> = service
        .entries
        .iter()
        .filter(|entry| entry.ends_with(&["ports", "-", "targetPort"]))
        .copied()
        .collect();
    let [target] = targets.as_slice() else { return };
    if numbers.is_empty() || numbers.contains(&target.value) || names.contains(&target.value) {
        return;
    }
    let is_number = target.value.parse::<u16>().is_ok();
    if is_number {
        draft.hint(
            format!(
                "The Service {} leads to port {}, and its containers name {}.",
                rule.service,
                target.value,
                numbers.join(", ")
            ),
            target.span,
        );
    } else {
        reading.add("upstream.health", "no-server", target.span);
        draft.fault(
            format!(
                "No port of the containers is called {}, so the Service {} leads nowhere.",
                target.value, rule.service
            ),
            target.span,
        );
    }
    if let [only] = numbers.as_slice() {
        draft.replace(target.value_span, *only);
    }
}

/// Socket.IO behind several instances needs its client's requests at one of them.
pub(super) fn look_at_instances(
    text: &str,
    objects: &[Object<'_, '_>],
    ingress: &Object<'_, '_>,
    draft: &mut Draft,
) {
    let several = objects
        .iter()
        .filter_map(|object| object.get(&["spec", "replicas"]))
        .find(|entry| entry.value.parse::<u32>().is_ok_and(|count| count > 1));
    let is_sticky = ingress
        .annotation("nginx.ingress.kubernetes.io/affinity")
        .is_some();
    let is_socketio = memchr::memmem::find(text.as_bytes(), b"socket.io").is_some();
    if let (Some(entry), false, true, Controller::IngressNginx) =
        (several, is_sticky, is_socketio, controller(ingress))
    {
        draft.hint(
            format!("{} instances without affinity: Socket.IO's requests of one client come to different ones, which know nothing of its session.", entry.value),
            entry.span,
        );
        annotate(
            text,
            ingress,
            &[("nginx.ingress.kubernetes.io/affinity", "cookie")],
            draft,
        );
    }
}
