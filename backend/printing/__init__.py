"""The printing room: plain values in, the bytes of a PDF out, in Chinese or English.

Services bring what may stand on a paper; nothing here asks the database, a person's rights or the time. The same values
give the same bytes. A document number is masked unless the caller says that its holder prints it.
"""
