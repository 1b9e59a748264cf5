"""How fast it is: what ``npe bench`` measures, and the tables that the README shows."""
