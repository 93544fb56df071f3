"""What is handed on: a zip of recording, verdict and page with the digest of every file, signed if there is a key; whether one is as it was written."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headend.ports import fault_text
from meters.errors import MeterError, UserError, reason
from scenarios.certify.flight import result_of_flight
from scenarios.certify.judged import dumps, result_of
from scenarios.certify.observed import STEPS, WHICH, Observed, digest_of, observed
from scenarios.certify.run import MADE, RECORDED, STATEMENT, STATEMENTS
from scenarios.certify.statement import Statement, load
from scenarios.errors import ScenarioError
from simulator.runtime.folder import write_whole
from simulator.versions import product

RESULT, BUNDLE = "result.json", "bundle.zip"
MANIFEST, SIGNATURE, PUBLIC = "manifest.json", "manifest.sig", "public.pem"
#: Makes what else is published of a verdict: text by file name. Of statements by role, result and recording alone.
Made = Callable[[Mapping[str, Statement], dict[str, Any], Observed], dict[str, str]]
#: What no bundle is longer than, unpacked.
_MOST = 2 << 30
_MEND = "Take the bundle as 'ami certify run' wrote it."


def publish(out: Path, key: Path | None, made: Made) -> dict[str, Any]:
    """Judge what was recorded in a folder, write all that is made of it and the bundle; gives the result. Raises ScenarioError for a key that is none."""
    signer = None if key is None else _private(key)
    said, all_of_it = _said(out), observed(out)
    result = _result(said, all_of_it)
    write_whole(out / RESULT, dumps(result))
    for name, text in made(said, result, all_of_it).items():
        write_whole(out / name, text)
    names = [*(name for name in (*RECORDED, *MADE) if (out / name).is_file() and name != BUNDLE)]
    names += sorted(
        str(one.relative_to(out)) for one in (out / STEPS).rglob("*") if one.is_file() and not one.name.startswith(".")
    )
    digests = {name: digest_of(out / name) for name in sorted(names)}
    manifest = (
        json.dumps({"format": 1, "product": product(), "files": digests}, indent=1, sort_keys=True) + "\n"
    ).encode()
    content = {MANIFEST: manifest}
    if signer is not None:
        content[SIGNATURE] = base64.b64encode(signer.sign(manifest)) + b"\n"
        content[PUBLIC] = signer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    with zipfile.ZipFile(out / BUNDLE, "w", zipfile.ZIP_DEFLATED) as bundle:
        # One time for all, so that the same content makes the same file.
        for name in digests:
            bundle.writestr(zipfile.ZipInfo(name), (out / name).read_bytes(), zipfile.ZIP_DEFLATED)
        for name, octets in content.items():
            bundle.writestr(zipfile.ZipInfo(name), octets, zipfile.ZIP_DEFLATED)
    return result


def judged_again(bundle: Path) -> dict[str, Any]:
    """The verdict on a bundle or its folder, made anew. Raises ScenarioError or SimulatorError where it is not as it was written."""
    with _opened(bundle) as folder:
        return _again(folder)


def verified(bundle: Path, key: Path | None) -> str:
    """What there is to say of a bundle that is as it was written. Raises ScenarioError of the first thing that is not."""
    with _opened(bundle) as folder:
        # What was done to the exchanges is told by its line, before the digest of their file is.
        result = _again(folder)
        manifest = folder / MANIFEST
        if not manifest.is_file():
            raise ScenarioError("certify.manifest", "There is no manifest.", str(bundle), "Name the bundle.zip.")
        files = _files(manifest)
        there = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
        for name in sorted(there | files.keys()):
            if name in (MANIFEST, SIGNATURE, PUBLIC):
                continue
            if name not in files:
                raise ScenarioError("certify.manifest", "The file is not in the manifest.", name, _MEND)
            if name not in there:
                raise ScenarioError("certify.manifest", "The file is not there.", name, _MEND)
            if digest_of(folder / name) != files[name]:
                raise ScenarioError("certify.manifest", "The file was altered: its digest is another.", name, _MEND)
        if (folder / RESULT).read_text("utf-8") != dumps(result):
            raise ScenarioError("certify.result", "Judged again it comes out otherwise.", RESULT, _MEND)
        signed = _signed(folder, key)
        verdict = "a certificate" if result["certificate"] else f"no certificate ({result['mark']})"
        return f"whole, {len(files)} files; {signed}; judged again: {verdict}"


def _again(folder: Path) -> dict[str, Any]:
    try:
        return _result(_said(folder), observed(folder))
    except (ArithmeticError, AttributeError, LookupError, MeterError, RecursionError, TypeError, ValueError) as error:
        # A chain, and the digests of a plan, hold for whatever somebody else wrote too.
        text = f"It holds what cannot be judged ({fault_text(error)}): it was altered, or that is a fault of ours."
        raise ScenarioError("certify.bundle", text, str(folder), _MEND) from error


def _said(folder: Path) -> dict[str, Statement]:
    """The statement of a system, or those of the two of a flight, by role."""
    flight = [folder / name for name in STATEMENTS.values() if (folder / name).is_file()]
    return {said.role: said for said in map(load, flight or [folder / STATEMENT])}


def _result(said: dict[str, Statement], all_of_it: Observed) -> dict[str, Any]:
    return result_of_flight(said, all_of_it) if len(said) > 1 else result_of(next(iter(said.values())), all_of_it)


def _files(manifest: Path) -> dict[str, str]:
    try:
        files = json.loads(manifest.read_text("utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ScenarioError("certify.manifest", "The manifest is none.", MANIFEST, _MEND) from None


def _signed(folder: Path, key: Path | None) -> str:
    """Who signed it, as far as that is known."""
    signature = folder / SIGNATURE
    if not signature.is_file():
        if key is not None:
            raise ScenarioError("certify.signature", "Nobody has signed it.", str(key), "Ask for a signed one.")
        return "not signed"
    public = _public(key or folder / PUBLIC)
    try:
        public.verify(base64.b64decode(signature.read_bytes()), (folder / MANIFEST).read_bytes())
    except (InvalidSignature, ValueError):
        text = "The signature is not of this manifest by this key."
        raise ScenarioError("certify.signature", text, str(key or PUBLIC), _MEND) from None
    return "signed by that key" if key else "signed by the key that lies in it, whose that is --key tells"


def _private(path: Path) -> Ed25519PrivateKey:
    mend = "Make one: openssl genpkey -algorithm ed25519 -out key.pem."
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ScenarioError(
            "certify.key", f"The key cannot be read: {error.strerror}.", f"--key {path}", mend
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ScenarioError(
            "certify.key", "This is no private key without a password.", f"--key {path}", mend
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ScenarioError("certify.key", "This is no Ed25519 key.", f"--key {path}", mend)
    return key


def _public(path: Path) -> Ed25519PublicKey:
    mend = "Make it of the private one: openssl pkey -in key.pem -pubout -out public.pem."
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ScenarioError("certify.key", f"The key cannot be read: {error.strerror}.", str(path), mend) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ScenarioError("certify.key", "This is no public key.", str(path), mend) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ScenarioError("certify.key", "This is no Ed25519 key.", str(path), mend)
    return key


@contextmanager
def _opened(bundle: Path) -> Iterator[Path]:
    """The folder of a bundle: itself, or what its zip holds."""
    if bundle.is_dir():
        yield bundle
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            with zipfile.ZipFile(bundle) as file:
                infos = file.infolist()
                if sum(one.file_size for one in infos) > _MOST:
                    raise ScenarioError("certify.bundle", "It is too long.", str(bundle), _MEND)
                # Others would open another file than what is looked at here.
                named = [one.filename for one in infos]
                odd = [one for at, one in enumerate(named) if one in named[:at] or ".." in one or one.startswith("/")]
                if odd:
                    text = f"{odd[0]} is twice in it, or leads out of it."
                    raise ScenarioError("certify.bundle", text, str(bundle), _MEND)
                for one in infos:
                    file.extract(one, folder)
        except OSError as error:
            raise ScenarioError("certify.bundle", f"It cannot be read: {reason(error)}.", str(bundle), WHICH) from None
        except zipfile.BadZipFile as error:
            raise ScenarioError("certify.bundle", f"It is no bundle: {reason(error)}.", str(bundle), WHICH) from None
        except (zlib.error, EOFError, RuntimeError):
            # One changed octet, and the stream ends early, or asks for a method or a password that nobody chose.
            raise ScenarioError(
                "certify.bundle", "It cannot be unpacked: it was altered.", str(bundle), _MEND
            ) from None
        try:
            yield folder
        except UserError as error:
            # Where it was unpacked nothing lies any more.
            said = (one.replace(f"{folder}/", "") for one in (error.message, error.place, error.mend))
            raise type(error)(error.code, *said) from None
