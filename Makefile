# The recipes that a person and CI run alike.

.PHONY: test lint format pictures

test:
	pytest -n 3 --dist loadfile

lint:
	ruff check .
	ruff format --check .
	mypy

format:
	ruff check --fix .
	ruff format .

# The pictures of the README and of the model card, made by the program itself.
pictures:
	python docs/make_pictures.py
	python docs/make_screenshots.py
	python docs/make_terminal_pages.py
