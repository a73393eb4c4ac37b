"""Templates filled with what a report says: markup comes from them, and text from anywhere."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import jinja2

from study.report.drawing import DPI, Picture
from study.report.escaping import code, markdown, one_line, tex, visible

_LARGE = 250_000
"""Bytes of a PNG above which a page holds it compressed."""


def render(template: str, **values: Any) -> str:
    """A template of this package, filled; only HTML is escaped by the engine.

    Args:
        template: its file's name.
        values: what it shows.
    """
    is_html = template.endswith(".html.j2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("study", "report"),
        autoescape=is_html,
        finalize=_seen if is_html else None,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="((*",
        comment_end_string="*))",
    )
    filters: dict[str, Any] = {
        "md": markdown, "code": code, "tex": tex, "one_line": one_line,
        "inline": _inline, "size": _size,
    }  # fmt: skip
    environment.filters.update(filters)
    return environment.get_template(template).render(**values)


def _seen(value: Any) -> Any:
    """Text without what acts unseen; markup is the template's own."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _inline(picture: Picture) -> str:
    """A picture as a data URL."""
    content, kind = picture.path.read_bytes(), "png"
    if len(content) > _LARGE:
        content, kind = _compressed(picture.path), "webp"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _size(picture: Picture) -> tuple[int, int]:
    """Width and height of a picture on a page, where an inch has 96 pixels."""
    from PIL import Image

    with Image.open(picture.path) as image:
        return round(image.width * 96 / DPI), round(image.height * 96 / DPI)


def _compressed(path: Path) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "WEBP", quality=86, method=4)
    return buffer.getvalue()
