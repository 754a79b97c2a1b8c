"""Evidence packages: what is handed to somebody who need not trust us, built in the background, kept as ciphertext."""
