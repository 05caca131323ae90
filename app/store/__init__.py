"""Tables, sessions and one repository a table family."""
