"""What the experiments of this tab have in common: the settings of every schedule, and its words in PyTorch."""
