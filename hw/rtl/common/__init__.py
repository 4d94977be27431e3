"""Small circuits that every kind of machine uses."""
