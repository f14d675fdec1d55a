"""Where runs are kept and looked up again. To add a store: one file here, one line below."""

STORES = {
    "folder": "mlops_action.stores.folder:FolderStore",
}
"""Stores by name."""
