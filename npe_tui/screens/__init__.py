"""The screens: each shows, asks, and hands back what a person decided."""
