"""Rust source as tokens, without comments."""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n]*)
  | (?P<block>/\*)
  | (?P<raw>(?:b|c)?r(?P<hashes>\#*)".*?"(?P=hashes))
  | (?P<string>[bc]?"(?:\\.|[^"\\])*")
  | (?P<char>b?'(?:\\u\{[^}]*\}|\\x..|\\.|[^\\'])')
  | (?P<lifetime>'[^\W\d]\w*)
  | (?P<word>(?:r\#)?[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<mark>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word, a mark (`::` is one), or something with quotes; the line it begins in."""

    kind: str
    text: str
    line: int


def tokens(text):
    """All tokens of a file."""
    found, at, line = [], 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        kind, end = match.lastgroup, match.end()
        if match["raw"]:
            kind = "raw"
        if kind == "block":
            end = block_comment_end(text, at)
        elif kind not in ("space", "comment"):
            found.append(Token(kind, match[0].removeprefix("r#") if kind == "word" else match[0], line))
        line += text.count("\n", at, end)
        at = end
    return found


def block_comment_end(text, at):
    """Where the block comment that begins at `at` ends: block comments nest."""
    depth = 0
    for match in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return at + match.end()
    return len(text)
