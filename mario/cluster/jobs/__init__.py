"""Independent jobs on a cluster: evaluations, searches and trainings that need only one worker.

A job whose worker is lost runs again elsewhere. A training goes on where it was saved last.
"""
