"""The keys that a bundle is signed and looked at with, and what is no bundle: told before anything of it is read."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from scenarios.certify import bundle
from scenarios.errors import ScenarioError

PEM = serialization.Encoding.PEM
PRIVATE = serialization.PrivateFormat.PKCS8
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


def pems(folder: Path, key: Ed25519PrivateKey | X25519PrivateKey) -> tuple[Path, Path]:
    """Files of a key: the private and the public one."""
    private, public = folder / "key.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(PEM, PRIVATE, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(PEM, PUBLIC))
    return private, public


def test_a_key_is_read_as_it_was_written(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public = pems(tmp_path, key)
    bundle._public(public).verify(bundle._private(private).sign(b"a manifest"), b"a manifest")


def test_a_key_of_another_kind_or_none_is_told_with_how_one_is_made(tmp_path: Path) -> None:
    other = pems(tmp_path, X25519PrivateKey.generate())
    (tmp_path / "letter.txt").write_text("a letter")
    # Each is asked for the other half too.
    for path, private, public in (
        (other[0], "This is no Ed25519 key.", "This is no public key."),
        (other[1], "This is no private key without a password.", "This is no Ed25519 key."),
        (tmp_path / "letter.txt", "This is no private key without a password.", "This is no public key."),
        (tmp_path / "none.pem", "The key cannot be read: No such file", "The key cannot be read: No such file"),
    ):
        for read, said, mend in (
            (bundle._private, private, "openssl genpkey -algorithm ed25519"),
            (bundle._public, public, "openssl pkey -in key.pem -pubout"),
        ):
            with pytest.raises(ScenarioError) as told:
                read(path)
            assert told.value.code == "certify.key"
            assert told.value.message.startswith(said)
            assert mend in told.value.mend


def zipped(path: Path, *names: str) -> Path:
    with ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, "content")
    return path


@pytest.mark.parametrize("name", ["../plan.json", "/plan.json", "steps/../../plan.json"])
def test_a_zip_that_leads_out_of_itself_is_not_unpacked(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScenarioError, match="is twice in it, or leads out of it"):
        bundle.judged_again(zipped(tmp_path / "bundle.zip", "sut.yaml", name))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bundle.zip"]


def test_a_zip_that_is_too_long_and_what_is_none_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_MOST", 10)
    with pytest.raises(ScenarioError, match=r"certify\.bundle: .*: It is too long\."):
        bundle.judged_again(zipped(tmp_path / "bundle.zip", "a", "b"))
    (tmp_path / "letter.txt").write_text("a letter")
    with pytest.raises(ScenarioError, match=r"certify\.bundle: .*: It is no bundle: "):
        bundle.judged_again(tmp_path / "letter.txt")


@pytest.mark.parametrize(
    ("name", "says"), [("none.zip", "No such file or directory"), ("letter.txt/x", "Not a directory")]
)
def test_what_is_not_there_is_told_in_words_with_the_mend(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "letter.txt").write_text("a letter")
    mend = r"Name the folder or the bundle\.zip of 'ami certify run'\."
    for judge in (bundle.judged_again, lambda path: bundle.verified(path, None)):
        with pytest.raises(ScenarioError, match=rf"^certify\.bundle: \S+: It cannot be read: {says}\. {mend}$"):
            judge(tmp_path / name)


def test_a_bundle_with_any_octet_of_its_packed_files_altered_is_told(tmp_path: Path) -> None:
    path, told = tmp_path / "bundle.zip", set()
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        file.writestr("sut.yaml", "role: headend\n" * 20)
    whole = path.read_bytes()
    # Behind the stream lies the directory, whose dates and rights nobody misses.
    for at in range(whole.index(b"PK\x01\x02") + 12):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with pytest.raises(ScenarioError) as refused:
            bundle.judged_again(path)
        told.add(refused.value.message.split(":")[0])
    assert {"It is no bundle", "It cannot be unpacked"} <= told


def test_a_folder_without_a_statement_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as told:
        bundle.verified(tmp_path, None)
    assert told.value.code.startswith("certify.")
    assert told.value.mend
