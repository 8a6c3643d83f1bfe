"""Atom feeds: valid by RFC 4287, with stable ids, absolute addresses, and 304 for readers."""

import re
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest
import requests
from sqlalchemy import URL, select

from database.db import DatabaseManager
from database.models import Movie
from tests.support.data.movies import movie
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.pages.feeds import ENTRIES
from web.settings import ServerSettings

ATOM = "{http://www.w3.org/2005/Atom}"
#: RFC 4287, 4.1.1 and 4.1.2: how often a child may occur; others, any number of times.
ONCE = {"feed": {"id", "title", "updated"}, "entry": {"id", "title", "updated"}}
AT_MOST_ONCE = {
    "feed": {"generator", "icon", "logo", "rights", "subtitle"},
    "entry": {"content", "published", "rights", "source", "summary"},
}
KNOWN = {"author", "category", "contributor", "link", "entry"}
NASTY = "<script>alert(1)</script> & \x00\x1b\u202e ]]> ünï"


def get(root: str, query: str = "", **headers: str) -> requests.Response:
    """Return the response for a feed."""
    return requests.get(f"{root}/feed.atom{query}", headers=headers, timeout=20)


def feed_of(root: str, query: str = "", **headers: str) -> Element:
    """Return a feed, checked."""
    response = get(root, query, **headers)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = fromstring(response.content)
    check_feed(feed)
    return feed


def check_feed(feed: Element) -> None:
    """Check the rules of RFC 4287 that concern a feed of this server."""
    assert feed.tag == f"{ATOM}feed"
    check_children(feed, "feed")
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        check_children(entry, "entry")
        assert entry.find(f"{ATOM}link[@rel='alternate']") is not None
    # 4.2.6: ids are universally unique.
    ids = [each.findtext(f"{ATOM}id") for each in (feed, *entries)]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", str(each)) for each in ids)
    # 4.1.1: an author for each entry, of its own or of the feed.
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    times = [str(each.text) for each in feed.iter() if each.tag in DATES]
    assert all(datetime.fromisoformat(time).tzinfo for time in times)
    updated = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert not updated or feed.findtext(f"{ATOM}updated") == max(map(str, updated))


DATES = {f"{ATOM}updated", f"{ATOM}published"}


def check_children(parent: Element, kind: str) -> None:
    """Check which elements *parent* has, how often, and its links."""
    names = [child.tag.removeprefix(ATOM) for child in parent]
    assert {*names} <= ONCE[kind] | AT_MOST_ONCE[kind] | KNOWN
    assert all(names.count(name) == 1 for name in ONCE[kind])
    assert all(names.count(name) <= 1 for name in AT_MOST_ONCE[kind])
    links = [link.attrib for link in parent.findall(f"{ATOM}link")]
    # 4.2.7: absolute, and at most one alternate of a type.
    assert all(urlsplit(link["href"]).netloc for link in links)
    kinds = [(link["rel"], link["type"]) for link in links]
    assert len({*kinds}) == len(kinds)


def titles(feed: Element) -> list[str]:
    """Return the titles of the entries."""
    return [str(entry.findtext(f"{ATOM}title")) for entry in feed.findall(f"{ATOM}entry")]


def ids(feed: Element) -> list[str]:
    """Return the ids of the entries."""
    return [str(entry.findtext(f"{ATOM}id")) for entry in feed.findall(f"{ATOM}entry")]


def test_a_feed_has_the_movies_that_were_stored_last(served: str, mirror_url: URL):
    """The newest first; each leads to its page."""
    feed = feed_of(served)
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        query = select(Movie).where(Movie.gone_since.is_(None))
        order = Movie.created_at.desc(), Movie.external_id.desc()
        newest = list(session.scalars(query.order_by(*order).limit(ENTRIES)))

    assert titles(feed) == [
        f"{each.title} ({each.year})" if each.year else each.title for each in newest
    ]
    link = feed.find(f"{ATOM}entry/{ATOM}link")
    assert link is not None
    assert link.get("href", "").startswith(f"{served}/movies/")
    assert requests.get(link.get("href", ""), timeout=20).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "?genre=Drama",
        "?year_from=1990&year_to=1999&sort=rating",
        "?q=love",
        "?q=love&genre=Drama",
        "?rating_from=8&language=en&quality=1080p",
    ],
)
def test_any_list_or_search_has_a_feed(served: str, query: str):
    """With the parameters of the page; `self` is the feed, `alternate` the page."""
    feed, everything = feed_of(served, query), feed_of(served)
    links = {link.get("rel"): link.get("href", "") for link in feed.findall(f"{ATOM}link")}

    assert titles(feed)
    assert feed.findtext(f"{ATOM}id") != everything.findtext(f"{ATOM}id")
    assert ids(feed_of(served, f"?{urlsplit(links['self']).query}")) == ids(feed)
    assert requests.get(links["alternate"], timeout=20).status_code == 200
    if "genre=Drama" in query:
        entries = feed.findall(f"{ATOM}entry")
        assert all(entry.find(f"{ATOM}category[@term='Drama']") is not None for entry in entries)


def test_ids_do_not_depend_on_the_address(served: str):
    """Readers know entries by their ids: neither host, scheme nor order of parameters counts."""
    one = feed_of(served, "?genre=Drama&year_from=1990")
    other = feed_of(
        served,
        "?year_from=1990&genre=Drama&sort=title",
        **{"Host": "127.0.0.9", "X-Forwarded-Proto": "https"},
    )

    assert ids(one) == ids(other)
    assert one.findtext(f"{ATOM}id") == other.findtext(f"{ATOM}id")
    hrefs = [link.get("href", "") for link in other.iter(f"{ATOM}link")]
    assert all(href.startswith("https://127.0.0.9/") for href in hrefs)


def test_a_base_path_is_in_all_addresses(db: DatabaseManager):
    """As the reverse proxy passes it."""
    db.save_movie(movie(1))
    with open_server(db, ServerSettings(connections=2, base_path="/films")) as root:
        feed = feed_of(root)

    hrefs = [link.get("href", "") for link in feed.iter(f"{ATOM}link")]
    assert all(href.startswith(f"{root}/") for href in hrefs)
    assert root.endswith("/films")


def test_a_reader_that_has_the_feed_gets_304(served: str):
    """Readers ask every few minutes."""
    first = get(served, "?genre=Drama")
    again = get(served, "?genre=Drama", **{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_text_of_the_catalogue_stays_text(db: DatabaseManager):
    """In XML, and in the HTML that a reader makes of the content."""
    db.save_movie(
        {**movie(1), "title": NASTY, "description_full": NASTY, "genres": [NASTY, "A & B"]}
    )
    with open_server(db) as root:
        feed = feed_of(root)
    content = feed.find(f"{ATOM}entry/{ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(str(content.text))

    assert {*tags} == {"p"}
    assert "&lt;script&gt;" in str(content.text)
    assert "<script>alert(1)</script>" in titles(feed)[0]
    for text in feed.itertext():
        assert text.replace("\n", "").isprintable()


def test_movies_that_are_gone_are_left_out(db: DatabaseManager):
    """Also if a list shows them."""
    for number in (1, 2):
        db.save_movie(movie(number))
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 1")
    with open_server(db) as root:
        assert len(titles(feed_of(root))) == 1
        assert len(titles(feed_of(root, "?with_gone=true"))) == 1


def test_a_feed_can_be_empty(db: DatabaseManager):
    """It is valid, and stays the same until there is a movie."""
    with open_server(db) as root:
        feed = feed_of(root)
        assert titles(feed) == []
        assert get(root).headers["ETag"] == get(root).headers["ETag"]


@pytest.mark.parametrize("query", ["?q=%3F%3F", "?year_from=x", "?color=red", "?genre=Nothing"])
def test_a_wrong_parameter_is_an_error(served: str, query: str):
    """Not a feed of other movies."""
    assert get(served, query).status_code == 400


@pytest.mark.parametrize(
    ("path", "feed"),
    [
        ("/", "/feed.atom"),
        ("/browse?genre=Drama&sort=rating", "/feed.atom?genre=Drama"),
        ("/search?q=love+story", "/feed.atom?q=love+story"),
    ],
)
def test_pages_name_their_feed(served: str, path: str, feed: str):
    """So that browsers and readers find it."""
    page = requests.get(f"{served}{path}", timeout=20).text
    found = re.search(
        r'<link rel="alternate" type="application/atom\+xml"[^>]*href="([^"]*)"', page
    )

    assert found
    assert found[1].replace("&amp;", "&") == feed
    feed_of(served, feed.removeprefix("/feed.atom"))
