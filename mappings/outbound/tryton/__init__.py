"""Tryton: canonical events to the three forms of document that its adapter posts.

A *production* takes items from the warehouse's store and brings others into it, a *transfer* moves items between two
locations, a *receipt* takes a purchase order's goods in. Quantities stay in the event's own unit; Tryton converts.
"""
