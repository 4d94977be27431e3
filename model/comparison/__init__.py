"""Our count of some work beside what other simulators count for it."""
