"""Where code runs. To add a backend: one file here, one line below."""

BACKENDS = {
    "container": "mlops_action.kernels.container:ContainerKernels",
    "host": "mlops_action.kernels.host:HostKernels",
    "packages": "mlops_action.kernels.packages:PackagesKernels",
    "warm": "mlops_action.kernels.warm:WarmKernels",
    "gateway": "mlops_action.kernels.gateway:GatewayKernels",
}
"""Kernel backends by name."""
