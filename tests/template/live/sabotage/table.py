"""The table of proofs and sabotages, for docs/proofs.md."""

from collections.abc import Iterator

from .patches import Sabotage, sabotages
from .proofs import chapters, proofs, sentence

HEAD = """\
# What is proved, and how the proof is proved

Each line is a test that starts a generated service and looks at it from outside (`tests/template/live`). Beside it stands
a fault, a patch of that service, which turns the test red: a proof that no fault can turn red proves nothing. The last
column names the other proofs that notice the same fault.

- `pytest -m slow -k sabotage` runs every proof against every fault and compares with this page; it takes two hours on two cores.
- `pytest tests/template/live --sabotage tests/template/live/sabotage/NAME.patch` runs the proofs against one fault.
- `python -m tests.template.live.sabotage.record NAME` writes into a new patch what it turns red, and
  `python -m tests.template.live.sabotage > docs/proofs.md` writes this page.
"""
PATCHES = "../tests/template/live/sabotage"


def table() -> str:
    """Return the whole page."""
    return HEAD + "".join(chapter(name, promise) for name, promise in chapters().items())


def chapter(name: str, promise: str) -> str:
    every = sabotages()
    rows = [row for proof in proofs() if proof.startswith(f"{name}::") for row in rows_of(proof, every)]
    title = name.removeprefix("test_").removesuffix(".py").replace("_", " ").capitalize()
    head = ["", f"## {title}", "", promise, "", "| proof | sabotage | also red |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def rows_of(proof: str, every: list[Sabotage]) -> Iterator[str]:
    for one in every:
        if proof in one.aimed:
            also = "; ".join(sorted(map(sentence, one.red - {proof})))
            yield f"| {sentence(proof)} | [{one.name}]({PATCHES}/{one.path.name}): {one.broken} | {also} |"
