"""What a party that serves can be asked for: each command's options are the fields of one record. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from meters import SEED


def _policies() -> list[str]:
    """Every preset, for the shell."""
    from simulator.smt.throttle.policy import preset_names

    return preset_names()


def _vee_presets() -> list[str]:
    """Every preset of VEE, for the shell."""
    from simulator.input.vee_preset import shipped

    return list(shipped())


DateOption = Annotated[
    str, typer.Option(help="Where the model's time begins: 2026-08-12 (noon) or 2026-08-12T17:40; now unless given.")
]
SpeedOption = Annotated[
    float | None, typer.Option(help="Model seconds per wall second on the scaled clock; 60 unless given.")
]
KeepOption = Annotated[
    bool, typer.Option("--keep/--fresh", help="Go on from what --out holds, or clear what an earlier run left there.")
]
HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
PolicyOption = Annotated[
    str,
    typer.Option(
        help="Throttle: a preset (n-per-day:amount=3 sets its parameter) or a YAML file.", autocompletion=_policies
    ),
]
TokenLifeOption = Annotated[
    str,
    typer.Option(
        help="Which clock tokens live by: wall, as a client that counts for itself does, or model, so that who comes once an hour logs in anew."
    ),
]
TlsOption = Annotated[bool, typer.Option("--tls", help="SMT over HTTPS, with a certificate of the local CA.")]
AccountsOption = Annotated[
    Path | None,
    typer.Option(help="The retailer's accounts: a folder of YAML and CSV files ('ami accounts lint' checks one)."),
]
DatabaseOption = Annotated[
    str, typer.Option(help="SQLAlchemy URL of SMT's database; a SQLite file in --out unless given.")
]
TdspOption = Annotated[str, typer.Option(help="Whose meters: ONCOR, CENTERPOINT, AEP_CENTRAL, AEP_NORTH or TNMP.")]
KeysOption = Annotated[
    Path | None,
    typer.Option(
        help="File with the keys of its links, made if there is none; that of the ready lines it is given, or keys.json in its folder, unless given."
    ),
]
OpenLinksOption = Annotated[
    bool, typer.Option("--open-links", help="Ask nobody for a key: anyone may answer, inquire and tell events.")
]
WireOption = Annotated[
    Path | None,
    typer.Option(
        "--wire",
        help="Write every exchange to this file, a line of JSON each; what lies there of an earlier run is replaced.",
    ),
]
FleetSeedOption = Annotated[int, typer.Option(help="Which meters: the same seed makes the same ones.", min=0)]
MixOption = Annotated[str, typer.Option(help="homes, or market: with roofs, cars and small businesses.")]
FaultsOption = Annotated[Path | None, typer.Option(help="A YAML file of faults, weather and look-alikes.")]
ReplayOption = Annotated[
    Path | None,
    typer.Option(help="An SMT interval CSV, or a CSV profile, that the first meter's load is taken from."),
]


VeePresetOption = Annotated[
    str,
    typer.Option(
        help="How its VEE goes and when it posts: a shipped preset or a YAML file; its TDSP's unless given.",
        autocompletion=_vee_presets,
    ),
]


@dataclass(frozen=True, slots=True)
class ClockOptions:
    """Which clock a party is to have. ``wall_start``: 0 for when it is ready to serve."""

    date: DateOption = ""
    mode: Annotated[
        str,
        typer.Option(
            "--clock",
            help="real or scaled, of an SMT alone manual too (POST /control/clock/advance moves it); real unless given.",
        ),
    ] = ""
    speed: SpeedOption = None
    wall_start: Annotated[
        float,
        typer.Option(
            help="Unix seconds at which the model's time was --date, as a ready line's clock tells it; when ready, unless given.",
            show_default=False,
        ),
    ] = 0.0
    clock_of: Annotated[
        str, typer.Option(help="Share another party's clock: its URL, or a file with its ready line.")
    ] = ""

    @property
    def silent(self) -> bool:
        """Whether nothing says when the model began."""
        return not (self.date or self.wall_start or self.clock_of)


@dataclass(frozen=True, slots=True)
class TellOptions:
    """What is told of a party while it serves."""

    log: Annotated[str, typer.Option(help="Structured log, JSON lines: a file, or - for standard error.")] = ""
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False


@dataclass(frozen=True, slots=True)
class MetersOptions:
    """What meters alone can be asked for."""

    count: Annotated[
        int, typer.Option(help="How many meters, at most 247 behind each gateway.", min=1, max=100_000)
    ] = 40
    tdsp: TdspOption = "ONCOR"
    port: Annotated[
        int, typer.Option(help="The first gateway's port, the others follow; 0 takes free ones.", min=0, max=65535)
    ] = 8700
    host: HostOption = "127.0.0.1"
    seed: FleetSeedOption = SEED
    mix: MixOption = "market"
    special: Annotated[bool, typer.Option(help="The magic ESI IDs too, on a gateway of their own.")] = True
    clock: ClockOptions = ClockOptions()
    faults: FaultsOption = None
    replay: ReplayOption = None
    events_to: Annotated[
        str, typer.Option(help="URL of a head-end's POST /events, told of power failures, switches and clocks.")
    ] = ""
    keys: Annotated[
        Path | None,
        typer.Option(help="File with the key that events bear, made if there is none; ami-out/meters/keys.json."),
    ] = None
    ledger: Annotated[Path | None, typer.Option(help="Folder for the ledger of faults, JSON and Parquet.")] = None
    state: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps what is written to the meters (switch, clock), so that a restart goes on with it."
        ),
    ] = None
    wire: WireOption = None
    tell: TellOptions = TellOptions()


@dataclass(frozen=True, slots=True)
class HeadEndOptions:
    """What a head-end alone can be asked for."""

    meters_of: Annotated[
        Path | None, typer.Option(help="Its meters: a file with the ready line of 'ami meters serve --json'.")
    ] = None
    gateways: Annotated[
        Path | None,
        typer.Option(
            help="Its meters: a CSV of esiid, meter_number, host, port, unit_id and, if need be, multiplier, access_point, phases."
        ),
    ] = None
    smt_of: Annotated[
        Path | None, typer.Option(help="SMT's file site: a file with the ready line of 'ami smt serve --json'.")
    ] = None
    smt_ftps: Annotated[str, typer.Option(help="SMT's file site, HOST:PORT.")] = ""
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority behind SMT's certificates.")] = None
    login: Annotated[
        str, typer.Option(help="USERNAME:PASSWORD at the file site.", envvar="AMI_SMT_LOGIN", show_envvar=True)
    ] = ""
    reply_to: Annotated[
        list[str] | None,
        typer.Option(help="Base URL below which results may be called back, beside that in --smt-of."),
    ] = None
    keys: KeysOption = None
    open_links: OpenLinksOption = False
    port: Annotated[int, typer.Option(help="The HTTP service's port; 0 takes a free one.", min=0, max=65535)] = 8610
    host: HostOption = "127.0.0.1"
    backfill: Annotated[
        int,
        typer.Option(help="Operating days before now that are read from the meters and posted.", min=0, max=35),
    ] = 35
    sweep_every: Annotated[int, typer.Option(help="Hours between two sweeps.", min=1, max=24)] = 4
    vee_preset: VeePresetOption = ""
    seed: Annotated[int, typer.Option(help="Of the radio network's draws.", min=0)] = SEED
    meter_timeout: Annotated[
        float,
        typer.Option(
            help="Wall seconds after which a silent meter is given up; until then its gateway's others wait. 0: by the clock, 1 to 3.",
            min=0,
            max=60,
        ),
    ] = 0.0
    clock: ClockOptions = ClockOptions()
    out: Annotated[Path, typer.Option(help="Folder for its database.")] = Path("ami-out/headend")
    keep: KeepOption = True
    wire: WireOption = None
    tell: TellOptions = TellOptions()


@dataclass(frozen=True, slots=True)
class SmtOptions:
    """What an SMT alone can be asked for."""

    headend: Annotated[
        list[str] | None,
        typer.Option(
            help="The head-end: its URL, or a file with the ready line of 'ami headend serve --json'; KEY=URL for one of several TDSPs."
        ),
    ] = None
    meters_of: Annotated[
        Path | None,
        typer.Option(help="Records for the meters in the ready line of 'ami meters serve --json'. Or:"),
    ] = None
    tdsp: Annotated[str, typer.Option(help="Whose meters the records are made for,")] = "ONCOR"
    count: Annotated[int, typer.Option(help="how many,")] = 40
    seed: Annotated[int, typer.Option(help="which ones, as 'ami meters serve' was told,", min=0)] = SEED
    mix: Annotated[str, typer.Option(help="homes or market,")] = "market"
    special: Annotated[bool, typer.Option(help="and the magic ESI IDs too.")] = True
    registry: Annotated[
        Path | None, typer.Option(help="Or the records themselves: a folder of CSV files, passwords as hashes.")
    ] = None
    policy: PolicyOption = "smt-today"
    middle: Annotated[
        str,
        typer.Option(
            help="The way to the TDSP: law (drawn; one request in 50 is lost by lot), or seconds to the pick-up and back, 18,52."
        ),
    ] = "law"
    expiry: Annotated[
        float,
        typer.Option(help="Minutes of model time after which a request without an answer expires (T-FAILED).", min=1),
    ] = 45.0
    port: Annotated[int, typer.Option(help="The HTTP service's port; 0 takes a free one.", min=0, max=65535)] = 8600
    ftps_port: Annotated[int, typer.Option(help="The file site's port; 0 takes a free one.", min=0, max=65500)] = 8621
    host: HostOption = "127.0.0.1"
    reply_to: Annotated[
        str, typer.Option(help="Base URL under which head-ends reach it; where it listens unless given.")
    ] = ""
    keys: Annotated[
        list[str] | None,
        typer.Option(
            help="File with the keys of its links, made if there is none; that of --meters-of, or keys.json in --out, unless given. KEY=FILE for one of several TDSPs."
        ),
    ] = None
    open_links: OpenLinksOption = False
    tls: TlsOption = False
    token_life: TokenLifeOption = "wall"
    database: DatabaseOption = ""
    role: Annotated[
        str,
        typer.Option(
            help="alone; or dispatcher or worker of several at one PostgreSQL database: a worker has the dispatcher's --out and --clock-of."
        ),
    ] = "alone"
    clock: ClockOptions = ClockOptions()
    out: Annotated[Path, typer.Option(help="Folder for database, certificates and files.")] = Path("ami-out/smt")
    keep: KeepOption = True
    wire: WireOption = None
    tell: TellOptions = TellOptions()


@dataclass(frozen=True, slots=True)
class RorOptions:
    """What a retailer alone can be asked for."""

    accounts: AccountsOption = None
    smt_of: Annotated[
        Path | None,
        typer.Option(help="Its SMT, and the log-in there: a file with the ready line of 'ami smt serve --json'. Or:"),
    ] = None
    smt: Annotated[str, typer.Option(help="SMT's base URL,")] = ""
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority behind SMT's certificate,")] = None
    login: Annotated[str, typer.Option(help="USERNAME:PASSWORD at SMT,", envvar="AMI_ROR_LOGIN", show_envvar=True)] = ""
    duns: Annotated[str, typer.Option(help="and the retailer's DUNS number.")] = ""
    agent: Annotated[
        str,
        typer.Option(help="USERNAME:PASSWORD of who may log in at the desk.", envvar="AMI_ROR_AGENT", show_envvar=True),
    ] = "desk.agent:pecan-desk-1"
    seed: Annotated[
        int,
        typer.Option(help="Whose weather it knows of the zones of accounts, as 'ami meters serve' was told.", min=0),
    ] = SEED
    under_way: Annotated[int, typer.Option(help="Calls that it works at once, at most.", min=1, max=10_000)] = 100
    port: Annotated[int, typer.Option(help="The HTTP service's port; 0 takes a free one.", min=0, max=65535)] = 8650
    host: HostOption = "127.0.0.1"
    clock: ClockOptions = ClockOptions()
    out: Annotated[Path, typer.Option(help="Folder for the ledger of its calls.")] = Path("ami-out/ror")
    keep: KeepOption = True
    wire: WireOption = None
    tell: TellOptions = TellOptions()


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a sandbox can be asked for."""

    count: Annotated[int, typer.Option("--count", "--meters", help="How many meters.", min=4, max=10_000)] = 40
    seed: FleetSeedOption = SEED
    date: DateOption = ""
    faults: FaultsOption = None
    replay: ReplayOption = None
    clock: Annotated[str, typer.Option(help="real, scaled or manual.")] = "scaled"
    speed: SpeedOption = None
    vee_preset: VeePresetOption = ""
    policy: PolicyOption = "smt-today"
    accounts: AccountsOption = None
    registry: Annotated[
        Path | None,
        typer.Option(
            help="SMT's records: a folder of CSV files, instead of those made for the meters; without the magic ESI IDs."
        ),
    ] = None
    keys: KeysOption = None
    open_links: OpenLinksOption = False
    middle: Annotated[
        str,
        typer.Option(
            help="The way to the TDSP: law (drawn; one request in 50 is lost by lot), or seconds to the pick-up and back. "
            "law, on the manual clock 18,52, unless given.",
            show_default=False,
        ),
    ] = ""
    tls: TlsOption = False
    token_life: TokenLifeOption = "wall"
    smt_port: Annotated[
        int, typer.Option(help="SMT's port, wherever the others are; -1 leaves it with them.", max=65535)
    ] = -1
    database: DatabaseOption = ""
    out: Annotated[Path, typer.Option(help="Folder for databases, certificates and files.")] = Path("ami-out/sandbox")
    kept_days: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which posted days are kept for the next start with the same ones; in the user's cache folder unless given.",
            envvar="AMI_KEPT_DAYS",
            show_envvar=True,
        ),
    ] = None
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the posted days anew, whatever is kept of them.")] = False
    port_base: Annotated[int, typer.Option(help="Moves all ports; 0 takes free ones.", min=0, max=65000)] = 8600
    wire: WireOption = None
    tell: TellOptions = TellOptions()
