"""What SAP is told of an event, whatever the form: goods movements by their movement types."""
