"""Getting a written message to its provider, at least once and hardly ever twice."""
