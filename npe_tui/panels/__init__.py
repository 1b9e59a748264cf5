"""The panels beside the picture. Each posts what a person did and shows what it is told; none knows the others."""
