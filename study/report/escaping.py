"""Text from anywhere made harmless in HTML, Markdown and LaTeX.

jinja2 escapes the markup of HTML itself; what is left to do there is to make `visible` what would
act without being seen.
"""

from __future__ import annotations

import html
import re
import unicodedata

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
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "…": r"\ldots{}",
    "–": "--",  # noqa: RUF001
    "—": "---",
    "‘": "`",  # noqa: RUF001
    "’": "'",  # noqa: RUF001
    "“": "``",
    "”": "''",
    "Đ": "D",
    "đ": "d",
    "«": r"$\ll$",
    "»": r"$\gg$",
    "†": r"\dag{}",
    "∞": r"$\infty$",
    "Δ": r"$\Delta$",
}

_NOT_IN_OT1 = frozenset("ÐÞðþĄąĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
"""Of Latin-1 and Latin Extended-A: what pdflatex stops at without another font encoding."""
_UNKNOWN = "\ufffd"

_MARKUP = re.compile(
    r"[\\`*\[\]|~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word, as in abs_rel, it is no markup
)
_START = re.compile(r"^(\d*)([-+#.)])(?=[-#\s]|$)")
"""Of a heading or a list."""
_MINUS = re.compile(r"(?<!\S)-(?=\d|\$\\infty)")
"""Of a number; within a word it is a hyphen."""


def one_line(text: object) -> str:
    """The text in one line, without control characters, and with its letters in their order."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", _in_order(str(text))).strip()


def visible(text: str) -> str:
    """The text with a sign for each character that would act without being seen; lines stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", _UNKNOWN, _in_order(text))


def _in_order(text: str) -> str:
    """Without what turns the direction of all that follows, and without halves of characters."""
    return re.sub(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", _UNKNOWN, text)


def tex(text: object) -> str:
    """The text as LaTeX shows it, for pdflatex and any engine after it.

    Letters that pdflatex's first fonts lack lose their accents; what has no Latin letter within
    becomes `?`.
    """
    shown: list[str] = []
    line = one_line(text)
    for before, letter in zip(f" {line}", line, strict=False):
        is_ligature = letter == before and letter in "-',"
        shown.append(("{}" if is_ligature else "") + _tex_of(letter))
    return re.sub(_MINUS, "$-$", "".join(shown))


def _tex_of(letter: str) -> str:
    if letter in _TEX:
        return _TEX[letter]
    if ord(letter) < 0x80 or (0xA0 <= ord(letter) < 0x180 and letter not in _NOT_IN_OT1):
        return letter
    plain = unicodedata.normalize("NFKD", letter)
    latin = "".join(_TEX.get(part, part) for part in plain if ord(part) < 0x80)
    return latin or "?"


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
