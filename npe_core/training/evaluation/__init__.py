"""Measuring the three models on validation data; the numbers of the model card."""
