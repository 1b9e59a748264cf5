"""Training and evaluation of the three models: data -> task -> loop -> checkpoint -> weights."""
