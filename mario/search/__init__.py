"""Search with save-states: corrections of the failures of a policy."""
