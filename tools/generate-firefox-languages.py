#!/usr/bin/env python3
"""Write knowledge/patterns/firefox-languages.toml from Firefox's language packs.

usage: generate-firefox-languages.py FOLDER > knowledge/patterns/firefox-languages.toml

FOLDER holds language packs of one version of Firefox: files `*.xpi`, or Debian's packages
`firefox-esr-l10n-*.deb` that contain them (`apt-get download $(apt-cache pkgnames
firefox-esr-l10n-)`; needs `dpkg-deb`). The same packs give the same file, byte for byte.

Firefox writes "connectionFailure" and "netInterrupt" of appstrings.properties to the console for
a WebSocket (dom/websocket/WebSocket.cpp); the other messages stand in its error pages, or in the
console for a page whose own policy stops a socket. English is left to patterns/firefox.toml, and
so is every text that a language has not translated.
"""
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

APPSTRINGS = "locale/browser/appstrings.properties"
SECURITY = "global/security/security.properties"
CSP = "global/security/csp.properties"

# id, file, key, facts, key of a message of the same language that must not match, what `%S` is
MESSAGES = [
    ("cannot-establish", APPSTRINGS, "connectionFailure", {"client.reason": "hidden"}, "fileNotFound", "address"),
    ("interrupted", APPSTRINGS, "netInterrupt", {"client.fault": "interrupted-while-loading"}, "fileNotFound", "address"),
    ("too-long", APPSTRINGS, "netTimeout", {"tcp.connect": "timed-out"}, "serverError", "host"),
    ("reset", APPSTRINGS, "netReset", {"tcp.connect": "reset"}, "redirectLoop", "host"),
    ("proxy-refusing", APPSTRINGS, "proxyConnectFailure", {"tunnel.fault": "connection"}, "redirectLoop", "host"),
    ("proxy-not-found", APPSTRINGS, "proxyResolveFailure", {"tunnel.fault": "name"}, "redirectLoop", "host"),
    ("offline", APPSTRINGS, "netOffline", {"client.network": "offline"}, "redirectLoop", "host"),
    ("port-refused", APPSTRINGS, "deniedPortAccess", {"tcp.connect": "unsafe-port"}, "redirectLoop", "host"),
    ("mixed-active", SECURITY, "BlockMixedActiveContent", {"client.fault": "mixed-content"}, "BlockMixedDisplayContent", "plain"),
    ("upgrading", CSP, "upgradeInsecureRequest", {"client.fault": "mixed-content"}, None, "plain"),
    ("mixed-blocked", CSP, "blockAllMixedContent", {"client.fault": "mixed-content"}, None, "plain"),
    ("csp", CSP, "CSPGenericViolation", {"client.fault": "csp-blocked"}, "CSPScriptViolation", "csp"),
]

# Languages by their first letter: an expression's alternatives must not be too many.
PARTS = [("a-to-e", "abcde"), ("f-to-l", "fghijkl"), ("m-to-z", "mnopqrstuvwxyz")]

# Texts whose fixed words are shorter than this many bytes must name a WebSocket address; where they
# name no address at all, they are left out, as is dnsNotFound2, which many languages word as what
# any program might say ("the connection to the server failed").
SHORT = 36
MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
ADDRESS = "wss://chat.example.org/ws"
FILLED = {
    "address": {"S": ADDRESS},
    "host": {"S": "chat.example.org"},
    "plain": {"S": "ws://chat.example.org/ws", "2$S": "wss"},
    "csp": {"1$S": "connect-src 'self'", "2$S": ADDRESS, "3$S": "connect-src"},
}


def packs(folder):
    """Yields the language packs' bytes, whatever they are wrapped in."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".xpi":
            yield path.read_bytes()
        elif path.suffix == ".deb":
            tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True)
            with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as archive:
                for member in archive:
                    if member.name.endswith(".xpi"):
                        yield archive.extractfile(member).read()


def properties(text):
    """Reads a .properties file: `key = value`, with backslashes before what is taken literally."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), value.strip())
            value = value.replace("\\n", " ").replace("\\", "")
            found[key.strip()] = value.translate(MARKS).strip()
    return found


def languages(folder):
    """The texts of every language: its name, then file and key."""
    texts, versions = {}, set()
    for pack in packs(folder):
        archive = zipfile.ZipFile(io.BytesIO(pack))
        manifest = json.loads(archive.read("manifest.json"))
        versions.add(manifest["version"].split(".")[0])
        language = manifest["langpack_id"]
        of_language = texts.setdefault(language, {})
        for name in archive.namelist():
            for file in (APPSTRINGS, SECURITY, CSP):
                if name.endswith(file):
                    of_language.update({(file, key): value for key, value in properties(archive.read(name).decode()).items()})
    return texts, sorted(versions)


def pieces(text):
    """The fixed words of a text and what stands between them, in turn."""
    return re.split(r"%((?:[0-9]\$)?S)", text)


def escaped(words):
    """Words as an expression; apostrophes and spaces of any kind."""
    words = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", words)
    return re.sub("['’]", "['’]", words).replace("\u00a0", "[ \u00a0]").replace("\u202f", "[ \u202f]")


def place(kind, name, is_short):
    """What may stand where a text has a placeholder."""
    if kind == "plain":
        return "wss?" if name.startswith("2") else r"ws://[^\n ]+?"
    if kind == "csp":
        return {"1$S": r"[^\n]*?", "2$S": r"wss?://[^\n ]+?", "3$S": r"[^\n]{0,40}?"}[name]
    if kind == "address" and is_short:
        return r"wss?://[^\n ]+?"
    return r"[^\n ]+?"


def expression(text, kind):
    parts = pieces(text.rstrip(" .。।։᱾۔”\"»"))
    is_short = sum(len(words.encode()) for words in parts[::2]) < SHORT
    if is_short and kind == "host":
        return None
    body = "".join(place(kind, part, is_short) if odd % 2 else escaped(part) for odd, part in enumerate(parts))
    # An address at the end is matched as far as it goes.
    return re.sub(r"\+\?$", "+", body)


def filled(text, kind):
    values = FILLED[kind]
    parts = pieces(text)
    return "".join(values.get(part, values.get("S")) if odd % 2 else part for odd, part in enumerate(parts))


def quoted(text):
    return json.dumps(text, ensure_ascii=False).replace("\u007f", "\\u007f")


def print_part(message, part, texts, english):
    name, file, key, facts, other, kind = message
    label, letters = part
    alternatives, examples, misses = [], [], []
    for language in sorted(texts):
        text = texts[language].get((file, key))
        if language[0] not in letters or not text or text in english:
            continue
        alternative = expression(text, kind)
        if alternative is None or alternative in alternatives:
            continue
        alternatives.append(alternative)
        examples.append(filled(text, kind))
        miss = texts[language].get((file, other))
        if miss and miss not in english and len(misses) < 3:
            misses.append(filled(miss, "csp" if kind == "csp" else "host"))
    if not alternatives:
        return
    # Where no other message is alike: the same words about an address that is no socket's.
    misses = misses or [examples[0].replace("ws://", "http://")]
    print(f"\n[[pattern]]\nid = \"firefox-{name}-in-{label}\"")
    print("regex = '''(?:" + "|".join(alternatives) + ")'''")
    print("facts = { " + ", ".join(f'"{key}" = "{value}"' for key, value in facts.items()) + " }")
    print("examples = [" + ", ".join(map(quoted, examples)) + "]")
    print("near_misses = [" + ", ".join(map(quoted, misses)) + "]")
    print("verified = true")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    texts, versions = languages(pathlib.Path(sys.argv[1]))
    if not texts:
        sys.exit(f"no language pack in {sys.argv[1]}")
    english = {text for language in texts if language.startswith("en-") for text in texts[language].values()}
    print("# Firefox's messages in the languages that it is shipped in. Written by")
    print("# tools/generate-firefox-languages.py from the language packs; do not edit by hand.")
    print("#")
    print("# The texts are Mozilla's (https://github.com/mozilla-l10n/firefox-l10n), under the Mozilla")
    print("# Public License 2.0 (https://mozilla.org/MPL/2.0/), and so is this file.")
    print(f"# Firefox {', '.join(versions)}; {len(texts)} languages: {' '.join(sorted(texts))}")
    print('system = "firefox-languages"\ntitle = "Firefox in other languages"')
    print('source = "https://github.com/mozilla-l10n/firefox-l10n"')
    print('facts = { "client.engine" = "firefox" }')
    for message in MESSAGES:
        for part in PARTS:
            print_part(message, part, texts, english)


main()
