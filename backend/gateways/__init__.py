"""The outside world behind roles: each role has a real part and a fake one, both product code; a setting chooses.

Services receive them as one `World`. You will not find a rule or a row here.
"""
