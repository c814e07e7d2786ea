"""Tax authorities: one folder per country, and the contract they all pass. Importing this loads no country."""
