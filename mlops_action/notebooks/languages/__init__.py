"""One language, one file: how it writes values as source, and how it reads a cell of parameters."""
