"""Measuring the models on validation data; the numbers of the model card."""
