"""Training and evaluation of the models: data -> task -> loop -> checkpoint -> weights."""
