"""When things happen in a program with copies: stepped, fast forward, closed form."""
