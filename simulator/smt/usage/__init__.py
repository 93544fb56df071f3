"""VEE usage: files taken in, the repository, the file site, what each ROR gets, reports and their forms.

Nothing non-VEE lives here.
"""
