"""`headers_of`: the headers of a page, with a policy that allows its own files and its images."""

from web.pages.frame.rendering import IMAGES_BEGIN, IMAGES_END

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'{sources}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def headers_of(page: bytes) -> dict[str, str]:
    """Return the headers of a rendered page; `web.guards` adds those of all responses."""
    sources = ""
    if page.endswith(IMAGES_END):
        begin = page.rindex(IMAGES_BEGIN) + len(IMAGES_BEGIN)
        sources = f" {page[begin : -len(IMAGES_END)].decode()}"
    return {
        "Content-Security-Policy": _POLICY.format(sources=sources),
        "Cross-Origin-Opener-Policy": "same-origin",
    }
