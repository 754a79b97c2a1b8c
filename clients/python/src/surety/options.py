"""The command's words."""

from __future__ import annotations

import argparse

from surety.version import __version__

KEYLESS = ("aws", "github", "gitlab")
SETTINGS = """\
settings, from the environment:
  SURETY_URL            the portal's address
  SURETY_CLIENT_ID      the API client's id
  SURETY_CLIENT_SECRET  its secret; or, instead of a secret,
  SURETY_KEYLESS        aws, github or gitlab: the identity that this machine has

exit codes:
  0  done
  1  the document was refused or held back
  2  it couldn't be pushed, or asked for
"""


def make_parser() -> argparse.ArgumentParser:
    """The parser; `act` is which of the five."""
    parser = argparse.ArgumentParser(
        prog="surety",
        description="Pushes evidence to a Surety portal.",
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    acts = parser.add_subparsers(dest="act", required=True, metavar="{push,status,receipt,delete,check}")
    _push(_act(acts, "push", "push a document, and wait for what comes of it"))
    status = _act(acts, "status", "how far a submission is")
    status.add_argument("id", metavar="ID", help="the submission's id")
    status.add_argument("--json", action="store_true", help="print JSON")
    _receipt(_act(acts, "receipt", "a submission's signed receipt and its proof, as JSON"))
    delete = _act(acts, "delete", "delete a submission that is held back, and that this API client pushed")
    delete.add_argument("id", metavar="ID", help="the submission's id")
    delete.add_argument("--json", action="store_true", help="print JSON")
    _act(acts, "check", "whether the settings work, and what the API client may do")
    return parser


def _act(
    acts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str
) -> argparse.ArgumentParser:
    parser = acts.add_parser(
        name,
        help=help_,
        description=help_,
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", help="the portal's address; else SURETY_URL")
    parser.add_argument("--keyless", choices=KEYLESS, help="the identity to use instead of a secret")
    return parser


def _push(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="a document; - is standard input")
    add(
        "--for",
        dest="citations",
        action="append",
        default=[],
        metavar="CITATION",
        help="what it is evidence for, such as '164.312(b)'; may be repeated",
    )
    add("--format", help="the document's format, where it isn't recognised")
    add("--stream", help="the series that it belongs to; else its producer's name")
    add("--complete", action="store_true", help="it tells all: what it doesn't name any more is gone")
    add("--from", dest="effective_from", metavar="TIME", help="since when it holds (RFC 3339)")
    add("--to", dest="effective_to", metavar="TIME", help="until when it holds (RFC 3339)")
    add("--name", help="the file's name; else FILE's own")
    add("--mapping", metavar="ID", help="the saved mapping that says what its columns mean (CSV, JSON)")
    add("--content-type", help="its media type; else by its name")
    add("--again", action="store_true", help="push it once more, though it was pushed before")
    add("--no-wait", action="store_true", help="end when it is received")
    add("--timeout", type=float, default=600.0, metavar="SECONDS", help="how long to wait (600)")
    add("--json", action="store_true", help="print JSON: a line for the receipt, a line for what came of it")


def _receipt(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("id", metavar="ID", help="the submission's id")
    add("--verify", action="store_true", help="check the signature, and the proof where there is one already")
    add("--keys", metavar="FILE", help="receipt keys kept from before (JWK set); else asked for now")
    add(
        "--log-key",
        default="",
        metavar="FINGERPRINT",
        help="of the audit log's key: no other may have signed the proof",
    )
    add("--file", metavar="FILE", help="the document: check that the receipt is this one's")
