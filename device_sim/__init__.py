"""Stands for the firmware of locks and for phones: what is simulated here would be hardware in a village.

The lock is a pure state machine with its own clock and flash; around it stand the MQTT link, the near link (in place of
Bluetooth), the fleet in one process, and a simulated phone. Only backend.wire is shared with the platform: everything
else travels as bytes. You will not find a rule of the platform here, only the lock's own.
"""
