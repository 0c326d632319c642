"""The languages spoken to the outside: topics, lock messages, signed tokens, registry messages.

Pure translation between values and bytes, strict on the way in, pinned by the sample files of tests/wire/samples. Every
other room may come here; this one imports nothing of ours, opens no connection and decides nothing.
"""
