"""Where code runs. To add a backend: one file here, one line below."""

BACKENDS = {
    "host": "mlops_action.kernels.host:HostKernels",
    "gateway": "mlops_action.kernels.gateway:GatewayKernels",
}
"""Kernel backends by name."""
