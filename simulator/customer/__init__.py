"""SMT's users at the portal: home automation that polls, and the same questions asked at both doors.

``portal_user``   home automation at the portal: asks for an on-demand read and polls
``same_answers``  the same questions at both doors (AC2)
"""
