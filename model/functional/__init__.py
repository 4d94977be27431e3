"""What a device leaves in its memories, command by command, values only."""
