"""`ffrtmp matrix`: a whole experiment from one file."""

from master.operator.matrix.expand import Matrix
from master.operator.matrix.file import read_matrix

__all__ = ["Matrix", "read_matrix"]
