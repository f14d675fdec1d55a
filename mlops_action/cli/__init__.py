"""The command line. To add a command: one file here that defines ``command``."""
