"""Prints the text of a PDF's pages, a line of JSON each, for evidence/phi/pdf.py: a process of its own, with limits.

The file is standard input. A page is {"page": number, "text": ..., "images": bool}; the end is {"end": true}; what
can't be read is {"problem": ...}. A process that took too much time or memory ends without an end.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Iterator, Mapping

from pypdf import PageObject, PdfReader, overwrite_configuration
from pypdf.errors import PyPdfError

MAX_PAGES = 2_000
MEMORY = 48 * 1024 * 1024
"""Bytes beyond what the program takes by itself."""
SECONDS, SECONDS_OF_PAGE, SECONDS_IN_ALL = 0.8, 0.25, 60
"""Of processor time: for the file, for each page that was read, and at most."""
STREAM = 8 * 1024 * 1024
OBJECTS = 50_000


def main() -> None:
    """Reads standard input, whatever it holds."""
    _set_limits()
    try:
        for each in _pages():
            _say(each)
        _say({"end": True})
    except RecursionError:
        _say({"problem": "the PDF is nested too deep"})
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        AssertionError,
    ):
        _say({"problem": "the PDF is damaged, or beyond the limits"})


def _say(fact: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def _set_limits() -> None:
    overwrite_configuration(
        maximum_declared_stream_length=4 * STREAM, array_based_stream_maximum_output_length=STREAM,
        lzw_maximum_output_length=STREAM, run_length_maximum_output_length=STREAM, zlib_maximum_output_length=STREAM,
        brotli_maximum_output_length=STREAM, stream_decoding_work_maximum_length=4 * STREAM,
        stream_parsing_work_maximum_count=500_000, page_tree_maximum_entries=OBJECTS, jbig2dec_binary=None,
    )  # fmt: skip
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (own + MEMORY, own + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_IN_ALL, SECONDS_IN_ALL))
    # Its signal ends the process, also where it is in the middle of something that knows no limit.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)


def _pages() -> Iterator[Mapping[str, object]]:
    reader = PdfReader(sys.stdin.buffer, strict=False)
    if reader.is_encrypted:
        yield {"problem": "the PDF is encrypted"}
        return
    for number, page in enumerate(reader.pages, 1):
        if number > MAX_PAGES:
            yield {"problem": f"the PDF has more than {MAX_PAGES} pages"}
            return
        yield {"page": number, "text": page.extract_text(), "images": _has_images(page)}
        left, _interval = signal.getitimer(signal.ITIMER_PROF)
        signal.setitimer(signal.ITIMER_PROF, left + SECONDS_OF_PAGE)


def _has_images(page: PageObject) -> bool:
    return "/XObject" in (page.get("/Resources") or {})


if __name__ == "__main__":
    main()
