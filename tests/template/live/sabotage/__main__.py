"""Prints docs/proofs.md: ``python -m tests.template.live.sabotage > docs/proofs.md``."""

from .table import table

print(table(), end="")  # noqa: T201 - printing is what it is for
