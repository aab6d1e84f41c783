"""What somebody may answer, by mistake or on purpose, to every question that takes free text."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from hypothesis import strategies as st
from jinja2 import Environment, nodes

from new_service.questions import Question, Questionnaire

PRODUCT: Final = str(7331 * 6007)  # what a file would hold if Jinja of an answer were evaluated
LONG: Final = 10_000

# Each stands for a language or a reader that could take it for its own.
FRAGMENTS: Final = (
    "'", '"', "'''", '"""', "‘", "“", "`", "```", "~~~", "\\", "\\\\", '\\"', "\\n", "\\u0041", "\\x00",
    "\n", "\r", "\r\n", "\t", "\x00", "\x0b", "\x0c", "\x1b[31m", "\x1b]0;x\x07", "\x7f", "\x85", "\xa0", "\u2028", "\u2029",
    "{{ 7331 * 6007 }}", "{% raw %}", "{% endraw %}", "{% set x = 1 %}", "{# #}", "{#", "{{", "}}", "{%", "{", "}",
    "{{ service_name.__class__ }}", "${HOME}", "$HOME", "$(id)", "`id`", "$${x}", "%s", "%(asctime)s", "%", "!", ";id", "&& id",
    "<script>", "</script>", "<!--", "-->", "<b>", "<details>", "&lt;", "&", "<![CDATA[", "<?php",
    "---", "...", "- [x] ", "# x", "* x", "> x", "1. x", "2) x", "=", "===", "+ x", "| x |", "[x]: y", "![x](y)", "**x**", "_x_",
    "&anchor ", "*alias", "!!python/object:os.system ", "!tag", "? ", ": ", "key: value", "[", "]", ", ", "~", "null", "true", "3.10",
    "0x10", "1e3", "2026-01-01", "|", ">", "<<: x", "@", "@x", "@@", "a@b", " ", "  ", "-", "--yes", "--", "_", "__", ".", "..",
    "/", "//", "../", "../../", "/../", "/etc/passwd", "~/", "C:\\", "\\\\host\\share", "file://", ":", "::", "a:b", "x/y:z",
    "@sha256:", "\u202e", "\u2066", "\u200f", "e\u0301\u0301\u0301", "\u0301", "\u200b", "\u200d", "\ufeff", "\ufffe", "\uffff",
    "ünï", "ß", "İ", "ı", "ﬁ", "１", "а", "🎉", "👩‍👧", "\U0010ffff", "\ud800", "\udcff", "\udfff",
    "class", "None", "test", "con", "nul", "dist", "conftest", "logging", "fastapi", "0", "a", "A", "x-1", "a--b", "a_b", "a__", "x" * 40, "x-" * 20,
)  # fmt: skip

Answers = Mapping[str, str]


def free_text(questionnaire: Questionnaire) -> dict[str, Question]:
    """Return every question that somebody may answer with any text."""
    return {
        name: question
        for name, question in questionnaire.questions.items()
        if question.type == "str" and question.choices is None and not question.is_derived
    }


def forms(fragment: str) -> Sequence[str]:
    """Return a fragment at the start of a text and within it, alone, and only within."""
    return f"{fragment} x{fragment}x", fragment, f"x{fragment}x"


def likely_sets(questionnaire: Questionnaire) -> st.SearchStrategy[Answers]:
    """Generate answers that are mostly accepted, and anything but harmless where a question permits it."""
    likely = {name: likely_texts(question) for name, question in free_text(questionnaire).items()}
    always = {name: likely.pop(name) for name in ("service_name", "description")}
    return st.fixed_dictionaries(always, optional=likely)


def hostile_sets(questionnaire: Questionnaire) -> st.SearchStrategy[Answers]:
    """Generate answers that are hostile everywhere."""
    return st.fixed_dictionaries(dict.fromkeys(free_text(questionnaire), hostile_texts()))


def sets_for(question: Question) -> st.SearchStrategy[Answers]:
    """Generate answers to one question, hostile as often as likely."""
    texts = st.one_of(hostile_texts(), likely_texts(question))
    return texts.map(lambda text: {"service_name": "billing", question.name: text})


def hostile_texts() -> st.SearchStrategy[str]:
    """Generate fragments, alone and joined, with any characters between them; a few are very long."""
    anything = st.text(st.characters(exclude_categories=()), max_size=8)
    joined = st.lists(st.sampled_from(FRAGMENTS) | anything, min_size=1, max_size=5).map("".join)
    return st.one_of(st.sampled_from(FRAGMENTS), joined, joined.map(lengthened), anything)


def lengthened(text: str) -> str:
    return text * (LONG // max(len(text), 1))


def likely_texts(question: Question) -> st.SearchStrategy[str]:
    """Generate what fits the pattern in the question's validator: any such text, and such fragments."""
    patterns = [
        node.args[0].as_const()
        for node in Environment(autoescape=True).parse(question.validator).find_all(nodes.Filter)
        if node.name == "regex_search"
    ]
    if not patterns:
        return hostile_texts()
    fits = re.compile(patterns[0]).search
    fitting = st.sampled_from([fragment for fragment in FRAGMENTS if fits(fragment)])
    joined = st.lists(fitting, min_size=1, max_size=4).map(lambda parts: next(filter(fits, ["".join(parts), parts[0]])))
    return st.one_of(st.from_regex(patterns[0]), joined).map(str.strip)
