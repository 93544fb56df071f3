"""reports/meter"""
