"""What is collected for the manifest. To add a fact: one file here, one line below."""

FACTS = {
    "source": "mlops_action.facts.git:GitFact",
    "python": "mlops_action.facts.python_env:PythonEnvironment",
    "r": "mlops_action.facts.r_packages:RPackages",
    "kernels": "mlops_action.facts.kernel_specs:KernelSpecs",
    "data": "mlops_action.facts.data:DeclaredData",
    "git-data": "mlops_action.facts.git_data:GitData",
    "remote-data": "mlops_action.facts.remote_data:RemoteData",
    "platform": "mlops_action.facts.platform_info:PlatformFact",
    "machine": "mlops_action.facts.machine:MachineFact",
    "os-packages": "mlops_action.facts.os_packages:OsPackages",
    "conda": "mlops_action.facts.conda:CondaPackages",
    "image": "mlops_action.facts.image:ImageFact",
    "variables": "mlops_action.facts.variables:Variables",
    "edited-package-files": "mlops_action.facts.package_files:EditedFiles",
    "tolerances": "mlops_action.facts.tolerances:Tolerances",
    "ci": "mlops_action.facts.ci_run:CiRun",
}
"""Facts by their name in the manifest, in the order of collection."""
