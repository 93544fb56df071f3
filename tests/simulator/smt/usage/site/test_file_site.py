"""The file site over real TLS: who gets in, when a file has arrived, what the intake makes of it."""

from __future__ import annotations

import asyncio
import ftplib
import io
import socket
import struct
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from headend.day.posting import SAME_OCTETS, FtpsSite, download, names, upload
from headend.lse.writer import dumps, file_name, read_result_csv
from headend.ports import HeadEndError
from meters.calendar import epoch
from simulator.errors import SimulatorError
from simulator.runtime.local_ca import LocalCa
from simulator.smt.database.engine import open_database
from simulator.smt.database.tables import file_event
from simulator.smt.registry.log_in import LoginGuard
from simulator.smt.usage.postings import Happened, Postings, digest
from simulator.smt.usage.site.file_site import MOST_OF_PEER, FileSite
from tests.simulator.smt.rig import FOREIGN, PASSWORD, PLAIN, TDSP_DUNS, Rig, record, registry


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LocalCa:
    return LocalCa.make(tmp_path_factory.mktemp("ca"))


NOW = epoch("2026-08-12T07:30")
#: Of a wall that stands still: nothing that is blocked becomes free.
GUARD = LoginGuard(registry().users, lambda: 1_000_000.0, lambda *_: None)


class Arrivals:
    """What the site has told of, and its record, in a database that a site after it may go on with."""

    def __init__(self, folder: Path) -> None:
        self.files: list[tuple[str, str, bytes]] = []
        self.engine = open_database(f"sqlite:///{folder / 'site.db'}")
        self.book = Postings(self.engine, lambda: NOW)

    def happened(self) -> list[tuple[str, str, str]]:
        """What happened to which user's files, in order."""
        with self.engine.connect() as connection:
            return [(row.happened, row.username, row.name) for row in connection.execute(select(file_event))]

    def __call__(self, username: str, path: Path) -> None:
        self.files.append((username, path.name, path.read_bytes()))


def site_of(site: FileSite, ca: LocalCa, password: str = PASSWORD) -> FtpsSite:
    return FtpsSite("127.0.0.1", site.port, "wires", password, ca.ca_file, timeout_s=5)


async def test_a_file_arrives_once_under_its_final_name(tmp_path: Path, ca: LocalCa) -> None:
    arrivals = Arrivals(tmp_path)
    site = FileSite(tmp_path / "ftp", registry().users, ca.server_file)
    site.start(arrivals, arrivals.book, GUARD)
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


def login(site: FileSite, ca: LocalCa, password: str = PASSWORD, username: str = "wires") -> ftplib.FTP_TLS:
    ftp = ftplib.FTP_TLS(context=ca.client_context(), timeout=5)
    ftp.connect("127.0.0.1", site.port)
    try:
        ftp.login(username, password)
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


def test_of_many_guesses_five_are_looked_at_and_the_owner_comes_in_from_elsewhere(tmp_path: Path, ca: LocalCa) -> None:
    guard = LoginGuard(registry().users, lambda: 1_000_000.0, lambda *told: blocks.append(told))
    blocks: list[tuple[str, str, float]] = []

    def three(site: FileSite) -> list[str]:
        """As many guesses as one connection has."""
        told = []
        ftp = ftplib.FTP_TLS(context=ca.client_context(), timeout=20)
        ftp.connect("127.0.0.1", site.port, source_address=("127.0.0.2", 0))
        for _ in range(3):
            with pytest.raises(ftplib.error_perm) as refused:
                ftp.login("wires", "guess")
            told.append(str(refused.value).removesuffix(" Disconnecting."))
        ftp.close()
        return told

    def probe(site: FileSite) -> None:
        with ThreadPoolExecutor(20) as guessers:
            told = Counter(one for some in guessers.map(three, [site] * 40) for one in some)
        assert told == {"530 Authentication failed.": 5, "530 Too many failed log-ins: try again later.": 115}
        login(site, ca).close()

    served(tmp_path, ca, probe, guard=guard)
    assert blocks == [("wires", "127.0.0.2", 2)]


def served(
    folder: Path, ca: LocalCa, work: Callable[[FileSite], None], guard: LoginGuard = GUARD, **settings: Any
) -> Arrivals:
    arrivals = Arrivals(folder)

    async def run() -> None:
        site = FileSite(folder / "ftp", registry().users, ca.server_file, **settings)
        site.start(arrivals, arrivals.book, guard)
        try:
            await asyncio.to_thread(work, site)
        finally:
            site.stop()

    asyncio.run(run())
    arrivals.engine.dispose()
    return arrivals


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
        site.start(rig.smt.intake.on_file, rig.smt.intake.postings, rig.smt.gatekeeper.guard)
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


def send(ftp: ftplib.FTP_TLS, command: str, content: bytes) -> None:
    ftp.prot_p()
    ftp.storbinary(command, io.BytesIO(content))


def refused(code: str, call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(ftplib.Error, match=f"^{code} ") as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("username", ["wires", "lonestar.api"])
def test_nobody_deletes_overwrites_appends_or_renames_what_lies_at_the_site(
    tmp_path: Path, ca: LocalCa, username: str
) -> None:
    def attack(site: FileSite) -> None:
        lain = site.home(username) / "lain.lse"
        lain.write_bytes(b"evidence")
        ftp = login(site, ca, username=username)
        ftp.prot_p()
        for command in ("DELE lain.lse", "MKD sub", "RMD /", "SITE CHMOD 777 lain.lse", "MFMT 20260101000000 lain.lse", "RNFR lain.lse"):  # fmt: skip
            refused("550", ftp.sendcmd, command)
        refused("550", send, ftp, "APPE lain.lse", b"more")
        refused("500", ftp.sendcmd, "STOU")
        refused("5(50|53)", send, ftp, "STOR lain.lse", b"other")
        ftp.sendcmd("REST 2")
        refused("5(50|53)", send, ftp, "STOR lain.lse", b"other")
        assert ftp.size("lain.lse") == 8
        assert {path.name: path.read_bytes() for path in site.home(username).iterdir()} == {"lain.lse": b"evidence"}
        ftp.quit()

    assert not served(tmp_path, ca, attack).files


def test_a_ror_reads_its_outbox_and_writes_nothing_and_a_customer_has_no_account(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        site.put("lonestar.api", "share.lse", b"share")
        ftp = login(site, ca, username="lonestar.api")
        for command in ("STOR new.lse", "STOR new.lse.part", "APPE new.lse.part"):
            refused("550", send, ftp, command, b"x")
        fetched = io.BytesIO()
        ftp.retrbinary("RETR share.lse", fetched.write)
        assert (ftp.nlst(), fetched.getvalue()) == (["share.lse"], b"share")
        ftp.quit()
        with pytest.raises(ftplib.error_perm, match="530"):
            login(site, ca, username="customer")
        assert not site.home("customer").exists()

    assert served(tmp_path, ca, attack).happened() == [("fetched", "lonestar.api", "share.lse")]


def test_an_unfinished_file_is_its_writers_until_it_has_a_name_of_its_own(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        ftp = login(site, ca)
        send(ftp, "STOR a.lse.part", b"first")
        send(ftp, "STOR a.lse.part", b"anew")
        send(ftp, "APPE a.lse.part", b" and more")
        for name in ("b.lse.part", "sub/b.lse", "b.lse.result.csv", "b.lse.1.cut", "b" * 201):
            ftp.sendcmd("RNFR a.lse.part")
            refused("5(50|53)", ftp.sendcmd, f"RNTO {name}")
        refused("553", send, ftp, "STOR b.lse.result.csv.part", b"forged")
        ftp.rename("a.lse.part", "a.lse")
        ftp.quit()
        assert ftp_names(site) == {"a.lse": b"anew and more"}

    assert [file[1:] for file in served(tmp_path, ca, attack).files] == [("a.lse", b"anew and more")]


def ftp_names(site: FileSite) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in site.home("wires").iterdir()}


def test_what_is_being_written_gets_no_name_and_no_second_writer(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        first, second = login(site, ca), login(site, ca)
        first.prot_p()
        data = first.transfercmd("STOR a.lse.part")
        data.sendall(b"half")
        second.sendcmd("RNFR a.lse.part")
        refused("450", second.sendcmd, "RNTO a.lse")
        refused("450", send, second, "STOR a.lse.part", b"other")
        close_in_order(data)
        first.voidresp()
        second.rename("a.lse.part", "a.lse")
        for ftp in (first, second):
            ftp.quit()

    assert [file[1:] for file in served(tmp_path, ca, attack).files] == [("a.lse", b"half")]


def close_in_order(data: Any) -> None:
    with suppress(OSError):
        data.unwrap()
    data.close()


def test_a_name_is_used_once_and_the_same_octets_are_told_of(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        upload(site_of(site, ca), "a.lse", b"posted")
        # As a head-end does that was killed before it noted the posting.
        upload(site_of(site, ca), "a.lse", b"posted")
        with pytest.raises(HeadEndError, match="A name is used once") as caught:
            upload(site_of(site, ca), "a.lse", b"other")
        assert caught.value.code == "headend.posting.name_used"
        ftp = login(site, ca)
        assert SAME_OCTETS in refused("553", send, ftp, "STOR a.lse", b"posted")
        assert SAME_OCTETS not in refused("553", send, ftp, "STOR a.lse", b"other")
        ftp.quit()
        assert ftp_names(site) == {"a.lse": b"posted", "a.lse.part": b"other"}

    arrivals = served(tmp_path, ca, attack)
    assert [file[1:] for file in arrivals.files] == [("a.lse", b"posted")]
    assert arrivals.happened() == [("repeated", "wires", "a.lse")] * 2


def test_a_name_is_used_though_its_file_was_taken_away(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        Arrivals(tmp_path).book.note(Happened.POSTED, "wires", "a.lse", digest(b"posted"), 6)
        upload(site_of(site, ca), "a.lse", b"posted")
        with pytest.raises(HeadEndError, match="A name is used once"):
            upload(site_of(site, ca), "a.lse", b"other")

    assert not served(tmp_path, ca, attack).files


def test_of_two_uploads_of_one_name_at_once_one_is_posted(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        sessions = [login(site, ca), login(site, ca)]
        channels = []
        for number, ftp in enumerate(sessions):
            ftp.prot_p()
            channels.append(ftp.transfercmd("STOR a.lse"))
            channels[-1].sendall(b"by %d" % number)
        assert not (site.home("wires") / "a.lse").exists()
        for data in channels:
            close_in_order(data)
        sessions[0].voidresp()
        refused("553", sessions[1].voidresp)
        for ftp in sessions:
            ftp.quit()

    assert [file[1:] for file in served(tmp_path, ca, attack).files] == [("a.lse", b"by 0")]


@pytest.mark.parametrize("reset", [True, False])
def test_an_upload_that_is_cut_off_is_kept_apart(tmp_path: Path, ca: LocalCa, reset: bool) -> None:
    def attack(site: FileSite) -> None:
        ftp = login(site, ca)
        ftp.prot_p()
        data = ftp.transfercmd("STOR a.lse")
        data.sendall(b"the first of two records")
        if reset:
            data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        data.close()
        refused("426", ftp.voidresp)
        kept = ftp_names(site)
        assert list(kept) == ["a.lse.1.cut"]
        # What a reset throws away on its way nobody has.
        assert kept["a.lse.1.cut"] in ((b"", b"the first of two records") if reset else (b"the first of two records",))
        refused("550", ftp.sendcmd, "RNFR a.lse.1.cut")
        # The name is still free.
        send(ftp, "STOR a.lse", b"both records")
        ftp.quit()

    arrivals = served(tmp_path, ca, attack)
    assert [file[1:] for file in arrivals.files] == [("a.lse", b"both records")]
    assert arrivals.happened() == [("cut", "wires", "a.lse.1.cut")]


def test_an_unfinished_file_that_was_cut_off_arrives_when_it_is_renamed(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        ftp = login(site, ca)
        ftp.prot_p()
        data = ftp.transfercmd("STOR a.lse.part")
        data.sendall(b"whole")
        data.close()
        assert "unfinished until you rename it" in ftp.voidresp()
        ftp.rename("a.lse.part", "a.lse")
        ftp.quit()

    assert [file[1:] for file in served(tmp_path, ca, attack).files] == [("a.lse", b"whole")]


def test_a_client_that_goes_in_the_middle_leaves_nothing_under_the_name(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        ftp = login(site, ca)
        ftp.prot_p()
        data = ftp.transfercmd("STOR a.lse")
        data.sendall(b"half")
        ftp.close()
        data.close()
        upload(site_of(site, ca), "a.lse", b"whole")

    assert [file[1:] for file in served(tmp_path, ca, attack).files] == [("a.lse", b"whole")]


@pytest.mark.parametrize("name", ["a.lse", "a.lse.part"])
def test_a_file_that_is_too_large_is_refused(tmp_path: Path, ca: LocalCa, name: str) -> None:
    def attack(site: FileSite) -> None:
        ftp = login(site, ca)
        assert "at most 1000 octets" in refused("552", send, ftp, f"STOR {name}", b"x" * 1001)
        send(ftp, f"STOR {name}", b"x" * 1000)
        ftp.quit()

    arrivals = served(tmp_path, ca, attack, largest=1000)
    assert len(arrivals.files) == (name == "a.lse")


def test_one_peer_has_so_many_connections_and_no_more(tmp_path: Path, ca: LocalCa) -> None:
    def attack(site: FileSite) -> None:
        held = []
        for _ in range(MOST_OF_PEER):
            held.append(socket.create_connection(("127.0.0.1", site.port), timeout=5))
            assert held[-1].recv(3) == b"220"
        with socket.create_connection(("127.0.0.1", site.port), timeout=5) as more:
            assert more.recv(3) == b"421"
        for one in held:
            one.close()

    served(tmp_path, ca, attack)
