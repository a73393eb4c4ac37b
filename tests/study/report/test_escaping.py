"""Text from anywhere is shown as it is, and nothing else comes of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from study.report.escaping import code, markdown, one_line, tex

HOSTILE = [
    "a & b < c > d | e",
    r"50 % of $x_i$ ^2 ~ {y} #1 \input{x}",
    "*bold* _soft_ `code` ~~gone~~ [link](x) ![picture](x) <b>tag</b> &amp; &#42;",
    "first\nsecond\r\n\n# heading\n- list\n| a | b |\n|---|---|",
    "see http://example.org and <http://example.org>",
    "\\",
    "``` ` ``",
    "",
]
texts = st.text(
    st.sampled_from("ab *_`~[]()!#|<>&\\$%{}^-+=\"'/:\n\t\x00\x85\u2028é±↑"), max_size=30
)


class Shown(HTMLParser):
    """The text of a piece of HTML, and the names of its elements."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.elements = "", []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(source: str) -> Shown:
    """As GitHub's Markdown: with tables and struck text, and HTML let through."""
    return Shown(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_in_markdown(text: str) -> None:
    shown = rendered(f"x {markdown(text)} y")
    assert (shown.text.strip(), shown.elements) == (f"x {one_line(text)} y", ["p"])
    assert "://" not in markdown(text), "no address becomes a link by itself"


@pytest.mark.parametrize(
    "text", ["0.234", "-0.05 to +0.1", "test/depth/abs_rel", "mt-dwa (1)", "#1"]
)
def test_what_is_no_markup_stays_as_it_is(text: str) -> None:
    assert markdown(text) == text


@pytest.mark.parametrize("text", ["1. x", "12) x", "- x", "+ x", "# x", "---", "-"])
def test_no_heading_and_no_list_begins(text: str) -> None:
    shown = rendered(markdown(text))
    assert (shown.text.strip(), shown.elements) == (text, ["p"])


@given(texts)
def test_any_text_is_text_in_markdown(text: str) -> None:
    shown = rendered(f"x{markdown(text)}y")
    assert (shown.text.strip(), shown.elements) == (f"x{one_line(text)}y", ["p"])
    shown = rendered(f"| {markdown(text)} |\n|---|\n")
    assert shown.text.strip() == one_line(text)
    assert shown.elements == ["table", "thead", "tr", "th"]


@given(texts)
def test_any_text_is_text_in_markdown_code(text: str) -> None:
    shown = rendered(f"- name: {code(text)}")
    assert shown.text.split("name: ")[1].strip() == one_line(text)
    assert shown.elements == ["ul", "li", "code"]


KNOWN = re.compile(r"\\[&%$#_{}]|\\text[a-z]+\{\}|\$\\(?:pm|uparrow|downarrow)\$|\{[][*]\}|\$-\$")


@given(texts)
def test_any_text_is_text_in_latex(text: str) -> None:
    left = KNOWN.sub("{}", tex(text))
    assert not set(left.replace("{}", "")) & set("\\&%$#_{}[]*`~^<>|\n\t\x00±↑")
    assert "--" not in left, "no letters run together"
    special = sum(c in "\\&%$#_{}[]*`~^<>|±↑" for c in one_line(text))
    assert len(KNOWN.findall(tex(text))) - tex(text).count("$-$") == special


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 ± 0.2 ↓", r"0.1 $\pm$ 0.2 $\downarrow$"),
        ("a_b & 5 % \\", r"a\_b \& 5 \% \textbackslash{}"),
        ("Größe — 漢", "Größe --- ?"),
        ("mt-dwa", "mt-dwa"),
        ("a--b ''c", "a-{}-b '{}'c"),
        ("Łódź ąę ﬁ", "Łódź ae fi"),
        ("[x] *", "{[}x{]} {*}"),
    ],
)
def test_latex_of_a_few_texts(text: str, expected: str) -> None:
    assert tex(text) == expected


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(one_line(text)) == one_line(text)
    assert one_line(3) == "3"
