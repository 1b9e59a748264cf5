"""What is done with one photo, apart from how it is seen: ``editing.py`` puts the parts together."""
