"""Hooks of MkDocs: `on_page_markdown` makes pages that are written for GitHub fit the site."""

import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_log = logging.getLogger("mkdocs.plugins.site")

#: The target of a link or image that leaves the folder of its page upwards.
_UPWARDS = re.compile(r"\]\((\.\./[^)\s]*)\)")
#: GitHub nests a list in a numbered one by three spaces, MkDocs by four.
_NESTED = re.compile(r"^ {3}(?=[*-] )", re.MULTILINE)


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Return the text of *page* with links to files outside docs/ pointing to the repository."""
    root = Path(config.config_file_path).parent
    here = Path(page.file.abs_src_path).parent

    def repository_link(match: re.Match[str]) -> str:
        target = (here / urlsplit(match[1]).path).resolve()
        if target.is_relative_to(config.docs_dir):
            return match[0]
        if not target.exists():
            _log.warning("%s links to %s, which does not exist", page.file.src_uri, match[1])
        kind = "raw" if target.suffix in {".png", ".svg"} else "blob"
        return f"]({config.repo_url}/{kind}/main/{target.relative_to(root).as_posix()})"

    return _NESTED.sub("    ", _UPWARDS.sub(repository_link, markdown))
