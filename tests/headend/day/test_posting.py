from __future__ import annotations

import contextlib
import socket
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from headend.day import posting
from headend.day.posting import FtpsSite
from headend.ports import HeadEndError

with warnings.catch_warnings():
    # pyftpdlib imports the deprecated asyncore and asynchat on Python 3.11.
    warnings.filterwarnings("ignore", message="The asyn(core|chat) module", category=DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

NAME = "1039940674000IntervalData20260813073000001.lse"


class _SmallDisk(AbstractedFS):  # type: ignore[misc]
    """A disk on which nothing called ``full*`` fits."""

    def open(self, filename: str, mode: str) -> Any:
        if Path(filename).name.startswith("full"):
            raise OSError(28, "No space left on device")
        return super().open(filename, mode)


class _Site:
    """A real FTPS server in a thread, and what it told about the order of its events."""

    def __init__(self, folder: Path, ca: trustme.CA) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.ca_file = folder / "ca.pem"
        ca.cert_pem.write_to_path(str(self.ca_file))
        certificate = folder / "site.pem"
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        self.events: list[tuple[str, str]] = []
        events = self.events
        users = DummyAuthorizer()
        users.add_user("tdsp", "secret", str(self.home), perm="elradfmw")
        users.add_user("reader", "secret", str(self.home), perm="elr")

        class Handler(TLS_FTPHandler):  # type: ignore[misc]
            certfile = str(certificate)
            # Its own, because pyftpdlib keeps one on the class.
            ssl_context = None
            tls_control_required = True
            tls_data_required = True
            authorizer = users
            abstracted_fs = _SmallDisk
            auth_failed_timeout = 0

            def on_file_received(self, file: str) -> None:
                events.append(("received", Path(file).name))

            def ftp_RNTO(self, path: str) -> Any:  # noqa: N802
                events.append(("renamed", Path(path).name))
                return super().ftp_RNTO(path)

            def ftp_STOR(self, file: str, mode: str = "w") -> Any:  # noqa: N802
                if Path(file).name.startswith("reply-"):
                    self.respond(Path(file).name[6:9] + " Not here.")
                    return None
                return super().ftp_STOR(file, mode)

        self._server = FTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.address[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._server.serve_forever(timeout=0.02, blocking=False)
        self._server.close_all()

    def as_user(self, username: str = "tdsp", password: str = "secret") -> FtpsSite:
        return FtpsSite("127.0.0.1", self.port, username, password, self.ca_file, timeout_s=5)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def site(tmp_path: Path, ca: trustme.CA) -> Iterator[_Site]:
    server = _Site(tmp_path, ca)
    yield server
    server.close()


@contextlib.contextmanager
def _refused(code: str, place: str | None = None) -> Iterator[None]:
    with pytest.raises(HeadEndError) as raised:
        yield
    assert raised.value.code == f"headend.posting.{code}"
    assert place is None or raised.value.place == place
    assert raised.value.mend


def test_file_arrives_whole_under_its_name(site: _Site) -> None:
    content = bytes(range(256)) * 2000
    posting.upload(site.as_user(), NAME, content)
    assert (site.home / NAME).read_bytes() == content
    assert [file.name for file in site.home.iterdir()] == [NAME]


def test_file_gets_its_name_only_after_all_of_it_was_received(site: _Site) -> None:
    posting.upload(site.as_user(), NAME, b"x" * 100_000)
    assert site.events == [("received", NAME + ".part"), ("renamed", NAME)]


def test_several_files_one_after_the_other(site: _Site) -> None:
    for number in range(5):
        posting.upload(site.as_user(), f"{number}.lse", b"line\r\n" * number)
    assert posting.names(site.as_user()) == [f"{number}.lse" for number in range(5)]
    assert (site.home / "4.lse").read_bytes() == b"line\r\n" * 4
    assert (site.home / "0.lse").read_bytes() == b""


def test_result_file_is_fetched_whole(site: _Site) -> None:
    content = b"line,esiid\n\x00\xff" * 50_000
    (site.home / f"{NAME}.result.csv").write_bytes(content)
    (site.home / "other.lse.part").write_bytes(b"half")
    assert posting.names(site.as_user()) == [f"{NAME}.result.csv"]
    assert posting.download(site.as_user(), f"{NAME}.result.csv") == content


def test_empty_folder_has_no_names(site: _Site) -> None:
    assert posting.names(site.as_user()) == []


def test_wrong_password_is_told(site: _Site) -> None:
    with _refused("login", f"127.0.0.1:{site.port}"):
        posting.upload(site.as_user(password="wrong"), NAME, b"x")


def test_certificate_of_another_authority_is_refused(site: _Site, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with _refused("certificate"):
        posting.upload(replace(site.as_user(), ca_file=other), NAME, b"x")


def test_host_that_the_certificate_does_not_name_is_refused(site: _Site) -> None:
    with _refused("certificate", f"localhost:{site.port}"):
        posting.upload(replace(site.as_user(), host="localhost"), NAME, b"x")


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_ca_file_that_is_missing_or_no_certificate_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with _refused("ca_file", str(path)):
        posting.names(FtpsSite("127.0.0.1", 1, "tdsp", "secret", path))


def test_port_without_a_server_is_told(site: _Site) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with _refused("refused", f"127.0.0.1:{port}"):
            posting.upload(replace(site.as_user(), port=port), NAME, b"x")


def test_silent_server_is_given_up(site: _Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, _refused("timeout"):
        posting.names(replace(site.as_user(), port=silent.getsockname()[1], timeout_s=0.1))


def test_server_that_hangs_up_is_told(site: _Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        thread = threading.Thread(target=lambda: rude.accept()[0].close())
        thread.start()
        with _refused("broken"):
            posting.names(replace(site.as_user(), port=rude.getsockname()[1]))
        thread.join(5)


def test_full_disk_leaves_no_file_behind(site: _Site) -> None:
    with _refused("full"):
        posting.upload(site.as_user(), "full.lse", b"x")
    assert list(site.home.iterdir()) == []


def test_user_who_may_not_write_is_told(site: _Site) -> None:
    with _refused("rejected"):
        posting.upload(site.as_user("reader"), NAME, b"x")


def test_missing_file_is_told(site: _Site) -> None:
    with _refused("rejected"):
        posting.download(site.as_user(), "none.lse")


@pytest.mark.parametrize(
    ("reply", "code"), [("452", "full"), ("552", "full"), ("451", "rejected"), ("553", "rejected")]
)
def test_reply_that_there_is_no_room_is_told_as_full(site: _Site, reply: str, code: str) -> None:
    with _refused(code):
        posting.upload(site.as_user(), f"reply-{reply}.lse", b"x")


@pytest.mark.parametrize("name", ["", "../up.lse", "a/b.lse", "a\r\nDELE b", ".hidden"])
def test_name_that_is_no_plain_file_name_is_refused(site: _Site, name: str) -> None:
    with _refused("name"):
        posting.upload(site.as_user(), name, b"x")


def test_password_is_not_shown(site: _Site) -> None:
    assert "secret" not in repr(site.as_user())
