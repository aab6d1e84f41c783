"""Retry budget: an outage must not be answered with a multiple of the load. A token bucket, as in Finagle and gRPC."""

CALLS_PER_RETRY = 10  # so that retries add 10 % at most
RESERVE = 10  # retries that may come at once


class RetryBudget:
    """One for each dependency: every call earns a part of a retry, up to a reserve."""

    def __init__(self) -> None:
        self.earned = RESERVE * CALLS_PER_RETRY  # whole numbers: tenths would not add up to one

    @property
    def remaining(self) -> float:
        return self.earned / CALLS_PER_RETRY

    def earn(self, parts: int = 1) -> None:
        self.earned = min(self.earned + parts, RESERVE * CALLS_PER_RETRY)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        affordable = self.earned >= CALLS_PER_RETRY
        self.earned -= CALLS_PER_RETRY * affordable
        return affordable
