"""Kernels with a name that outlive one command, so that the steps of one CI job share their variables."""
