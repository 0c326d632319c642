"""The stand-in for the national network identity: its own process, a simulated app as its page, nothing on a disk.

The platform comes in through signed calls under /v1, a person through /confirm. What must be compared is compared when
it arrives and not kept; what stays, in memory and for minutes, is a yes or no behind two random secrets. `/_sim` tells
it how to fail; the real service has no such door. You will not find a name or a number here.
"""
