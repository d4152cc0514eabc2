"""The inputs of jobs: opening files below media roots, and fetching files from allowed hosts."""
