"""The ways out: one module per provider, behind one port."""
