"""Rules, in pure Python: no database, no web, no clock of its own.

Services come here to have something decided; a decision is a value with its reason. You will not find rows, requests
or messages here.
"""
