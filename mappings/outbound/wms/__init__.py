"""The regional warehouse system: tasks for its drivers, amounts in base units."""
