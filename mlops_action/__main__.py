"""``python -m mlops_action``."""

from mlops_action.cli.main import console_script

if __name__ == "__main__":
    console_script()
