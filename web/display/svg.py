"""`element`, `share`: elements of HTML and SVG as escaped text, without style attributes (pure)."""

from markupsafe import Markup, escape

from yts.printable import one_line

#: Names that are not attributes as Python spells them.
_NAMES = {"class_": "class", "view_box": "viewBox", "keep_ratio": "preserveAspectRatio"}


def element(name: str, *content: str, **attributes: str | int) -> Markup:
    """
    Return the element *name*; text in *content* and *attributes* is escaped, markup is not.

    An underscore in the name of an attribute is a hyphen.
    """
    # `Markup.format` would take five times as long, and a chart has some hundred elements.
    named = [
        f' {_NAMES.get(key) or key.replace("_", "-")}="{_safe(value)}"'
        for key, value in attributes.items()
    ]
    inner = "".join(map(_safe, content))
    return Markup(f"<{name}{''.join(named)}>{inner}</{name}>")  # noqa: S704 -- all parts are safe


def share(part: float, whole: float) -> str:
    """Return *part* of *whole* as a percentage from 0 to 100; of nothing, 0."""
    percent = min(100.0, max(0.0, 100 * part / whole)) if whole else 0.0
    return f"{percent:.2f}".rstrip("0").rstrip(".") + "%"


def _safe(part: str | int) -> str:
    if isinstance(part, Markup | int):
        return str(part)
    return str(escape(one_line(part)))
