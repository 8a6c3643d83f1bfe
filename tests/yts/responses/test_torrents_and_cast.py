"""`TorrentPayload` and `CastPayload`: the torrents and the cast of a movie."""

import pytest

from tests.support.data.yts_responses import Json, a_movie, a_person, a_row, a_torrent, without
from yts.errors import MalformedMovie
from yts.payload import CastPayload, TorrentPayload, parse_movie


def read_torrent(torrent: Json) -> TorrentPayload:
    """Return the one torrent of a movie."""
    (parsed,) = parse_movie(a_row(torrents=[torrent])).torrents or ()
    return parsed


def read_people(*people: Json) -> tuple[CastPayload, ...]:
    """Return the cast of a movie."""
    return parse_movie(a_movie(cast=list(people))).cast or ()


def test_a_torrent_arrives_with_its_types():
    """
    Repack and bit depth are numbers in texts, channels stay a text (docs/yts-api.md, section 4.4).
    """
    torrent = read_torrent(a_torrent())

    assert torrent.hash == "AB" * 20
    assert (torrent.is_repack, torrent.bit_depth, torrent.audio_channels) == (False, 8, "5.1")
    assert (torrent.quality, torrent.type, torrent.video_codec) == ("1080p", "web", "x264")
    assert (torrent.seeds, torrent.peers, torrent.size) == (100, 12, "8.31 GB")


@pytest.mark.parametrize(("sent", "is_repack"), [("0", False), ("1", True), ("", None)])
def test_a_repack_is_yes_no_or_unknown(sent: str, is_repack: object):
    """
    The empty text occurs on 2160p torrents (docs/yts-api.md, section 4.4).
    """
    assert read_torrent(a_torrent(is_repack=sent)).is_repack is is_repack


def test_sizes_may_be_larger_than_32_bits():
    """
    A 2160p torrent has more bytes than a 32-bit number (docs/yts-api.md, section 4.4).
    """
    assert read_torrent(a_torrent(size_bytes=8_922_894_008)).size_bytes == 8_922_894_008


def test_seeds_above_100_are_stored():
    """
    YTS limits them to 100 now, but had thousands before (docs/yts-api.md, quirk 8).
    """
    assert read_torrent(a_torrent(seeds=4821, peers=0)).seeds == 4821
    assert read_torrent(a_torrent(seeds=4821, peers=0)).peers == 0


@pytest.mark.parametrize("sent", ["ab" * 20, " AB" + "ab" * 19 + "\n"])
def test_hashes_are_upper_case(sent: str):
    """
    They are compared as texts (docs/yts-api.md, section 4.4).
    """
    assert read_torrent(a_torrent(hash=sent)).hash == "AB" * 20


@pytest.mark.parametrize("sent", ["", None])
def test_a_torrent_without_a_hash_does_not_affect_its_movie(sent: object):
    """
    YTS has sent empty hashes; such a torrent is not saved.
    """
    assert read_torrent(a_torrent(hash=sent)).hash is None


def test_the_torrents_of_2015_have_no_type_and_no_codec():
    """
    Type came around 2019, codec, depth, channels and repack in 2023 (docs/yts-api.md, section 4.4).
    """
    new = ("type", "is_repack", "video_codec", "bit_depth", "audio_channels")
    torrent = read_torrent(without(a_torrent(), *new))
    assert {getattr(torrent, name) for name in new} == {None}


def test_two_torrents_may_differ_in_their_hash_alone():
    """
    Quality, type and codec do not identify a torrent (docs/yts-api.md, section 4.4).
    """
    torrents = [a_torrent(hash="01" * 20), a_torrent(hash="02" * 20)]
    assert len(parse_movie(a_row(torrents=torrents)).torrents or ()) == 2


def test_a_malformed_torrent_makes_its_movie_malformed():
    """
    A movie is saved completely or not at all; the message names the torrent.
    """
    with pytest.raises(MalformedMovie, match=r"^torrents\.1\.size_bytes: "):
        parse_movie(a_row(torrents=[a_torrent(), a_torrent(size_bytes="much")]))


@pytest.mark.parametrize("code", ["0000206", "17144014"])
def test_the_codes_of_people_keep_their_zeros(code: str):
    """
    Seven or eight digits, without "nm" (docs/yts-api.md, section 4.3).
    """
    assert read_people(a_person(imdb_code=code))[0].imdb_code == code


def test_an_actor_without_a_picture_has_none():
    """
    The key is absent then (docs/yts-api.md, section 4.3).
    """
    (person,) = read_people(without(a_person(), "url_small_image"))
    assert (person.name, person.url_small_image) == ("Ida Mellin", None)


def test_the_order_of_the_cast_is_kept():
    """
    It is a sample of at most four (docs/yts-api.md, quirk 10); more would be stored, too.
    """
    names = ["Ida", "Bo", "Ada", "Eli", "Cy"]
    people = [a_person(name=name, imdb_code=f"000000{n}") for n, name in enumerate(names)]
    assert [person.name for person in read_people(*people)] == names
