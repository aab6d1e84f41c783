# What a contributor runs; `just --list` shows it.

# Lint, types and the rules between modules.
check:
    ruff check
    ruff format --check
    pyrefly check
    lint-imports

# The default tests; `just test -m slow` runs the rest.
test *arguments:
    pytest -n auto {{ arguments }}

# Put imports and layout in order.
format:
    ruff check --fix
    ruff format

# Create a service from the last commit, to look at it.
try *arguments:
    new-service create --no-lock {{ arguments }}

# How long `create` takes beside plain Copier.
benchmark runs="9":
    python tests/benchmarks/create.py {{ runs }}

# Check, date the changelog, set the version, commit and tag; docs/releasing.md. Pushes nothing.
release version:
    python generator/release/release.py {{ version }}

# How long `update` takes beside plain Copier, and for a fleet.
benchmark-update runs="9" projects="100":
    python -m tests.benchmarks.update {{ runs }} {{ projects }}
