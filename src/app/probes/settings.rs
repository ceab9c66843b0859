//! What the settings mean for probes.

use crate::config::Settings;
use crate::engine::evidence::Reach;
use crate::probe::Limits;
use crate::probe::policy::{AllowError, Allowed, Policy, Ports, PortsError};

/// A list in the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProbeSettingsError {
    /// An entry of `probe_allow`.
    #[error("probe_allow (--probe-allow or WSDOCTOR_PROBE_ALLOW): {0}")]
    Allow(#[from] AllowError),
    /// An entry of `probe_ports`.
    #[error("probe_ports (--probe-ports or WSDOCTOR_PROBE_PORTS): {0}")]
    Ports(#[from] PortsError),
}

/// What may be probed; `allow_private` only for one's own command line.
///
/// # Errors
/// A list cannot be read.
pub fn policy(settings: &Settings, allow_private: bool) -> Result<Policy, ProbeSettingsError> {
    Ok(Policy {
        allowed: Allowed::read(&settings.probe_allow)?,
        ports: Ports::read(&settings.probe_ports)?,
        allow_private,
    })
}

/// What may be probed, told as briefly as it is kept with every case.
pub(super) fn reach(settings: &Settings) -> Reach {
    if settings.probe_running == 0 || settings.probe_ports.is_empty() {
        Reach::Nowhere
    } else if settings.probe_allow.is_empty() {
        Reach::Public
    } else {
        Reach::Inside
    }
}

/// How long and how much.
pub fn limits(settings: &Settings) -> Limits {
    Limits {
        budget: settings.probe_budget,
        dns: settings.probe_dns_timeout,
        tcp: settings.probe_tcp_timeout,
        tls: settings.probe_tls_timeout,
        upgrade: settings.probe_upgrade_timeout,
        websocket: settings.probe_websocket_timeout,
        hold: settings.probe_hold_limit,
        header_bytes: settings.probe_header_bytes,
        body_bytes: settings.probe_body_bytes,
        message_bytes: settings.probe_message_bytes,
        connections: settings.probe_connections,
        ..Limits::default()
    }
}
