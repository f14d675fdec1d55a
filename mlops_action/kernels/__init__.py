"""Where code runs. To add a backend: one file here, one line below."""

BACKENDS = {
    "host": "mlops_action.kernels.host:HostKernels",
    "packages": "mlops_action.kernels.packages:PackagesKernels",
}
"""Kernel backends by name."""
