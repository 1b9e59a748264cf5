"""What is edited: the photo, its canvas, the results as steps of its history, and what a person set of the edit."""
