"""How anything runs: session (time travel, branches), history, files, command line. Knows no experiment by name."""
