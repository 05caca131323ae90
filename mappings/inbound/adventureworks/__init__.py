"""AdventureWorks, Microsoft's sample of an ERP: rows of its tables as people export them, each in a way of its own. The
tables and their columns are those of the OLTP install script (github.com/microsoft/sql-server-samples, 2025).
"""
