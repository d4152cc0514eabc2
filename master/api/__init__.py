"""HTTP: a thin blueprint for each noun."""
