"""The door for precinct staff: HTML pages, a cookie session, CSRF.

Officers come in with password and one-time code; nothing about a person is shown before a purpose is chosen. Views
call services and queries and choose a template. You will not find rules, SQL, or anything a door lock has reported.
"""
