"""Tax authorities, and those who certify in their name: a folder per country, whose `twin` has a `build`."""
