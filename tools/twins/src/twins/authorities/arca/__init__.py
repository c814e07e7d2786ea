"""ARCA of Argentina: WSAA and WSFEv1 on `/arca`, under the paths that both environments have."""
