"""The store that several masters share: PostgreSQL. docs/decisions/0057 says why it is as it is.

A record is kept as the same JSON as in the snapshot of the store in memory, beside the columns that questions
are asked about. All of these follow from the record (`rows`).
"""
