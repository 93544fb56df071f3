from __future__ import annotations

from hashlib import sha256

import pytest

from simulator.tap.masked import MOST_BODY, Body, Masker

SECRET = b"pecan-bend-1"


@pytest.mark.parametrize(
    "written",
    [
        b'{"username": "a", "password": "%s", "rememberMe": "true"}',
        b'{"PassWord" : "%s"}',
        b'{"accessToken":"%s"}',
        b'{"token":"%s',
        b'{"password":%s}',
        b"grant_type=password&password=%s&x=1",
        b"/callbacks/inquiries/894429629471/%s",
        b'{"replyTo":"http://127.0.0.1:8600/callbacks/inquiries/894429629471/%s"}',
    ],
)
def test_secrets_stand_as_the_same_hash_wherever_they_stand(written: bytes) -> None:
    masker = Masker()
    hashed = masker.hashed(SECRET)
    assert hashed.startswith("hmac:")
    assert masker.octets(written % SECRET) == written % hashed.encode()


def test_a_secret_that_is_known_is_found_wherever_it_stands() -> None:
    masker = Masker()
    masker.know([SECRET.decode() * 2, "short"])
    hashed = masker.hashed(SECRET * 2).encode()
    for around in (b'{"debug": "it was %s"}', b"%s", b"/path/%s"):
        assert masker.octets(around % (SECRET * 2)) == around % hashed
    assert masker.octets(b"a short one") == b"a short one"


def test_the_words_around_secrets_stay() -> None:
    plain = b'{"error":"bad_token","tokenType":"Bearer","passwordChanged":"2026-08-12"}'
    assert Masker().octets(plain) == plain


def test_two_files_have_two_keys() -> None:
    assert Masker().hashed(SECRET) != Masker().hashed(SECRET)


def test_headers_that_matter_are_told_without_their_secrets() -> None:
    masker = Masker()
    hashed = masker.hashed(SECRET)
    wanted = frozenset({b"authorization", b"cookie", b"set-cookie", b"content-type"})
    told = masker.headers(
        [
            (b"authorization", b"Bearer " + SECRET),
            (b"cookie", b"a=" + SECRET + b"; b=2"),
            (b"set-cookie", b"a=" + SECRET + b"; Path=/; HttpOnly"),
            (b"set-cookie", b"c=" + SECRET),
            (b"content-type", b"application/json"),
            (b"host", b"127.0.0.1:8600"),
        ],
        wanted,
    )
    assert told == {
        "authorization": f"Bearer {hashed}",
        "cookie": f"a={hashed}; b={masker.hashed(b'2')}",
        "set-cookie": f"a={hashed}; Path=/; HttpOnly\nc={hashed}",
        "content-type": "application/json",
    }


def test_a_body_is_told_as_text_or_base64_and_a_long_one_by_its_digest() -> None:
    masker, text, octets, long = Masker(), Body(), Body(), Body()
    text.add("Grüße".encode())
    octets.add(b"\xff\x00")
    part = b"x" * (MOST_BODY // 2)
    for _ in range(4):
        long.add(part)
    assert text.told(masker) == "Grüße"
    assert octets.told(masker) == {"base64": "/wA="}
    assert long.told(masker) == {"octets": 4 * len(part), "sha256": sha256(part * 4).hexdigest()}
    assert len(long.head) <= MOST_BODY + len(part)
