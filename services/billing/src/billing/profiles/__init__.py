"""Who issues: a business's fiscal data, certificates, keys and ranges. Secrets are written, never read back."""
