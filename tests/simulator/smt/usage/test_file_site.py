"""The file site over real TLS: who gets in, when a file has arrived, what the intake makes of it."""

from __future__ import annotations

import asyncio
import ftplib
import io
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from headend.day.posting import FtpsSite, download, names, upload
from headend.lse.writer import dumps, file_name, read_result_csv
from meters.calendar import epoch
from simulator.errors import SimulatorError
from simulator.runtime.local_ca import LocalCa
from simulator.smt.usage.file_site import FileSite
from tests.simulator.smt.rig import FOREIGN, PASSWORD, PLAIN, TDSP_DUNS, Rig, record, registry


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LocalCa:
    return LocalCa.make(tmp_path_factory.mktemp("ca"))


class Arrivals:
    """What the site has told of."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str, bytes]] = []

    def __call__(self, username: str, path: Path) -> None:
        self.files.append((username, path.name, path.read_bytes()))


def site_of(site: FileSite, ca: LocalCa, password: str = PASSWORD) -> FtpsSite:
    return FtpsSite("127.0.0.1", site.port, "wires", password, ca.ca_file, timeout_s=5)


async def test_a_file_arrives_once_under_its_final_name(tmp_path: Path, ca: LocalCa) -> None:
    arrivals = Arrivals()
    site = FileSite(tmp_path / "ftp", registry().users, ca.server_file)
    site.start(arrivals)
    try:
        await asyncio.to_thread(upload, site_of(site, ca), "one.lse", b"by rename")
        # Told before the client was answered: no waiting here.
        assert arrivals.files == [("wires", "one.lse", b"by rename")]
        await asyncio.to_thread(store_directly, site, ca, "two.lse", b"directly")
        assert arrivals.files[1:] == [("wires", "two.lse", b"directly")]
        site.put("wires", "one.lse.result.csv", b"answer")
        assert await asyncio.to_thread(names, site_of(site, ca)) == ["one.lse", "one.lse.result.csv", "two.lse"]
        assert await asyncio.to_thread(download, site_of(site, ca), "one.lse.result.csv") == b"answer"
        assert len(arrivals.files) == 2
        with pytest.raises(FileExistsError):
            site.add("wires", "two.lse", b"another's")
        site.add("wires", "three.lse", b"new")
        there = {path.name: path.read_bytes() for path in site.home("wires").iterdir()}
        assert (there["two.lse"], there["three.lse"], len(there)) == (b"directly", b"new", 4)
    finally:
        site.stop()


def login(site: FileSite, ca: LocalCa, password: str = PASSWORD) -> ftplib.FTP_TLS:
    ftp = ftplib.FTP_TLS(context=ca.client_context(), timeout=5)
    ftp.connect("127.0.0.1", site.port)
    try:
        ftp.login("wires", password)
    except ftplib.Error:
        ftp.close()
        raise
    return ftp


def store_directly(site: FileSite, ca: LocalCa, name: str, content: bytes) -> None:
    ftp = login(site, ca)
    ftp.prot_p()
    ftp.storbinary(f"STOR {name}", io.BytesIO(content))
    ftp.quit()


def test_control_and_data_are_refused_without_tls(tmp_path: Path, ca: LocalCa) -> None:
    def plain(site: FileSite) -> None:
        ftp = ftplib.FTP(timeout=5)
        ftp.connect("127.0.0.1", site.port)
        with pytest.raises(ftplib.error_perm, match="SSL/TLS required on the control channel"):
            ftp.login("wires", PASSWORD)
        ftp.close()
        secured = login(site, ca)
        with pytest.raises(ftplib.error_perm, match="SSL/TLS required on the data channel"):
            secured.storbinary("STOR x.lse", io.BytesIO(b"x"))
        secured.close()

    served(tmp_path, ca, plain)


def test_a_wrong_password_is_refused_and_a_home_cannot_be_left(tmp_path: Path, ca: LocalCa) -> None:
    def probe(site: FileSite) -> None:
        (tmp_path / "ftp" / "secret.txt").write_text("secret")
        with pytest.raises(ftplib.error_perm, match="530"):
            login(site, ca, "guess")
        ftp = login(site, ca)
        ftp.voidcmd("TYPE I")
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.size("/../secret.txt")
        ftp.close()

    served(tmp_path, ca, probe)


def served(folder: Path, ca: LocalCa, work: Callable[[FileSite], None]) -> None:
    async def run() -> None:
        site = FileSite(folder / "ftp", registry().users, ca.server_file)
        site.start(Arrivals())
        try:
            await asyncio.to_thread(work, site)
        finally:
            site.stop()

    asyncio.run(run())


def test_a_taken_port_is_named(tmp_path: Path, ca: LocalCa) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"Port {port} of the file site is taken") as caught:
            FileSite(tmp_path, {}, ca.server_file, port=port)
        assert caught.value.code == "smt.ftps.port_taken"


def test_a_stopped_site_frees_its_port(tmp_path: Path, ca: LocalCa) -> None:
    first = FileSite(tmp_path, {}, ca.server_file)
    first.stop()
    FileSite(tmp_path, {}, ca.server_file, port=first.port).stop()


async def test_an_upload_is_loaded_and_answered_before_model_time_moves(tmp_path: Path, ca: LocalCa) -> None:
    site = FileSite(tmp_path / "ftp", registry().users, ca.server_file)
    async with Rig(tmp_path, now="2026-08-12T07:30", folders=site) as rig:
        site.start(rig.smt.intake.on_file)
        try:
            posted_at = epoch("2026-08-12T07:30")
            name = file_name(TDSP_DUNS, posted_at, 1)
            day = rig.today().replace(day=11)
            content = dumps([record(PLAIN, day, posted_at), record(FOREIGN, day, posted_at)])
            cut = content[: len(content) - 40]
            for file, what in ((name, content), (file_name(TDSP_DUNS, posted_at, 2), cut)):
                rig.runtime.io("post", file, lambda file=file, what=what: asyncio.to_thread(upload, site_of(site, ca), file, what))  # type: ignore[misc]  # fmt: skip
            await rig.runtime.run_until(posted_at)
            whole = read_result_csv((site.home("wires") / f"{name}.result.csv").read_bytes())
        finally:
            site.stop()
        assert rig.smt.store.last_vee_end(PLAIN) == epoch("2026-08-12T00:00")
    assert [row.code for row in whole] == ["00", "00"]
    assert [(at, ident[-5:], facts) for at, kind, ident, facts in rig.notes.entries if kind == "intake"] == [
        (posted_at, "1.lse", {"results": {"00": 2}}),
        (posted_at, "2.lse", {"results": {"00": 1, "F2": 1}}),
    ]
