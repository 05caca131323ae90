"""SAP by its IDocs, flat or as XML. Numbers have a point before their decimals and a minus behind them, dates and times
are digits of the sender's own clock, and numbers of documents and materials are padded with zeros.
"""
