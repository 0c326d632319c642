"""The door for other entitled offices: signed calls under a data-sharing agreement, nothing else.

An office fetches its changes here when it prefers that to being called, and reads its own agreement. You will not find
pages here, nor a way to ask for a person; nobody signs in, each call proves itself.
"""
