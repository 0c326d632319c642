"""The mobile web pages: front door, landlord under /l/, tenant under /t/, one's own account under /me/.

Who comes in: a person with a phone browser, signed in by a phone code (cookie session). Every page is rendered here
and works as plain forms; small ES modules in ../static are used only where the browser's own powers are needed.
You will not find rules here: services decide, the domain's tables hold the words of reasons, states and notices.
Start with assembly.py.
"""
