"""The front door as a process: a reader that goes away, a version, help that is at once, completion, Ctrl-C from the first import on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer import rich_utils

import ami
from tests.cases import few
from tests.simulator.processes import AMI, ROOT, done, patience, ran

#: What takes long to import: not before a command runs.
HEAVY = {
    "numpy",
    "numba",
    "simpy",
    "fastapi",
    "pydantic",
    "matplotlib",
    "sqlalchemy",
    "pymodbus",
    "httpx",
    "uvicorn",
    "yaml",
}


def ended(*words: str, stdout: int) -> subprocess.CompletedProcess[bytes]:
    run = [*AMI, *words]
    return subprocess.run(run, stdout=stdout, stderr=subprocess.PIPE, cwd=ROOT, timeout=patience(), check=False)


@pytest.mark.process
@pytest.mark.parametrize(
    "words",
    few(
        2,
        [
            (("--help",),),
            (("plan", "list"),),
            (("scenario", "list"),),
            (("scenario", "lint", "customer-balance-inquiry"),),
        ],
    ),
)
def test_a_reader_that_is_gone_ends_it_quietly_and_not_as_a_failed_step(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        gone = ended(*words, stdout=writer)
    finally:
        os.close(writer)
    assert gone.stderr == b""
    assert gone.returncode == 141


@pytest.mark.process
def test_a_full_disk_is_one_line_and_exit_2() -> None:
    with Path("/dev/full").open("wb") as full:
        told = ended("plan", "list", stdout=full.fileno())
    assert told.stderr.decode() == "ami.stdout: Standard output cannot be written: No space left on device.\n"
    assert told.returncode == 2


@pytest.mark.process
def test_version_and_short_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--version", stdout=subprocess.PIPE).stdout.startswith(b"ami-testbed")
    shown = ended("-h", stdout=subprocess.PIPE)
    assert shown.returncode == 0
    assert b"Usage: " in shown.stdout
    for words in (("scenario",), ("capacity", "run"), ("demo",)):
        assert ran(*words, "-h") == 0
        assert "Usage: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("meters list --count x", "--count: 'x' is not a whole number. 'ami meters list --help'"),
        ("meters list --count 0", "--count: '0' is less than 1."),
        ("sandbox --count 99999", "--count: '99999' is more than 10000."),
        ("meters serve --wall-start x", "--wall-start: 'x' is not a number."),
        ("headend serve --meters ready.json", "ami headend serve: No such option: --meters (Possible options: --me"),
        ("smt serve --meters ready.json", "ami smt serve: No such option: --meters (Possible options: --me"),
        ("nothing", "ami: No such command 'nothing'. 'ami --help' tells what it takes."),
        ("report", "ami report: Missing argument 'DIR'."),
        ("scenario list more", "ami scenario list: Got unexpected extra argument(s) (more)."),
    ],
)
def test_a_command_line_that_cannot_be_is_told_in_one_line(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(*words.split()) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"ami.usage: {said}")
    assert told.endswith(" --help' tells what it takes.\n")
    assert told.count("\n") == 1


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario") == 2
    shown = capsys.readouterr()
    assert "Usage: " in shown.out
    assert shown.err == ""


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that runs, with its words."""
    if not hasattr(command, "commands"):
        yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))


COMMANDS = [pytest.param(*one, id=" ".join(one[0])) for one in commands(ami.door())]


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_word_about_an_option_is_in_the_help(
    words: tuple[str, ...], command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", 1000)
    with pytest.raises(SystemExit):
        ami.door()([*words, "--help"])
    shown = capsys.readouterr().out
    assert [one.name for one in command.params if (one.help or "") not in shown] == []
    for one in command.params:
        # Without a default that says something there is nothing to show; a text in its place is for one that depends.
        default = one.show_default if isinstance(one.show_default, str) else one.default
        if isinstance(default, (str, Path)) and str(default):
            assert f"[default: ({default})]" in shown or f"[default: {default}]" in shown


def loaded_by_help(*commands: str) -> set[str]:
    """Packages that are loaded once the commands' --help has been shown."""
    asked = (
        "import sys, ami\n"
        "for words in sys.argv[1:]:\n"
        "    try: ami.door()([*words.split(), '--help'])\n"
        "    except SystemExit: pass\n"
        "print(*sys.modules, sep='\\n')"
    )
    run = [sys.executable, "-c", asked, *commands]
    shown = done(*run).stdout
    assert shown.count("Usage:") == len(commands)
    return {name.split(".")[0] for name in shown.splitlines()}


@pytest.mark.process
def test_help_imports_nothing_heavy() -> None:
    assert loaded_by_help("") & HEAVY == set()


@pytest.mark.process
def test_a_commands_help_imports_nothing_heavy() -> None:
    servers = ("sandbox", "meters serve", "headend serve", "smt serve")
    # typer itself loads it for the options of a command.
    assert loaded_by_help(*servers, "meters list", "meters show") & HEAVY <= {"pydantic"}


@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "offered"),
    few(
        2,
        [
            ("ami sc", "scenario"),
            ("ami meters ", "serve list show truth"),
            ("ami scenario run two-c", "two-clients-use-up-a-quota"),
            ("ami capacity run ", "throttle-policies throttle-rule"),
            ("ami plan label cap", "caprock-credit-1000"),
            ("ami sandbox --policy smt-today-", "smt-today-clock smt-today-3000 smt-today-guarded"),
        ],
    ),
)
def test_bash_completes_commands_and_what_is_shipped(words: str, offered: str) -> None:
    script = (
        'eval "$(_AMI_COMPLETE=source_bash ami)"; COMP_WORDS=($1); '
        '[[ $1 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
        '_ami_completion ami; echo "${COMPREPLY[*]}"'
    )
    run = ["bash", "--norc", "-c", script, "bash", words]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert done(*run, env=os.environ | {"PATH": path}).stdout == f"{offered}\n"


#: Starts a command, which at every so many imports, and at those of some modules, is forked: there Ctrl-C is pressed (at typer: SIGTERM is sent), and beside
#: it the start goes on. Says at last what became of each that it was pressed at: what it said, and its exit code.
INTERRUPTED = """
import ami, json, os, signal, sys
every, at, met, ends = int(sys.argv.pop(1)), set(sys.argv.pop(1).split()), 0, {}
def press(event, words):
    global every, at, met
    if event == "import":
        met += 1
        for one in at & {words[0]} | ({str(met)} if every and met % every == 1 else set()):
            at = at - {one}
            heard, told = os.pipe()
            child = os.fork()
            if child == 0:
                every, at = 0, set()
                os.dup2(told, 2)
                signal.raise_signal(signal.SIGTERM if one == "typer" else signal.SIGINT)
                return
            os.close(told)
            with open(heard) as said:
                ends[one] = said.read(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.addaudithook(press)
try:
    ami.main()
finally:
    print(json.dumps(ends), file=sys.stderr)
"""
SHOW = ("meters", "show", "10443729924385485")


def pressed_at(*modules: str, every: int = 0, before: str = "") -> dict[str, list[Any]]:
    run = [sys.executable, "-c", f"{before}\n{INTERRUPTED}", str(every), " ".join(modules), *SHOW]
    ends: dict[str, list[Any]] = json.loads(done(*run).stderr.splitlines()[-1])
    return ends


@pytest.mark.process
@pytest.mark.parametrize(("every", "least"), few(1, [(150, 6), (45, 20)]))
def test_ctrl_c_at_any_time_of_a_start_is_one_line(every: int, least: int) -> None:
    # Extensions that print an exception, or put it into the text of another.
    odd = ["numba._devicearray", "pydantic_core._pydantic_core"]
    ends = pressed_at(*odd, "typer", every=every)
    assert len(ends) >= least + 3
    assert ends.pop("typer") == ["stopped.\n", 143]
    assert set(odd) <= ends.keys()
    assert {one: how for one, how in ends.items() if how != ["stopped.\n", 130]} == {}


@pytest.mark.process
@pytest.mark.long
def test_a_command_in_the_background_is_not_ended_by_the_ctrl_c_of_its_script() -> None:
    ends = pressed_at("numpy", before="import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    said, code = ends["numpy"]
    assert "stopped" not in said
    assert code == 0
