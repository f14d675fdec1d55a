"""``python -m mlops_action``."""

from mlops_action.cli.main import main

if __name__ == "__main__":
    main()
