"""The command `surety`. Exit codes: 0 done, 1 the document was refused or held back, 2 it couldn't be pushed."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

from surety.answers import Receipt, Submission, SubmissionState
from surety.aws import AwsIdentity
from surety.client import Client
from surety.documents import open_document
from surety.errors import Problem, ReceiptUnproven, SettingUnfit, SuretyError
from surety.oidc import GITLAB_VARIABLE, GitHubToken, OidcToken, VariableToken
from surety.options import KEYLESS, make_parser
from surety.proofs import verify_inclusion
from surety.report import Report, plain
from surety.retry import Retry
from surety.tokens import ClientSecret, Granted

DONE, REFUSED, FAILED = 0, 1, 2
HELD_BACK = frozenset({SubmissionState.REFUSED, SubmissionState.QUARANTINED, SubmissionState.DELETED})
ABOUT_THE_DOCUMENT = frozenset({"digest-mismatch", "body-too-large"})
"""Refusals at the door that tell of the document."""


def run() -> NoReturn:
    """For the command line."""
    logging.basicConfig(format="surety: %(message)s", level=logging.WARNING, stream=sys.stderr)
    sys.exit(main(sys.argv[1:], os.environ))


def main(arguments: Sequence[str], environment: Mapping[str, str], retry: Retry | None = None) -> int:
    """The exit code; what came of it stands on standard output, what went wrong in one line on the other."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.act == "push" and options.name and len(options.files) > 1:
        parser.error("--name is for one FILE")
    try:
        tokens = identity(options, environment, retry)
        with Client(tokens.audience, token_source=tokens, retry=retry) as client:
            return ACTS[options.act](client, tokens, options)
    except Problem as problem:
        return _complain(f"{problem.words} ({problem.slug})", about=problem.slug)
    except SuretyError as error:
        return _complain(str(error))
    except BrokenPipeError:
        # Whoever read us has enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _complain(f"{error.filename or 'reading'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return _complain("interrupted")


def identity(
    options: argparse.Namespace, environment: Mapping[str, str], retry: Retry | None = None
) -> Granted:
    """Where tokens come from. Raises SettingUnfit."""
    url = options.url or environment.get("SURETY_URL", "")
    if not url:
        raise SettingUnfit("Say which portal: SURETY_URL, or --url.")
    client_id = environment.get("SURETY_CLIENT_ID", "")
    match options.keyless or environment.get("SURETY_KEYLESS", ""):
        case "aws":
            return AwsIdentity(url, client_id, retry=retry)
        case "github":
            return OidcToken(url, client_id, GitHubToken(retry=retry), retry=retry)
        case "gitlab":
            return OidcToken(url, client_id, VariableToken(GITLAB_VARIABLE), retry=retry)
        case "":
            return ClientSecret(url, client_id, environment.get("SURETY_CLIENT_SECRET", ""), retry=retry)
    raise SettingUnfit(f"SURETY_KEYLESS is one of {', '.join(KEYLESS)}.")


def _push(client: Client, tokens: Granted, options: argparse.Namespace) -> int:
    return max(_push_one(client, tokens, options, file) for file in options.files)


def _push_one(client: Client, tokens: Granted, options: argparse.Namespace, file: str) -> int:
    receipt = client.push(
        sys.stdin.buffer if file == "-" else file,
        citations=options.citations,
        format=options.format,
        stream=options.stream,
        complete=options.complete,
        effective_from=options.effective_from,
        effective_to=options.effective_to,
        mapping=options.mapping,
        name=options.name,
        content_type=options.content_type,
        idempotency_key=str(uuid4()) if options.again else None,
    )
    report = Report(tokens.audience, as_json=options.json)
    report.received(receipt)
    if options.no_wait:
        return DONE
    found = _wait(client, receipt, options.timeout)
    report.judged(found)
    return REFUSED if found.state in HELD_BACK else DONE


def _wait(client: Client, receipt: Receipt, seconds: float) -> Submission:
    try:
        return client.wait(receipt.id, seconds)
    except Problem as problem:
        if problem.slug != "scope-missing":
            raise
        raise SettingUnfit(
            "The document was received. To see what comes of it the API client needs the scope submissions:read; "
            "without it push with --no-wait."
        ) from None


def _status(client: Client, tokens: Granted, options: argparse.Namespace) -> int:
    found = client.submission(options.id)
    Report(tokens.audience, as_json=options.json).judged(found)
    return REFUSED if found.state in HELD_BACK else DONE


def _delete(client: Client, tokens: Granted, options: argparse.Namespace) -> int:
    Report(tokens.audience, as_json=options.json).judged(client.delete(options.id))
    return DONE


def _receipt(client: Client, tokens: Granted, options: argparse.Namespace) -> int:
    answer = client.receipt(options.id)
    Report(tokens.audience, as_json=True).raw(answer)
    if options.verify or options.file or options.log_key:
        keys = json.loads(Path(options.keys).read_text()) if options.keys else None
        signed = client.verify(str(answer.get("receipt")), keys)
        _compare(signed, options)
        _tell(f"The signature is good: {signed.get('digest')}, {signed.get('size')} bytes.")
        _prove(answer, options.log_key)
    return DONE


def _prove(answer: Mapping[str, object], fingerprint: str) -> None:
    """Raises ReceiptUnproven; without a proof only where one was asked for."""
    if answer.get("proof") is None and not fingerprint:
        _tell("There is no proof yet that it stands in the audit log: ask again in a minute.")
        return
    found = verify_inclusion(answer, fingerprint)
    _tell(
        f"It stands in the audit log, as entry {found.index} of {found.size}; the log's key is {found.fingerprint}"
    )


def _tell(line: str) -> None:
    sys.stderr.write(f"{plain(line)}\n")


def _compare(signed: Mapping[str, object], options: argparse.Namespace) -> None:
    """Whether the signed receipt is of that submission and that file. Raises ReceiptUnproven."""
    if signed.get("id") != options.id:
        raise ReceiptUnproven("The receipt is signed, and is another submission's.")
    if options.file:
        with open_document(options.file) as document:
            if signed.get("digest") != document.sha256.hex():
                raise ReceiptUnproven("The receipt is signed, and is another document's.")


def _check(_client: Client, tokens: Granted, _options: argparse.Namespace) -> int:
    tokens.token()
    scopes = " ".join(tokens.scopes) or "nothing"
    sys.stdout.write(f"{tokens.audience} knows API client {tokens.client_id}: {plain(scopes)}\n")
    return DONE


def _complain(line: str, *, about: str = "") -> int:
    sys.stderr.write(f"surety: {plain(line)}\n")
    return REFUSED if about in ABOUT_THE_DOCUMENT else FAILED


ACTS: Mapping[str, Callable[[Client, Granted, argparse.Namespace], int]] = {
    "push": _push,
    "status": _status,
    "receipt": _receipt,
    "delete": _delete,
    "check": _check,
}
