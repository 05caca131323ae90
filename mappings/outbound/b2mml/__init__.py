"""B2MML as text, for a system that reads ISA-95 files: orders as schedules, and what became of them as performance.

The target's option ``version`` says which of V0401, V0600 and V0700 it reads; V0700 unless told. The noun is
ProductionSchedule or ProductionPerformance in V0401, OperationsSchedule or OperationsPerformance in the later ones, in
a BOD with the verb Sync whose BODID is the posting key. What undoes a document is the same under the verb Cancel.

"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""
