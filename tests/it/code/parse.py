"""Parses pieces of code: a JSON list of {"language", "text"} comes in, a JSON list of answers goes out.

An answer is null (right), {"line", "message"} (wrong), or "unknown" (no parser here). What Python
brings itself is parsed by it; YAML by PyYAML; the other languages by tree-sitter's grammars, which
take a fragment as readily as a whole file. Both are looked for in the folder that is the argument.
"""

import ast
import configparser
import importlib
import json
import re
import sys
import xml.etree.ElementTree

sys.path.insert(0, sys.argv[1])

GRAMMARS = {
    "c": "tree_sitter_c",
    "cpp": "tree_sitter_cpp",
    "csharp": "tree_sitter_c_sharp",
    "dart": "tree_sitter_dart",
    "elixir": "tree_sitter_elixir",
    "go": "tree_sitter_go",
    "html": "tree_sitter_html",
    "java": "tree_sitter_java",
    "jsx": "tree_sitter_javascript",
    "kotlin": "tree_sitter_kotlin",
    "php": "tree_sitter_php",
    "powershell": "tree_sitter_pwsh",
    "ruby": "tree_sitter_ruby",
    "rust": "tree_sitter_rust",
    "swift": "tree_sitter_swift",
    "ts": "tree_sitter_typescript",
}


def parse_python(text):
    try:
        ast.parse(text)
    except SyntaxError as error:
        return {"line": error.lineno or 1, "message": error.msg}
    return None


def parse_xml(text):
    """A fragment may be several elements, with prefixes that are declared further out."""
    prefixes = set(re.findall(r"[<\s/]([A-Za-z][\w-]*):[A-Za-z]", text)) - {"xmlns", "xml"}
    declared = " ".join(f'xmlns:{prefix}="any"' for prefix in sorted(prefixes))
    elements = re.sub(r"<\?xml[^>]*\?>", "", text)
    if re.fullmatch(r"\s*<[^<>]*[^<>/]>\s*", elements):     # what to write into an opening tag
        elements = elements.rstrip()[:-1] + "/>"
    try:
        xml.etree.ElementTree.fromstring(f"<any {declared}>{elements}</any>")
    except xml.etree.ElementTree.ParseError as error:
        return {"line": error.position[0], "message": str(error)}
    return None


def parse_ini(text):
    """Units of systemd repeat keys, and files of environment variables have no sections."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    try:
        parser.read_string("[before]\n" + text)
    except configparser.Error as error:
        return {"line": 1, "message": str(error)}
    return None


def parse_yaml(text):
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        return "unknown"
    try:
        list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {"line": mark.line + 1 if mark else 1, "message": str(error)}
    return None


def language_of(module):
    for name in ("language", "language_php", "language_typescript"):
        if hasattr(module, name):
            return getattr(module, name)()
    raise ImportError("a grammar without a language")


def first_wrong(node):
    if node.type == "ERROR" or node.is_missing:
        return node
    for child in node.children:
        if child.has_error or child.is_missing:
            return first_wrong(child)
    return node


def forms_of(language, text):
    """What a fragment may be a part of; no form moves a line."""
    if language == "php" and "<?php" not in text:
        return ["<?php " + text, "<?php class Any { " + text + "\n}", "<?php [" + text + "\n];"]
    if language == "go":
        return [text, "func any() { " + text + "\n}"]
    if language in ("c", "cpp"):
        return [text, "void any() { " + text + "\n}"]
    if language in ("java", "csharp", "dart"):
        return [text, "class Any { " + text + "\n}"]
    if language == "powershell":    # it hands `--http1.1` over as it is; the grammar stops at the dot
        return [re.sub(r"(?<=\s)--[\w-]+(?:\.\d+)+", "--option", text)]
    return [text]


def parse_with_grammar(language, text):
    try:
        tree_sitter = importlib.import_module("tree_sitter")
        module = importlib.import_module(GRAMMARS[language])
    except ImportError:
        return "unknown"
    parser = tree_sitter.Parser(tree_sitter.Language(language_of(module)))
    roots = [parser.parse(form.encode()).root_node for form in forms_of(language, text)]
    if not all(root.has_error for root in roots):
        return None
    wrong = first_wrong(roots[-1])
    words = wrong.text.decode()[:60] or "something missing"
    return {"line": wrong.start_point[0] + 1, "message": f"not understood: {words!r}"}


def parse(language, text):
    own = {"python": parse_python, "xml": parse_xml, "ini": parse_ini, "yaml": parse_yaml}
    if language in own:
        return own[language](text)
    return parse_with_grammar(language, text) if language in GRAMMARS else "unknown"


json.dump([parse(piece["language"], piece["text"]) for piece in json.load(sys.stdin)], sys.stdout)
