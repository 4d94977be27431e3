"""Small mistakes planted in RTL, models and benches, to see whether the tests notice."""
