"""Text from anywhere made harmless in Markdown and LaTeX. HTML is escaped by jinja2 itself."""

from __future__ import annotations

import html
import re

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "—": "---",
    "†": r"\dag{}",
    "∞": r"$\infty$",
    "Δ": r"$\Delta$",
}

_MARKUP = re.compile(
    r"[\\`*\[\]|~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word, as in abs_rel, it is no markup
)
_START = re.compile(r"^(\d*)([-+#.)])(?=[-#\s]|$)")
"""Of a heading or a list."""
_MINUS = re.compile(r"(?<!\S)-(?=\d|\$\\infty)")
"""Of a number; within a word it is a hyphen."""


def one_line(text: object) -> str:
    """The text in one line, without control characters."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", str(text)).strip()


def tex(text: object) -> str:
    """The text as LaTeX shows it; characters that pdflatex may lack become `?`."""
    shown = (_TEX.get(c) or (c if ord(c) < 0x180 else "?") for c in one_line(text))
    return re.sub(_MINUS, "$-$", "".join(shown))


def markdown(text: object) -> str:
    """The text as Markdown shows it, in a table too: no markup, no HTML, no links."""
    escaped = re.sub(_START, r"\1\\\2", re.sub(_MARKUP, r"\\\g<0>", one_line(text)))
    return html.escape(escaped, quote=False).replace("://", ":&#47;&#47;")


def code(text: object) -> str:
    """The text as Markdown code, fenced by more backticks than it holds in a row."""
    line = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if not line or line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"
