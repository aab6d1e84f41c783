"""Answer sets of the real template under readable names: those that are valid, and those that are refused."""

from collections.abc import Mapping
from typing import Final

Answers = Mapping[str, object]

VALID: Final[Mapping[str, Answers]] = {
    "defaults": {"service_name": "billing"},
    "minimal": {"service_name": "billing", "features": []},
    "shortest-name": {"service_name": "x"},
    "longest-name": {"service_name": "a" + "-b" * 19 + "c"},
    "dashes-in-the-name": {"service_name": "order-fulfilment-2"},
    "own-package-name": {"service_name": "email", "package_name": "mail_sender"},
    "oldest-python": {"service_name": "billing", "python_version": "3.11"},
    "newest-python": {"service_name": "billing", "python_version": "3.14"},
    "no-ci": {"service_name": "billing", "ci": "none"},
    "own-base-image": {
        "service_name": "billing",
        "base_image": "registry.example.com:5000/base/python:3.13@sha256:" + "0" * 64,
    },
    "hostile-description": {
        "service_name": "billing",
        "description": "Quotes \"\"\" ''' \\ {{ 7 * 7 }} {% raw %} ${HOME} $(id) `id` <b> & # : - [x] ünï 🎉",
    },
    "longest-description": {"service_name": "billing", "description": "d" * 200},
    "owner-is-an-address": {"service_name": "billing", "owner": "platform@example.com"},
    "strictest-target": {"service_name": "billing", "availability_target": "99.95"},
}

# The answers, and a word of the refusal.
REFUSED: Final[Mapping[str, tuple[Answers, str]]] = {
    "empty-name": ({"service_name": ""}, "letters"),
    "capital-in-the-name": ({"service_name": "Billing"}, "lowercase"),
    "name-starts-with-a-digit": ({"service_name": "2fast"}, "letter"),
    "name-ends-with-a-dash": ({"service_name": "billing-"}, "dash"),
    "name-with-a-dot": ({"service_name": "billing.api"}, "letters"),
    "name-with-a-path": ({"service_name": "../billing"}, "letters"),
    "name-with-a-newline": ({"service_name": "billing\n"}, "service_name"),
    "name-too-long": ({"service_name": "b" * 41}, "40"),
    "name-of-a-dependency": ({"service_name": "fastapi", "package_name": "my_api"}, "depends on"),
    "name-of-a-dependency-with-two-dashes": (
        {"service_name": "prometheus--client", "package_name": "my_api"},
        "depends on",
    ),
    "package-is-a-keyword": ({"service_name": "class"}, "keyword"),
    "package-is-a-standard-module": ({"service_name": "logging"}, "standard module"),
    "package-is-a-new-standard-module": ({"service_name": "annotationlib"}, "standard module"),
    "package-is-the-tests-folder": ({"service_name": "tests"}, "set another package_name"),
    "package-with-a-dash": ({"service_name": "billing", "package_name": "my-package"}, "underscores"),
    "package-with-a-path": ({"service_name": "billing", "package_name": "a/../b"}, "underscores"),
    "description-of-two-lines": ({"service_name": "billing", "description": "one\ntwo"}, "one line"),
    "description-with-an-escape": ({"service_name": "billing", "description": "\x1b[31mred"}, "control characters"),
    "description-too-long": ({"service_name": "billing", "description": "d" * 201}, "200"),
    "description-is-empty": ({"service_name": "billing", "description": ""}, "one line"),
    "owner-with-a-quote": ({"service_name": "billing", "owner": "o'brien"}, "letters, digits"),
    "owner-with-a-newline": ({"service_name": "billing", "owner": "@a/b\n* @evil"}, "letters, digits"),
    "unknown-type": ({"service_name": "billing", "service_type": "cron"}, "no choice"),
    "unknown-python": ({"service_name": "billing", "python_version": "3.10"}, "no choice"),
    "unknown-ci": ({"service_name": "billing", "ci": "jenkins"}, "no choice"),
    "image-with-a-space": ({"service_name": "billing", "base_image": "python 3"}, "image reference"),
    "image-with-a-newline": ({"service_name": "billing", "base_image": "python\nRUN id"}, "image reference"),
    "repository-in-capitals": ({"service_name": "billing", "image_repository": "Registry/Billing"}, "lowercase"),
    "a-list-for-text": ({"service_name": ["billing"]}, "not text"),
    "a-flag-for-text": ({"service_name": "billing", "owner": True}, "not text"),
}
