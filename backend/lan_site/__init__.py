"""What `./anju demo --lan` needs beside the doors: a certificate authority made on the spot, and a page to get it.

Started by command line (`python -m backend.lan_site …`), in the demo alone. Nothing of an installation's data is found
here: no database, no setting, only the folder with the certificates and the addresses it is told.
"""
