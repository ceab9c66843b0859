#!/usr/bin/env python3
"""Write knowledge/patterns/libc-languages.toml from the GNU C library's translations.

usage: generate-libc-languages.py FOLDER > knowledge/patterns/libc-languages.toml

FOLDER holds the compiled translations as LANGUAGE/LC_MESSAGES/libc.mo, such as /usr/share/locale
where Debian's package libc-l10n is installed. The same files give the same text, byte for byte.

Programs print these through strerror() and gai_strerror() in the user's language. English is left
to the other pattern files, and so is every text that a language has not translated.
"""
import gettext
import json
import pathlib
import re
import sys

# id, the English text, facts, an English text whose translation must not match
MESSAGES = [
    ("refused", "Connection refused", {"tcp.connect": "refused"}, "Permission denied"),
    ("timed-out", "Connection timed out", {"tcp.connect": "timed-out"}, "Timer expired"),
    ("reset", "Connection reset by peer", {"tcp.connect": "reset"}, "Operation not permitted"),
    ("aborted", "Software caused connection abort", {"session.fault": "lost"}, "Operation canceled"),
    ("no-route", "No route to host", {"tcp.connect": "host-unreachable"}, "No such file or directory"),
    ("network-unreachable", "Network is unreachable", {"tcp.connect": "network-unreachable"}, "Is a directory"),
    ("name-unknown", "Name or service not known", {"dns.lookup": "not-found"}, "No such device"),
    ("name-temporary", "Temporary failure in name resolution", {"dns.lookup": "failing"}, "Non-recoverable failure in name resolution"),
    ("broken-pipe", "Broken pipe", {"session.fault": "lost"}, "Illegal seek"),
    ("port-in-use", "Address already in use", {"server.limit": "port-in-use"}, "Bad address"),
    ("descriptors", "Too many open files", {"server.limit": "descriptors"}, "File too large"),
]

# A text shorter than this many bytes says too little by itself.
SHORT = 12


def translations(folder):
    found = {}
    for path in sorted(folder.glob("*/LC_MESSAGES/libc.mo")):
        language = path.parent.parent.name
        if not language.startswith("en"):
            with path.open("rb") as file:
                found[language] = gettext.GNUTranslations(file)
    return found


def expression(text):
    """The text, its first letter of either case, its apostrophes of any kind."""
    words = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text.rstrip("."))
    words = re.sub("['’]", "['’]", words).replace("\u00a0", "[ \u00a0]")
    first = words[0]
    if first.lower() != first.upper() and len(first.lower()) == 1 and len(first.upper()) == 1:
        words = f"[{first.upper()}{first.lower()}]" + words[1:]
    return words


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def print_message(message, languages):
    name, english, facts, other = message
    alternatives, examples, misses = [], [], []
    for language, catalogue in languages.items():
        text = catalogue.gettext(english)
        if text == english or len(text.encode()) < SHORT:
            continue
        alternative = expression(text)
        if alternative in alternatives:
            continue
        alternatives.append(alternative)
        examples.append(text)
        miss = catalogue.gettext(other)
        if miss != other and len(misses) < 3:
            misses.append(miss)
    print(f"\n[[pattern]]\nid = \"libc-{name}-translated\"")
    print("regex = '''(?:" + "|".join(alternatives) + ")'''")
    print("facts = { " + ", ".join(f'"{key}" = "{value}"' for key, value in facts.items()) + " }")
    print("examples = [" + ", ".join(map(quoted, examples)) + "]")
    print("near_misses = [" + ", ".join(map(quoted, misses)) + "]")
    print("verified = true")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    languages = translations(pathlib.Path(sys.argv[1]))
    if not languages:
        sys.exit(f"no translation of the C library in {sys.argv[1]}")
    print("# What the GNU C library says of a failing connection, in the languages that it is translated")
    print("# into. Written by tools/generate-libc-languages.py; do not edit by hand.")
    print("#")
    print("# The texts are the GNU C library's translators' (https://translationproject.org/domain/libc.html),")
    print("# under the GNU Lesser General Public License 2.1 or later, as the library itself.")
    print(f"# {len(languages)} languages: {' '.join(languages)}")
    print('system = "libc-languages"\ntitle = "Linux, in other languages"')
    print('source = "https://translationproject.org/domain/libc.html"')
    for message in MESSAGES:
        print_message(message, languages)


main()
