"""Policy lint: gates that cannot do what they seem to do. One module for each kind of finding."""
