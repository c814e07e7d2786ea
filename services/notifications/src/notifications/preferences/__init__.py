"""How a business wants to be heard: language and channels."""
