"""How an operation's pages hang together, from botocore's paginator models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore.exceptions import UnknownServiceError

from evidence.aws.partitions import base_session


@dataclass(frozen=True, slots=True)
class Paging:
    """One operation's page tokens and the lists that its pages are joined in."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    more: str
    results: tuple[str, ...]

    @property
    def token_fields(self) -> frozenset[str]:
        """The fields of a page that are about paging, not about the account."""
        return frozenset((*self.outputs, self.more))

    def next_params(self, page: dict[str, Any]) -> dict[str, Any]:
        """What to ask for the next page; {} after the last."""
        if self.more and not jmespath.search(self.more, page):
            return {}
        tokens = {
            name: jmespath.search(path, page) for name, path in zip(self.inputs, self.outputs, strict=True)
        }
        return {name: token for name, token in tokens.items() if token}


def paging_of(service: str, operation: str) -> Paging | None:
    """The paging of an operation, or None where it answers in one page."""
    try:
        models = base_session().get_component("data_loader").load_service_model(service, "paginators-1")
    except UnknownServiceError:
        return None
    model = models["pagination"].get(operation)
    if model is None:
        return None
    return Paging(
        inputs=_names(model["input_token"]),
        outputs=_names(model["output_token"]),
        more=model.get("more_results", ""),
        results=_names(model["result_key"]),
    )


def join_page(joined: dict[str, Any], page: dict[str, Any], results: tuple[str, ...]) -> None:
    """Appends a page's lists to those of the pages before; other fields are the first page's."""
    for name, value in page.items():
        if name in joined and name in results:
            joined[name].extend(value)
        else:
            joined.setdefault(name, value)


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
