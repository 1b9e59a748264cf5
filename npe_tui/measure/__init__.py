"""How fast the terminal editor answers: what ``npe bench tui`` measures."""
