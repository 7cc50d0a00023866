"""The recommender as a service: a bundle of vectors, an event store, an HTTP interface.

Taught in 07_deployment. Importing what serves (`app`, `engine`, `store`) needs neither torch nor transformers; what
makes a bundle (`export`, `retrain`) does.
"""
