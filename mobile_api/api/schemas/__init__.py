"""What comes into the JSON API and what goes out, one noun per file.

Input refuses every unknown field; output shows only the named ones. Each field says in both languages what it is and
carries an example; the examples of the OpenAPI document are put together from them. Rules are not here: a schema knows
types and lengths, the domain knows what is allowed.
"""
