//! Whether the server runs: `systemctl`, `pm2 ls`, and whether another scheme works in `wscat`.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/systemctl.html>,
//! <https://pm2.keymetrics.io/docs/usage/quick-start/>, <https://github.com/websockets/wscat>

use super::super::reading::looks_like_socket;
use super::{Line, Output, Reading, Word, add_on_server};

/// A program that PM2 restarted that often does not stay up.
const MANY_RESTARTS: u32 = 10;

/// Reads the states of services in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    if output.holds("Active: ") {
        status(output, &mut reading);
    }
    if output.holds(".service") {
        units(output, &mut reading);
    }
    if output.holds("│") && output.holds("status") {
        pm2(output, &mut reading);
    }
    if output.holds("== ws") {
        schemes(output, &mut reading);
    }
    reading
}

/// `Active: failed (Result: exit-code) since ...` of `systemctl status`.
fn status(output: &Output<'_>, reading: &mut Reading) {
    for line in output.lines() {
        let Some(state) = line.text.trim_start().strip_prefix("Active: ") else {
            continue;
        };
        let value = if state.starts_with("active (running)") {
            "running"
        } else if state.starts_with("failed") || state.starts_with("inactive") {
            "stopped"
        } else if state.starts_with("activating (auto-restart)") {
            "restarting"
        } else {
            continue;
        };
        add_on_server(reading, "server.process", value, line.span());
        return;
    }
}

/// UNIT LOAD ACTIVE SUB DESCRIPTION of `systemctl list-units`. Which unit is the server is known
/// only of one that fails or is named after sockets.
fn units(output: &Output<'_>, reading: &mut Reading) {
    let mut running = None;
    for line in output.lines() {
        let words = line.words();
        let at = words
            .iter()
            .take(2)
            .position(|word| word.text.ends_with(".service"));
        let Some([unit, loaded, active, sub]) = at
            .and_then(|at| words.get(at..at + 4))
            .and_then(|row| <&[Word<'_>; 4]>::try_from(row).ok())
        else {
            continue;
        };
        if loaded.text != "loaded" {
            continue;
        }
        let is_own = looks_like_socket(unit.text) || unit.text.contains("chat");
        match (active.text, sub.text) {
            ("failed", _) => {
                add_on_server(reading, "server.process", "stopped", line.span());
                return;
            }
            ("activating", "auto-restart") => {
                add_on_server(reading, "server.process", "restarting", line.span());
                return;
            }
            ("active", "running") if is_own => running = Some(line.span()),
            _ => {}
        }
    }
    if let Some(span) = running {
        add_on_server(reading, "server.process", "running", span);
    }
}

/// A row between bars: id, name, mode, restarts, status, ...; which column is which, the head says.
fn pm2(output: &Output<'_>, reading: &mut Reading) {
    let cells = |line: &Line<'_>| -> Vec<String> {
        line.text
            .split('│')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let Some((index, head)) = output
        .lines()
        .iter()
        .enumerate()
        .map(|(index, line)| (index, cells(line)))
        .find(|(_, head)| head.iter().any(|cell| cell == "status"))
    else {
        return;
    };
    let column = |name: &str| head.iter().position(|cell| cell == name);
    let rows: Vec<(&Line<'_>, Vec<String>)> = output.lines()[index + 1..]
        .iter()
        .take_while(|line| !line.is_blank())
        .map(|line| (line, cells(line)))
        .filter(|(_, row)| row.len() == head.len())
        .collect();
    let cell = |row: &[String], name: &str| -> String {
        column(name)
            .and_then(|at| row.get(at).cloned())
            .unwrap_or_default()
    };
    let has_state = |states: &[&str]| {
        rows.iter()
            .find(|(_, row)| states.contains(&cell(row, "status").as_str()))
    };
    let restarts = |row: &[String]| cell(row, "↺").parse().unwrap_or(0_u32);
    if let Some((line, _)) = has_state(&["errored", "stopped"]) {
        add_on_server(reading, "server.process", "stopped", line.span());
    } else if let Some((line, _)) = has_state(&["waiting restart", "launching"])
        .or_else(|| rows.iter().find(|(_, row)| restarts(row) >= MANY_RESTARTS))
    {
        add_on_server(reading, "server.process", "restarting", line.span());
    } else if let Some((line, _)) = has_state(&["online"]) {
        add_on_server(reading, "server.process", "running", line.span());
    }
    // Several processes under one name take turns with the requests.
    let mut names = std::collections::HashSet::new();
    let twin = rows
        .iter()
        .filter(|(_, row)| cell(row, "status") == "online")
        .find(|(_, row)| !names.insert(cell(row, "name")));
    if let Some((line, _)) = twin {
        add_on_server(reading, "environment.instances", "several", line.span());
    }
}

/// Two attempts with wscat, one a scheme, below the marks `== ws` and `== wss`.
fn schemes(output: &Output<'_>, reading: &mut Reading) {
    let mut sections: Vec<(&str, Option<&Line<'_>>, Option<&Line<'_>>)> = Vec::new();
    for line in output.lines() {
        match line.text.trim() {
            "== ws" => sections.push(("ws", None, None)),
            "== wss" => sections.push(("wss", None, None)),
            text => {
                let Some(last) = sections.last_mut() else {
                    continue;
                };
                if text.starts_with("Connected (press") {
                    last.1 = Some(line);
                } else if text.starts_with("error:") {
                    last.2 = Some(line);
                }
            }
        }
    }
    let [(_, first, first_error), (_, second, second_error)] = sections.as_slice() else {
        return;
    };
    let is_encrypted = output
        .dialled
        .is_some_and(|address| address.scheme == "wss");
    let (own, other, own_error, other_error) = if is_encrypted {
        (second, first, second_error, first_error)
    } else {
        (first, second, first_error, second_error)
    };
    match (own, other) {
        (None, Some(line)) => {
            reading.add("works.other-scheme", "yes", line.span());
            reading.owned.push(line.span());
        }
        (None, None) => {
            if let Some(line) = other_error.or(*own_error) {
                reading.add("works.other-scheme", "no", line.span());
            }
        }
        (Some(_), None) => {
            // That the port speaks one of both is right; the other's error is no fault.
            reading.owned.extend(other_error.map(|line| line.span()));
        }
        (Some(_), Some(_)) => {}
    }
    if own.is_none() && other.is_some() {
        reading.owned.extend(other_error.map(|line| line.span()));
    }
}
