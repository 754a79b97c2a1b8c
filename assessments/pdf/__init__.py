"""Documents for people as PDF/A: facts go in as data, a Typst template beside them reads it."""

from assessments.pdf.write import write_pdf

__all__ = ["write_pdf"]
