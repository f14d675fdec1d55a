"""What ``mlops-action doctor`` looks at: kernels, environments, tools and the machine, and what is wrong with each."""
