"""The answers on the command line: `--set question=value`, and the options that stand for a question."""

from collections.abc import Sequence

from .answers import FEATURES, SERVICE_NAME, SERVICE_TYPE
from .errors import AnswersRefused, NewServiceError, UsageError, shown


def read_flags(
    assignments: Sequence[str], *, service_name: str | None = None, service_type: str | None = None
) -> dict[str, object]:
    """Return question and answer. Raises AnswersRefused for what is no assignment or is said twice."""
    options = {SERVICE_NAME: ("--name", service_name), SERVICE_TYPE: ("--type", service_type)}
    answers: dict[str, object] = {question: value for question, (_, value) in options.items() if value is not None}
    problems: list[NewServiceError] = []
    for assignment in assignments:
        question, separator, value = assignment.partition("=")
        if not separator or not question:
            problems.append(UsageError(f"--set {shown(assignment)} is no assignment", "write --set question=value"))
        elif question == FEATURES:
            hint = "use --feature and --no-feature, or in a project `new-service add` and `remove`"
            problems.append(UsageError("--set features does not say what to leave", hint))
        elif question in answers:
            other = options.get(question, ("--set", None))[0]
            problems.append(UsageError(f"{question} is answered twice", f"leave out {other} or --set {question}=…"))
        else:
            answers[question] = value
    if problems:
        raise AnswersRefused(problems)
    return answers
