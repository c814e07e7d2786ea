"""`make bench`: what Cobro must reach, each figure beside a reference measured in the same run."""
