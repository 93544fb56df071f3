"""reports/scenario"""
