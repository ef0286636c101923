"""A retailer to try the warehouse with: its people, what they do, and the files its systems deliver.

Belongs here: how people behave, what the systems note of it, and the truth beside it. Does not belong
here: anything that reads the files. Neither Dagster nor dbt nor another room is known here, and
nothing but tests and benchmarks reads the truth.
"""
