"""What is on disk: photos opened and saved, work kept between keys and sessions, names, and the folders of all that."""
