"""Where merchants want to be told what happened."""
