"""Parts of a suite die, freeze or are away, and everything still ends well."""
