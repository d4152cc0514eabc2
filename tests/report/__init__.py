"""`ffrtmp report` and `ffrtmp matrix`: what is compared, how it is told, and what is refused."""
