"""The runtime every Cobro service stands on. Plumbing that two services need is written here, once."""
